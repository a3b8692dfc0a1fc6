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
	if strings.HasPrefix(s, "<-- ") || strings.HasPrefix(s, "--- ") { // the dialogue, at LogLevel 15
		return relaylens.Ignored
	}
	if s[0] != '<' || s[len(s)-1] == '\'' { // the others begin with an address
		if v := bareRefusal(s, rec); v != relaylens.Ignored {
			return v
		}
	}
	if !strings.Contains(s, "... ") {
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

// bareRefusals are the texts of usrerr during RCPT that name no address, or not as
// the others do. They end with end, or go on with the client's own words if it is empty.
// srvrsmtp.c, CMDRCPT, rcpt_esmtp_args, skipword; recipient.c; parseaddr.c
var bareRefusals = []struct {
	text, end string
	reason    relaylens.Reason
	class     relaylens.Class
}{
	{"Too many recipients", "Too many recipients", relaylens.ReasonRateLimit, relaylens.Class4xx},
	{"Recipient names must be specified", "specified", relaylens.ReasonAddressSyntax, relaylens.Class5xx},
	{"Missing recipient", "recipient", relaylens.ReasonAddressSyntax, relaylens.Class5xx},
	{"Syntax error in parameters scanning \"", "\"", relaylens.ReasonAddressSyntax, relaylens.Class5xx},
	{"Syntax error in mailbox address \"", ")", relaylens.ReasonAddressSyntax, relaylens.Class5xx},
	{"Syntax error in ORCPT parameter value", "value", relaylens.ReasonProtocol, relaylens.Class5xx},
	{"Syntax error in UTF-8 ORCPT parameter value", "value", relaylens.ReasonProtocol, relaylens.Class5xx},
	{"8-bit character in mailbox address \"", "\"", relaylens.ReasonAddressSyntax, relaylens.Class5xx},
	{"Address \"", " bytes max)", relaylens.ReasonAddressSyntax, relaylens.Class5xx},
	{"non-ASCII recipient address ", " requires SMTPUTF8", relaylens.ReasonAddressSyntax, relaylens.Class5xx},
	{"Address too long", "", relaylens.ReasonAddressSyntax, relaylens.Class5xx},
	{"only one RCPT domain allowed", "allowed", relaylens.ReasonRecipientPolicy, relaylens.Class4xx},
	{"aliasing/forwarding loop broken (", " max)", relaylens.ReasonRecipientPolicy, relaylens.Class5xx},
	{"aliasing/forwarding loop for ", " broken", relaylens.ReasonRecipientPolicy, relaylens.Class5xx},
	{"Bad argument \"", "\"  to NOTIFY", relaylens.ReasonProtocol, relaylens.Class5xx},
	{"NOTIFY requires a value", "value", relaylens.ReasonProtocol, relaylens.Class5xx},
	{"ORCPT requires a value", "value", relaylens.ReasonProtocol, relaylens.Class5xx},
	{"Duplicate ORCPT parameter", "parameter", relaylens.ReasonProtocol, relaylens.Class5xx},
	{"Sorry, NOTIFY not supported, ", "we do not allow DSN", relaylens.ReasonProtocol, relaylens.Class5xx},
	{"Sorry, ORCPT not supported, ", "we do not allow DSN", relaylens.ReasonProtocol, relaylens.Class5xx},
	{"", " parameter unrecognized", relaylens.ReasonProtocol, relaylens.Class5xx},
	{"Addressee unknown", "unknown", relaylens.ReasonUnknownRecipient, relaylens.Class5xx},
}

func bareRefusal(text string, rec *relaylens.Record) relaylens.Verdict {
	said, reason, class := "", relaylens.ReasonNone, relaylens.ClassNone
	for i := range bareRefusals {
		b := &bareRefusals[i]
		if strings.HasPrefix(text, b.text) && strings.HasSuffix(text, b.end) && (b.text != "" || oneWord(text, b.end)) {
			said, reason, class = text, b.reason, b.class
			break
		}
	}
	e := &rec.Event
	if said == "" {
		address, rest, ok := cutLast(text, "... ")
		if !ok || !unbalanced(rest) {
			return relaylens.Ignored
		}
		said, reason, class = rest, relaylens.ReasonAddressSyntax, relaylens.Class5xx
		e.Recipient = strings.TrimSuffix(strings.TrimPrefix(unescape(address), "<"), ">")
	}
	e.Kind, e.Reason, e.Class = relaylens.KindRejected, reason, class
	e.Direction, e.Stage, e.Text = relaylens.Inbound, relaylens.StageRcpt, unescape(said)
	rec.Hold = true
	return relaylens.Parsed
}

// oneWord reports that one word stands before end.
func oneWord(text, end string) bool {
	word := text[:len(text)-len(end)]
	return word != "" && strings.IndexByte(word, ' ') < 0
}

// unbalanced tells what prescan says of an address that it cannot take apart, as
// no other reader can. parseaddr.c, prescan
func unbalanced(said string) bool {
	quoted, ok := strings.CutPrefix(said, "Unbalanced '")
	return ok && (quoted == `"'` || quoted == "('" || quoted == ")'" || quoted == "<'" || quoted == ">'")
}
