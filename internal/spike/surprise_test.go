package spike

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// TestSurprisesAsOftenAsTold: of the windows of counts whose distribution is known,
// as many surprise as chance has it.
func TestSurprisesAsOftenAsTold(t *testing.T) {
	t.Parallel()
	const surprise = 4 // one in 55
	for _, th := range theories[1:3] {
		t.Run(th.name, func(t *testing.T) {
			seen, windowsOf := th.surprises(14*24*time.Hour, surprise)
			for w := range fromCell + 1 {
				often := seen[w] / windowsOf[w] * math.Exp(surprise)
				if often < 0.4 || often > 1.6 {
					t.Errorf("%v: %.2f times as often as chance has it", windows[w], often)
				}
			}
		})
	}
}

// surprises counts the windows of the second half of a span that have refusals of
// one cause, and those of them that surprise by so much.
func (th *theory) surprises(span time.Duration, least float64) (seen, all [numWindows]float64) {
	r, d, rate := rand.New(rand.NewPCG(14, 14)), New(Settings{}), 8.0
	t := d.tracks[indexes(relaylens.KindRejected, relaylens.CausePolicy)[2]]
	for at, end := beginMonth, beginMonth.Add(span); at.Before(end); {
		if th.shape > 0 && at.Truncate(th.every).Equal(at) {
			rate = 8 * gamma(r, th.shape) / th.shape
		}
		d.AddN(&relaylens.Event{Time: at, Kind: relaylens.KindRejected, Cause: relaylens.CausePolicy}, poisson(r, rate/4))
		at = at.Add(pane * time.Second)
		d.Advance(at)
		if at.Before(beginMonth.Add(span / 2)) {
			continue
		}
		for w, length := range panesOf {
			if d.head%length != 0 {
				continue
			}
			all[w]++
			if reading := t.read(w, at.Unix(), 0); reading.surprise > least {
				seen[w]++
			}
		}
	}
	return seen, all
}

// TestSettingsToTheExtreme: however few false pages are asked for, the thresholds
// are numbers, and a flood pages.
func TestSettingsToTheExtreme(t *testing.T) {
	t.Parallel()
	for _, ask := range []float64{5e-324, 1e-300, 1e-12, 1, 1000} {
		d := New(Settings{FalsePagesPerMonth: ask})
		at := monday.Add(2 * 24 * time.Hour)
		stream(d, rand.New(rand.NewPCG(1, 1)), monday, at, 2, relaylens.CausePolicy)
		for w, needed := range d.needed {
			if !(needed > 0 && needed < 60) {
				t.Errorf("%v asked: %v needs a surprise of %v", ask, windows[w], needed)
			}
		}
		stream(d, rand.New(rand.NewPCG(1, 2)), at, at.Add(10*time.Minute), 200, relaylens.CausePolicy)
		if len(d.Active()) == 0 {
			t.Errorf("%v asked: a flood is no spike", ask)
		}
	}
}
