package smtp

import (
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

func TestWording(t *testing.T) {
	const none = relaylens.ReasonNone
	tests := []struct {
		text   string
		kind   relaylens.Kind
		reason relaylens.Reason
	}{
		{"Relay access denied", relaylens.KindRelayDenied, none},
		{"RELAYING DENIED. Proper authentication required.", relaylens.KindRelayDenied, none},
		{"Unable to relay for b@example.net", relaylens.KindRelayDenied, none},
		{"sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", relaylens.KindRelayDenied, none},
		// Joined and broken lines.
		{"mx.example.net [192.0.2.1] is currently not permitted to 550-relay through this server. 550-Perhaps you have not 550 logged in", relaylens.KindRelayDenied, none},
		{"5.7.1 you are not permitted 550-5.7.1 to relay", relaylens.KindRelayDenied, none},
		{`is currently not permitted to\n550-relay through this server`, relaylens.KindRelayDenied, none},
		{"not permitted  to\n relay", relaylens.KindRelayDenied, none},
		// The order: a blocklist that speaks of relaying is a blocklist.
		{"Relay access denied: 192.0.2.1 blocked using bl.example.org", relaylens.KindRejected, relaylens.ReasonDNSBL},
		{"Service unavailable; Client host [192.0.2.1] blocked using zen.example", relaylens.KindRejected, relaylens.ReasonDNSBL},
		{"[192.0.2.1 15] Our system has detected an unusual rate of unsolicited mail originating from your IP address. To protect our users from spam, mail sent from your IP address has been temporarily rate limited.", relaylens.KindRejected, relaylens.ReasonDNSBL},
		{"Access denied, banned sending IP [192.0.2.1]. To request removal from this list please visit https://sender.office.com/", relaylens.KindRejected, relaylens.ReasonDNSBL},
		{"[TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints", relaylens.KindRejected, relaylens.ReasonDNSBL},
		{"Mail from 192.0.2.1 has been refused due to poor sender reputation", relaylens.KindRejected, relaylens.ReasonDNSBL},
		{"Recipient address rejected: Greylisted", relaylens.KindRejected, relaylens.ReasonGreylist},
		{"Recipient address rejected: User unknown in virtual mailbox table", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
		{"Recipient address rejected: Access denied", relaylens.KindRejected, relaylens.ReasonRecipientPolicy},
		{"Mailbox is full", relaylens.KindRejected, relaylens.ReasonQuota},
		{"Message size 1234 exceeds limit", relaylens.KindRejected, relaylens.ReasonSize},
		{"relaying to <b@example.net> prohibited by administrator", relaylens.KindRelayDenied, none},
		{"Blacklisted file extension detected", relaylens.KindRejected, relaylens.ReasonContent},
		{"Blocked by SpamAssassin", relaylens.KindRejected, relaylens.ReasonContent},
		{"Sender rate 12.3 / 1h exceeds 10", relaylens.KindRejected, relaylens.ReasonRateLimit},
		{"Policy Rejection; Message count quota exceeded", relaylens.KindRejected, relaylens.ReasonRateLimit},
		{"SMTP AUTH is required for users under this sender domain", relaylens.KindRejected, relaylens.ReasonAuthRequired},
		{"192.0.2.1 is not yet authorized to deliver mail from <a@example.org> to <b@example.net>. Please try later.", relaylens.KindRejected, relaylens.ReasonGreylist},
		// Addresses say nothing.
		{"<relay.access.denied@example.net>: User unknown", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
		{"<blocklist@example.net>: User unknown", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
		{"<spamhaus@example.net>... no", relaylens.KindNone, none},
		{"user spamhaus@example.net is no more", relaylens.KindNone, none},
		{"mailbox spamhaus@example.net unavailable", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
		{"nothing known <unclosed", relaylens.KindNone, none},
		{"go away", relaylens.KindNone, none},
		{"", relaylens.KindNone, none},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			kind, reason, ok := Wording(tt.text)
			if kind != tt.kind || reason != tt.reason || ok != (tt.kind != relaylens.KindNone) {
				t.Errorf("got %v %v %v, want %v %v", kind, reason, ok, tt.kind, tt.reason)
			}
		})
	}
}

// Every needle must be reachable, alone and inside other words, in any case.
func TestWordingFindsEveryNeedle(t *testing.T) {
	for i, w := range wordings {
		if w.needle != strings.ToLower(w.needle) {
			t.Errorf("needle %q is not in lower case", w.needle)
		}
		if strings.Contains(w.needle, "@") || strings.Contains(w.needle, "<") {
			t.Errorf("needle %q holds characters of addresses, which are not read", w.needle)
		}
		for _, text := range []string{w.needle, strings.ToUpper(w.needle), "xx " + w.needle + " yy"} {
			if got := phrases.first(text); got != naive(text) || got > i {
				t.Errorf("%q: needle %d, want %d", text, got, naive(text))
			}
		}
	}
}

// naive is the definition of the search: the first needle of the table wins.
func naive(text string) int {
	lower := strings.ToLower(text)
	for i, w := range wordings {
		if strings.Contains(lower, w.needle) {
			return i
		}
	}
	return len(wordings)
}

func FuzzWording(f *testing.F) {
	f.Add("Relay access denied", "x")
	f.Add("blocked blocked using", "relay relay denied")
	f.Fuzz(func(t *testing.T, a, b string) {
		text := strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' || strings.ContainsRune("<>@\\45", r) {
				return '.'
			}
			return r
		}, a+" "+b)
		text = strings.Join(strings.Fields(text), " ")
		if got, want := phrases.first(text), naive(text); got != want {
			t.Errorf("%q: needle %d, want %d", text, got, want)
		}
		hidden := "go <" + strings.NewReplacer("<", "", ">", "").Replace(a) + "> away"
		if kind, _, ok := Wording(hidden); ok {
			t.Errorf("%q: an address in brackets said %v", hidden, kind)
		}
	})
}

func TestRemote(t *testing.T) {
	tests := []struct {
		reply  string
		kind   relaylens.Kind
		reason relaylens.Reason
	}{
		{"554 5.7.1 Relay access denied", relaylens.KindRelayDenied, relaylens.ReasonNone},
		{"550 5.1.1 no", relaylens.KindRejected, relaylens.ReasonUnknownRecipient},
		{"452 4.2.2 no", relaylens.KindRejected, relaylens.ReasonQuota},
		{"552 no", relaylens.KindRejected, relaylens.ReasonSize},
		{"550 no", relaylens.KindRejected, relaylens.ReasonRemoteOther},
	}
	for _, tt := range tests {
		t.Run(tt.reply, func(t *testing.T) {
			if kind, reason := Remote(CutReply(tt.reply)); kind != tt.kind || reason != tt.reason {
				t.Errorf("got %v %v, want %v %v", kind, reason, tt.kind, tt.reason)
			}
		})
	}
}

func TestCallout(t *testing.T) {
	tests := map[string]relaylens.Reason{
		"450 4.7.1 Greylisted":          relaylens.ReasonCalloutTempfail,
		"550 5.1.1 User unknown":        relaylens.ReasonCalloutUnknownUser,
		"550 5.1.1 no":                  relaylens.ReasonCalloutUnknownUser,
		"554 5.7.1 Relay access denied": relaylens.ReasonCalloutRefused,
		"554 5.7.1 blocked using x":     relaylens.ReasonCalloutRefused,
		"550 no":                        relaylens.ReasonCalloutRefused,
	}
	for reply, want := range tests {
		t.Run(reply, func(t *testing.T) {
			if got := Callout(CutReply(reply)); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func BenchmarkWordingHit(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Wording("Service unavailable; Client host [192.0.2.1] blocked using zen.example; see https://zen.example/?ip=192.0.2.1")
	}
}

func BenchmarkWordingMiss(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Wording("Sender reputation is not what it was, please try again at another time of day")
	}
}
