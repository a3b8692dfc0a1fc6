package classifier

import (
	"testing"

	"github.com/relaylens/relaylens"
)

// A cause that is settled stays, whatever comes later; one that is not is not told.
func TestLearnSettles(t *testing.T) {
	late := func(l *log) { // of all that may explain a refusal later
		l.ours()
		l.login("joe@example.net", "192.0.2.1")
		l.add(relaylens.Event{Kind: relaylens.KindAccepted, ClientIP: ip("192.0.2.1"), User: "joe@example.net", Sender: "joe@example.net"})
		for _, from := range []string{"192.0.2.1", "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"} {
			l.fail("joe@example.net", from, relaylens.ReasonBackend, 1)
			l.denied(from, "mx.example.net", "joe@example.net", "bob@example.org")
		}
	}
	settled, open := 0, 0
	for _, direction := range []relaylens.Direction{relaylens.Inbound, relaylens.Outbound} {
		for _, kind := range relaylens.RefusalKinds() {
			for _, reason := range kind.Reasons() {
				var l log
				l.add(relaylens.Event{Kind: kind, Reason: reason, Direction: direction, Class: relaylens.Class4xx, Text: "no",
					ClientIP: ip("192.0.2.1"), User: "joe@example.net", Sender: "joe@example.net", Recipient: "bob@example.org"})
				first := l.events[0]
				c := New()
				is := c.Learn(&first)
				late(&l)
				for i := range l.events[1:] {
					c.Learn(&l.events[i+1])
				}
				final := first
				c.Final(&final)
				switch {
				case is && first.Cause != final.Cause:
					t.Errorf("%v %v %v was settled as %v, and is %v in the end", direction, kind, reason, first.Cause, final.Cause)
				case is:
					settled++
				case first.Cause != relaylens.CauseNone:
					t.Errorf("%v %v %v is open, and said to be %v", direction, kind, reason, first.Cause)
				default:
					open++
				}
			}
		}
	}
	if settled < 30 || open < 4 {
		t.Errorf("%d were settled and %d open", settled, open)
	}
}
