package spike

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
)

// noisy is a server that refuses one client 400 times in each hour of the day, as
// of the night, and others now and then.
func noisy(seed uint64, from, until time.Time) (events []relaylens.Event) {
	r := rand.New(rand.NewPCG(seed, 9))
	at := from
	for {
		at = at.Add(time.Duration(r.ExpFloat64() / 410 * float64(time.Hour)))
		if !at.Before(until) {
			return events
		}
		e := relaylens.Event{Time: at, Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Cause: relaylens.CauseClientNotAuthenticated,
			ClientIP: netip.MustParseAddr("203.0.113.9"), Sender: "app@example.org"}
		if r.IntN(41) == 0 {
			e.ClientIP, e.Sender = netip.AddrFrom4([4]byte{198, 51, 100, byte(r.IntN(250))}), "a@example.net"
		}
		events = append(events, e)
	}
}

// pastOf is what a store knows of events, by the hour or by the day.
func pastOf(events []relaylens.Event, length time.Duration) (list []Past) {
	type key struct {
		series Series
		at     time.Time
	}
	places := map[key]int{}
	for i := range events {
		e := &events[i]
		for by := range aggregate.NumBy {
			k := aggregate.KeyOf(e, by)
			if k.None() {
				continue
			}
			at := key{Series{By: PerClient + Dimension(by), Kind: e.Kind, Key: k.Text(by)}, e.Time.Truncate(length)}
			n, ok := places[at]
			if !ok {
				n = len(list)
				places[at] = n
				list = append(list, Past{Series: at.series, First: e.Time})
			}
			list[n].Events++
			list[n].Last = e.Time
		}
	}
	return list
}

// entitySpikes are the spikes of entities in events.
func entitySpikes(d *Detector, events []relaylens.Event) (names []string) {
	for i := range events {
		for _, s := range d.Advance(events[i].Time) {
			if s.Series.By.Entity() {
				names = append(names, s.Series.By.String()+" "+s.Series.Key)
			}
		}
		d.Add(&events[i])
	}
	return names
}

// A detector that learns of the clients of the days before is one that has seen
// them: who is known to be noisy is no spike, and is one when there is more of it.
// One that has not learned takes the noisy one for a newcomer.
func TestLearnsEntities(t *testing.T) {
	t.Parallel()
	settings := Settings{FalsePagesPerMonth: 1000}
	restart := monday.Add(6 * 24 * time.Hour)
	before, after := noisy(1, monday, restart), noisy(2, restart, restart.Add(26*time.Hour))
	var flood []relaylens.Event
	for i := range 20_000 {
		e := after[0]
		e.ClientIP, e.Time = netip.MustParseAddr("203.0.113.9"), restart.Add(26*time.Hour+time.Duration(i)*30*time.Millisecond)
		flood = append(flood, e)
	}
	for name, past := range map[string][]Past{"by the hour": pastOf(before, time.Hour), "by the day": pastOf(before, 24*time.Hour)} {
		t.Run(name, func(t *testing.T) {
			d := New(settings)
			d.LearnEntities(past)
			if got := entitySpikes(d, after); len(got) > 0 {
				t.Errorf("known, and taken for spikes: %q", got)
			}
			if got := entitySpikes(d, flood); len(got) == 0 {
				t.Error("a flood of a known client is no spike")
			}
		})
	}
	if got := entitySpikes(New(settings), after); len(got) == 0 {
		t.Error("a newcomer is no spike, so that nothing was tested")
	}
	seen := New(settings)
	entitySpikes(seen, before)
	if diff := cmp.Diff([]string(nil), entitySpikes(seen, after)); diff != "" {
		t.Errorf("who has seen it all finds: %s", diff)
	}
}

// What would have paged is not usual the next day.
func TestLearnsLittleOfAttacks(t *testing.T) {
	t.Parallel()
	client := Series{By: PerClient, Kind: relaylens.KindRelayDenied, Key: "192.0.2.7"}
	attack := Past{Series: client, First: monday.Add(9 * time.Hour), Last: monday.Add(9*time.Hour + 50*time.Minute), Events: 60_000}
	d := New(Settings{})
	d.LearnEntities([]Past{attack})
	var again []relaylens.Event
	for i := range 60_000 {
		again = append(again, relaylens.Event{Time: monday.Add(33*time.Hour + time.Duration(i)*50*time.Millisecond), Kind: relaylens.KindRelayDenied,
			Direction: relaylens.Inbound, ClientIP: netip.MustParseAddr("192.0.2.7")})
	}
	if got := entitySpikes(d, again); len(got) == 0 {
		t.Error("the same attack on the next day is routine")
	}
}

// What a store has of others, or damaged, is passed over.
func TestLearnsOnlyEntities(t *testing.T) {
	d := New(Settings{})
	d.LearnEntities([]Past{
		{Series: Series{By: PerClient, Kind: relaylens.KindRelayDenied, Key: "not an address"}, First: monday, Last: monday, Events: 900},
		{Series: Series{By: PerNetwork, Kind: relaylens.KindRelayDenied, Key: "192.0.2.7"}, First: monday, Last: monday, Events: 900},
		{Series: Series{By: PerCause, Cause: relaylens.CausePolicy}, First: monday, Last: monday, Events: 900},
		{Series: Series{By: PerUser, Kind: relaylens.KindDelivered, Key: "bob"}, First: monday, Last: monday, Events: 900},
		{Series: Series{By: PerUser, Kind: relaylens.KindAuthFailed, Key: "bob"}, First: monday, Last: monday.Add(-time.Hour)},
	})
	if n := d.entities.table.Len(); n != 0 {
		t.Errorf("%d are remembered", n)
	}
}
