package watch

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
)

// guessing is a botnet of sixty clients that try three passwords at each of two
// hundred servers, in an order in which those may be heard of.
func guessing(from time.Time, together int, rnd *rand.Rand) (events []relaylens.Event) {
	for first := 0; first < 200; first += together {
		var some [][]relaylens.Event
		for host := first; host < min(first+together, 200); host++ {
			var three []relaylens.Event
			for i := range 3 {
				n := host*3 + i
				three = append(three, relaylens.Event{ID: relaylens.ID{byte(n), byte(n >> 8), 2}, Time: from.Add(time.Duration(n) * time.Second), Host: fmt.Sprint("mx", host+1),
					MTA: relaylens.Postfix, Direction: relaylens.Inbound, Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonCredentials, Given: relaylens.CauseUnknown,
					Cause: relaylens.CauseUnknown, Code: 535, ClientIP: netip.AddrFrom4([4]byte{198, 51, 100, byte(1 + n%60)}), User: fmt.Sprintf("user%d@example.com", n*7%150)})
			}
			some = append(some, three)
		}
		rnd.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
		for _, three := range some {
			events = append(events, three...)
		}
	}
	return events
}

// Whatever the order in which the servers are heard of, a botnet is one alert.
func TestBotnetIsOneAlertInAnyOrder(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 8))
		var w *Watch
		var pages Pages
		w = New(classifier.New(), Settings{Stepped: func(s *Step) {
			if s.Changed {
				pages.Stepped(s, w.Alerts())
			}
		}})
		attack := epoch.Add(30 * time.Hour)
		add := func(e relaylens.Event) {
			w.Classify(&e)
			w.Keep(&e)
		}
		for n := 0; ; n++ {
			at := epoch.Add(time.Duration(n) * 2 * time.Minute)
			if !at.Before(attack) {
				break
			}
			add(relaylens.Event{ID: relaylens.ID{byte(n), byte(n >> 8), 1}, Time: at, Host: "mx1", MTA: relaylens.Postfix, Direction: relaylens.Inbound,
				Kind: relaylens.KindRejected, Reason: relaylens.ReasonUnknownRecipient, Given: relaylens.CausePolicy, Cause: relaylens.CausePolicy, Code: 550,
				ClientIP: netip.AddrFrom4([4]byte{203, 0, 113, byte(n%30 + 1)}), Recipient: fmt.Sprintf("x%d@example.com", n)})
		}
		together, pause := 10+rnd.IntN(50), rnd.IntN(60)
		for i, e := range guessing(attack, together, rnd) {
			add(e)
			if i%(together*3) == together*3-1 {
				w.Advance(w.Now().Add(time.Duration(rnd.IntN(pause+1)) * time.Second))
			}
		}
		w.Advance(attack.Add(25 * time.Minute))
		w.Finish()
		if list := told(&pages); len(list) > 1 {
			t.Errorf("seed %d: %q", seed, list)
		}
	}
}
