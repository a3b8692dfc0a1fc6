package spike

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// TestHourlyTotalsAreNoRoutine: where the store knows but hours, an hour that is as
// usual is counted once, however the windows lie.
func TestHourlyTotalsAreNoRoutine(t *testing.T) {
	d := New(Settings{})
	var counts []Count
	for h := range 14 * 24 {
		counts = append(counts, Count{Start: monday.Add(time.Duration(h) * time.Hour), Length: time.Hour, Kind: relaylens.KindRejected,
			Cause: relaylens.CausePolicy, Events: 300})
	}
	d.Learn(counts)
	now := monday.Add(14 * 24 * time.Hour)
	d.Advance(now)
	last := floorDiv(now.Unix()-1, cell) - 24*6
	for w, length := range panesOf {
		cells := (length*pane + cell - 1) / cell
		for shift := range int64(6) {
			got, ok := d.peak(d.tracks[0], last-shift, cells)
			if most := max(300, 50*float64(cells)) + 1; !ok || got > most {
				t.Errorf("%v, %d cells earlier: %v refusals, want at most %v", windows[w], shift, got, most)
			}
		}
	}
}

// TestTwoWeeksAgoIsNotNow: the longest window two weeks ago is kept, and is none of
// the refusals that there are now.
func TestTwoWeeksAgoIsNotNow(t *testing.T) {
	d := New(Settings{})
	h := d.tracks[0].history
	const now, weeks = int64(3_000_000), 14 * 24 * 3600 / cell
	for c := now - historyCells + 1; c < now-20; c++ {
		h.setCell(c, 5)
	}
	for c := now - 20; c <= now; c++ {
		h.setCell(c, 1000)
	}
	longest := panesOf[numWindows-1] * pane / cell
	if got, ok := d.peak(d.tracks[0], now-weeks+2, longest); !ok || got != 5*float64(longest) {
		t.Errorf("%v refusals, known: %v; want %v", got, ok, 5*longest)
	}
}

// nights are those of a scanner that comes at two, for twelve minutes, among others of
// another kind that are bursty.
type nights struct {
	rand *rand.Rand
	rate float64 // of the others
	at   time.Time
}

var firstNight = monday.Add(6 * 24 * time.Hour)

// nightly feeds some nights of a scanner, and more of the night after.
func nightly(d *Detector, number int, perMinute float64, more time.Duration) *nights {
	s := &nights{rand: rand.New(rand.NewPCG(21, 21)), at: monday}
	s.feed(d, firstNight.Add(time.Duration(number)*24*time.Hour+more), perMinute)
	return s
}

func (s *nights) feed(d *Detector, until time.Time, perMinute float64) {
	others := relaylens.Event{Kind: relaylens.KindRejected, Cause: relaylens.CausePolicy}
	scanner := relaylens.Event{Kind: relaylens.KindRelayDenied, Cause: relaylens.CauseOpenRelayProbe}
	for ; s.at.Before(until); s.at = s.at.Add(pane * time.Second) {
		if s.at.Unix()%600 == 0 {
			s.rate = 60 * gamma(s.rand, 5) / 5
		}
		others.Time, scanner.Time = s.at, s.at
		d.AddN(&others, poisson(s.rand, s.rate/4))
		if since := s.at.Sub(s.at.Truncate(24 * time.Hour)); !s.at.Before(firstNight) && since >= 2*time.Hour && since < 2*time.Hour+12*time.Minute {
			d.AddN(&scanner, poisson(s.rand, perMinute/4))
		} else {
			d.AddN(&scanner, poisson(s.rand, 0.2))
		}
		d.Advance(s.at.Add(pane * time.Second))
	}
}

// TestScannerInTheTotal: what comes every night is known in the total as well,
// though there it is no surprise by itself.
func TestScannerInTheTotal(t *testing.T) {
	t.Parallel()
	d := New(Settings{})
	night := nightly(d, 8, 30, 2*time.Hour+13*time.Minute)
	total, now := d.tracks[0], d.head*pane
	r := total.read(2, now, 0)
	if own := d.custom(total, &r, now); own.excess != 0 {
		t.Fatalf("the total alone tells of %.0f: the test shows nothing", own.excess)
	}
	if c := d.customary(total, &r, now); c.excess < 300 || c.excess > 420 || c.alpha < 0.01 || c.alpha > 0.2 {
		t.Errorf("%.0f refusals are customary, give or take %.2f; want 360", c.excess, c.alpha)
	}
	night.feed(d, night.at.Truncate(24*time.Hour).Add(8*time.Hour), 30)
	now = d.head * pane
	r = total.read(2, now, 0)
	if c := d.customary(total, &r, now); c.excess != 0 {
		t.Errorf("by day %.0f are", c.excess)
	}
}

// TestFloodAtTheScannersHour: a scanner of every night hides no flood of three
// times as much.
func TestFloodAtTheScannersHour(t *testing.T) {
	t.Parallel()
	d := New(Settings{})
	night := nightly(d, 9, 30, 2*time.Hour)
	for _, c := range []struct {
		rate  float64
		found bool
	}{{36, false}, {90, true}} {
		at := night.at
		night.at = at.Add(12 * time.Minute)
		stream(d, rand.New(rand.NewPCG(23, 23)), at, night.at, c.rate, relaylens.CauseOpenRelayProbe)
		if on := d.Active(); (len(on) > 0) != c.found {
			t.Errorf("%v a minute, where 30 come every night: %+v", c.rate, on)
		}
		night.feed(d, at.Add(24*time.Hour), 30)
	}
}

// TestWorkdaysAreNoRoutineOfSundays: what a workday has at an hour is a spike on a
// Sunday that has a fifth of it.
func TestWorkdaysAreNoRoutineOfSundays(t *testing.T) {
	t.Parallel()
	d := New(Settings{})
	r := rand.New(rand.NewPCG(31, 31))
	at := monday
	for ; at.Before(monday.Add(20*24*time.Hour + 10*time.Hour)); at = at.Add(time.Hour) {
		rate := 5.0
		if w := at.Weekday(); w == time.Saturday || w == time.Sunday {
			rate = 1
		}
		stream(d, r, at, at.Add(time.Hour), rate, relaylens.CausePolicy)
	}
	if on := d.Active(); len(on) > 0 || at.Weekday() != time.Sunday {
		t.Fatalf("on %v there are %+v", at.Weekday(), on)
	}
	stream(d, r, at, at.Add(15*time.Minute), 5, relaylens.CausePolicy)
	if on := d.Active(); len(on) == 0 {
		t.Error("five times as many as on Sundays are no spike")
	}
}
