package spike

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike/simulate"
)

// TestNewer holds the weighted sum that goes on pane by pane against that of the
// panes themselves, where some of the refusals come late.
func TestNewer(t *testing.T) {
	var r ring
	rnd := rand.New(rand.NewPCG(1, 1))
	const begin = 7_000
	r.reset(begin)
	counts := map[int64]uint32{}
	for p := int64(begin); p < begin+2*numPanes; p++ {
		for range rnd.IntN(3) {
			at := max(p-rnd.Int64N(rnd.Int64N(2*risePanes)+1), begin)
			n := uint32(rnd.IntN(90))
			if r.add(at, n) {
				counts[at] += n
			}
		}
		r.step()
		want, square := 0.0, 0.0
		sum := 0.0
		for ago := int64(1); ago <= risePanes; ago++ {
			weight := float64(risePanes+1-ago) / risePanes
			want += weight * float64(counts[r.head-ago])
			sum += weight
			square += weight * weight
		}
		if got := r.newer.counts() / riseWeight; math.Abs(got-want) > 1e-6*want {
			t.Fatalf("after %d panes %v, want %v", p-begin, got, want)
		}
		if got := sum / square; math.Abs(got-riseWeight) > 0.01 {
			t.Fatalf("weights ask for %v", got)
		}
	}
}

// TestNewerIsExpected: what is expected of the weighted sum is the weighted sum of
// what is expected.
func TestNewerIsExpected(t *testing.T) {
	tr := newTrack(Series{}, &[numTests]tail{})
	for i := range tr.foreseen {
		tr.foreseen[i] = 10 + float64(i*i)
	}
	tr.cell = 1000
	for _, now := range []int64{1000 * cell, 1000*cell + pane, 1000*cell + 300, 1001*cell - pane} {
		want := 0.0
		for ago := int64(1); ago <= risePanes; ago++ {
			end := now - (ago-1)*pane
			want += float64(risePanes-ago) * tr.expected(end-pane, end)
			want += 0.5 * tr.expected(end-pane, end) // weights fall within a pane as well
		}
		want *= riseWeight / risePanes
		if got := tr.newerExpected(now); math.Abs(got-want) > 1e-6*want {
			t.Errorf("at %d: %v are expected, want %v", now, got, want)
		}
	}
}

// TestCarry: how much of an hour goes on is learned, and one wild hour teaches
// little of it.
func TestCarry(t *testing.T) {
	for _, want := range []float64{0, 0.4, 0.9} {
		var c carry
		r := rand.New(rand.NewPCG(2, 2))
		for range 700 {
			before := 1 + 0.3*r.NormFloat64()
			c.add(100*(1+want*(before-1)+0.2*r.NormFloat64()), 100, before)
		}
		if got := c.part(); math.Abs(got-want) > 0.08 {
			t.Errorf("%.2f goes on, want %.2f", got, want)
		}
		was := c.part()
		c.add(1e6, 100, beside(1e6, 100))
		if got := c.part(); math.Abs(got-was) > 0.03 {
			t.Errorf("an attack makes %.2f of %.2f", got, was)
		}
	}
	var c carry
	if got := c.factor(beside(1e6, 100)); got > 1.5 {
		t.Errorf("an attack makes %.2f times as much usual", got)
	}
	if got := (&carry{both: 1e6, square: 1e6}).factor(0); got < 0.5 {
		t.Errorf("after silence %.2f is usual", got)
	}
}

// wanderer is a stream whose rate wanders, by a factor that it keeps for a while.
type wanderer struct {
	rand   *rand.Rand
	wander float64
}

func (s *wanderer) feed(d *Detector, from, until time.Time, perMinute float64) {
	keep := math.Exp(-pane / (2 * 3600.))
	e := relaylens.Event{Kind: relaylens.KindAuthFailed, Cause: relaylens.CauseCredentialGuessing}
	for at := from; at.Before(until); at = at.Add(pane * time.Second) {
		s.wander = keep*s.wander + math.Sqrt(1-keep*keep)*s.rand.NormFloat64()
		e.Time = at
		d.AddN(&e, poisson(s.rand, perMinute/4*math.Exp(0.3*s.wander)))
		d.Advance(at.Add(pane * time.Second))
	}
}

// hourly is what the store would know of w until a time.
func hourly(w *simulate.World, until time.Time) (list []Count) {
	counts := map[Count]int64{}
	for at, groups, _ := w.Next(); at.Before(until); at, groups, _ = w.Next() {
		for i := range groups {
			e := &groups[i].Event
			counts[Count{Start: at.Truncate(time.Hour), Length: time.Hour, Kind: e.Kind, Cause: e.Cause}] += int64(groups[i].N)
		}
	}
	for c, n := range counts {
		c.Events = n
		list = append(list, c)
	}
	return list
}

// slowly is when a growth of guessing is told of after it began, with rise and by
// windows alone, on a server that was simulated.
func slowly(seed uint64) (found [2]time.Duration) {
	begin := monday.AddDate(0, 0, 28)
	w := simulate.New(seed, monday)
	past := hourly(w, begin)
	start := begin.Add(12 * time.Hour)
	w.Incidents = []simulate.Incident{{Name: simulate.Ramp, Kind: relaylens.KindAuthFailed, Cause: relaylens.CauseCredentialGuessing,
		Start: start, End: start.Add(4 * time.Hour), Rate: 3 * w.Total(start)}}
	both := [2]*Detector{New(Settings{}), New(Settings{})}
	for i, d := range both {
		d.Learn(past)
		found[i] = 4 * time.Hour
	}
	for at, groups, _ := w.Next(); at.Before(start.Add(4*time.Hour)) && slices.Max(found[:]) == 4*time.Hour; at, groups, _ = w.Next() {
		for i, d := range both {
			for j := range groups {
				d.AddN(&groups[j].Event, groups[j].N)
			}
			if i == 1 {
				d.needed[rise] = math.Inf(1)
			}
			d.Advance(at.Add(simulate.Pane))
			if len(d.Active()) > 0 && !at.Before(start) {
				found[i] = min(found[i], at.Sub(start))
			}
		}
	}
	return found
}

// TestRiseIsEarlier: what grows slowly is told of earlier by what the hours before
// had than by windows alone.
func TestRiseIsEarlier(t *testing.T) {
	t.Parallel()
	const seeds = 3
	earlier := time.Duration(0)
	for seed := range uint64(seeds) {
		found := slowly(seed)
		t.Logf("seed %d: after %v, by windows alone after %v", seed, found[0], found[1])
		earlier += (found[1] - found[0]) / seeds
	}
	if earlier < 4*time.Minute {
		t.Errorf("%v earlier", earlier)
	}
}

// TestScannerTeachesRiseNothing: neither does what comes every night make other hours
// uneven, nor is it told of.
func TestScannerTeachesRiseNothing(t *testing.T) {
	t.Parallel()
	with, without := New(Settings{}), New(Settings{})
	nightly(with, 9, 30, 3*time.Hour)
	nightly(without, 9, 0.8, 3*time.Hour)
	i := indexes(relaylens.KindRelayDenied, relaylens.CauseOpenRelayProbe)[2]
	a, b := with.tracks[i], without.tracks[i]
	if got, want := a.alpha(rise, 100), b.alpha(rise, 100); got > want+0.01 {
		t.Errorf("dispersion %.3f, without a scanner %.3f", got, want)
	}
	if got, want := a.spread[rise].tail.beyond, b.spread[rise].tail.beyond; got > want+4 {
		t.Errorf("surprises of %.1f, without a scanner %.1f", got, want)
	}
	if on := with.Active(); len(on) > 0 {
		t.Errorf("in the tenth night: %+v", on)
	}
}

// TestRiseSurprisesAsOftenAsTold: what rise sees of rates that wander surprises as
// often as chance has it, once that was learned.
func TestRiseSurprisesAsOftenAsTold(t *testing.T) {
	t.Parallel()
	const surprise = 4 // one in 55
	d, s := New(Settings{}), wanderer{rand: rand.New(rand.NewPCG(4, 4))}
	at := monday.Add(9 * 24 * time.Hour)
	s.feed(d, monday, at, 8)
	tr := d.tracks[indexes(relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing)[2]]
	seen, all := 0.0, 0.0
	for ; at.Before(monday.Add(30 * 24 * time.Hour)); at = at.Add(time.Hour) {
		s.feed(d, at, at.Add(time.Hour), 8)
		all++
		if tr.surpriseOfRise(d.head*pane, 0) > surprise {
			seen++
		}
	}
	if often := seen / all * math.Exp(surprise); often < 0.2 || often > 1.6 {
		t.Errorf("%.2f times as often as chance has it", often)
	}
}

// TestRiseAfterScanner: in the hour and a half after what comes every night was seen
// in a series, a rise of it is none: windows alone tell. Of a kind and of the total
// that is so whichever cause it was seen in, of another cause it is not.
func TestRiseAfterScanner(t *testing.T) {
	t.Parallel()
	d, s := New(Settings{}), wanderer{rand: rand.New(rand.NewPCG(6, 6))}
	at := monday.Add(8 * 24 * time.Hour)
	s.feed(d, monday, at, 8)
	for i := range d.needed {
		d.needed[i] = math.Inf(1) // nothing is told of
	}
	s.feed(d, at, at.Add(80*time.Minute), 50)
	d.needed[rise] = 6
	now := d.head * pane
	tracks := indexes(relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing)
	rises := func(i int) bool {
		r := d.tracks[i].read(lastHour, now, 0)
		return d.rises(d.tracks[i], &r, now)
	}
	for _, c := range []struct {
		name       string
		seen, here int64 // before now, in any series and in the cause's
		wide, own  bool
	}{
		{"never", 1e6, 1e6, true, true},
		{"an hour ago", 3600, 3600, false, false},
		{"an hour ago in another cause", 3600, 1e6, false, true},
		{"two hours ago", 7200, 7200, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.customAt, d.tracks[tracks[2]].customAt = now-c.seen, now-c.here
			for _, i := range tracks[:2] {
				if got := rises(i); got != c.wide {
					t.Errorf("%v rises %v, want %v", d.tracks[i].series.By, got, c.wide)
				}
			}
			if got := rises(tracks[2]); got != c.own {
				t.Errorf("the cause rises %v, want %v", got, c.own)
			}
		})
	}
}

// TestBurstsWeighInRise: a burst that has just been counts half again as much in a rise,
// and is no larger for that than others were in an hour.
func TestBurstsWeighInRise(t *testing.T) {
	d := New(Settings{})
	d.Advance(monday)
	d.stepTo(monday.Unix() + 7*24*3600)
	sizes := &d.bursts.learnt[0]
	for i := range 60 {
		sizes.add(lastHour, uint64(i), float64(10+i%11), d.head*pane)
	}
	rest := func(n float64) float64 { return n } // nothing is foreseen of what is no burst
	for _, c := range []struct {
		n    float64
		want bool
	}{{60, false}, {500, true}} {
		weighted := riseWeight * c.n
		surprise, left := d.explainedBy(&d.bursts, d.tracks[0], rise, weighted, []sized{{n: weighted, client: 1000}}, rest)
		if got := surprise >= d.needed[rise]; got != c.want || left != 0 {
			t.Errorf("a burst of %v where some have 20: surprise %.1f of %.1f, left %v", c.n, surprise, d.needed[rise], left)
		}
	}
}
