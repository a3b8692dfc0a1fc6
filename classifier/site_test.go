package classifier

import (
	"net/netip"
	"testing"

	"github.com/relaylens/relaylens"
)

func TestSite(t *testing.T) {
	site := Site{Domains: []string{"Example.com", ".sub.example.org"},
		Networks: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}, Monitors: []netip.Prefix{netip.MustParsePrefix("198.51.100.9/32")}}
	for name, tc := range map[string]struct {
		from, sender string
		without      relaylens.Cause
		want         relaylens.Cause
	}{
		"a sender of ours":               {"192.0.2.1", "joe@example.com", relaylens.CauseUnknown, relaylens.CauseClientNotAuthenticated},
		"a sender below a domain":        {"192.0.2.1", "joe@a.sub.example.org", relaylens.CauseUnknown, relaylens.CauseClientNotAuthenticated},
		"the domain itself is not below": {"192.0.2.1", "joe@sub.example.org", relaylens.CauseUnknown, relaylens.CauseOpenRelayProbe},
		"a machine of the house":         {"203.0.113.7", "cron@example.net", relaylens.CauseUnknown, relaylens.CauseClientNotInMynetworks},
		"the same in IPv6 clothes":       {"::ffff:203.0.113.7", "cron@example.net", relaylens.CauseUnknown, relaylens.CauseClientNotInMynetworks},
		"our own test":                   {"198.51.100.9", "joe@example.com", relaylens.CauseUnknown, relaylens.CausePolicy},
		"a stranger":                     {"192.0.2.1", "x@example.net", relaylens.CauseUnknown, relaylens.CauseOpenRelayProbe},
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				*Classifier
				want relaylens.Cause
			}{{New(), tc.without}, {New(WithSite(site)), tc.want}} {
				var l log
				l.denied(tc.from, "", tc.sender, "a@example.edu")
				e := &l.events[0]
				c.Classify(e)
				c.Final(e)
				if e.Cause != c.want {
					t.Errorf("%v, want %v", e.Cause, c.want)
				}
			}
		})
	}
}

// TestMonitorTeachesNothing: our own login test with a wrong password is no guesser.
func TestMonitorTeachesNothing(t *testing.T) {
	c := New(WithSite(Site{Monitors: []netip.Prefix{netip.MustParsePrefix("198.51.100.9/32")}}))
	f := c.NewFindings()
	var l log
	l.ours()
	for range 50 {
		l.fail("joe@example.com", "198.51.100.9", relaylens.ReasonCredentials, 7)
	}
	for i := range l.events {
		c.Classify(&l.events[i])
	}
	for i := range l.events {
		c.Final(&l.events[i])
		f.Add(&l.events[i])
	}
	if list := f.List(); len(list) > 0 {
		t.Errorf("findings %v", list)
	}
}
