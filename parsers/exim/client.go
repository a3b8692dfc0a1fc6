package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// smtpLine reads the lines that begin with "SMTP "; s is what follows.
func smtpLine(s string, rec *relaylens.Record) relaylens.Verdict {
	if rest, ok := strings.CutPrefix(s, "connection"); ok {
		return connection(rest, rec)
	}
	if rest, ok := strings.CutPrefix(s, "call from "); ok {
		return callDropped(rest, rec)
	}
	if rest, ok := strings.CutPrefix(s, "syntax error in \""); ok {
		return syntaxError(rest, rec)
	}
	if rest, ok := strings.CutPrefix(s, "protocol error in \""); ok {
		if len(rest) < 5 || !strings.EqualFold(rest[:4], "AUTH") || rest[4] != ' ' && rest[4] != '"' {
			return relaylens.Ignored
		}
		return authProtocolError(rest, rec)
	}
	if rest, ok := strings.CutPrefix(s, "protocol synchronization error ("); ok {
		return tooSoon(rest, rec)
	}
	return relaylens.Ignored
}

// refused fills a refusal of an SMTP command that is no ACL's.
func refused(h *host, stage relaylens.Stage, reason relaylens.Reason, text string, rec *relaylens.Record) relaylens.Verdict {
	e := &rec.Event
	h.setClient(e)
	e.Kind, e.Reason, e.Stage, e.Class, e.Text = relaylens.KindRejected, reason, stage, relaylens.Class5xx, text
	return relaylens.Parsed
}

// connection reads " from HOST (TCP/IP connection count = 1)" and " from HOST
// closed by QUIT". daemon.c, handle_smtp_call; smtp_in.c, log_close_event
func connection(s string, rec *relaylens.Record) relaylens.Verdict {
	if i := strings.Index(s, " from "); i >= 0 && i < 32 {
		s = s[i+len(" from "):]
	}
	h, rest, n := oneClient(s, connectionFollows)
	if n == 0 {
		return relaylens.Ignored
	}
	rest, _ = follow(rest, isConnection)
	e := &rec.Event
	e.Kind = relaylens.KindConnection
	if n > 1 {
		rec.Tainted = true
		return relaylens.Parsed
	}
	h.setClient(e)
	e.Direction = relaylens.DirectionNone
	rest = strings.TrimPrefix(rest, " (via inetd)")
	e.Text = strings.TrimPrefix(rest, " ")
	if !strings.HasPrefix(rest, counted) {
		// The count is written by the daemon, whose process is no session.
		rec.Fact = relaylens.FactSessionEnd
	}
	return relaylens.Parsed
}

const counted = " (TCP/IP connection count"

func isConnection(s string) bool {
	s = strings.TrimPrefix(s, " (via inetd)")
	return hasAnyPrefix(s, " closed ", " lost", " TFO lost", counted)
}

func connectionFollows(s string) bool {
	_, n := follow(s, isConnection)
	return n > 0
}

// callDropped reads "HOST dropped: too many …". smtp_in.c
func callDropped(s string, rec *relaylens.Record) relaylens.Verdict {
	h, rest, n := oneClient(s, dropFollows)
	if n == 0 {
		if strings.Contains(s, " dropped: ") {
			return relaylens.Malformed
		}
		return relaylens.Ignored
	}
	rest, _ = follow(rest, isDrop)
	// What follows quotes the last command, which may hold a password.
	text, _, _ := strings.Cut(rest[len(" dropped: "):], " (last ")
	rec.Dismissal = !strings.HasSuffix(text, "nonmail commands")
	if n > 1 {
		h, text, rec.Tainted = host{}, "", true
	}
	rec.Copied = true
	return refused(&h, relaylens.StageNone, relaylens.ReasonProtocol, text, rec)
}

func isDrop(s string) bool { return strings.HasPrefix(s, " dropped: ") }

func dropFollows(s string) bool {
	_, n := follow(s, isDrop)
	return n > 0
}

// command is a command that a line quotes, and who sent it.
type command struct {
	host   host
	text   string // the command, if it has one end
	rest   string // what follows the host string
	n      int    // how many clients could have sent it
	ends   int    // how many ends the command could have
	others bool   // there are other addresses, be they possible or not
}

// quoted finds the host string behind a quoted command: `CMD" H=HOST`, by what
// fits behind it. CMD is the client's, and what follows the host may repeat it.
// So the last host string is the right one unless the command before another
// one holds what would be the repetition.
func quoted(s string, fits func(string) bool) (c command) {
	last := len(s) + 1
	mark := 0 // where the last host string's address begins
	eachHost(s, func(_ int, _ host, rest string) {
		if len(rest) < last {
			last = len(rest)
			mark = strings.LastIndexByte(s[:len(s)-last], '[')
		}
	}, fits)
	if last > len(s) {
		c.local(s, fits)
		return c
	}
	address := s[mark : len(s)-last]
	tries := eachHost(s, func(at int, h host, rest string) {
		switch {
		case len(rest) == last && c.rest == "":
			c.host, c.text, c.rest = h, s[:at], rest
			c.n, c.ends = c.n+1, 1
		case len(rest) == last:
			c.ends++
		default:
			c.others = true
			if t, _ := cutTokens(rest, true); t.ident || strings.Contains(s[:at], address) {
				c.n++
			}
		}
	}, fits)
	if tries > maxHosts {
		c.n++
	}
	return c
}

// eachHost calls f for every host string behind a quotation mark.
func eachHost(s string, f func(at int, h host, rest string), fits func(string) bool) (tries int) {
	for i := 0; tries <= maxHosts; {
		at := strings.Index(s[i:], `" H=`)
		if at < 0 {
			break
		}
		at += i
		i = at + 1
		for w := newHosts(s[at+len(`" H=`):]); tries <= maxHosts; {
			h, rest, ok := w.next()
			if !ok {
				break
			}
			if tries++; fits(rest) {
				f(at, h, rest)
			}
		}
	}
	return tries
}

// syntaxError reads `CMD" H=HOST why`. smtp_in.c, synprot_error
func syntaxError(s string, rec *relaylens.Record) relaylens.Verdict {
	stage := commandStage(s)
	if stage == relaylens.StageNone {
		return relaylens.Ignored
	}
	c := quoted(s, isText)
	if c.n == 0 {
		return relaylens.Malformed
	}
	text, _ := follow(c.rest, isText)
	text = strings.TrimPrefix(text, " ")
	h := c.known(rec)
	rec.Protest = true
	e := &rec.Event
	reason := relaylens.ReasonProtocol
	switch stage {
	case relaylens.StageAuth:
		refused(&h, stage, 0, "", rec)
		e.Kind, e.Reason = relaylens.KindAuthFailed, relaylens.ReasonMalformed
		return relaylens.Parsed
	case relaylens.StageMail, relaylens.StageRcpt:
		reason = relaylens.ReasonAddressSyntax
	case relaylens.StageHelo:
		reason = relaylens.ReasonHelo
	}
	refused(&h, stage, reason, text, rec)
	if !c.others && c.ends == 1 {
		setArgument(e, c.text)
	}
	return relaylens.Parsed
}

// known is the client, or none when several could be.
func (c *command) known(rec *relaylens.Record) host {
	if c.others || c.n > 1 || c.ends > 1 {
		rec.Tainted = true
	}
	if c.n > 1 {
		return host{}
	}
	return c.host
}

// isText reports what Exim says of a command.
func isText(s string) bool { return len(s) > 1 && s[0] == ' ' }

// setArgument takes the address or the name from the command that was refused.
func setArgument(e *relaylens.Event, command string) {
	switch e.Stage {
	case relaylens.StageMail:
		if a, ok := pathArgument(command); ok {
			e.SetSender(a)
		}
	case relaylens.StageRcpt:
		e.Recipient, _ = pathArgument(command)
	case relaylens.StageHelo:
		if len(command) > 5 && command[4] == ' ' {
			e.Helo = command[5:]
		}
	}
}

// pathArgument is the address of "MAIL FROM:<a@example.net>", however wrong it is.
func pathArgument(command string) (string, bool) {
	colon := strings.IndexByte(command, ':')
	if colon < 0 {
		return "", false
	}
	s := unprinted(strings.TrimLeft(command[colon+1:], " "))
	path, rest, ok := cutPath(s)
	parameters := ok && len(rest) > 1 && rest[0] == ' ' // they are what is wrong
	if len(s) > 1 && s[0] == '<' && s[len(s)-1] == '>' && (!parameters || rest[1] < 'A' || rest[1] > 'Z') {
		return s[1 : len(s)-1], true
	}
	if parameters {
		return path, true
	}
	return s, s != ""
}

// commandStage is the stage of the SMTP command that s begins with.
func commandStage(s string) relaylens.Stage {
	if len(s) < 4 {
		return relaylens.StageNone
	}
	if len(s) > 4 && s[4] != ' ' && s[4] != '"' && s[4] != ':' {
		if len(s) >= 8 && strings.EqualFold(s[:8], "STARTTLS") {
			return relaylens.StageHelo
		}
		return relaylens.StageNone
	}
	var word [4]byte
	for i := range word {
		word[i] = s[i] &^ 0x20
	}
	switch string(word[:]) {
	case "EHLO", "HELO":
		return relaylens.StageHelo
	case "AUTH":
		return relaylens.StageAuth
	case "MAIL":
		return relaylens.StageMail
	case "RCPT":
		return relaylens.StageRcpt
	case "DATA", "BDAT":
		return relaylens.StageData
	case "ETRN":
		return relaylens.StageEtrn
	case "VRFY", "EXPN":
		return relaylens.StageVrfy
	}
	return relaylens.StageNone
}

// unsupported is what Exim says of a mechanism it does not have; the name
// before it is the client's and may be a password.
const unsupported = "authentication mechanism not supported"

// authProtocolError reads `AUTH …" H=HOST why`.
func authProtocolError(s string, rec *relaylens.Record) relaylens.Verdict {
	c := quoted(s, isText)
	if c.n == 0 {
		return relaylens.Malformed
	}
	rest, _ := follow(c.rest, isText)
	h := c.known(rec)
	rec.Protest = true
	e := &rec.Event
	h.setClient(e)
	e.Kind, e.Reason = relaylens.KindAuthFailed, relaylens.ReasonAuthPolicy
	e.Stage, e.Class = relaylens.StageAuth, relaylens.Class5xx
	e.AuthMethod = mechanism(strings.TrimPrefix(s[4:], " "))
	switch {
	case strings.HasSuffix(rest, unsupported):
		e.Reason, e.Text = relaylens.ReasonMechanism, unsupported
	case hasAnyPrefix(rest, " AUTH command used when not advertised", " already authenticated", " not permitted in mail transaction"):
		e.Text = rest[1:]
	}
	return relaylens.Parsed
}

// tooSoon reads a client that does not wait for its turn. Behind the host Exim
// shows what the client had sent. smtp_in.c, smtp_start_session, smtp_setup_msg
func tooSoon(s string, rec *relaylens.Record) relaylens.Verdict {
	if rest, ok := strings.CutPrefix(s, "input sent without waiting for greeting): rejected connection from H="); ok {
		h, _, ok := cutHost(rest)
		if !ok {
			return relaylens.Malformed
		}
		rec.Copied = true
		return refused(&h, relaylens.StageConnect, relaylens.ReasonProtocol, s[:len("input sent without waiting for greeting")], rec)
	}
	text, rest, ok := strings.Cut(s, `): rejected "`)
	if !ok {
		return relaylens.Ignored
	}
	c := quoted(rest, inputFollows)
	if c.n == 0 {
		return relaylens.Malformed
	}
	if c.others {
		c.n = 2 // the client wrote what stands on both sides
	}
	h := c.known(rec)
	rec.Copied = true
	return refused(&h, commandStage(rest), relaylens.ReasonProtocol, text, rec)
}

func isInput(s string) bool { return strings.HasPrefix(s, ` next input="`) }

func inputFollows(s string) bool {
	_, n := follow(s, isInput)
	return n > 0
}
