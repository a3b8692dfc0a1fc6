package spike

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// usualBursts has a detector know a server that single clients often try dozens of
// times at, and returns what its guessing is.
func usualBursts(days int) (*Detector, *track, time.Time) {
	d, s := New(Settings{}), sessions{rand: rand.New(rand.NewPCG(5, 3))}
	at := monday.AddDate(0, 0, days)
	s.feed(d, monday, at, 6)
	return d, d.tracks[indexes(relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing)[2]], at
}

// TestExplained: one burst that is usual explains what it has, and what is left is as
// surprising as it is. The larger it is the less it explains, and of many that are
// usual one by one the most are too many.
func TestExplained(t *testing.T) {
	d, tr, _ := usualBursts(8)
	const w = 1
	d.needed[w], d.overlap[w] = 15, 3
	line := func(n float64) float64 { return n / 2 } // surprise
	surprise := func(n float64, sizes ...float64) float64 {
		var list []sized
		for _, size := range sizes {
			list = append(list, sized{n: size})
		}
		least, _ := d.explainedBy(&d.bursts, tr, w, n, list, line)
		return least
	}
	if got := surprise(40); got != 20 {
		t.Errorf("40 of many surprise by %v", got)
	}
	one := surprise(42, 40)
	if one < 1 || one >= 15 {
		t.Errorf("40 of one and two others surprise by %v", one)
	}
	if _, left := d.explainedBy(&d.bursts, tr, w, 42, []sized{{n: 40}}, line); left != 2 {
		t.Errorf("%v are left of two", left)
	}
	if got := surprise(60, 40); got < one+5 || got > one+9 {
		t.Errorf("18 more surprise by %v, without them it was %v", got, one)
	}
	overlapping := surprise(60, 40)
	d.overlap[w] = 0
	if got := surprise(60, 40); math.Abs(got-overlapping-3) > 1e-9 {
		t.Errorf("where no windows overlap it surprises by %v, else by %v", got, overlapping)
	}
	if got := surprise(400, 400); got < 15 {
		t.Errorf("400 of one surprise by %v", got)
	}
	if got := surprise(240, 40, 40, 40, 40, 40, 40); got < 20 {
		t.Errorf("40 of each of six surprise by %v", got)
	}
	for n := 10.; n < 400; n += 10 {
		if a, b := surprise(n, n), surprise(n+10, n+10); a > b+1e-9 {
			t.Errorf("a burst of %v surprises by %v, one of ten more by %v", n, a, b)
		}
	}
}

// TestKnownForBursts: what a client is known for is no news of it, what it has beyond
// that is, and so is as much of anyone else.
func TestKnownForBursts(t *testing.T) {
	t.Parallel()
	d, tr, _ := usualBursts(3)
	const (
		w      = 1
		client = 77
	)
	line := func(n float64) float64 { return n }
	now := d.head * pane
	sizes := &d.bursts.learnt[tr.index]
	sizes.add(w, client, 300, now)
	sizes.add(w, client, 9, now) // a later one
	for _, c := range []struct {
		name   string
		client uint64
		n      float64
		want   bool
	}{{"as large", client, 300, false}, {"larger", client, 700, true}, {"another", 78, 300, true}} {
		t.Run(c.name, func(t *testing.T) {
			surprise, _ := d.explainedBy(&d.bursts, tr, w, c.n, []sized{{n: c.n, client: c.client}}, line)
			if got := surprise >= d.needed[w]; got != c.want {
				t.Errorf("%v refusals: surprise %.1f of %.1f", c.n, surprise, d.needed[w])
			}
		})
	}
	if got := sizes.of[w].known(client, now+sizeMemory+1); got != 0 {
		t.Errorf("five weeks later it is known for %v", got)
	}
	sizes.add(w, client, 9, now+sizeMemory+1)
	if got := sizes.of[w].known(client, now+sizeMemory+1); got != 9 {
		t.Errorf("and for %v after another one, want 9", got)
	}
	surprise, _ := d.explainedBy(&d.networks, tr, w, 300, []sized{{n: 300, client: client}}, line)
	if surprise < d.needed[w] {
		t.Error("a network is known")
	}
}

// TestWhoGoesOnIsNotKnownForBursts: a client that is there for hours, a balancer say, is
// many.
func TestWhoGoesOnIsNotKnownForBursts(t *testing.T) {
	for _, goesOn := range []bool{false, true} {
		d := New(Settings{})
		d.Advance(monday)
		e := relaylens.Event{Kind: relaylens.KindAuthFailed, Cause: relaylens.CauseCredentialGuessing, ClientIP: netip.MustParseAddr("192.0.2.1"), Time: monday}
		for i := range 5 * 60 {
			if goesOn || i < 10 {
				d.AddN(&e, 2)
			}
			e.Time = e.Time.Add(time.Minute)
			d.Advance(e.Time)
		}
		client, _ := d.bursts.who(&e)
		got := d.bursts.learnt[0].of[lastHour].known(client, d.head*pane)
		if (got > 0) == goesOn {
			t.Errorf("it goes on for hours: %v, and is known for %v", goesOn, got)
		}
	}
}

// TestBurstsExplainRises: a rise that is one client's is none.
func TestBurstsExplainRises(t *testing.T) {
	t.Parallel()
	d, tr, at := usualBursts(8)
	d.needed[rise] = math.Inf(1) // nothing is told of
	guesses(d, at, 1, 5, 8)
	d.needed[rise] = 2
	now := d.head * pane
	plain, explained := tr.surpriseOfRise(now, d.known), d.surpriseOfRise(tr, now, d.known)
	if plain < 3 || explained > plain-1 {
		t.Errorf("surprise %v, and %v as one client's", plain, explained)
	}
}

// TestBurstsTeachNoDispersion: the windows that a burst explains are taken for what
// they are without it.
func TestBurstsTeachNoDispersion(t *testing.T) {
	t.Parallel()
	d, tr, at := usualBursts(8)
	guesses(d, at, 1, 5, 8)
	d.needed[1] = 8
	for d.head%panesOf[1] != 0 {
		d.Advance(time.Unix((d.head+1)*pane, 0))
	}
	most := 0.0
	for _, l := range tr.lessons {
		if l.window == 1 && l.due > at.Unix()+lessonDelay {
			most = max(most, float64(l.n))
		}
	}
	if most >= 30 {
		t.Errorf("a window of %v teaches, though 40 are of one client", most)
	}
}

// TestScannersTeachNoBursts: what comes every night under another address does not
// make bursts usual.
func TestScannersTeachNoBursts(t *testing.T) {
	t.Parallel()
	d, s := New(Settings{}), sessions{rand: rand.New(rand.NewPCG(11, 11))}
	i := indexes(relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing)[2]
	large := func() (n int) {
		for _, v := range d.bursts.learnt[i].of[numWindows-1].values {
			if v.n > 100 {
				n++
			}
		}
		return n
	}
	at := monday.AddDate(0, 0, 4)
	s.feed(d, monday, at, 6)
	for night := range 12 {
		e := relaylens.Event{Kind: relaylens.KindAuthFailed, Cause: relaylens.CauseCredentialGuessing, ClientIP: netip.AddrFrom4([4]byte{203, 0, 113, byte(night)})}
		for p := range 40 {
			e.Time = at.Add(time.Duration(p*pane) * time.Second)
			d.AddN(&e, 10)
			d.Advance(e.Time.Add(pane * time.Second))
		}
		s.feed(d, at.Add(10*time.Minute), at.AddDate(0, 0, 1), 6)
		at = at.AddDate(0, 0, 1)
	}
	if got := large(); got > 3 {
		t.Errorf("%d bursts of more than 100 are usual after twelve nights", got)
	}
}

// TestAFewLargeOnesTellLittle: three sizes that are far out may be attacks, more of
// them are what there is.
func TestAFewLargeOnesTellLittle(t *testing.T) {
	few := func(large int) float64 {
		r := rand.New(rand.NewPCG(3, 3))
		s := burstSizes{since: monday.Unix() - month}
		for i := range 200 {
			n := fewOfOne + 1 + 4*r.ExpFloat64()
			if i < large {
				n = 500
			}
			s.add(1, uint64(i), n, monday.Unix())
		}
		return s.perMonth(1, 150, monday.Unix(), plainBursts)
	}
	if got := few(3); got > 0.03 {
		t.Errorf("after three of 500 there are %.2g of 150 a month", got)
	}
	if got := few(12); got < 0.3 {
		t.Errorf("after twelve of 500 there are %.2g of 150 a month", got)
	}
}
