package exim

import (
	"sync"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// wording ties words of a configuration to what they mean.
type wording struct {
	phrase string // lower case
	kind   relaylens.Kind
	reason relaylens.Reason
}

// wordings are those of Exim's default configure file, its specification and
// wiki, of Debian, cPanel, DirectAdmin and vexim, where they say more than
// smtp.Wording reads from them, or something else. The first match counts.
var wordings = table(
	relaylens.KindNone, relaylens.ReasonNone, "not spam", "as ham",
	relaylens.KindRelayDenied, relaylens.ReasonNone, "permitted to relay through", "authentication required to relay", "must authenticate to relay",
	"not a relay", "relay attempt", "relaying attempt", "relay is prohibited", "not an open relay", "relay forbidden", "relaying forbidden",
	"relaying disabled", "relay rejected", "relaying mail to", "relaying to", "configured to relay", "required for relay", "before relaying", "refused to relay", "no relay",
	relaylens.KindRejected, relaylens.ReasonContent, "spamassassin", "file extension",
	relaylens.KindRejected, relaylens.ReasonDNSBL, "listed at", "listed in", "listed on", "black list", "blocked using", "blocked by", "dnsbl", "dnslist",
	"spamhaus", "spamcop", "barracuda", " rbl", "in an rbl",
	relaylens.KindSenderVerify, relaylens.ReasonUnverified, "sender verify fail", "sender verification fail", "could not complete sender verif",
	"verification failed for", "could not verify sender", "cannot verify sender", "unable to verify sender", "sender address verification",
	"sender could not be verified", "sender cannot be verified", "sender address could not be verified", "unverifiable sender",
	relaylens.KindSenderVerify, relaylens.ReasonUnrouteable, "unrouteable sender", "unroutable sender", "sender domain is not routable",
	relaylens.KindSenderVerify, relaylens.ReasonDomainNotFound, "sender domain does not exist", "sender domain not found", "sender domain must resolve",
	"domain of sender",
	relaylens.KindRejected, relaylens.ReasonResources, "gave defer", "temporary local problem", "local problem", "tainted", "is the local host",
	"failed to expand", "load average", "no space",
	relaylens.KindRejected, relaylens.ReasonSenderPolicy, "sender envelope address", "sender is locally blacklisted", "blacklisted sender", "sender blacklisted",
	"spf check", "fails spf", "failed spf", "not allowed to send mail from", "dkim", "dmarc", "bounce message", "sender reputation",
	relaylens.KindRejected, relaylens.ReasonClientPolicy, "locally blacklisted", "reverse dns", "no rdns", "rdns", "no ptr", "ptr record", "no reverse",
	"hostname lookup", "host is blocked", "reverse lookup check", "host lookup failed", "host lookup deferred",
	relaylens.KindRejected, relaylens.ReasonAddressSyntax, "restricted characters", "restricted char", "illegal character", "domain literal",
	"invalid characters", "malformed address", "must contain a domain",
	relaylens.KindRejected, relaylens.ReasonHelo, "helo", "ehlo",
	relaylens.KindRejected, relaylens.ReasonGreylist, "greylist", "grey list", "graylist", "grey listed",
	relaylens.KindRejected, relaylens.ReasonRateLimit, "rate limit", "ratelimit", "sending rate", "sender rate", "rate exceeded", "too many",
	"too much mail", "too many mails", "too fast", "sending limit", "recipients per hour", "messages per hour", "max emails per hour", "max defers and failures per hour", "exceeded the limit", "limit reached",
	relaylens.KindRejected, relaylens.ReasonContent, "malware", "virus", "mime defect", "mime error", "attachment", "blacklisted extension",
	"message scored", "spam score", "spam points", "spam", "message headers", "header syntax", "line length", "subject", "phish",
	relaylens.KindRejected, relaylens.ReasonUnknownRecipient, "unroutable address", "no such person", "unknown local", "address not found",
	"no such address", "not a valid recipient", "invalid address", "unknown address",
	relaylens.KindRejected, relaylens.ReasonQuota, "over quota", "mailbox is full", "mailbox full",
	relaylens.KindRejected, relaylens.ReasonTLSRequired, "starttls", "encrypted connection", "encryption required", "must use tls", "tls required",
	"requires tls",
	relaylens.KindRejected, relaylens.ReasonAuthRequired, "must authenticate", "please authenticate", "authentication is required", "requires authentication",
	"not authenticated", "smtp auth",
)

// table reads kind, reason, phrases, again and again.
func table(items ...any) (ws []wording) {
	var w wording
	for _, item := range items {
		switch v := item.(type) {
		case relaylens.Kind:
			w.kind = v
		case relaylens.Reason:
			w.reason = v
		case string:
			w.phrase = v
			ws = append(ws, w)
		}
	}
	return ws
}

// lexicon is made when it is first asked, as most programs never do.
var lexicon = sync.OnceValue(func() *smtp.Lexicon {
	var phrases []string
	for _, w := range wordings {
		phrases = append(phrases, w.phrase)
	}
	return smtp.NewLexicon(phrases...)
})

// find says what a sentence of the server's means. KindNone means that it says
// that nothing was found; ok is false when it says nothing known.
func find(s string) (kind relaylens.Kind, reason relaylens.Reason, ok bool) {
	kind, reason, ok = smtp.Wording(s)
	if ok && kind == relaylens.KindRelayDenied {
		return kind, reason, true
	}
	if i, own := lexicon().First(s); own {
		return wordings[i].kind, wordings[i].reason, true
	}
	return kind, reason, ok
}
