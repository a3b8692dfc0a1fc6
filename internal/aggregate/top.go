package aggregate

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"github.com/relaylens/relaylens/internal/bounded"
)

// Top counts the events of each of many values. Up to its capacity in distinct
// values every count is exact. Beyond, a value that comes new takes the place of
// the smallest one together with its count: Space-Saving (Metwally, Agrawal and
// El Abbadi, 2005). Then a count is too high by at most its Error, no value with
// more than [Top.Bound] events is missing, and Bound is at most total/capacity.
//
// V is what is remembered of each value beside its count. Where it has no pointer,
// a Top has none that is worth a collector's look. A Top is not safe for concurrent
// use.
type Top[V any] struct {
	capacity int
	drop     func(*V)
	seed     maphash.Seed
	index    []uint32    // position of an entry + 1, 0 is free: linear probing, a power of two
	chunks   [][]slot[V] // of chunkLen each; an entry stays where it is
	len      int
	heap     []uint32 // positions of entries, the smallest count first; once evicting
	places   []uint32 // of each entry in heap
	texts    bounded.Texts
	total    int64
}

// slot is an entry in its place.
type slot[V any] struct {
	key   bounded.Text
	hash  uint32
	error uint32 // as much as can be, of more
	count int64
	value V
}

// certain is how many events are of the key for sure.
func (s *slot[V]) certain() int64 { return s.count - int64(s.error) }

// chunkLen entries are made at once.
const chunkLen = 128

// Entry is one value.
type Entry[V any] struct {
	Key   string
	Count int64 // never too low
	Error int64 // by which Count may be too high
	Value V     // of the events that are certain to be of Key: those since it was last taken in
}

// NewTop makes a Top for capacity values, at least one. Drop, where not nil, is
// told what was remembered of a value before that is forgotten.
func NewTop[V any](capacity int, drop func(*V)) *Top[V] {
	return &Top[V]{capacity: max(capacity, 1), drop: drop, seed: maphash.MakeSeed(), index: make([]uint32, 64)}
}

func (t *Top[V]) slot(i uint32) *slot[V] { return &t.chunks[i/chunkLen][i%chunkLen] }

func (t *Top[V]) key(s *slot[V]) string { return t.texts.View(s.key) }

// find returns where in the index key is, and its entry; nil where it is not.
func (t *Top[V]) find(key string, hash uint32) (place int, s *slot[V]) {
	mask := len(t.index) - 1
	for place = int(hash) & mask; t.index[place] != 0; place = (place + 1) & mask {
		if s := t.slot(t.index[place] - 1); s.hash == hash && t.key(s) == key {
			return place, s
		}
	}
	return place, nil
}

// Hash is what a Top finds key by.
func (t *Top[V]) Hash(key string) uint32 { return uint32(maphash.String(t.seed, key)) }

// Near reads what AddHashed will mostly need. Who adds to several Tops calls it for
// all of them before: a processor waits for the memory of all at once then. Its
// result means nothing, and has to be used.
func (t *Top[V]) Near(hash uint32) byte {
	i := t.index[int(hash)&(len(t.index)-1)]
	if i == 0 {
		return 0
	}
	s := t.slot(i - 1)
	if key := t.key(s); key != "" {
		return key[0]
	}
	return byte(s.hash)
}

// Add counts n > 0 events of key and returns what is remembered of it, which is
// the zero V when key is new. The pointer is valid until the next Add.
func (t *Top[V]) Add(key string, n int64) *V { return t.AddHashed(key, t.Hash(key), n) }

// AddHashed is Add of a key whose hash is known.
func (t *Top[V]) AddHashed(key string, hash uint32, n int64) *V {
	t.total += n
	place, s := t.find(key, hash)
	if s == nil {
		place, s = t.take(place, key, hash)
	}
	s.count += n
	if t.heap != nil {
		t.down(int(t.places[t.index[place]-1]))
	}
	return &s.value
}

// take makes room for a key, which belongs at a place of the index, and says where
// it is there then.
func (t *Top[V]) take(place int, key string, hash uint32) (int, *slot[V]) {
	if t.len < t.capacity {
		if t.len%chunkLen == 0 && t.len/chunkLen == len(t.chunks) {
			t.chunks = append(t.chunks, make([]slot[V], min(chunkLen, t.capacity-t.len)))
		}
		s := t.slot(uint32(t.len))
		t.len++
		s.hash = hash
		t.texts.Set(&s.key, key)
		if t.index[place] = uint32(t.len); 2*t.len > len(t.index) {
			t.grow() // there is no heap yet that asks for the place
		}
		return place, s
	}
	if t.heap == nil {
		t.heapify()
	}
	i := t.heap[0]
	s := t.slot(i)
	t.vacate(s, i)
	if t.drop != nil {
		t.drop(&s.value)
	}
	*s = slot[V]{key: s.key, hash: hash, count: s.count, error: uint32(min(s.count, math.MaxUint32))}
	t.texts.Set(&s.key, key)
	place, _ = t.find(key, hash) // what was vacated may stand before it
	t.index[place] = i + 1
	return place, s
}

// grow doubles the index.
func (t *Top[V]) grow() {
	t.index = make([]uint32, 2*len(t.index))
	mask := len(t.index) - 1
	for i := range uint32(t.len) {
		place := int(t.slot(i).hash) & mask
		for t.index[place] != 0 {
			place = (place + 1) & mask
		}
		t.index[place] = i + 1
	}
}

// vacate takes an entry out of the index, and moves up what stands behind it only
// because it was there.
func (t *Top[V]) vacate(s *slot[V], i uint32) {
	mask := len(t.index) - 1
	hole := int(s.hash) & mask
	for t.index[hole] != i+1 {
		hole = (hole + 1) & mask
	}
	for next := (hole + 1) & mask; t.index[next] != 0; next = (next + 1) & mask {
		home := int(t.slot(t.index[next]-1).hash) & mask
		if (next-home)&mask >= (next-hole)&mask {
			t.index[hole] = t.index[next]
			hole = next
		}
	}
	t.index[hole] = 0
}

func (t *Top[V]) heapify() {
	t.heap, t.places = make([]uint32, t.len), make([]uint32, t.len)
	for i := range t.heap {
		t.heap[i], t.places[i] = uint32(i), uint32(i)
	}
	for i := len(t.heap)/2 - 1; i >= 0; i-- {
		t.down(i)
	}
}

// down restores the heap after the count at i has grown.
func (t *Top[V]) down(i int) {
	h := t.heap
	s := t.slot(h[i])
	for {
		least, least1 := i, s
		for c := 2*i + 1; c <= 2*i+2 && c < len(h); c++ {
			if other := t.slot(h[c]); other.count < least1.count {
				least, least1 = c, other
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		t.places[h[i]], t.places[h[least]] = uint32(i), uint32(least)
		i = least
	}
}

func (t *Top[V]) entry(s *slot[V]) Entry[V] {
	return Entry[V]{Key: strings.Clone(t.key(s)), Count: s.count, Error: int64(s.error), Value: s.value}
}

// Get is the entry of key.
func (t *Top[V]) Get(key string) (Entry[V], bool) {
	if _, s := t.find(key, t.Hash(key)); s != nil {
		return t.entry(s), true
	}
	return Entry[V]{}, false
}

// Find is what is remembered of key, nil when key is not kept. The pointer is
// valid until the next Add.
func (t *Top[V]) Find(key string) *V {
	if _, s := t.find(key, t.Hash(key)); s != nil {
		return &s.value
	}
	return nil
}

// Total is how many events were counted.
func (t *Top[V]) Total() int64 { return t.total }

// Len is how many values are kept; while Exact, all that there were.
func (t *Top[V]) Len() int { return t.len }

// Exact reports whether every count is exact.
func (t *Top[V]) Exact() bool { return t.heap == nil }

// Bound is how many events a value can have had that is not kept; 0 while Exact.
func (t *Top[V]) Bound() int64 {
	if t.heap == nil {
		return 0
	}
	return t.slot(t.heap[0]).count
}

// List is the n entries that are certain to have the most events, by Count less
// Error and then by Key: a value that took over the count of others is none of the
// largest for that. All entries when n is negative.
func (t *Top[V]) List(n int) []Entry[V] {
	order := func(a, b *slot[V]) int {
		return cmp.Or(cmp.Compare(b.certain(), a.certain()), strings.Compare(t.key(a), t.key(b)))
	}
	if n < 0 || n > t.len {
		n = t.len
	}
	// Mostly few of many are wanted: sorting them all would cost more than counting.
	portion := 2*n + 64
	best := make([]*slot[V], 0, min(portion, t.len))
	full := false // the first n of best are the largest so far
	for i := range uint32(t.len) {
		if len(best) == portion {
			slices.SortFunc(best, order)
			best, full = best[:n], true
		}
		if s := t.slot(i); !full || n > 0 && order(s, best[n-1]) < 0 {
			best = append(best, s)
		}
	}
	slices.SortFunc(best, order)
	list := make([]Entry[V], n)
	for i := range list {
		list[i] = t.entry(best[i])
	}
	return list
}
