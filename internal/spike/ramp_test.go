package spike

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// TestRamp: an attack that grows for hours does not pass for usual while it does.
func TestRamp(t *testing.T) {
	t.Parallel()
	const usual = 3 // a minute
	quiet, ramp := New(Settings{}), New(Settings{})
	at := monday.Add(9 * 24 * time.Hour)
	for _, d := range []*Detector{quiet, ramp} {
		stream(d, rand.New(rand.NewPCG(7, 7)), monday, at, usual, relaylens.CauseCredentialGuessing)
	}
	i := indexes(relaylens.KindRelayDenied, relaylens.CauseCredentialGuessing)[2]
	series := Series{By: PerCause, Cause: relaylens.CauseCredentialGuessing}
	stream(quiet, rand.New(rand.NewPCG(8, 8)), at, at.Add(3*time.Hour), usual, relaylens.CauseCredentialGuessing)
	r, tenfold := rand.New(rand.NewPCG(9, 9)), time.Duration(-1)
	for since := time.Duration(0); since < 3*time.Hour; since += time.Minute {
		rate := usual * (1 + 20*since.Hours()/3)
		stream(ramp, r, at.Add(since), at.Add(since+time.Minute), rate, relaylens.CauseCredentialGuessing)
		for _, s := range ramp.Active() {
			if s.Series == series && s.Ratio() >= 10 && tenfold < 0 {
				tenfold = since + time.Minute
			}
		}
	}
	// It is tenfold after 81 minutes; sevenfold, a minute may be tenfold by chance.
	if tenfold < 54*time.Minute || tenfold > 88*time.Minute {
		t.Errorf("told of as tenfold after %v", tenfold)
	}
	want, _ := quiet.Expected(series, time.Hour)
	if got, _ := ramp.Expected(series, time.Hour); got > 1.03*want {
		t.Errorf("three hours of it make %.1f refusals in an hour usual, which were %.1f", got, want)
	}
	a, b := quiet.tracks[i], ramp.tracks[i]
	for w := range windows {
		if got, want := b.spread[w].stretch(), a.spread[w].stretch(); got < want-0.05 {
			t.Errorf("%v: stretch %.2f, without the ramp %.2f", windows[w], got, want)
		}
		if got, want := b.alpha(w, 10), a.alpha(w, 10); got > want+0.01 {
			t.Errorf("%v: dispersion %.2f, without the ramp %.2f", windows[w], got, want)
		}
	}
}
