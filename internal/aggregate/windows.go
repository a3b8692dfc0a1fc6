package aggregate

import (
	"hash/maphash"
	"time"

	"github.com/axiomhq/hyperloglog"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

const (
	numKinds  = int(relaylens.KindRejected) // refusals, from 1 on
	precision = 11                          // of distinct counts: 2 KiB each, a standard error of 2.3 %
)

// scale is a window and the panes it moves by. The pane under way belongs to it,
// so that it tells of at most its length, and at least of its length less a pane.
type scale struct {
	window   time.Duration
	panes    int64
	counters int // of each list in a pane
}

var scales = [...]scale{
	{time.Minute, 6, 96},
	{5 * time.Minute, 10, 96},
	{time.Hour, 12, 192},
	{24 * time.Hour, 12, 384},
}

// Limits bound what [Windows] remember.
type Limits struct {
	// TopK is how many values of each list a snapshot names; 20 when 0. Beyond 48
	// it takes more memory.
	TopK int
}

// Windows count the refusals of the last minute, five minutes, hour and day, in
// event time. Memory is fixed: at most 20 MiB, whatever comes. They are not safe
// for concurrent use.
type Windows struct {
	limits Limits
	behind time.Duration
	seed   maphash.Seed
	clock  bounded.Clock
	rings  [len(scales)][]*windowPane
}

// windowPane is a part of a window.
type windowPane struct {
	at    int64 // number of the pane, counted from 1970; -1 is none
	lists [numKinds][NumBy]*list
}

// list is what one pane knows of one kind by one field.
type list struct {
	top      *sketch
	distinct *hyperloglog.Sketch
}

// New makes windows in which nothing has happened.
func New(l Limits) *Windows {
	if l.TopK <= 0 {
		l.TopK = 20
	}
	w := &Windows{limits: l, seed: maphash.MakeSeed()}
	for i, s := range scales {
		for range s.panes {
			w.rings[i] = append(w.rings[i], &windowPane{at: -1})
		}
	}
	return w
}

// Add counts a refusal by this server in every window that it falls into; other
// events are passed over, and what is older than the longest window is not counted.
// An event of a later time than any before moves the windows. One that is far ahead
// of all others, as from a host with a wrong clock, counts as of now.
func (w *Windows) Add(e *relaylens.Event) {
	at := e.Time.Unix()
	if !w.clock.Observe(at) {
		at = w.clock.Now()
	}
	first := w.first()
	if !e.Refusal() || e.Direction == relaylens.Outbound || first == len(scales) {
		return
	}
	var keys [NumBy]Key
	var hashes [NumBy]uint64
	for by := range NumBy {
		k := &keys[by]
		*k = KeyOf(e, by)
		hashes[by] = maphash.Bytes(w.seed, k.text[:k.n])
	}
	for i := first; i < len(scales); i++ {
		p := w.pane(i, at)
		if p == nil {
			continue
		}
		for by := range NumBy {
			if k := &keys[by]; !k.None() {
				l := p.list(e.Kind, by, w.counters(i))
				l.top.add(hashes[by], k)
				l.distinct.InsertHash(hashes[by])
			}
		}
	}
}

// Behind says how far from the present that is which is counted from now on. What is
// in a window that is no longer has left it by the time that the present is reached:
// such windows are left as they are.
func (w *Windows) Behind(d time.Duration) { w.behind = d }

// first is the shortest window that is counted in; the others are longer.
func (w *Windows) first() int {
	i := 0
	for i < len(scales) && scales[i].window <= w.behind {
		i++
	}
	return i
}

// counters of a list have to be more than are shown, for those that are shown
// to be right.
func (w *Windows) counters(scale int) int { return max(scales[scale].counters, 2*w.limits.TopK) }

// width is the length of a pane in seconds.
func (s *scale) width() int64 { return int64(s.window/time.Second) / s.panes }

func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// pane is where an event counts, nil when that is over.
func (w *Windows) pane(scale int, at int64) *windowPane {
	s := &scales[scale]
	n, now := floorDiv(at, s.width()), floorDiv(w.clock.Now(), s.width())
	if n < 0 || n <= now-s.panes {
		return nil
	}
	p := w.rings[scale][n%s.panes]
	if p.at != n {
		p.reset(n)
	}
	return p
}

func (p *windowPane) reset(at int64) {
	p.at = at
	for k := range p.lists {
		for _, l := range p.lists[k] {
			if l != nil {
				l.top.reset()
				l.distinct = nil
			}
		}
	}
}

func (p *windowPane) list(kind relaylens.Kind, by By, counters int) *list {
	l := &p.lists[kind-1][by]
	if *l == nil {
		*l = &list{top: newSketch(counters)}
	}
	if (*l).distinct == nil {
		(*l).distinct = newDistinct()
	}
	return *l
}

func newDistinct() *hyperloglog.Sketch {
	s, err := hyperloglog.NewSketch(precision, false)
	if err != nil {
		panic(err) // the precision is one that there is
	}
	return s
}

// Advance says that event time has come to now: without events, the windows move
// only so.
func (w *Windows) Advance(now time.Time) { w.clock.Advance(now.Unix()) }

// Limit sets the time that no event can be of a later one than, by some minutes:
// the wall clock's, where the log is followed as it is written.
func (w *Windows) Limit(now time.Time) { w.clock.Limit(now.Unix()) }

// SetTopK changes Limits.TopK. Panes that are there keep their size.
func (w *Windows) SetTopK(k int) { w.limits.TopK = max(k, 1) }

// live are the panes that belong to a window now.
func (w *Windows) live(scale int) (panes []*windowPane) {
	s := &scales[scale]
	now := floorDiv(w.clock.Now(), s.width())
	for _, p := range w.rings[scale] {
		if p.at >= 0 && p.at > now-s.panes && p.at <= now {
			panes = append(panes, p)
		}
	}
	return panes
}
