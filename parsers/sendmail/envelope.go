package sendmail

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// maxFrom is where the sender of a from= line is cut. headers.c:logsender
const maxFrom = 200

// from reads what follows "from=": "S, size=n, class=n, nrcpts=n, …, relay=REL".
// It is written when the transaction ends, whether anything was accepted or not;
// a message was taken when it has recipients and a Message-Id.
func (g *Grammar) from(s string, rec *relaylens.Record) relaylens.Verdict {
	if escaped(s) {
		if !strings.Contains(s, relayMark) {
			return relaylens.Ignored
		}
		s = unescape(s)
	}
	at := lastIndex(s, relayMark)
	if at < 0 {
		return relaylens.Ignored
	}
	value, front := s[at+len(relayMark):], s[:at]
	sender, known, rest := cutSender(front)
	recipients, rest, ok := sizes(rest)
	if !ok {
		return relaylens.Ignored
	}
	client, bounce := g.clientOf(value)
	e := &rec.Event
	client.set(e)
	if known {
		e.SetSender(sender)
	}
	e.Proto = proto(rest)
	rec.Fact, rec.Recipients = relaylens.FactMessage, recipients
	if recipients == 0 {
		rec.Recipients = relaylens.Nobody
	}
	if recipients > 0 && !bounce && strings.HasPrefix(rest, ", msgid=") {
		e.Kind = relaylens.KindAccepted
	}
	return relaylens.Parsed
}

// clientOf reads the relay of a from= line, which is never shortened. bounce
// tells a message that this server made itself.
func (g *Grammar) clientOf(s string) (client relay, bounce bool) {
	if s == "[RESPONSE]" {
		return relay{}, true
	}
	if name, ok := strings.CutSuffix(s, ")"); ok && !strings.HasSuffix(s, forged) {
		// "{name} ({ip})", where $_ is unset.
		_, address, _ := cutLast(name, " (")
		client.ip, _ = smtp.ParseIP(strings.Trim(address, "[]"))
		return client, false
	}
	client, _ = g.relay(s)
	return client, false
}

// cutSender reads the sender at the start of s. known is false when it is cut or
// there is none.
func cutSender(s string) (sender string, known bool, rest string) {
	if address, rest, ok := cutPlain(s); ok && len(address)+len("<>") <= maxFrom && strings.HasPrefix(rest, sizeMark) {
		return address, address != "NONE", rest
	}
	typed, rest, ok := cutTyped(s, ",")
	switch {
	case ok && len(typed) <= maxFrom && strings.HasPrefix(rest, sizeMark):
		return mailbox(typed), typed != "" && typed != "<NONE>", rest
	case len(s) > maxFrom && strings.HasPrefix(s[maxFrom:], sizeMark):
		return "", false, s[maxFrom:]
	}
	if at := strings.Index(s, sizeMark); at >= 0 {
		return "", false, s[at:]
	}
	return "", false, ""
}

const (
	sizeMark  = ", size="
	classMark = ", class="
)

// sizes reads ", size=n, class=n, nrcpts=n".
func sizes(s string) (recipients int, rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, sizeMark); !ok {
		return 0, "", false
	}
	if _, after, _ := number(s); strings.HasPrefix(after, classMark) {
		s = after[len(classMark):]
	} else if _, s, ok = strings.Cut(s, classMark); !ok {
		return 0, "", false
	}
	if _, s, ok = number(strings.TrimPrefix(s, "-")); !ok {
		return 0, "", false
	}
	if s, ok = strings.CutPrefix(s, ", nrcpts="); !ok {
		return 0, "", false
	}
	return number(s)
}

// proto is the protocol of a from= line, whose end s is. The Message-Id before
// it is the client's text.
func proto(s string) string {
	_, p, ok := cutLast(s, ", proto=")
	if !ok {
		return ""
	}
	p, rest, _ := strings.Cut(p, ", ")
	if rest != "" && !strings.HasPrefix(rest, "daemon=") && !strings.HasPrefix(rest, "auth=") || !mechanism(p) {
		return ""
	}
	return p
}
