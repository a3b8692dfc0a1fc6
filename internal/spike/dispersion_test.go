package spike

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Of hours in which nothing is expected nothing is learned for others: silence
// there makes them no steadier, and a stray refusal no more restless.
func TestDispersionOfNothing(t *testing.T) {
	const mean, alpha = 0.6, 5.
	learn := func(nights int, stray float64) float64 {
		rng := rand.New(rand.NewPCG(1, 1))
		var d dispersion
		for range 15_000 { // fours, which makes the variance four times that of chance
			n := 0.
			for x := rng.ExpFloat64(); x < mean/4; x += rng.ExpFloat64() {
				n += 4
			}
			d.add(n, mean, alpha, 0)
		}
		for range nights {
			d.add(0, 3e-4, 1, 0)
		}
		for range int(stray) {
			d.add(1, 1e-5, 1, 0)
		}
		return d.of(mean, 3)
	}
	plain := learn(0, 0)
	if plain < 4 || plain > 6 {
		t.Errorf("α is %.2f, want 5", plain)
	}
	if silent := learn(35_000, 0); math.Abs(silent-plain) > 0.2 {
		t.Errorf("α is %.2f after silent nights, and was %.2f", silent, plain)
	}
	if strayed := learn(0, 5); math.Abs(strayed-plain) > 0.2 {
		t.Errorf("α is %.2f after five stray refusals, and was %.2f", strayed, plain)
	}
}

// TestStretchOfAll: a series of which little was seen is believed to be like all.
func TestStretchOfAll(t *testing.T) {
	all := tail{beyond: 1400, seen: 1000}
	few, many := dispersion{all: &all}, dispersion{all: &all, tail: tail{beyond: 2000, seen: 2000}}
	if got := few.stretch(); got < 0.70 || got > 0.73 {
		t.Errorf("nothing seen: stretch %.2f, want that of all, 0.72", got)
	}
	if got := many.stretch(); got < 0.95 {
		t.Errorf("much seen: stretch %.2f, want its own, 1", got)
	}
}

// TestDoubtCountsOnce: what α was learned with is not added to it again.
func TestDoubtCountsOnce(t *testing.T) {
	var d dispersion
	if got := d.known(30); got != 0 {
		t.Errorf("%v of the doubt is known before anything was seen", got)
	}
	for range 1000 {
		d.add(30, 30, 0.1, 0.08)
	}
	if got := d.known(30); got < 0.075 || got > 0.08 {
		t.Errorf("%.3f of the doubt is known, want 0.08", got)
	}
}
