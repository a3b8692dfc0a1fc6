package classifier

import (
	"fmt"
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

// TestSendersOfOthersTakeNoRoom: however many strangers send mail here, it stays
// known from where one of ours does.
func TestSendersOfOthersTakeNoRoom(t *testing.T) {
	l := &log{}
	l.ours()
	accepted := func(from, sender string) {
		l.add(relaylens.Event{Kind: relaylens.KindAccepted, Sender: sender, ClientIP: ip(from)})
	}
	accepted("198.51.100.20", "ann@example.com")
	for i := range 2 * maxSenders {
		accepted("203.0.113.5", fmt.Sprintf("s%d@d%d.example.net", i, i%100))
	}
	l.denied("203.0.113.9", "", "ann@example.com", "a@example.org")
	if _, final := l.causes(); final[0] != relaylens.CauseAddressChanged {
		t.Errorf("the refusal is %v, want %v", final[0], relaylens.CauseAddressChanged)
	}
}
