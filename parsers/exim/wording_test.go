package exim

import (
	"testing"

	"github.com/relaylens/relaylens"
)

// Sites put what they like into their ACLs.
func TestOwnTexts(t *testing.T) {
	const denied = relaylens.ReasonNone // of KindRelayDenied
	g := New(relaylens.Texts{})
	for text, want := range map[string]relaylens.Reason{
		"Relaying is prohibited": denied,
		"This system is not configured to relay mail from your address": denied,
		"You must authenticate before relaying":                         denied,
		"Authentication is required for relay":                          denied,
		"relaying to <b@example.net> prohibited by administrator":       denied,
		"Blocked by SpamAssassin":                                       relaylens.ReasonContent,
		"Blacklisted file extension detected":                           relaylens.ReasonContent,
		"JunkMail rejected - pc [203.0.113.9] is in an RBL":             relaylens.ReasonDNSBL,
		"Sender blacklisted":                                            relaylens.ReasonSenderPolicy,
		"You have exceeded your sending limit of 200 mails per day":     relaylens.ReasonRateLimit,
		"203.0.113.9 is not yet authorized to deliver mail from <a@example.org> to <b@example.net>. Please try later.": relaylens.ReasonGreylist,
		"unknown mailbox": relaylens.ReasonUnknownRecipient,
		"host lookup failed for reverse lookup check": relaylens.ReasonClientPolicy, // verify = reverse_host_lookup
	} {
		t.Run(text, func(t *testing.T) {
			env := relaylens.Envelope{Native: true, Text: "H=(pc) [203.0.113.9] F=<a@example.org> rejected RCPT <b@example.net>: " + text}
			var rec relaylens.Record
			if v := g.Parse(&env, &rec); v != relaylens.Parsed {
				t.Fatalf("verdict %s", v)
			}
			kind := relaylens.KindRelayDenied
			if want != denied {
				kind = relaylens.KindRejected
			}
			if rec.Event.Kind != kind || rec.Event.Reason != want {
				t.Errorf("%s/%s, want %s/%s", rec.Event.Kind, rec.Event.Reason, kind, want)
			}
		})
	}
}
