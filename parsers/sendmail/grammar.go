package sendmail

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// Grammar reads Sendmail's lines.
type Grammar struct {
	texts  relaylens.Texts
	recent *recent // nil where several goroutines read
}

// New makes a grammar. texts are the site's own words for a relay denial or a
// failed sender verification, from its access map or its rulesets; they are
// looked for in what the server says, never in addresses. It is safe for concurrent use.
func New(texts relaylens.Texts) *Grammar { return &Grammar{texts: texts} }

// Reader reads what g does, for one goroutine: it remembers what it read last.
func (g *Grammar) Reader() *Grammar { return &Grammar{g.texts, new(recent)} }

// MTA implements [relaylens.Grammar].
func (*Grammar) MTA() relaylens.MTA { return relaylens.Sendmail }

// Parse implements [relaylens.Grammar].
func (g *Grammar) Parse(env *relaylens.Envelope, rec *relaylens.Record) relaylens.Verdict {
	id, text := cutID(env.Text)
	if text == "" {
		return relaylens.Ignored
	}
	v := g.record(id, text, rec)
	if v == relaylens.Parsed {
		rec.Event.Service = env.Program
		if rec.Event.QueueID == "" {
			rec.Event.QueueID = id
		}
	}
	return v
}

// record reads what stands behind the queue id. A line that begins with a host
// name can begin with any letters, those of a keyword as well, so it is told first,
// by its structure.
func (g *Grammar) record(id, text string, rec *relaylens.Record) relaylens.Verdict {
	if v, ours := g.hostFirst(id, text, rec); ours {
		return v
	}
	switch text[0] {
	case 'r':
		if s, ok := strings.CutPrefix(text, "ruleset="); ok {
			return g.ruleset(id, s, rec)
		}
		if s, ok := strings.CutPrefix(text, "rejecting "); ok {
			return pregreet(id, s, rec)
		}
		if s, ok := strings.CutPrefix(text, "runqueue: Skipping queue run -- "); ok && id == "" {
			return ownFault(relaylens.Capacity, s, rec)
		}
	case 'f':
		if s, ok := strings.CutPrefix(text, "from="); ok && id != "" {
			return g.from(s, rec)
		}
	case 't':
		return g.lowerT(id, text, rec)
	case 'A':
		if s, ok := cutWord(text, "AUTH", '='); ok {
			return g.auth(id, s, rec)
		}
	case '<':
		if id != "" {
			return g.usrerr(text, rec)
		}
	case 'M':
		if s, ok := cutWord(text, "Milter", ':'); ok {
			return milter(id, s, rec)
		}
	case 'm':
		if s, ok := strings.CutPrefix(text, "milter="); ok {
			return milterAction(s, rec)
		}
	case 'S':
		return g.upperS(id, text, rec)
	}
	return g.rarer(id, text, rec)
}

// cutWord drops a word that end or a space follows, which stay.
func cutWord(text, word string, end byte) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(text, word)
	return rest, ok && rest != "" && (rest[0] == end || rest[0] == ' ')
}

func (g *Grammar) lowerT(id, text string, rec *relaylens.Record) relaylens.Verdict {
	if s, ok := strings.CutPrefix(text, "to="); ok && id != "" {
		return g.delivery(s, rec)
	}
	if s, ok := strings.CutPrefix(text, "tcpwrappers ("); ok {
		return tcpwrappers(s, rec)
	}
	if s, ok := strings.CutPrefix(text, "timeout waiting for input from "); ok {
		return sessionEnd(s, timeoutSep, rec)
	}
	return g.rarer(id, text, rec)
}

func (g *Grammar) upperS(id, text string, rec *relaylens.Record) relaylens.Verdict {
	if s, ok := strings.CutPrefix(text, "STARTTLS=server, "); ok {
		return g.starttls(s, rec)
	}
	if s, ok := strings.CutPrefix(text, "SYSERR("); ok {
		if user, said, ok := strings.Cut(s, "): "); ok {
			return sysErr(user, said, rec)
		}
	}
	if s, ok := strings.CutPrefix(text, "SMTP "); ok {
		return tempfailed(s, rec)
	}
	return g.rarer(id, text, rec)
}

// rarer reads the lines that are not told by a first letter of their own.
func (g *Grammar) rarer(id, text string, rec *relaylens.Record) relaylens.Verdict {
	switch {
	case strings.HasPrefix(text, "connect from "):
		return connect(text[len("connect from "):], rec)
	case strings.HasPrefix(text, "lost input channel from "):
		return lostInput(text[len("lost input channel from "):], rec)
	case strings.HasPrefix(text, "invalid domain name ("):
		return invalidHelo(text[len("invalid domain name ("):], rec)
	case strings.HasPrefix(text, "setsender: "):
		return setsender(text[len("setsender: "):], rec)
	case strings.HasPrefix(text, "done; delay=") && id != "":
		rec.Fact = relaylens.FactMessageEnd
		return relaylens.Parsed
	case strings.HasPrefix(text, "clone of ") && id != "":
		return clone(id, text[len("clone of "):], rec)
	case strings.HasPrefix(text, "collect: relay=") && id != "":
		return collected(text, rec)
	case strings.HasPrefix(text, "low on space (") && id != "":
		return lowOnSpace(text, rec)
	case strings.HasPrefix(text, disabled):
		return srvDisabled(text[len(disabled):], rec)
	case saslBroken(text):
		return loginBackend(text, rec)
	}
	if id == "" {
		return relaylens.Ignored
	}
	if child, said := cutID(text); child != "" && bounceWords(said) {
		rec.Fact, rec.Child = relaylens.FactChild, child
		if said[0] != 'p' && said[0] != 'c' {
			rec.Recipients = 1 // the sender
		}
		return relaylens.Parsed
	}
	return g.usrerr(text, rec)
}

// mapOf names the map that an error is of. map.c, ldap_map; util.c, syserr
func mapOf(said string) string {
	if _, rest, ok := strings.Cut(said, " in map "); ok && strings.HasPrefix(said, "ldap_") {
		name, _, _ := strings.Cut(rest, ":")
		return name
	}
	if rest, ok := strings.CutPrefix(said, "Cannot open hash database "); ok {
		name, _, _ := strings.Cut(rest, ": ")
		return name
	}
	if kind, rest, ok := strings.Cut(said, ` map "`); ok && strings.IndexByte(kind, ' ') < 0 {
		name, _, _ := strings.Cut(rest, `"`)
		return name
	}
	return ""
}

// sysErr reads what failed on the server's side. A message that cannot be stored is
// refused with 421, which is not logged. collect.c, dferror
func sysErr(user, said string, rec *relaylens.Record) relaylens.Verdict {
	if said == "Out of disk space for temp file" || strings.HasPrefix(said, "collect: Cannot write ") {
		rec.Event.RemoteHost = relaylens.Disk
		return refusedMessage(said, relaylens.ReasonResources, rec)
	}
	if name := failing(user, said); name != "" {
		return ownFault(name, said, rec)
	}
	if name := mapOf(said); name != "" {
		rec.Helper, rec.Event.RemoteHost = relaylens.HelperTable, name
	}
	return backend(said, rec)
}

// collected reads what follows "collect: relay=": "{host}, from={A}, info={why}⟦,
// where={part}, status=tempfail⟧". Without a status the client is gone. collect.c of
// 8.18 and of older releases that are patched against SMTP smuggling
func collected(s string, rec *relaylens.Record) relaylens.Verdict {
	s, ok := strings.CutSuffix(s, ", status=tempfail")
	s, _, found := cutLast(s, ", where=")
	_, why, told := cutLast(s, ", info=")
	if !ok || !found || !told {
		return relaylens.Ignored
	}
	return refusedMessage(why, relaylens.ReasonProtocol, rec)
}

// refusedMessage is a message refused for now when its text was read. The from= line
// that follows tells whose it is.
func refusedMessage(why string, reason relaylens.Reason, rec *relaylens.Record) relaylens.Verdict {
	e := &rec.Event
	e.Kind, e.Reason, e.Class = relaylens.KindRejected, reason, relaylens.Class4xx
	e.Direction, e.Stage, e.Text = relaylens.Inbound, relaylens.StageEOD, unescape(why)
	rec.Hold = true
	return relaylens.Parsed
}

// backend reports that something the server needs failed.
func backend(said string, rec *relaylens.Record) relaylens.Verdict {
	rec.Event.Kind, rec.Event.Text = relaylens.KindBackendError, unescape(said)
	return relaylens.Parsed
}

// loginBackend is backend for what checks passwords.
func loginBackend(said string, rec *relaylens.Record) relaylens.Verdict {
	rec.Event.Stage = relaylens.StageAuth
	return backend(said, rec)
}

// saslPrefixes begin what the Cyrus SASL library writes under Sendmail's own
// name, into the log of the auth facility, when it cannot check a password.
// cyrus-sasl lib/checkpw.c, lib/auxprop.c, sasldb/db_*.c, plugins/sql.c
var saslPrefixes = []string{
	"cannot connect to saslauthd server", "unable to open Berkeley db ", "auxpropfunc error ",
	"could not find auxprop plugin", "sql plugin couldn't connect to any host", "unable to open ndbm db ", "unable to open lmdb ",
}

func saslBroken(text string) bool {
	switch text[0] {
	case 'a', 'c', 's', 'u':
		for _, p := range saslPrefixes {
			if strings.HasPrefix(text, p) {
				return true
			}
		}
	}
	return false
}

// bounceWords tells the notices of savemail.c:returntosender, and what deliver.c:sendall
// says of recipients that get a message of their own, as their list has an owner.
func bounceWords(said string) bool {
	return strings.HasPrefix(said, "clone: owner=") || strings.HasPrefix(said, "DSN: ") || strings.HasPrefix(said, "postmaster notify: ") ||
		strings.HasPrefix(said, "return to sender: ") || strings.HasPrefix(said, "sender notify: ")
}

// clone reads "{id}: clone of {id2}, owner=…". envelope.c, sendall
func clone(id, s string, rec *relaylens.Record) relaylens.Verdict {
	parent, _, ok := strings.Cut(s, ",")
	if !ok || !isID(parent) {
		return relaylens.Ignored
	}
	rec.Fact, rec.Child, rec.Event.QueueID = relaylens.FactChild, id, parent
	return relaylens.Parsed
}
