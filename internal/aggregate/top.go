package aggregate

import (
	"cmp"
	"slices"
)

// Top counts the events of each of many values. Up to its capacity in distinct
// values every count is exact. Beyond, a value that comes new takes the place of
// the smallest one together with its count: Space-Saving (Metwally, Agrawal and
// El Abbadi, 2005). Then a count is too high by at most its Error, no value with
// more than [Top.Bound] events is missing, and Bound is at most total/capacity.
//
// V is what is remembered of each value beside its count. A Top is not safe for
// concurrent use.
type Top[K comparable, V any] struct {
	capacity int
	clone    func(K) K
	index    map[K]*entry[K, V]
	entries  []*entry[K, V] // a heap by count once evicting
	evicting bool
	total    int64
}

type entry[K comparable, V any] struct {
	Entry[K, V]
	at int // position in entries
}

// Entry is one value.
type Entry[K comparable, V any] struct {
	Key   K
	Count int64 // never too low
	Error int64 // by which Count may be too high
	Value V     // of the events that are certain to be of Key: those since it was last taken in
}

// NewTop makes a Top for capacity values, at least one. Clone, where not nil,
// makes a key that may be kept of one that aliases other memory.
func NewTop[K comparable, V any](capacity int, clone func(K) K) *Top[K, V] {
	return &Top[K, V]{capacity: max(capacity, 1), clone: clone, index: make(map[K]*entry[K, V])}
}

// Add counts n > 0 events of key and returns what is remembered of it, which is
// the zero V when key is new. The pointer is valid until the next Add.
func (t *Top[K, V]) Add(key K, n int64) *V {
	t.total += n
	e := t.index[key]
	if e == nil {
		e = t.take(key)
	}
	e.Count += n
	if t.evicting {
		t.down(e.at)
	}
	return &e.Value
}

// take makes room for a key.
func (t *Top[K, V]) take(key K) *entry[K, V] {
	if t.clone != nil {
		key = t.clone(key)
	}
	if len(t.entries) < t.capacity {
		e := &entry[K, V]{Entry: Entry[K, V]{Key: key}, at: len(t.entries)}
		t.entries = append(t.entries, e)
		t.index[key] = e
		return e
	}
	if !t.evicting {
		t.evicting = true
		for i := len(t.entries)/2 - 1; i >= 0; i-- {
			t.down(i)
		}
	}
	e := t.entries[0]
	delete(t.index, e.Key)
	e.Entry = Entry[K, V]{Key: key, Count: e.Count, Error: e.Count}
	t.index[key] = e
	return e
}

// down restores the heap after the count at i has grown.
func (t *Top[K, V]) down(i int) {
	h := t.entries
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h); c++ {
			if h[c].Count < h[least].Count {
				least = c
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		h[i].at, h[least].at = i, least
		i = least
	}
}

// Get is the entry of key.
func (t *Top[K, V]) Get(key K) (Entry[K, V], bool) {
	if e := t.index[key]; e != nil {
		return e.Entry, true
	}
	return Entry[K, V]{}, false
}

// Find is what is remembered of key, nil when key is not kept. The pointer is
// valid until the next Add.
func (t *Top[K, V]) Find(key K) *V {
	if e := t.index[key]; e != nil {
		return &e.Value
	}
	return nil
}

// Total is how many events were counted.
func (t *Top[K, V]) Total() int64 { return t.total }

// Len is how many values are kept; while Exact, all that there were.
func (t *Top[K, V]) Len() int { return len(t.entries) }

// Exact reports whether every count is exact.
func (t *Top[K, V]) Exact() bool { return !t.evicting }

// Bound is how many events a value can have had that is not kept; 0 while Exact.
func (t *Top[K, V]) Bound() int64 {
	if !t.evicting {
		return 0
	}
	return t.entries[0].Count
}

// List is the n entries that are certain to have the most events, by Count less
// Error and then by compare: a value that took over the count of others is none
// of the largest for that. All entries when n is negative.
func (t *Top[K, V]) List(n int, compare func(a, b K) int) []Entry[K, V] {
	order := func(a, b *entry[K, V]) int {
		return cmp.Or(cmp.Compare(b.Count-b.Error, a.Count-a.Error), compare(a.Key, b.Key))
	}
	if n < 0 || n > len(t.entries) {
		n = len(t.entries)
	}
	// Mostly few of many are wanted: sorting them all would cost more than counting.
	portion := 2*n + 64
	best := make([]*entry[K, V], 0, min(portion, len(t.entries)))
	full := false // the first n of best are the largest so far
	for _, e := range t.entries {
		if len(best) == portion {
			slices.SortFunc(best, order)
			best, full = best[:n], true
		}
		if !full || n > 0 && order(e, best[n-1]) < 0 {
			best = append(best, e)
		}
	}
	slices.SortFunc(best, order)
	list := make([]Entry[K, V], n)
	for i := range list {
		list[i] = best[i].Entry
	}
	return list
}
