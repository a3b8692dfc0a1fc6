package knowledge

import (
	"testing"

	"github.com/relaylens/relaylens"
)

func TestLike(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"Relay access denied", "Relay access denied", true},
		{"Relay access denied", "relay ACCESS denied", false},
		{"* ** *", "id ** b@x F=<a>", true},
		{"* ** *", "id == b@x F=<*>", false},
		{"Relay access denied", "Relay access denied!", false},
		{"a*c", "abc", true},
		{"a*c", "ac", true},
		{"a*c", "abcd", false},
		{"*b*", "abc", true},
		{"ab*ba", "aba", false},
		{"*", "", true},
		{"", "", true},
		{"a*b*a", "aba", true},
		{"a*b*a", "aa", false},
	}
	for _, tt := range tests {
		t.Run(tt.pattern+" "+tt.text, func(t *testing.T) {
			if got := like(tt.pattern, tt.text); got != tt.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestWordings(t *testing.T) {
	tests := []struct {
		text string
		mta  relaylens.MTA
		code uint16
		dsn  string
		want string // the first setting, or By where there are none
	}{
		{"Relay access denied", relaylens.Postfix, 554, "5.7.1", "reject_unauth_destination in smtpd_relay_restrictions (or smtpd_recipient_restrictions)"},
		{"Relay access denied", relaylens.Postfix, 454, "4.7.1", "defer_unauth_destination, the last rule of the default smtpd_relay_restrictions; or soft_bounce, which turns 554 into 454"},
		{"Client host rejected: cannot find your reverse hostname, [203.0.113.9]", relaylens.Postfix, 450, "", "reject_unknown_reverse_client_hostname: the address has no PTR record"},
		{"relay not permitted", relaylens.Exim, 0, "", "acl_smtp_rcpt: require message = relay not permitted, domains = +local_domains : +relay_to_domains"},
		{"Relaying denied. IP name lookup failed [203.0.113.9]", relaylens.Sendmail, 550, "5.7.1", "ruleset check_rcpt; the client's address has no name, so relay rules by name do not apply"},
		{"Recipient address rejected: User unknown in relay recipient table", relaylens.MTANone, 550, "", "reject_unlisted_recipient, for a domain of relay_domains; relay_recipient_maps lists the addresses"},
		{"relay not permitted", relaylens.Sendmail, 0, "", ""},
		{"something else", relaylens.MTANone, 550, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got := ""
			if ws := Wordings(tt.mta, tt.code, tt.dsn, tt.text); len(ws) > 0 {
				got = ws[0].By
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestEnhancedOf(t *testing.T) {
	for code, want := range map[string]string{"5.1.1": "bad destination mailbox address: no such user", "4.7.999": "security or policy", "5.9.1": ""} {
		t.Run(code, func(t *testing.T) {
			if c, known := EnhancedOf(code); c.Means != want || known != (code == "5.1.1") {
				t.Errorf("%q, %v", c.Means, known)
			}
		})
	}
}

// The cause that an event has comes first, and none comes twice.
func TestCandidates(t *testing.T) {
	for _, reason := range relaylens.Reasons() {
		for _, cause := range relaylens.Causes() {
			e := relaylens.Event{Kind: reason.Kind(), Reason: reason, Direction: relaylens.Inbound, Cause: cause}
			all := Candidates(&e)
			if cause != relaylens.CauseUnknown && all[0] != cause {
				t.Errorf("%v for %v: %v", reason, cause, all)
			}
			seen := map[relaylens.Cause]bool{}
			for _, c := range all {
				if seen[c] {
					t.Errorf("%v for %v: %v comes twice", reason, cause, c)
				}
				seen[c] = true
			}
		}
	}
	if all := Candidates(&relaylens.Event{Kind: relaylens.KindRejected, Direction: relaylens.Inbound, Reason: relaylens.ReasonGreylist}); len(all) != 1 || all[0] != relaylens.CausePolicy {
		t.Errorf("greylisting: %v", all)
	}
}
