package spike

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSmallBurstsTellLittleOfLargeOnes: some bursts, all of them small, leave it to what
// is usual elsewhere how many large ones there are; where they are larger than elsewhere
// they tell themselves.
func TestSmallBurstsTellLittleOfLargeOnes(t *testing.T) {
	usual := tailOf{from: fewOfOne, n: 50, scale: 8, shape: 0.3}
	plain := func(n float64) float64 { return usual.n * math.Exp(usual.beyond(n)) }
	for _, c := range []struct {
		name        string
		scale       float64
		least, most float64 // how many of 60 there are, beside what is usual
	}{
		{"smaller", 3, 0.003, 0.3},
		{"alike", 8, 0.2, 2},
		{"larger", 24, 1.5, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := burstSizes{since: monday.Unix() - month}
			for i := range 30 {
				s.add(1, uint64(i), fewOfOne+1-c.scale*math.Log(1-(float64(i)+0.5)/30), monday.Unix())
			}
			if got := s.perMonth(1, 60, monday.Unix(), plain) / plain(60); got < c.least || got > c.most {
				t.Errorf("%.3g times what is usual, want %v to %v", got, c.least, c.most)
			}
		})
	}
}

// TestTailOfBursts: what is seen of sizes tells how many are much larger, be their
// tail light or heavy.
func TestTailOfBursts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	exponential := func() float64 { return fewOfOne + 6*r.ExpFloat64() }
	pareto := func() float64 { return 10 * math.Pow(1-r.Float64(), -1/2.) }
	for _, c := range []struct {
		name       string
		size       func() float64
		n          float64
		want       float64 // of n or more, among 1000
		less, more float64 // so many times
	}{
		{"exponential", exponential, 60, 1000 * math.Exp(-53./6), 5, 12},
		{"exponential, far out", exponential, 80, 1000 * math.Exp(-73./6), 5, 60},
		{"Pareto", pareto, 150, 1000 * 100 / (150. * 150), 8, 3},
		{"Pareto, far out", pareto, 500, 1000 * 100 / (500. * 500), 30, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			sum := 0.0
			const tries = 40
			for range tries {
				var s burstSizes
				for i := range 1000 {
					s.add(1, uint64(i), c.size(), monday.Unix())
				}
				s.since = monday.Unix() - month
				sum += math.Log(s.perMonth(1, c.n, monday.Unix(), plainBursts)) / tries
			}
			if got := math.Exp(sum); got < c.want/c.less || got > c.want*c.more {
				t.Errorf("%.3g bursts of %v, want %.3g", got, c.n, c.want)
			}
		})
	}
}

// TestSizesAreOfWeeks: the largest stay, each client counts once, and what is five
// weeks old does not count.
func TestSizesAreOfWeeks(t *testing.T) {
	var s burstSizes
	at := monday.Unix()
	for i := range 3 * maxSizes {
		s.add(0, uint64(i), float64(10+i%50), at)
		s.add(0, 7, 90, at)
	}
	l := &s.of[0]
	if n := len(l.values); n != maxSizes || l.values[n-1].n != 90 || l.values[n-2].n >= 90 {
		t.Fatalf("%d sizes, the largest %v", n, l.values[max(n-2, 0):])
	}
	if l.least < 30 || l.least > l.values[0].n {
		t.Errorf("of %v all are known, the least is %v", l.least, l.values[0].n)
	}
	s.add(0, 1, 12, at+sizeMemory+1)
	if n := len(l.values); n != 1 || l.least != 0 {
		t.Errorf("five weeks later: %d, of all of at least %v", n, l.least)
	}
}
