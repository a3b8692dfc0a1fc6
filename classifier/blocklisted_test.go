package classifier

import (
	"net/netip"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// TestBlocklistedByWhom is of servers that speak of this one's reputation: one organisation
// has many servers, for the domains of many.
func TestBlocklistedByWhom(t *testing.T) {
	refusal := func(host, recipient string) relaylens.Event {
		return relaylens.Event{Time: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Host: "mx1", MTA: relaylens.Postfix, Kind: relaylens.KindRejected, Direction: relaylens.Outbound,
			Reason: relaylens.ReasonDNSBL, Code: 550, RemoteHost: host, RemoteIP: netip.MustParseAddr("198.51.100.7"), Recipient: recipient}
	}
	cases := map[string]struct {
		events []relaylens.Event
		sure   bool
	}{
		"one server":                            {[]relaylens.Event{refusal("mx1.example.net", "a@example.net"), refusal("mx1.example.net", "b@example.net")}, false},
		"servers of one organisation":           {[]relaylens.Event{refusal("one-com.mail.example.net", "a@one.com"), refusal("two-com.mail.example.net.", "b@two.com")}, false},
		"two organisations":                     {[]relaylens.Event{refusal("mx.example.net", "a@example.net"), refusal("mx.example.org", "b@example.org")}, true},
		"servers without a name, of one domain": {[]relaylens.Event{refusal("[198.51.100.7]", "a@example.net"), refusal("198.51.100.8", "b@example.net")}, false},
		"servers without a name, of two":        {[]relaylens.Event{refusal("", "a@example.net"), refusal("", "b@example.org")}, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			classifier := New()
			f := classifier.NewFindings()
			for i := range c.events {
				classifier.Classify(&c.events[i])
				f.Add(&c.events[i])
			}
			list := f.List()
			if len(list) != 1 || list[0].Cause != relaylens.CauseRemoteBlocklisted || list[0].Fault != relaylens.FaultServer {
				t.Fatalf("found %+v", list)
			}
			if sure := list[0].Confidence >= 0.8; sure != c.sure {
				t.Errorf("%.2f sure: %s", list[0].Confidence, list[0].Why)
			}
		})
	}
}
