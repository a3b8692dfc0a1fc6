package spike

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike/simulate"
)

// logOf makes up the refusals of some days, in their order, with a flood and a
// botnet in the last.
func logOf(seed uint64, days int) (events []relaylens.Event) {
	w := simulate.New(seed, monday)
	last := monday.Add(time.Duration(days-1) * 24 * time.Hour)
	w.Incidents = []simulate.Incident{
		{Name: simulate.Flood, Kind: relaylens.KindRelayDenied, Cause: relaylens.CauseOpenRelayProbe, Start: last.Add(9 * time.Hour),
			End: last.Add(9*time.Hour + 12*time.Minute), Rate: 150, Client: netip.MustParseAddr("203.0.113.9")},
		{Name: simulate.Botnet, Kind: relaylens.KindAuthFailed, Cause: relaylens.CauseCredentialGuessing, Start: last.Add(15 * time.Hour),
			End: last.Add(17 * time.Hour), Rate: 120},
	}
	for {
		at, groups, _ := w.Next()
		if !at.Before(monday.Add(time.Duration(days) * 24 * time.Hour)) {
			return events
		}
		for _, g := range groups {
			for range g.N {
				events = append(events, g.Event)
			}
		}
	}
}

// spikesOf are the spikes of a log that is read event by event.
func spikesOf(events []relaylens.Event) (changes []Spike) {
	d := New(Settings{})
	for i := range events {
		changes = append(changes, d.Advance(events[i].Time)...)
		d.Add(&events[i])
	}
	return append(changes, d.Advance(events[len(events)-1].Time.Add(6*time.Hour))...)
}

func TestSameLogSameSpikes(t *testing.T) {
	t.Parallel()
	events := logOf(4, 2)
	want := spikesOf(events)
	if !slices.ContainsFunc(want, func(s Spike) bool { return s.Series.By == Total }) {
		t.Fatalf("the flood is missing: %+v", want)
	}
	if diff := cmp.Diff(want, spikesOf(events)); diff != "" {
		t.Errorf("read again: %s", diff)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for from := 0; from < len(events); {
		until := from
		for until < len(events) && events[until].Time.Equal(events[from].Time) {
			until++
		}
		r.Shuffle(until-from, func(i, j int) { events[from+i], events[from+j] = events[from+j], events[from+i] })
		from = until
	}
	if diff := cmp.Diff(want, spikesOf(events)); diff != "" {
		t.Errorf("events of the same time in another order: %s", diff)
	}
}

// TestMoreIsMoreSurprising: had a window more refusals, it would be no less of a
// surprise.
func TestMoreIsMoreSurprising(t *testing.T) {
	d := New(Settings{})
	stream(d, rand.New(rand.NewPCG(2, 2)), monday, monday.Add(50*time.Hour), 5, relaylens.CausePolicy)
	tr, now := d.tracks[0], d.head*pane
	for w := range windows {
		last := 0.0
		for n := uint32(0); n < 6000; n += 7 {
			tr.ring.sums[w] = n
			r := tr.read(w, now, 0)
			if r.surprise < last-1e-6 {
				t.Fatalf("%v: %d refusals surprise by %v, fewer by %v", windows[w], n, r.surprise, last)
			}
			last = r.surprise
		}
		if last < 12 {
			t.Errorf("%v: 6000 refusals surprise by %v", windows[w], last)
		}
	}
}

func TestScanner(t *testing.T) {
	t.Parallel()
	d, r := New(Settings{}), rand.New(rand.NewPCG(3, 3))
	at := monday.Add(6 * 24 * time.Hour)
	stream(d, r, monday, at, 2, relaylens.CausePolicy)
	for night := 1; night <= 9; night++ {
		scan := at.Add(2*time.Hour + time.Duration(r.IntN(10))*time.Minute)
		stream(d, r, at, scan, 2, relaylens.CausePolicy)
		began := stream(d, r, scan, scan.Add(12*time.Minute), 40, relaylens.CausePolicy)
		at = at.Add(24 * time.Hour)
		stream(d, r, scan.Add(12*time.Minute), at, 2, relaylens.CausePolicy)
		if night == 1 && len(began) == 0 || night > 7 && len(began) != 0 {
			t.Errorf("night %d: %+v", night, began)
		}
	}
	if got := stream(d, r, at, at.Add(12*time.Hour), 2, relaylens.CausePolicy); len(got) != 0 {
		t.Errorf("a night without it: %+v", got)
	}
	if got := stream(d, r, at.Add(12*time.Hour), at.Add(12*time.Hour+12*time.Minute), 40, relaylens.CausePolicy); len(got) == 0 {
		t.Error("the same by day is no spike")
	}
}

// TestClient: one that does far more than any did pages for itself.
func TestClient(t *testing.T) {
	t.Parallel()
	d, r := New(Settings{}), rand.New(rand.NewPCG(6, 6))
	e := relaylens.Event{Kind: relaylens.KindAuthFailed, Cause: relaylens.CauseCredentialGuessing, Time: monday}
	add := func(client byte, n int) (changes []Spike) {
		e.Time = e.Time.Add(time.Minute)
		e.ClientIP = netip.AddrFrom4([4]byte{192, 0, 2, client})
		d.AddN(&e, n)
		return d.Advance(e.Time.Add(pane * time.Second))
	}
	for range 4 * 24 * 60 {
		n := 1 + r.IntN(3)
		if r.IntN(600) == 0 {
			n = 20 + r.IntN(40)
		}
		for _, s := range add(byte(r.IntN(200)), n) {
			if s.Series.By.Entity() {
				t.Errorf("no more than others do: %+v", s)
			}
		}
	}
	var found []Series
	for range 3 {
		for _, s := range add(250, 6000) {
			found = append(found, s.Series)
		}
	}
	if want := (Series{By: PerClient, Kind: relaylens.KindAuthFailed, Key: "192.0.2.250"}); !slices.Contains(found, want) {
		t.Errorf("found %+v, want %+v", found, want)
	}
}

// TestLevel: what stays is usual after two days, and its end is no spike either.
func TestLevel(t *testing.T) {
	t.Parallel()
	d, r := New(Settings{}), rand.New(rand.NewPCG(4, 4))
	at := monday.Add(10 * 24 * time.Hour)
	stream(d, r, monday, at, 3, relaylens.CausePolicy)
	if got := stream(d, r, at, at.Add(time.Hour), 15, relaylens.CausePolicy); len(got) == 0 {
		t.Error("five times as many are no spike")
	}
	stream(d, r, at.Add(time.Hour), at.Add(60*time.Hour), 15, relaylens.CausePolicy)
	if got := d.Active(); len(got) != 0 {
		t.Errorf("two days later: %+v", got)
	}
}

// TestGap: hours in which nobody read the log are not hours without refusals.
func TestGap(t *testing.T) {
	t.Parallel()
	for name, gap := range map[string]time.Duration{"an hour": time.Hour, "a night": 9 * time.Hour, "days": 60 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			d, r := New(Settings{}), rand.New(rand.NewPCG(5, 5))
			at := monday.Add(4 * 24 * time.Hour)
			stream(d, r, monday, at, 5, relaylens.CausePolicy)
			at = at.Add(gap)
			if got := stream(d, r, at, at.Add(30*time.Hour), 5, relaylens.CausePolicy); len(got) != 0 {
				t.Errorf("after the gap: %+v", got)
			}
			if e, _ := d.Expected(Series{}, time.Hour); e < 250 || e > 350 {
				t.Errorf("%v refusals are expected in an hour, want about 300", e)
			}
		})
	}
}

// TestLearn: what the store knows is as good as having been there.
func TestLearn(t *testing.T) {
	d := New(Settings{})
	var counts []Count
	for h := range 21 * 24 {
		n := int64(120)
		if h%24 >= 8 && h%24 < 18 {
			n = 600
		}
		if h/24 == 13 { // nobody read the log
			continue
		}
		counts = append(counts, Count{Start: monday.Add(time.Duration(h) * time.Hour), Length: time.Hour, Kind: relaylens.KindRejected,
			Cause: relaylens.CausePolicy, Events: n})
	}
	slices.Reverse(counts)
	d.Learn(counts)
	at := monday.Add(21*24*time.Hour + 3*time.Hour)
	d.Advance(at)
	d.Advance(at.Add(3 * time.Hour))
	for i, want := range []float64{120, 600} {
		hour := 6 + 7*i
		d.Advance(monday.Add(21*24*time.Hour + time.Duration(hour)*time.Hour))
		if e, _ := d.Expected(Series{By: PerCause, Cause: relaylens.CausePolicy}, time.Hour); e < 0.8*want || e > 1.3*want {
			t.Errorf("before %d o'clock %v refusals are expected, want about %v", hour, e, want)
		}
	}
}

// TestStrangersAreBounded: a flood of clients that never come again costs no
// more memory than a few.
func TestStrangersAreBounded(t *testing.T) {
	d := New(Settings{MaxEntities: 500})
	e := relaylens.Event{Kind: relaylens.KindRelayDenied, Cause: relaylens.CauseOpenRelayProbe, Time: monday}
	for i := range 100_000 {
		e.Time = e.Time.Add(20 * time.Millisecond)
		e.ClientIP = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		d.Add(&e)
		if n := d.entities.table.Len(); n > 500 || len(d.entities.touched) > 4*500 {
			t.Fatalf("after %d strangers %d are remembered, %d are to be looked at", i, n, len(d.entities.touched))
		}
	}
}

// TestWrongClock: one line of the year to come changes nothing.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	events := logOf(4, 2)
	want := spikesOf(events)
	wrong := events[len(events)/2]
	wrong.Time = wrong.Time.AddDate(1, 0, 0)
	d := New(Settings{})
	var got []Spike
	for i := range events {
		if i == len(events)/2 {
			d.Add(&wrong)
		}
		got = append(got, d.Advance(events[i].Time)...)
		d.Add(&events[i])
	}
	if got = append(got, d.Advance(events[len(events)-1].Time.Add(6*time.Hour))...); len(got) != len(want) {
		t.Errorf("%d changes, want %d", len(got), len(want))
	}
}

func FuzzDetector(f *testing.F) {
	f.Add(uint64(1), uint16(600), int32(5))
	f.Add(uint64(2), uint16(60), int32(90_000))
	f.Add(uint64(3), uint16(200), int32(-4000))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, jump int32) {
		r, d := rand.New(rand.NewPCG(seed, 1)), New(Settings{FalsePagesPerMonth: 1000, MaxEntities: 50})
		at, on := monday.Unix(), map[Series]bool{}
		for range n % 1500 {
			at += r.Int64N(120)
			if r.IntN(50) == 0 {
				at += int64(jump)
			}
			d.AddN(&relaylens.Event{Time: time.Unix(at-r.Int64N(300), 0), Kind: relaylens.Kind(r.IntN(11)), Cause: relaylens.Cause(r.IntN(40)),
				User: string(rune('a' + r.IntN(200))), Direction: relaylens.Inbound}, r.IntN(60))
			for _, s := range d.Advance(time.Unix(at, 0)) {
				if s.End.IsZero() == on[s.Series] {
					t.Fatalf("%+v, though one was on: %v", s, on[s.Series])
				}
				on[s.Series] = s.End.IsZero()
				if s.Value < 20 || s.Value <= s.Expected || s.Probability > 1 || s.PerMonth > 1000 || s.Found.Before(s.Start) ||
					!s.End.IsZero() && s.End.Before(s.Start) {
					t.Fatalf("%+v", s)
				}
			}
		}
		var active int
		for _, is := range on {
			if is {
				active++
			}
		}
		if got := len(d.Active()); got != active {
			t.Fatalf("%d spikes are on, told of %d", got, active)
		}
	})
}
