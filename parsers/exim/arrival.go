package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// arrival reads a message that was taken, or with (= taken while the client was
// told that it was refused. receive.c, receive_msg; add_host_info_for_log
func (g *Grammar) arrival(id, s string, rec *relaylens.Record) relaylens.Verdict {
	pretended := s[0] == '('
	sender, rest, ok := cutAddress(s[3:])
	if strings.HasPrefix(s[3:], "<> ") {
		sender, rest, ok = "", s[5:], true
	}
	if !ok {
		return relaylens.Malformed
	}
	e := &rec.Event
	if parent, ok := strings.CutPrefix(rest, " R="); ok {
		// A bounce came about by whoever sent the message it is about.
		if from, _ := cutID(parent); from != "" {
			rec.Fact, rec.Child, e.QueueID = relaylens.FactChild, id, from
			return relaylens.Parsed
		}
	}
	var t tokens
	if !g.arrivalHost(rest, e, &t) {
		rec.Tainted = true
	}
	rec.Fact = relaylens.FactMessage
	e.Kind, e.Proto = relaylens.KindAccepted, t.proto
	e.AuthMethod, e.User, _ = strings.Cut(t.auth, ":")
	e.User = withoutMailAuth(e.User)
	if t.doubted {
		e.AuthMethod, e.User, rec.Tainted = "", "", true
	}
	e.SetSender(sender)
	if pretended {
		e.Kind, e.Reason = relaylens.KindRejected, relaylens.ReasonContent
		e.Direction, e.Stage = relaylens.Inbound, relaylens.StageEOD
	}
	return relaylens.Parsed
}

// withoutMailAuth drops the address that MAIL's AUTH parameter told, which
// log_selector = +smtp_mailauth puts behind the login: "joe:joe@example.com".
func withoutMailAuth(user string) string {
	login, address, ok := strings.Cut(user, ":")
	if ok && strings.IndexByte(address, '@') >= 0 && strings.IndexByte(address, ':') < 0 {
		return login
	}
	return user
}

// arrivalHost reads the fields between sender and size; false when the host
// string cannot be read.
func (g *Grammar) arrivalHost(s string, e *relaylens.Event, t *tokens) bool {
	s = strings.TrimPrefix(s, " DS")
	if rest, ok := strings.CutPrefix(s, " H="); ok {
		var h host
		after, ok := h.cut(rest)
		if !ok || h.several(after) {
			if h, after, ok = otherClient(rest); !ok {
				return false
			}
		}
		h.setClient(e)
		e.Direction = relaylens.DirectionNone
		s = after
	}
	*t, s = g.recent.tokens(s)
	if !strings.HasPrefix(s, " S=") && len(s) > 0 {
		if !t.ident {
			// The HELO has a host string in it.
			*e, t.auth = relaylens.Event{}, ""
			return false
		}
		t.doubted = true
	}
	// What the client could have written before the size is not trusted when
	// the size is there twice.
	if t.ident && strings.Contains(strings.TrimPrefix(s, " S="), " S=") {
		t.doubted = true
	}
	return true
}

// otherClient reads the host string where it does not keep the rules, or may be another
// than the first; ok is false unless only one can be it.
// What the client says behind the size stands in quotes where it has spaces, so
// a host string that is part of it leaves a quote without its other.
func otherClient(s string) (h host, rest string, ok bool) {
	n := 0
	for w := newHosts(s); ; {
		th, after, found := w.next()
		if !found {
			return h, rest, n == 1
		}
		if w.seen > maxHosts {
			return h, rest, false
		}
		_, size := cutTokens(after, false)
		switch {
		case w.strict && len(size) < len(after):
		case strings.HasPrefix(size, " S=") && balanced(size):
		default:
			continue
		}
		h, rest = th, after
		n++
	}
}

// noMail reads a session in which no message came, for the login that it may
// tell of: "no MAIL in SMTP connection from HOST D=1s A=plain:joe C=EHLO,AUTH".
// smtp_in.c, smtp_log_no_mail
func noMail(s string, rec *relaylens.Record) relaylens.Verdict {
	_, s, ok := strings.Cut(s, "SMTP connection from ")
	if !ok {
		return relaylens.Ignored
	}
	h, rest, n := oneClient(s, timeFollows)
	if n == 0 {
		return relaylens.Ignored
	}
	if n > 1 {
		return relaylens.Malformed
	}
	at := strings.Index(rest, timeMark)
	ident := strings.Contains(rest[:at], " U=")
	_, rest, _ = strings.Cut(rest[at+1:], " ")
	rest, ok = strings.CutPrefix(rest, "A=")
	if !ok {
		return relaylens.Ignored
	}
	if ident && strings.Contains(rest, timeMark) {
		return relaylens.Malformed // an ident answer may say all of this
	}
	driver, user, ok := strings.Cut(rest[:fieldLength(rest)], ":")
	if !ok {
		return relaylens.Ignored
	}
	e := &rec.Event
	h.setClient(e)
	e.Kind, e.Direction = relaylens.KindAuthOK, relaylens.DirectionNone
	e.AuthMethod, e.User = driver, user
	return relaylens.Parsed
}

// timeMark begins the field that stands behind the host string.
const timeMark = " D="

func timeFollows(s string) bool {
	at := strings.Index(s, timeMark)
	if at < 0 {
		return false
	}
	_, rest := cutTokens(s[:at], false)
	return rest == ""
}

// backend reads what says that something behind the server failed.
// expand.c, search.c, string.c (taint)
func backend(s string, rec *relaylens.Record) relaylens.Verdict {
	switch {
	case strings.HasPrefix(s, "failed to expand "), strings.HasPrefix(s, "Tainted "), strings.HasPrefix(s, "tainted "),
		strings.HasPrefix(s, "unable to ") && strings.Contains(s, "connect"):
	case strings.HasPrefix(s, "lookup of "), strings.HasPrefix(s, "MYSQL"), strings.HasPrefix(s, "PGSQL"):
	case strings.HasPrefix(s, "malware acl condition: "), strings.HasPrefix(s, "spam acl condition: "):
	default:
		return relaylens.Ignored
	}
	rec.Event.Kind, rec.Event.Text = relaylens.KindBackendError, s
	if name := scanner(s); name != "" {
		rec.Helper, rec.Event.RemoteHost = relaylens.HelperScanner, name
	}
	return relaylens.Parsed
}
