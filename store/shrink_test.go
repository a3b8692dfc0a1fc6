package store

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// A flood of ever new names fills the store with the lists of hours. Few of their rows stay
// when an hour is over, and they go before events do, not with the next upkeep. A store
// that is a little too large is not flooded.
func TestShrinkAddsUpAFloodOfNames(t *testing.T) {
	const hours, each = 6, 150
	begin := time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		over  int64 // a part of the size
		flood bool
	}{"much": {12, true}, "little": {2 * muchMore, false}} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			s.tops = limits{hour: 20, day: 50}
			for hour := range hours {
				commit(t, s, &Batch{Events: names(begin.Add(time.Duration(hour)*time.Hour), hour*each, each)})
			}
			full, err := s.size(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			most := full - full/c.over
			deleted, err := s.Shrink(t.Context(), most)
			if now, failed := s.size(t.Context()); err != nil || failed != nil || now > most {
				t.Errorf("%d bytes, %v, %v; want at most %d", now, err, failed, most)
			}
			clients := func(hour int) int64 {
				at := begin.Add(time.Duration(hour) * time.Hour).Unix()
				return asked(t, s, fmt.Sprintf("SELECT count(*) FROM hourly_top WHERE hour = %d AND field = 'client_ip'", at))[0]
			}
			if first := clients(0); (deleted == 0) != c.flood || (first < each) != c.flood || clients(hours-1) != each {
				t.Errorf("%d events were deleted; %d clients of the first and %d of the last hour are left", deleted, first, clients(hours-1))
			}
		})
	}
}

// names are n refusals of an hour, each of a client, a user and a sender's domain of its own.
func names(begin time.Time, from, n int) (events []relaylens.Event) {
	for i := from; i < from+n; i++ {
		e := event(i)
		e.Time, e.ClientIP = begin.Add(time.Duration(i-from)*time.Second), netip.AddrFrom4([4]byte{11, byte(i >> 8), byte(i), 1})
		e.User, e.Sender = fmt.Sprintf("user%d", i), fmt.Sprintf("a@sender%d.example", i)
		events = append(events, e)
	}
	return events
}
