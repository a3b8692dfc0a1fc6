package sendmail

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// usrerr reads the refusal of a recipient without ruleset, the reply as it was
// sent, with or without its codes: "<a@example.com>... User unknown". It names
// neither client nor sender. err.c:usrerr, while LogUsrErrs
func (g *Grammar) usrerr(s string, rec *relaylens.Record) relaylens.Verdict {
	if !strings.Contains(s, "... ") || strings.HasPrefix(s, "<-- ") {
		return relaylens.Ignored
	}
	code, enhanced, text := smtp.CutReply(s)
	if code != 0 && code < 400 {
		return relaylens.Ignored
	}
	address, said, ok := cutRefused(unescape(text))
	if !ok || said == "" {
		return relaylens.Ignored
	}
	e := &rec.Event
	e.Direction, e.Stage = relaylens.Inbound, relaylens.StageRcpt
	e.Recipient, e.Code, e.Enhanced, e.Text = address, code, enhanced, said
	g.judge(e, relaylens.ReasonRecipientPolicy)
	if code == 0 {
		e.Class = classOf(e.Text)
	}
	rec.Hold = true
	return relaylens.Parsed
}

// cutRefused splits "A... said". One without angle brackets looks like any
// sentence, so only the server's own texts tell that it is one.
func cutRefused(text string) (address, said string, ok bool) {
	if text == "" {
		return "", "", false
	}
	if shortEcho(text) {
		address, said = smtp.TrimPath(text[:maxShort]), text[maxShort+len("... "):]
	} else {
		typed, rest, ok := cutTyped(text, ellipsis)
		if !ok || typed == "" {
			return "", "", false
		}
		address, said = mailbox(typed), rest[len("... "):]
	}
	return address, said, text[0] == '<' || phrased(said)
}

// phrased tells a text of the default configuration.
func phrased(said string) bool {
	for i := range phrases {
		if strings.HasPrefix(said, phrases[i].text) {
			return true
		}
	}
	return deniesRelay(said)
}

// classOf tells the class of a reply whose code is not logged from its words.
func classOf(text string) relaylens.Class {
	for _, p := range []string{"try again", "later", "empora", "Deferred", "deferred", "Too many recipients", "lookup failure"} {
		if strings.Contains(text, p) {
			return relaylens.Class4xx
		}
	}
	return relaylens.Class5xx
}

// bareRefusals are the texts of usrerr during RCPT that name no address.
// srvrsmtp.c, CMDRCPT; recipient.c
var bareRefusals = []struct {
	text   string
	reason relaylens.Reason
	class  relaylens.Class
}{
	{"Too many recipients", relaylens.ReasonRateLimit, relaylens.Class4xx},
	{"Recipient names must be specified", relaylens.ReasonAddressSyntax, relaylens.Class5xx},
}

func bareRefusal(id, text string, rec *relaylens.Record) relaylens.Verdict {
	if id == "" {
		return relaylens.Ignored
	}
	for i := range bareRefusals {
		if b := &bareRefusals[i]; text == b.text {
			e := &rec.Event
			e.Kind, e.Reason, e.Class = relaylens.KindRejected, b.reason, b.class
			e.Direction, e.Stage, e.Text = relaylens.Inbound, relaylens.StageRcpt, text
			rec.Hold = true
			return relaylens.Parsed
		}
	}
	return relaylens.Ignored
}
