package smtp

import (
	"github.com/relaylens/relaylens"
)

// wording ties what a reply says to a kind and reason. Needles are lower case.
type wording struct {
	needle string
	kind   relaylens.Kind
	reason relaylens.Reason
}

// wordings is ordered: what is said first in this list wins, because a
// blocklist's text may speak of relaying and a relay denial of authentication.
// The wordings are those of Postfix, Exim, Sendmail, Exchange, cPanel and the
// large providers, as they appear in replies quoted by the other side's log.
var wordings = []wording{
	{"file extension", relaylens.KindRejected, relaylens.ReasonContent},
	{"spamassassin", relaylens.KindRejected, relaylens.ReasonContent},
	{"blocked using", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"listed at", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"is listed in", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"is listed on", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"listed by", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"in a black list", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"blacklist", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"blocklist", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"block list", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"spamhaus", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"spamcop", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"dnsbl", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"poor reputation", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"low reputation", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"ip reputation", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"poor sender reputation", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"bad reputation", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"banned sending ip", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"unsolicited mail originating from your ip", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"unexpected volume or user complaints", relaylens.KindRejected, relaylens.ReasonDNSBL},
	{"ipcheck.proofpoint.com", relaylens.KindRejected, relaylens.ReasonDNSBL},

	{"relay access denied", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relay not permitted", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relaying denied", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relaying temporarily denied", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relaying not allowed", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relaying is not allowed", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relaying not permitted", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relaying prohibited", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relay denied", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relay prohibited", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relay not allowed", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relay is not allowed", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"unable to relay", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"cannot relay", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"can't relay", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"not permitted to relay", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"not allowed to relay", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"not authorized to relay", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"do not relay", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"don't relay", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"does not relay", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"no relaying", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"attempt to relay", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relaying is prohibited", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"relaying to prohibited", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"isn't in my list of allowed rcpthosts", relaylens.KindRelayDenied, relaylens.ReasonNone},
	{"authentication required to relay", relaylens.KindRelayDenied, relaylens.ReasonNone},

	{"greylist", relaylens.KindRejected, relaylens.ReasonGreylist},
	{"graylist", relaylens.KindRejected, relaylens.ReasonGreylist},
	{"grey-list", relaylens.KindRejected, relaylens.ReasonGreylist},
	{"intentional policy rejection", relaylens.KindRejected, relaylens.ReasonGreylist},
	{"not yet authorized to deliver", relaylens.KindRejected, relaylens.ReasonGreylist},
	{"rate limit", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"ratelimit", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"sending rate", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"sender rate", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"message count quota", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"sending quota", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"outgoing mail quota", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"sending limit", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"mails per hour", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"messages per hour", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"recipients per hour", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"too many mails", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"too many connections", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"too many messages", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"too many recipients", relaylens.KindRejected, relaylens.ReasonRateLimit},
	{"quota", relaylens.KindRejected, relaylens.ReasonQuota},
	{"mailbox full", relaylens.KindRejected, relaylens.ReasonQuota},
	{"mailbox is full", relaylens.KindRejected, relaylens.ReasonQuota},
	{"over its storage", relaylens.KindRejected, relaylens.ReasonQuota},

	{"user unknown", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"unknown user", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"no such user", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"no such person", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"no such recipient", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"no such virtual user", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"no such mailbox", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"no mailbox here", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"unknown mailbox", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"account has been disabled", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"mailbox unavailable", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"mailbox not found", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"recipient unknown", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"unknown recipient", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"recipient not found", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"invalid recipient", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"does not exist", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"doesn't exist", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
	{"unrouteable address", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},

	{"sender login mismatch", relaylens.KindRejected, relaylens.ReasonSenderLoginMismatch},
	{"not owned by user", relaylens.KindRejected, relaylens.ReasonSenderLoginMismatch},
	{"not allowed to send as", relaylens.KindRejected, relaylens.ReasonSenderLoginMismatch},
	{"authentication required", relaylens.KindRejected, relaylens.ReasonAuthRequired},
	{"authentication is required", relaylens.KindRejected, relaylens.ReasonAuthRequired},
	{"smtp auth is required", relaylens.KindRejected, relaylens.ReasonAuthRequired},
	{"must be authenticated to send", relaylens.KindRejected, relaylens.ReasonAuthRequired},
	{"must issue a starttls", relaylens.KindRejected, relaylens.ReasonTLSRequired},
	{"encryption is required", relaylens.KindRejected, relaylens.ReasonTLSRequired},
	{"exceeds", relaylens.KindRejected, relaylens.ReasonSize},
	{"too big", relaylens.KindRejected, relaylens.ReasonSize},
	{"too large", relaylens.KindRejected, relaylens.ReasonSize},

	{"sender address rejected", relaylens.KindRejected, relaylens.ReasonSenderPolicy},
	{"sender rejected", relaylens.KindRejected, relaylens.ReasonSenderPolicy},
	{"spf", relaylens.KindRejected, relaylens.ReasonSenderPolicy},
	{"dmarc", relaylens.KindRejected, relaylens.ReasonSenderPolicy},
	{"client host rejected", relaylens.KindRejected, relaylens.ReasonClientPolicy},
	{"helo command rejected", relaylens.KindRejected, relaylens.ReasonHelo},
	{"virus", relaylens.KindRejected, relaylens.ReasonContent},
	{"content rejected", relaylens.KindRejected, relaylens.ReasonContent},
	{"spam", relaylens.KindRejected, relaylens.ReasonContent},
	{"recipient address rejected", relaylens.KindRejected, relaylens.ReasonRecipientPolicy},
	{"insufficient system", relaylens.KindRejected, relaylens.ReasonResources},
}

// Wording says what the text of a reply means, without codes. Addresses in the
// text, in brackets or not, are not read: their owners chose them. Neither are
// the codes that begin the further lines of a reply that was joined to one.
// ok is false when the text says nothing that is known.
func Wording(text string) (kind relaylens.Kind, reason relaylens.Reason, ok bool) {
	i := phrases.first(text)
	if i == len(wordings) {
		return relaylens.KindNone, relaylens.ReasonNone, false
	}
	return wordings[i].kind, wordings[i].reason, true
}

// Remote says what a remote server's refusal of our mail means: its wording
// first, then its enhanced code. A refusal that says nothing known is
// ReasonRemoteOther.
func Remote(code uint16, enhanced, text string) (relaylens.Kind, relaylens.Reason) {
	if kind, reason, ok := Wording(text); ok {
		return kind, reason
	}
	switch enhanced {
	case "5.1.1", "5.1.10":
		return relaylens.KindRejected, relaylens.ReasonUnknownRecipient
	case "5.2.2", "4.2.2":
		return relaylens.KindRejected, relaylens.ReasonQuota
	case "5.3.4":
		return relaylens.KindRejected, relaylens.ReasonSize
	}
	switch code {
	case 552:
		return relaylens.KindRejected, relaylens.ReasonSize
	case 530, 535:
		return relaylens.KindRejected, relaylens.ReasonAuthRequired
	}
	return relaylens.KindRejected, relaylens.ReasonRemoteOther
}

// Callout says what the sender's own server answered to our verification of
// the sender.
func Callout(code uint16, enhanced, text string) relaylens.Reason {
	if code >= 400 && code < 500 {
		return relaylens.ReasonCalloutTempfail
	}
	if kind, reason, ok := Wording(text); ok {
		if kind == relaylens.KindRejected && reason == relaylens.ReasonUnknownRecipient {
			return relaylens.ReasonCalloutUnknownUser
		}
		return relaylens.ReasonCalloutRefused
	}
	if enhanced == "5.1.1" {
		return relaylens.ReasonCalloutUnknownUser
	}
	return relaylens.ReasonCalloutRefused
}
