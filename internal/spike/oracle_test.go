package spike

import (
	"math"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike/simulate"
)

// oracle knows the true rates and what they vary by.
type oracle struct {
	world  *simulate.World
	tracks []oracleTrack
	offset float64 // beyond what is needed, for as many false pages as are asked for
	needed [numWindows]float64
	excess float64 // the most at this step
	pages  bool    // a cause is surprising, and of attacks ten times what is usual
	rates  []float64
}

type oracleTrack struct {
	series  Series
	streams []int
	ring    ring
	means   [][numPanes]float64 // of each stream, by pane
	sums    [][numWindows]float64
}

func newOracle(w *simulate.World, pane int64) *oracle {
	o := &oracle{world: w}
	add := func(s Series) {
		t := oracleTrack{series: s}
		for i := range w.Streams {
			if st := &w.Streams[i]; s.By == Total || s.By == PerKind && st.Kind == s.Kind || s.By == PerCause && st.Cause == s.Cause {
				t.streams = append(t.streams, i)
			}
		}
		t.means, t.sums = make([][numPanes]float64, len(t.streams)), make([][numWindows]float64, len(t.streams))
		t.ring.reset(pane)
		o.tracks = append(o.tracks, t)
	}
	add(Series{})
	for k := range numKinds {
		add(Series{By: PerKind, Kind: relaylens.Kind(k + 1)})
	}
	for c := range numCauses {
		add(Series{By: PerCause, Cause: relaylens.Cause(c + 1)})
	}
	for w, length := range panesOf {
		o.needed[w] = thresholdOf(length, 1./(15*numWindows))
	}
	return o
}

func (o *oracle) step(at time.Time, groups []simulate.Group) {
	o.excess, o.pages = math.Inf(-1), false
	if at.Second() == 0 || o.rates == nil {
		o.rates = o.rates[:0]
		for i := range o.world.Streams {
			o.rates = append(o.rates, o.world.Rate(&o.world.Streams[i], at)/4)
		}
	}
	for i := range o.tracks {
		t := &o.tracks[i]
		n := uint32(0)
		for j := range groups {
			e := &groups[j].Event
			if s := t.series; s.By == Total || s.By == PerKind && s.Kind == e.Kind || s.By == PerCause && s.Cause == e.Cause {
				n += uint32(groups[j].N)
			}
		}
		t.ring.add(t.ring.head, n)
		for j, s := range t.streams {
			rate := o.rates[s]
			t.means[j][slotOf(t.ring.head)] = rate
			for w, length := range panesOf {
				t.sums[j][w] += rate - t.means[j][slotOf(t.ring.head-length)]
			}
		}
		t.ring.step()
		for j := range t.streams {
			t.means[j][slotOf(t.ring.head)] = 0
		}
		for w := range windows {
			if n := float64(t.ring.sums[w]); n >= 20 {
				excess := o.surprise(t, w, n) - o.needed[w]
				o.excess = max(o.excess, excess)
				if mean, _ := o.moments(t, w); excess > o.offset && t.series.By == PerCause && (t.series.Cause.Fault() != relaylens.FaultAttacker || n >= 10*mean) {
					o.pages = true
				}
			}
		}
	}
}

func (o *oracle) surprise(t *oracleTrack, w int, n float64) float64 {
	mean, variance := o.moments(t, w)
	if far := n - mean; far < 0 || far*far < 4*variance {
		return 0
	}
	return -logTail(n, mean, (variance-mean)/(mean*mean))
}

// moments are the true mean and variance of a window.
func (o *oracle) moments(t *oracleTrack, w int) (mean, variance float64) {
	mean, variance = 1e-3, 1e-3
	x := float64(panesOf[w]) * pane / 5400
	kept := 2 * (x - 1 + math.Exp(-x)) / (x * x) // of what wanders, in the mean of a window
	for j, s := range t.streams {
		m, st := t.sums[j][w], &o.world.Streams[s]
		mean += m
		variance += m*(2*st.Burst-1) + m*m*(math.Expm1(st.Wander*st.Wander)*kept+math.Expm1(st.Mood*st.Mood))
	}
	return mean, variance
}
