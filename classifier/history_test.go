package classifier

import (
	"testing"

	"github.com/relaylens/relaylens"
)

// TestDeliveriesThatMakeADomainOurs: a probe is one as soon as it is known which
// domains are ours, and most servers hand their mail to Dovecot or Cyrus by LMTP.
func TestDeliveriesThatMakeADomainOurs(t *testing.T) {
	for name, tt := range map[string]struct {
		delivered relaylens.Event
		want      relaylens.Cause
	}{
		"local":            {relaylens.Event{Service: "local"}, relaylens.CauseOpenRelayProbe},
		"LMTP to a socket": {relaylens.Event{Service: "lmtp", RemoteHost: "mx1.example.com"}, relaylens.CauseOpenRelayProbe},
		"LMTP to a store":  {relaylens.Event{Service: "east/lmtp", RemoteHost: "store", RemoteIP: ip("192.0.2.7")}, relaylens.CauseOpenRelayProbe},
		"another server":   {relaylens.Event{Service: "smtp", RemoteHost: "mx.example.net", RemoteIP: ip("192.0.2.8")}, relaylens.CauseUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			l := &log{}
			e := tt.delivered
			e.Kind, e.Recipient = relaylens.KindDelivered, "bob@example.com"
			l.add(e)
			l.denied("203.0.113.66", "", "spam@scan.example", "probe@target.example.net")
			if _, final := l.causes(); final[0] != tt.want {
				t.Errorf("the probe is %v, want %v", final[0], tt.want)
			}
		})
	}
}
