package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// judge says what a refusal's text means. All texts but a few are the
// configuration's; what they repeat of the client's own words is left out.
func (g *Grammar) judge(c *claim) (relaylens.Kind, relaylens.Reason) {
	if c.stage == relaylens.StageAuth {
		return relaylens.KindAuthFailed, relaylens.ReasonAuthPolicy
	}
	kind, reason := g.judgeText(c)
	switch c.stage {
	case relaylens.StageHelo, relaylens.StageEtrn, relaylens.StageVrfy:
		if kind != relaylens.KindRejected { // there is no sender, and nothing to relay
			return relaylens.KindRejected, defaultReason(c.stage)
		}
	}
	return kind, reason
}

func (g *Grammar) judgeText(c *claim) (relaylens.Kind, relaylens.Reason) {
	if kind, reason, ok := standard(c.msg); ok {
		return kind, reason
	}
	if c.stage < relaylens.StageData && listed(c.msg) {
		return relaylens.KindRejected, relaylens.ReasonDNSBL
	}
	_, _, msg := cutCode(c.msg, c.temporary)
	if at := strings.Index(msg, "] : "); at >= 0 {
		return c.calloutReason(msg[at+len("] : "):])
	}
	if c.stage >= relaylens.StageData {
		// Content rules quote what they found.
		if at := strings.IndexAny(msg, `:("<`); at > 0 {
			msg = msg[:at]
		}
	}
	for range 8 {
		part, rest := cutOwn(msg, c)
		if kind, reason, ok := g.judgeOwn(part, c.stage); ok {
			return kind, reason
		}
		if msg = rest; msg == "" {
			break
		}
	}
	return relaylens.KindRejected, defaultReason(c.stage)
}

// standard knows the texts of Exim itself and of its own configure files.
func standard(msg string) (relaylens.Kind, relaylens.Reason, bool) {
	switch msg {
	case "relay not permitted", "relay not permitted, authentication required":
		return relaylens.KindRelayDenied, relaylens.ReasonNone, true
	case "Sender verify failed":
		return relaylens.KindSenderVerify, relaylens.ReasonUnverified, true
	case "Could not complete sender verify":
		return relaylens.KindSenderVerify, relaylens.ReasonDomainTempfail, true
	case "Could not complete sender verify callout":
		return relaylens.KindSenderVerify, relaylens.ReasonCalloutTempfail, true
	case "Unrouteable address", "Unknown user", "no such virtual user":
		return relaylens.KindRejected, relaylens.ReasonUnknownRecipient, true
	case "Restricted characters in address", "restricted characters in address":
		return relaylens.KindRejected, relaylens.ReasonAddressSyntax, true
	}
	return 0, 0, false
}

// listed reports what Exim's own configure file logs of dnslists: "found in
// bl.example.net", and what the list says. configure.default
func listed(msg string) bool {
	zone, ok := strings.CutPrefix(msg, "found in ")
	if !ok {
		return false
	}
	if i := strings.IndexAny(zone, " :,"); i >= 0 {
		zone = zone[:i]
	}
	return strings.IndexByte(zone, '.') > 0
}

// judgeOwn reads the server's words.
func (g *Grammar) judgeOwn(text string, stage relaylens.Stage) (relaylens.Kind, relaylens.Reason, bool) {
	if g.texts.RelayDenied.Match(text) {
		return relaylens.KindRelayDenied, relaylens.ReasonNone, true
	}
	if g.texts.SenderVerify.Match(text) {
		return relaylens.KindSenderVerify, relaylens.ReasonUnverified, true
	}
	return g.said.Of(text, uint8(stage), func() (relaylens.Kind, relaylens.Reason, bool) { return judgeSentences(text, stage) })
}

// judgeSentences reads words sentence by sentence: what comes first says what happened,
// and "see …" says nothing.
func judgeSentences(text string, stage relaylens.Stage) (relaylens.Kind, relaylens.Reason, bool) {
	for text != "" {
		var s string
		s, text = cutSentence(text)
		if reference(s) {
			continue
		}
		kind, reason, ok := find(s)
		switch {
		case !ok, kind == relaylens.KindNone:
			continue
		case kind == relaylens.KindRelayDenied && (stage == relaylens.StageHelo || stage >= relaylens.StageData):
			continue
		}
		return kind, reason, true
	}
	return 0, 0, false
}

func cutSentence(text string) (sentence, rest string) {
	for i := 0; i+1 < len(text); i++ {
		if (text[i] == ';' || text[i] == '.') && text[i+1] == ' ' || text[i] == '\\' && text[i+1] == 'n' {
			return text[:i], strings.TrimLeft(text[i+2:], " ")
		}
	}
	return text, ""
}

// reference reports a sentence that sends the reader elsewhere.
func reference(s string) bool {
	return hasAnyPrefix(s, "see ", "See ", "please see", "Please see", "Visit ", "visit ", "For ", "for ", "http", "More ", "more ")
}

// defaultReason is what can be said of a refusal whose text says nothing known.
func defaultReason(s relaylens.Stage) relaylens.Reason {
	switch s {
	case relaylens.StageConnect:
		return relaylens.ReasonClientPolicy
	case relaylens.StageHelo:
		return relaylens.ReasonHelo
	case relaylens.StageEOD:
		return relaylens.ReasonContent
	}
	return relaylens.ReasonOther
}

// calloutReason says what a callout came to; s is what follows the other server's
// address. The other server chose the words, so they cannot say more than why the
// address that it was asked for was refused: that of the recipient, or of the sender
// where the site's text is $acl_verify_message.
func (c *claim) calloutReason(s string) (relaylens.Kind, relaylens.Reason) {
	code, enhanced, text := calloutReply(s)
	reason := smtp.Callout(code, enhanced, text)
	switch {
	case code != 0 && c.sender != "" && c.sender != c.recipient && asksFor(s, c.sender):
		return relaylens.KindSenderVerify, reason
	case code >= 500 && reason == relaylens.ReasonCalloutUnknownUser:
		return relaylens.KindRejected, relaylens.ReasonUnknownRecipient
	}
	return relaylens.KindRejected, relaylens.ReasonRecipientPolicy
}

// asksFor reports that a callout's text begins with the question for the address.
func asksFor(s, address string) bool {
	rest, ok := strings.CutPrefix(s, `response to "RCPT TO:<`)
	if !ok && s != "" {
		rest, ok = strings.CutPrefix(s[1:], remoteMark+"RCPT TO:<")
	}
	return ok && strings.HasPrefix(rest, address) && strings.HasPrefix(rest[len(address):], ">")
}
