package summary

import (
	"math"
	"time"
)

// histogram counts by time. It starts with seconds and turns coarser when they lie too far
// apart for a time line to show, so that a second and a decade are both told in bounded memory.
type histogram struct {
	level       int           // of histogramSteps
	step        int64         // seconds
	least       time.Duration // how exactly the times are known
	first, last int64         // that were counted
	buckets     map[int64]*[numSeries]int64
	start       int64 // of latest, which most events are in
	latest      *[numSeries]int64
}

// histogramSteps are steps in seconds, each with how far apart the first and the last event
// may be: beyond, a time line of maxLine has steps that the next one is enough for.
//
// The quarter of an hour is what every time zone's offset is a multiple of, so
// that any local hour and day can be put together from it.
var histogramSteps = [...]struct{ step, longest int64 }{
	{1, (maxLine + 1) * 15}, {60, (maxLine + 1) * 300}, {900, math.MaxInt64}, {86400, math.MaxInt64},
}

const (
	// maxLine is the most steps that a time line has.
	maxLine     = 100
	maxQuarters = 1 << 17 // three years and a half
)

func (h *histogram) init() {
	h.step, h.buckets = histogramSteps[0].step, make(map[int64]*[numSeries]int64)
}

// add counts n events of the second at.
func (h *histogram) add(at int64, s series, n int64) {
	if h.latest == nil || at < h.start || at >= h.start+h.step {
		h.widen(at)
		h.start = floor(at, h.step)
		h.latest = h.bucket(h.start)
	}
	h.latest[s] += n
}

// bucket is the one that begins at start.
func (h *histogram) bucket(start int64) *[numSeries]int64 {
	b := h.buckets[start]
	if b == nil {
		b = new([numSeries]int64)
		h.buckets[start] = b
	}
	return b
}

// widen takes in that there are events of the second at.
func (h *histogram) widen(at int64) {
	if len(h.buckets) == 0 {
		h.first, h.last = at, at
	}
	h.first, h.last = min(h.first, at), max(h.last, at)
	for h.last-h.first >= histogramSteps[h.level].longest || h.step == 900 && len(h.buckets) == maxQuarters {
		h.coarsen()
	}
}

// coarsen goes on to the next step.
func (h *histogram) coarsen() {
	h.level++
	next := histogramSteps[h.level].step
	old := h.buckets
	h.step, h.buckets, h.latest = next, make(map[int64]*[numSeries]int64), nil
	for start, counts := range old {
		b := h.bucket(floor(start, next))
		for s, n := range counts {
			b[s] += n
		}
	}
}

// floor is the multiple of step at or before t.
func floor(t, step int64) int64 {
	return t - ((t%step)+step)%step
}
