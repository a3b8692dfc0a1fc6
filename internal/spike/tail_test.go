package spike

import (
	"fmt"
	"math"
	"testing"
)

// TestLogTail holds the tail against the plain sum of the probabilities.
func TestLogTail(t *testing.T) {
	for _, c := range []struct{ n, mean, alpha float64 }{
		{1, 0.01, 0}, {5, 1, 0}, {20, 3, 0}, {3, 10, 0}, {10, 10, 0}, {1, 0.01, 5}, {5, 1, 0.5}, {40, 3, 2}, {3, 10, 0.3},
		{150, 100, 0.05}, {150, 100, 1e-8}, {150, 100, 1e-10}, {500, 100, 1}, {20, 0.001, 100},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			// Each probability is the one before times a factor.
			p, sum := math.Exp(-c.mean), 0.0
			if c.alpha > 0 {
				p = math.Exp(-math.Log1p(c.alpha*c.mean) / c.alpha)
			}
			for i := 1.0; i < c.n+20_000; i++ {
				p *= c.mean * (1 + c.alpha*(i-1)) / (i * (1 + c.alpha*c.mean))
				if i >= c.n {
					sum += p
				}
			}
			if got, want := logTail(c.n, c.mean, c.alpha), math.Log(sum); math.Abs(got-want) > 1e-5*max(1, math.Abs(want)) {
				t.Errorf("log P(N ≥ %v) = %v, want %v", c.n, got, want)
			}
		})
	}
}

func TestLogTailFalls(t *testing.T) {
	for _, alpha := range []float64{0, 0.01, 0.3, 4} {
		last := 0.0
		for n := 0.0; n < 400; n++ {
			if got := logTail(n, 30, alpha); got > last+1e-9 || math.IsNaN(got) {
				t.Fatalf("dispersion %v: log P(N ≥ %v) = %v, after %v", alpha, n, got, last)
			} else {
				last = got
			}
		}
	}
}
