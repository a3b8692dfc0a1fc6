package aggregate

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/axiomhq/hyperloglog"

	"github.com/relaylens/relaylens"
)

// Snapshot is what the windows tell at one moment. It is never changed.
type Snapshot struct {
	Time  time.Time // event time
	Lists []List    // one for each kind, By and window, in this order
}

// List is one list of a window.
type List struct {
	Kind   relaylens.Kind
	By     By
	Window time.Duration
	// Total is how many refusals told what they count under, Other how many of
	// them are not among Top.
	Total, Other int64
	// Distinct is how many values there were, with a standard error of 2.3 %.
	Distinct uint64
	// Error is how many refusals a value can have had beyond its Count, and a value
	// that is not among Top; 0 while there were few values.
	Error int64
	Top   []Ranked
}

// Ranked is one value of a list.
type Ranked struct {
	Key   string // a client's text
	Count int64  // never too high, and too low by at most the list's Error
}

// Snapshot lists the values that are certain to have the most refusals.
func (w *Windows) Snapshot() *Snapshot {
	s := &Snapshot{Lists: make([]List, 0, numKinds*int(NumBy)*len(scales))}
	if w.clock.Now() > 0 {
		s.Time = time.Unix(w.clock.Now(), 0).UTC()
	}
	var live [len(scales)][]*windowPane
	for i := range scales {
		live[i] = w.live(i)
	}
	m := merger{sums: map[mergeKey]*merged{}}
	for kind := range numKinds {
		for by := range NumBy {
			for i := range scales {
				l := List{Kind: relaylens.Kind(kind + 1), By: by, Window: scales[i].window}
				m.merge(&l, live[i], w.limits.TopK)
				s.Lists = append(s.Lists, l)
			}
		}
	}
	return s
}

// merger adds up the panes of a window: the counts that are certain are those of
// its panes, and so are the errors (Agarwal et al., Mergeable Summaries, 2012).
type merger struct {
	sums map[mergeKey]*merged
	pool []merged
	best []*merged
}

// mergeKey is the hash: to find the key itself would cost more than all else.
type mergeKey uint64

type merged struct {
	key   *Key
	count int64 // certain
}

func (m *merger) merge(l *List, panes []*windowPane, k int) {
	clear(m.sums)
	m.pool, m.best = m.pool[:0], m.best[:0]
	entries := 0
	var distinct *hyperloglog.Sketch
	var bound int64
	for _, p := range panes {
		if list := p.lists[l.Kind-1][l.By]; list != nil && list.distinct != nil {
			entries += len(list.top.entries)
			bound += list.top.bound()
			l.Total += list.top.total
			distinct = union(distinct, list.distinct)
		}
	}
	if distinct == nil {
		return
	}
	l.Distinct = distinct.Estimate()
	m.pool = slices.Grow(m.pool, entries)
	for _, p := range panes {
		if list := p.lists[l.Kind-1][l.By]; list != nil {
			m.add(list.top)
		}
	}
	l.Error, l.Other = bound, l.Total
	for _, e := range m.largest(k) {
		l.Top = append(l.Top, Ranked{e.key.Text(l.By), e.count})
		l.Other -= e.count
	}
}

// largest are the k with the most refusals. Few of many are wanted: sorting them
// all would cost more than all else.
func (m *merger) largest(k int) []*merged {
	portion, full := 2*k+64, false // full: the first k of best are the largest so far
	for i := range m.pool {
		e := &m.pool[i]
		if len(m.best) == portion {
			slices.SortFunc(m.best, byCount)
			m.best, full = m.best[:k], true
		}
		if !full || byCount(e, m.best[k-1]) < 0 {
			m.best = append(m.best, e)
		}
	}
	slices.SortFunc(m.best, byCount)
	return m.best[:min(k, len(m.best))]
}

func byCount(a, b *merged) int {
	if a.count != b.count {
		return cmp.Compare(b.count, a.count)
	}
	return bytes.Compare(a.key.text[:], b.key.text[:])
}

func (m *merger) add(s *sketch) {
	for i := range s.entries {
		e := &s.entries[i]
		sum := m.sums[mergeKey(e.hash)]
		if sum == nil {
			m.pool = append(m.pool, merged{key: &e.key})
			sum = &m.pool[len(m.pool)-1]
			m.sums[mergeKey(e.hash)] = sum
		}
		sum.count += int64(e.count - e.err)
	}
}

// union adds other to sum, which may be nil and is not other's own.
func union(sum, other *hyperloglog.Sketch) *hyperloglog.Sketch {
	if sum == nil {
		return other.Clone()
	}
	if err := sum.Merge(other); err != nil {
		panic(err) // all have one precision
	}
	return sum
}
