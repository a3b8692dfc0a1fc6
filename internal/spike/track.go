package spike

import (
	"math"
	"time"
)

// track is all that is known of one series.
type track struct {
	index   int // among all
	series  Series
	ring    ring
	history *history
	profile profile
	spread  [numTests]dispersion
	carry   carry
	// foreseen are the expected counts of the cells around now, the one under way
	// being the last but one.
	foreseen [numForeseen]float64
	cell     int64 // under way when the cells were foreseen
	doubt    float64
	episode  episode
	customAt int64    // when what comes every night was seen last
	tidalAt  int64    // when it was no more than the tide last
	lessons  []lesson // in the order in which they are due
}

// lesson is a window that is taken for an ordinary one unless a spike is found
// soon: what begins to rise must not teach that this is usual.
type lesson struct {
	due     int64
	window  int
	n, mean float32
	doubt   float32 // of the mean
	usual   float32 // of a rise: the mean by the baseline alone
	before  float32 // and what the hours before had beside it
}

// lessonDelay is the time in which a slow rise should be found.
const lessonDelay = 3600

// learn takes the lessons that are due.
func (t *track) learn(now int64) {
	done := 0
	for done < len(t.lessons) && t.lessons[done].due <= now {
		l := &t.lessons[done]
		n, mean := float64(l.n), float64(l.mean)
		t.spread[l.window].add(n, mean, t.alpha(l.window, mean), float64(l.doubt))
		if l.window == rise {
			t.carry.add(n, float64(l.usual), float64(l.before))
		}
		done++
	}
	t.lessons = t.lessons[done:]
}

// numForeseen is how many cells the longest window touches, the one under way
// and one more.
const numForeseen = 3*3600/cell + 3

func newTrack(s Series, all *[numTests]tail) *track {
	t := &track{series: s, history: newHistory()}
	for w := range t.spread {
		t.spread[w].all = &all[w]
	}
	return t
}

// foresee expects the cells up to and after cell now. Rates change in the middle
// of hours, not at their ends.
func (t *track) foresee(now int64, slot func(hour int64) int) {
	const perHour = 3600 / cell
	p := &t.profile
	t.cell = now
	hour := int64(math.MinInt64)
	var before, at, after float64
	for i := range t.foreseen {
		c := now - (numForeseen - 2) + int64(i)
		if h := floorDiv(c, perHour); h != hour {
			hour = h
			before, at, after = p.rate[slot(h-1)], p.rate[slot(h)], p.rate[slot(h+1)]
		}
		t.foreseen[i] = inHour(c, before, at, after) * p.level / perHour
	}
	t.doubt = p.doubtOf(slot(floorDiv(now, perHour)))
}

// inHour is the rate in a cell of an hour, between those of the hours around it.
func inHour(c int64, before, at, after float64) float64 {
	const perHour = 3600 / cell
	middle := (float64(mod(c, perHour)) + 0.5) / perHour // of the cell, in the hour
	if middle < 0.5 {
		return before + (middle+0.5)*(at-before)
	}
	return at + (middle-0.5)*(after-at)
}

func floorDiv(a, b int64) int64 { return (a - mod(a, b)) / b }

// expected is the expected count from since until now, both in seconds.
func (t *track) expected(since, now int64) float64 {
	first := t.cell - (numForeseen - 2)
	sum := 0.0
	for c := floorDiv(since, cell); c*cell < now; c++ {
		part := min(now, (c+1)*cell) - max(since, c*cell)
		sum += t.foreseen[min(max(c-first, 0), numForeseen-1)] * float64(part) / cell
	}
	return sum
}

// alpha is the dispersion of window w where mean is expected: what was learned
// of it, and of longer windows while that is little.
func (t *track) alpha(w int, mean float64) float64 {
	const steady, burst = 0.1, 3
	if w == rise {
		return t.spread[rise].of(mean, t.alpha(lastHour, mean))
	}
	longest := numWindows - 1
	a := steady + burst/(mean*float64(panesOf[longest])/float64(panesOf[w])+0.01)
	for i := longest; i >= w; i-- {
		m := mean * float64(panesOf[i]) / float64(panesOf[w])
		if i < longest {
			a = 1.2*a + burst/(m+0.01)/2
		}
		a = t.spread[i].of(m+0.01, a)
	}
	return a
}

// variance is alpha and what is not known of the mean, as far as alpha was not
// learned with as much doubt.
func (t *track) variance(w int, mean float64) float64 {
	doubt := t.doubt
	if w == rise {
		doubt = t.doubtOfRise(doubt)
	}
	return t.alpha(w, mean) + max(doubt-t.spread[w].known(mean), 0)
}

// low is the part of what is expected that is surely usual: a standard deviation
// less, while that is not known at all well, a fifth.
func (t *track) low() float64 { return 1 - min(math.Sqrt(t.doubt), 0.2) }

// reading is what one window says.
type reading struct {
	window   int
	since    int64
	n        uint32
	expected float64
	surprise float64 // -log of a probability
}

// read looks at window w, which ends now and begins no earlier than floor.
func (t *track) read(w int, now, floor int64) reading {
	since := now - panesOf[w]*pane
	r := reading{window: w, since: since, n: t.ring.sums[w]}
	if floor > since {
		r.since = floor
		r.n = t.ring.sum(floorDiv(floor, pane))
	}
	r.expected = t.expected(r.since, now)
	r.surprise = t.surpriseOf(&r, float64(r.n), now)
	return r
}

// surpriseOf is how surprising r would be if it had n refusals.
func (t *track) surpriseOf(r *reading, n float64, now int64) float64 {
	if n <= r.expected {
		return 0
	}
	// A rate of which nothing was seen yet is not known to be zero.
	mean := max(r.expected, 0.5*float64(now-r.since)/3600/float64(max(t.profile.known, 1)))
	far := n - mean // what is near is no surprise
	if far*far <= 2*mean {
		return 0
	}
	alpha := t.variance(r.window, mean)
	if far*far <= 2*(mean+alpha*mean*mean) {
		return 0
	}
	return t.spread[r.window].surprise(n, mean, alpha)
}

// onset is when the excess that r shows began: since then the refusals were
// above the middle of what was expected and what came, by more than since any
// other time.
func (t *track) onset(now, floor int64, r reading) int64 {
	best, at, sum := 0.0, now, 0.0
	factor := (1 + min(float64(r.n)/max(r.expected, 1e-9), 20)) / 2
	for p := t.ring.head - 1; p > t.ring.head-numPanes && p*pane >= floor; p-- {
		sum += float64(t.ring.panes[slotOf(p)]) - factor*t.expected(p*pane, (p+1)*pane)
		if sum > best {
			best, at = sum, p*pane
		}
	}
	return at
}

func unix(sec int64) time.Time { return time.Unix(sec, 0).UTC() }
