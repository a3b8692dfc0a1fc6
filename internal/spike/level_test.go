package spike

import (
	"math"
	"math/rand/v2"
	"testing"
)

// daily is a history of 100 refusals an hour times what a day's level is.
func daily(levels []float64) *history {
	h, r := newHistory(), rand.New(rand.NewPCG(11, 11))
	for i := range int64(len(levels) * 24) {
		h.setHour(i, uint32(poisson(r, 100*levels[i/24])))
	}
	return h
}

// foreseenAfter is the level that is foreseen after all those days.
func foreseenAfter(levels []float64) float64 {
	l, p := learner{newest: int64(len(levels)*24) - 1, frozen: math.MaxInt64}, profile{}
	for i := range l.week {
		l.week[i] = uint8((i + 3*24) % 168) // the last day is a Wednesday
	}
	l.learn(daily(levels), &p)
	sum := 0.0
	for _, rate := range p.rate {
		sum += rate * p.level / 100
	}
	return sum / float64(len(p.rate))
}

func TestLevelIsWhatLasts(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	moody, lasting, steady := make([]float64, 35), make([]float64, 35), make([]float64, 35)
	mood := 0.0
	for i := range moody {
		steady[i] = 1
		moody[i] = math.Exp(0.25 * r.NormFloat64())
		mood = 0.95*mood + 0.25*math.Sqrt(1-0.95*0.95)*r.NormFloat64()
		lasting[i] = math.Exp(mood)
	}
	end := func(levels []float64, last float64) []float64 {
		levels = append([]float64(nil), levels...)
		levels[33], levels[34] = last, last
		return levels
	}
	for name, c := range map[string]struct {
		levels    []float64
		low, high float64
	}{
		"a busy day among days that differ":  {end(moody, 1.4), 0.97, 1.2},
		"a busy day where days are alike":    {end(steady, 1.4), 1.35, 1.45},
		"a busy day where that lasts":        {end(lasting, 1.4), 1.25, 1.5},
		"far more than ever, of restless":    {end(moody, 5), 3.5, 5.2},
		"far more than ever, of steady days": {end(steady, 5), 4.7, 5.2},
	} {
		t.Run(name, func(t *testing.T) {
			if got := foreseenAfter(c.levels); got < c.low || got > c.high {
				t.Errorf("level %.2f, want %v to %v", got, c.low, c.high)
			}
		})
	}
}

// TestWeight: groups that differ no more than their counts do are taken for one.
func TestWeight(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 13))
	for name, c := range map[string]struct{ differ, low, high float64 }{
		"all alike":          {0, 25, 61},
		"as counts do":       {0.1, 0.7, 1.6},
		"three times as far": {0.3, 0.08, 0.25},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVariance(4)
			for range 168 {
				group, mean := make([]float64, 5), 100*(1+c.differ*r.NormFloat64())
				for i := range group {
					group[i] = float64(poisson(r, mean))
				}
				v.add(group, 100)
			}
			if got := v.weight(); got < c.low || got > c.high {
				t.Errorf("what is foreseen is worth %.2f counts, want %v to %v", got, c.low, c.high)
			}
		})
	}
	if got := newVariance(4).weight(); got != 4 {
		t.Errorf("without any counts it is worth %v, want 4", got)
	}
}
