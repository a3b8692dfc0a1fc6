package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

const (
	relayDenied   = "Relay access denied"
	lookupFailure = "Temporary lookup failure"
	lookupError   = "Temporary lookup error"
	configError   = "Server configuration error"
	noStorage     = "Insufficient system storage"
)

// class is what smtpd names as the reason's subject: "<name>: Sender address
// rejected: why".
//
// Source: smtpd/smtpd_check.c, SMTPD_NAME_CLIENT and its siblings.
type class struct {
	prefix string
	reason relaylens.Reason // of a rule of the site's own
}

var (
	senderRule    = class{"Sender address rejected: ", relaylens.ReasonSenderPolicy}
	recipientRule = class{"Recipient address rejected: ", relaylens.ReasonRecipientPolicy}
	clientRule    = class{"Client host rejected: ", relaylens.ReasonClientPolicy}
	heloRule      = class{"Helo command rejected: ", relaylens.ReasonHelo}
	// others fall under a rule of their subject and say nothing more.
	others = [...]class{
		{"Data command rejected: ", relaylens.ReasonOther},
		{"End-of-data rejected: ", relaylens.ReasonOther},
		{"Unverified Client host rejected: ", relaylens.ReasonClientPolicy},
		{"Client certificate rejected: ", relaylens.ReasonClientPolicy},
		{"SASL login name rejected: ", relaylens.ReasonClientPolicy},
		{"Etrn command rejected: ", relaylens.ReasonClientPolicy},
	}
	// routed are the texts of HOLD, DISCARD and WARN: "<name>: Sender address text".
	routed = [...]class{
		{"Sender address ", relaylens.ReasonSenderPolicy},
		{"Recipient address ", relaylens.ReasonRecipientPolicy},
		{"Client host ", relaylens.ReasonClientPolicy},
		{"Unverified Client host ", relaylens.ReasonClientPolicy},
		{"Client certificate ", relaylens.ReasonClientPolicy},
		{"Helo command ", relaylens.ReasonHelo},
	}
)

// classify sets kind, reason and text of a rejection by smtpd, whose fields have
// been read. It is false when the text has two readings.
func (g *Grammar) classify(body, where string, f *fields, program string, ev *relaylens.Event) bool {
	why, ok := stripSubject(body, where, f, ev)
	if !ok {
		ev.Kind, ev.Reason = relaylens.KindRejected, relaylens.ReasonOther
		return false
	}
	ev.Text = why
	switch {
	case why == relayDenied:
		ev.Kind, ev.Reason = relaylens.KindRelayDenied, relaylens.ReasonNone
	case strings.HasPrefix(why, recipientRule.prefix):
		ev.Kind, ev.Reason = g.recipientRejected(why[len(recipientRule.prefix):])
	case strings.HasPrefix(why, senderRule.prefix):
		g.senderRejected(why[len(senderRule.prefix):], ev)
	case strings.HasPrefix(why, clientRule.prefix):
		ev.Kind, ev.Reason = g.clientRejected(why[len(clientRule.prefix):], Service(program))
	default:
		ev.Kind, ev.Reason = g.otherRejected(why)
	}
	return true
}

func (g *Grammar) recipientRejected(why string) (relaylens.Kind, relaylens.Reason) {
	switch {
	case why == "Access denied":
		return relaylens.KindRejected, relaylens.ReasonRecipientPolicy
	case why == "User unknown", strings.HasPrefix(why, "User unknown in "):
		return relaylens.KindRejected, relaylens.ReasonUnknownRecipient
	case why == "Domain not found", nullMX(why), why == "Malformed DNS server reply":
		return relaylens.KindRejected, relaylens.ReasonUnknownDomain
	case strings.HasPrefix(why, "unverified address: "), strings.HasPrefix(why, "undeliverable address: "), why == "address verification problem":
		return relaylens.KindRejected, relaylens.ReasonUnknownRecipient
	}
	return g.anyRejected(why, recipientRule.reason)
}

func (g *Grammar) clientRejected(why, service string) (relaylens.Kind, relaylens.Reason) {
	// The stock submission services end with "permit_sasl_authenticated,reject"
	// in their client restrictions.
	if why == "Access denied" && strings.HasPrefix(service, "sub") || strings.HasPrefix(service, "smtps/") && why == "Access denied" {
		return relaylens.KindRejected, relaylens.ReasonAuthRequired
	}
	if strings.HasPrefix(why, "cannot find your ") {
		return relaylens.KindRejected, clientRule.reason
	}
	return g.anyRejected(why, clientRule.reason)
}

// otherRejected reads the texts that concern neither sender nor recipient.
func (g *Grammar) otherRejected(why string) (relaylens.Kind, relaylens.Reason) {
	if strings.HasPrefix(why, "Service unavailable; ") && strings.Contains(why, " blocked using ") {
		return relaylens.KindRejected, relaylens.ReasonDNSBL
	}
	if strings.HasPrefix(why, heloRule.prefix) {
		return g.anyRejected(why[len(heloRule.prefix):], heloRule.reason)
	}
	for i := range others {
		if rest, ok := strings.CutPrefix(why, others[i].prefix); ok {
			return g.anyRejected(rest, others[i].reason)
		}
	}
	if reason, ok := systemText(why); ok {
		return relaylens.KindRejected, reason
	}
	for i := range routed {
		if strings.HasPrefix(why, routed[i].prefix) {
			return relaylens.KindRejected, routed[i].reason
		}
	}
	return g.custom(why, relaylens.ReasonOther)
}

// systemText knows the texts that stand alone.
func systemText(why string) (relaylens.Reason, bool) {
	switch {
	case why == "Session encryption is required":
		return relaylens.ReasonTLSRequired, true
	case why == "Message size exceeds fixed limit":
		return relaylens.ReasonSize, true
	case why == lookupFailure, why == lookupError, why == configError, why == noStorage,
		strings.HasSuffix(why, " Server local data error"):
		return relaylens.ReasonResources, true
	case strings.HasPrefix(why, "Server configuration problem"):
		return relaylens.ReasonPolicyService, true
	case why == "bare <LF> received", why == "Error: bare <LF> received":
		return relaylens.ReasonProtocol, true
	case strings.HasPrefix(why, "cannot find your "):
		return relaylens.ReasonClientPolicy, true
	}
	return relaylens.ReasonNone, false
}

// anyRejected reads the texts that go with any subject; what it does not know
// is a rule of the site's own with the reason of its subject.
func (g *Grammar) anyRejected(why string, own relaylens.Reason) (relaylens.Kind, relaylens.Reason) {
	switch why {
	case "Access denied":
		return relaylens.KindRejected, own
	case "need fully-qualified address":
		return relaylens.KindRejected, relaylens.ReasonAddressSyntax
	case "Improper use of SMTP command pipelining", "Multi-recipient bounce":
		return relaylens.KindRejected, relaylens.ReasonProtocol
	case configError, lookupFailure:
		return relaylens.KindRejected, relaylens.ReasonResources
	case "Server configuration problem": // the policy service could not be asked
		return relaylens.KindRejected, relaylens.ReasonPolicyService
	}
	return g.custom(why, own)
}

// custom reads a text that the site, its milter or its policy service wrote.
func (g *Grammar) custom(why string, own relaylens.Reason) (relaylens.Kind, relaylens.Reason) {
	switch {
	case g.texts.RelayDenied.Match(why):
		return relaylens.KindRelayDenied, relaylens.ReasonNone
	case g.texts.SenderVerify.Match(why):
		return relaylens.KindSenderVerify, relaylens.ReasonUnverified
	}
	kind, reason, _ := g.said.Of(why, uint8(own), func() (relaylens.Kind, relaylens.Reason, bool) {
		kind, reason := worded(why, own)
		return kind, reason, true
	})
	return kind, reason
}

// worded is what the words of a text mean. It is a relay denial only when it begins so: a
// policy's text may speak of relaying for many reasons.
func worded(why string, own relaylens.Reason) (relaylens.Kind, relaylens.Reason) {
	if relayText(why) {
		return relaylens.KindRelayDenied, relaylens.ReasonNone
	}
	kind, reason, _ := smtp.Wording(why)
	switch reason {
	case relaylens.ReasonNone:
		if kind == relaylens.KindRelayDenied && len(why) > len("relay") && strings.EqualFold(why[:len("relay")], "relay") {
			return kind, reason
		}
	case relaylens.ReasonGreylist, relaylens.ReasonRateLimit, relaylens.ReasonQuota, relaylens.ReasonSenderLoginMismatch:
		return relaylens.KindRejected, reason
	case relaylens.ReasonDNSBL, relaylens.ReasonAuthRequired, relaylens.ReasonTLSRequired, relaylens.ReasonContent, relaylens.ReasonSize:
		if own != relaylens.ReasonMilter && (reason != relaylens.ReasonDNSBL || own != relaylens.ReasonSenderPolicy) { // a list of the site's own
			return relaylens.KindRejected, reason
		}
	case relaylens.ReasonUnknownRecipient, relaylens.ReasonSenderPolicy:
		// A policy service or a filter that passes on what another server said, or
		// that looked at SPF. Of a sender "user unknown" means the sender.
		if own == relaylens.ReasonRecipientPolicy || own == relaylens.ReasonOther {
			return relaylens.KindRejected, reason
		}
	default:
	}
	return relaylens.KindRejected, own
}

// relayText reports whether why is a relay denial word for word, as Postfix and
// its peers say it.
func relayText(why string) bool {
	if len(why) > len("relaying not permitted.") {
		return false
	}
	for _, t := range [...]string{relayDenied, "relay denied", "relaying denied", "relay not permitted", "relaying denied.", "relaying not permitted"} {
		if strings.EqualFold(why, t) {
			return true
		}
	}
	return false
}

func nullMX(why string) bool {
	return strings.HasPrefix(why, "Domain ") && strings.HasSuffix(why, " does not accept mail (nullMX)")
}

// knownEnd reads the end of a text of which the beginning is not certain.
func knownEnd(why string) (relaylens.Kind, relaylens.Reason, bool) {
	if why == relayDenied || why == recipientRule.prefix+relayDenied {
		return relaylens.KindRelayDenied, relaylens.ReasonNone, true
	}
	if rest, ok := strings.CutPrefix(why, senderRule.prefix); ok {
		if reason, ok := senderReason(rest); ok {
			return reason.Kind(), reason, true
		}
		return relaylens.KindRejected, relaylens.ReasonSenderPolicy, true
	}
	if rest, ok := strings.CutPrefix(why, recipientRule.prefix); ok {
		if strings.HasPrefix(rest, "User unknown") {
			return relaylens.KindRejected, relaylens.ReasonUnknownRecipient, true
		}
		return relaylens.KindRejected, relaylens.ReasonRecipientPolicy, true
	}
	for _, c := range [...]class{clientRule, heloRule} {
		if strings.HasPrefix(why, c.prefix) {
			return relaylens.KindRejected, c.reason, true
		}
	}
	return relaylens.KindNone, relaylens.ReasonNone, false
}
