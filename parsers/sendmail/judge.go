package sendmail

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

const domainOfSender = "Domain of sender address "

// judge tells kind and reason of a refusal from what the server said, e.Text,
// and else from the ruleset that said it. cf/m4/proto.m4
//
// With FEATURE(delay_checks) the texts of check_relay and check_mail are answers
// to RCPT, so what is said counts more than who says it. Only check_rcpt can
// deny relaying: an access map may speak of relaying to a sender or client that
// it does not like.
func (g *Grammar) judge(e *relaylens.Event, fallback relaylens.Reason) {
	if g.sender(e) {
		return
	}
	e.Kind = relaylens.KindRejected
	switch {
	case e.Stage == relaylens.StageRcpt && deniesRelay(e.Text):
		e.Kind = relaylens.KindRelayDenied
		return
	case g.texts.RelayDenied.Match(e.Text):
		e.Kind = relaylens.KindRelayDenied
		return
	case g.texts.SenderVerify.Match(e.Text):
		e.Kind, e.Reason = relaylens.KindSenderVerify, relaylens.ReasonUnverified
		return
	}
	if demandsTLS(e) {
		e.Reason = relaylens.ReasonTLSRequired
		return
	}
	for i := range phrases {
		if strings.HasPrefix(e.Text, phrases[i].text) {
			e.Reason = phrases[i].reason
			return
		}
	}
	if e.Text == "Access denied" {
		e.Reason = fallback
		return
	}
	e.Reason = worded(e, fallback)
}

// demandsTLS tells what TLS_Clt in an access map asks for: a certificate, which it
// calls authentication, or a cipher. cf/m4/proto.m4, TLS_connection
func demandsTLS(e *relaylens.Event) bool {
	if e.Enhanced != "4.7.0" && e.Enhanced != "5.7.0" {
		return false
	}
	switch e.Text {
	case "authentication required", "authentication failed", "not authenticated", "no authentication requested",
		"other side does not support STARTTLS", "STARTTLS disabled locally":
		return true
	}
	return strings.HasPrefix(e.Text, "encryption too weak ") || strings.HasPrefix(e.Text, "authentication failure ")
}

// phrases begin the texts of the default configuration.
var phrases = []struct {
	text   string
	reason relaylens.Reason
}{
	{"User unknown", relaylens.ReasonUnknownRecipient},
	{"No such virtual user", relaylens.ReasonUnknownRecipient},
	{"Rejected: ", relaylens.ReasonDNSBL},
	{"Email blocked using ", relaylens.ReasonDNSBL},
	{"Temporary lookup failure of ", relaylens.ReasonDNSBL},
	{"Connection rate limit exceeded", relaylens.ReasonRateLimit},
	{"Too many open connections", relaylens.ReasonRateLimit},
	{"Too many recipients", relaylens.ReasonRateLimit},
	{"Domain name required", relaylens.ReasonSenderPolicy},
	{"Real domain name required", relaylens.ReasonSenderPolicy},
	{"Mailbox disabled", relaylens.ReasonRecipientPolicy},
	{"Fix reverse DNS", relaylens.ReasonClientPolicy},
	{"Possibly forged hostname", relaylens.ReasonClientPolicy},
	{"Client IP address ", relaylens.ReasonClientPolicy},
	{"bogus HELO name", relaylens.ReasonHelo},
	{"prescan: ", relaylens.ReasonAddressSyntax},
	{"Invalid route address", relaylens.ReasonAddressSyntax},
	{"User address required", relaylens.ReasonAddressSyntax},
	{"Hostname required", relaylens.ReasonAddressSyntax},
	{"Colon illegal in host name part", relaylens.ReasonAddressSyntax},
	{"List:; syntax illegal", relaylens.ReasonAddressSyntax},
	{"Unbalanced ", relaylens.ReasonAddressSyntax},
	{"Illegal character", relaylens.ReasonAddressSyntax},
	{"Host unknown", relaylens.ReasonUnknownDomain},
	{"MX lookup failure", relaylens.ReasonUnknownDomain},
	{"Illegal MX record", relaylens.ReasonUnknownDomain},
	{"Invalid MX record", relaylens.ReasonUnknownDomain},
	{systemFailure, relaylens.ReasonResources},
	{lookupFailure, relaylens.ReasonResources},
	{"Message exceeds maximum fixed size", relaylens.ReasonSize},
	{"message size (", relaylens.ReasonSize},
	{"Headers too large", relaylens.ReasonSize},
	{"Too many hops", relaylens.ReasonProtocol},
	{"NUL byte not allowed", relaylens.ReasonProtocol},
	{"Eight bit data not allowed", relaylens.ReasonProtocol},
}

// maxText is about where a ruleset's text is cut, after macros were filled in.
const maxText = 240

// sender reads the texts of check_mail about the sender's domain, which name the
// sender where the ruleset was asked about a recipient. A long sender cuts off
// their end.
func (g *Grammar) sender(e *relaylens.Event) bool {
	address, ok := strings.CutPrefix(e.Text, domainOfSender)
	if !ok {
		return false
	}
	address, missing := strings.CutSuffix(address, " does not exist")
	whole := missing
	if !missing {
		if address, whole = strings.CutSuffix(address, " does not resolve"); !whole {
			if len(e.Text) < maxText {
				return false
			}
			missing = e.Code >= 500
		}
	}
	e.Kind, e.Reason = relaylens.KindSenderVerify, relaylens.ReasonDomainTempfail
	if missing {
		e.Reason = relaylens.ReasonDomainNotFound
	}
	if !e.HasSender() && address != "" && whole {
		e.Sender = smtp.TrimPath(address)
	}
	return true
}

// deniesRelay knows confRELAY_MSG and what sites put in its place. It must be
// the beginning of what is said.
func deniesRelay(text string) bool {
	for _, p := range []string{"relaying denied", "relaying temporarily denied", "relaying not ", "relaying is not ", "relaying prohibited",
		"relay access denied", "relay not ", "relay denied", "unable to relay", "we do not relay", "cannot relay", "no relaying"} {
		if len(text) >= len(p) && strings.EqualFold(text[:len(p)], p) {
			return true
		}
	}
	return false
}

// worded asks the wordings that are common to all servers, then the enhanced
// code. An access map's own text often names what the listed sender does
// ("spam"), which is not why the message itself was refused.
func worded(e *relaylens.Event, fallback relaylens.Reason) relaylens.Reason {
	_, reason, _ := smtp.Wording(e.Text)
	switch reason {
	case relaylens.ReasonDNSBL, relaylens.ReasonRateLimit, relaylens.ReasonGreylist, relaylens.ReasonQuota,
		relaylens.ReasonAuthRequired, relaylens.ReasonTLSRequired, relaylens.ReasonSize, relaylens.ReasonResources:
		return reason
	case relaylens.ReasonUnknownRecipient, relaylens.ReasonRecipientPolicy:
		if e.Stage == relaylens.StageRcpt {
			return reason
		}
	case relaylens.ReasonContent:
		if e.Stage == relaylens.StageEOD || e.Stage == relaylens.StageData {
			return reason
		}
	}
	switch e.Enhanced {
	case "5.1.1":
		return relaylens.ReasonUnknownRecipient
	case "5.1.0", "5.1.3", "5.1.7", "5.5.4":
		return relaylens.ReasonAddressSyntax
	case "5.1.2":
		return relaylens.ReasonUnknownDomain
	case "5.2.2", "4.2.2":
		return relaylens.ReasonQuota
	}
	return fallback
}
