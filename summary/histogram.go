package summary

import "time"

// histogram counts by time. It starts with seconds and turns coarser when there
// are too many, so that a second and a decade are both told in bounded memory.
type histogram struct {
	step    int64         // seconds
	least   time.Duration // how exactly the times are known
	buckets map[int64]*[numSeries]int64
	start   int64 // of latest, which most events are in
	latest  *[numSeries]int64
}

// The quarter of an hour is what every time zone's offset is a multiple of, so
// that any local hour and day can be put together from it.
var histogramSteps = [...]int64{1, 60, 900, 86400}

const (
	maxBuckets  = 1 << 14
	maxQuarters = 1 << 17 // three years and a half
)

func (h *histogram) init() {
	h.step, h.buckets = histogramSteps[0], make(map[int64]*[numSeries]int64)
}

// add counts n events of the second at.
func (h *histogram) add(at int64, s series, n int64) {
	if h.latest == nil || at < h.start || at >= h.start+h.step {
		h.start = floor(at, h.step)
		h.latest = h.bucket(h.start)
	}
	h.latest[s] += n
	if len(h.buckets) > maxBuckets && (h.step < 900 || len(h.buckets) > maxQuarters) {
		h.coarsen()
	}
}

func (h *histogram) bucket(start int64) *[numSeries]int64 {
	b := h.buckets[start]
	if b == nil {
		b = new([numSeries]int64)
		h.buckets[start] = b
	}
	return b
}

func (h *histogram) coarsen() {
	next := h.step
	for _, step := range histogramSteps {
		if step > h.step {
			next = step
			break
		}
	}
	if next == h.step {
		return
	}
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
