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
//
// A key is known by its 64-bit hash alone.
type Top[V any] struct {
	capacity int
	drop     func(*V)
	seed     maphash.Seed
	index    []mark      // linear probing, a power of two
	chunks   [][]slot[V] // of chunkLen each; an entry stays where it is
	len      int
	smallest *smallest // once evicting
	texts    bounded.Texts
	total    int64
}

// slot is an entry in its place: a line of a processor's cache, where V has 40 bytes.
type slot[V any] struct {
	hash         uint64
	key          bounded.Text
	value        V
	count, error uint32 // as many as can be, of more
}

// add counts n events more.
func (s *slot[V]) add(n int64) { s.count = uint32(min(int64(s.count)+n, math.MaxUint32)) }

// certain is how many events are of the key for sure.
func (s *slot[V]) certain() uint32 { return s.count - s.error }

// chunkLen entries are made at once.
const chunkLen = 128

// Entry is one value.
type Entry[V any] struct {
	Key   string
	Count int64 // never too low, up to 2³²-1
	Error int64 // by which Count may be too high
	Value V     // of the events that are certain to be of Key: those since it was last taken in
}

// NewTop makes a Top for capacity values, at least one. Drop, where not nil, is
// told what was remembered of a value before that is forgotten.
func NewTop[V any](capacity int, drop func(*V)) *Top[V] {
	return &Top[V]{capacity: max(capacity, 1), drop: drop, seed: maphash.MakeSeed(), index: make([]mark, 64)}
}

func (t *Top[V]) slot(i uint32) *slot[V] { return &t.chunks[i/chunkLen][i%chunkLen] }

func (t *Top[V]) key(s *slot[V]) string { return t.texts.View(s.key) }

// mark is the number of an entry + 1, so that 0 is free, below the high half of its
// hash: the place it should have is known, and most others passed by, without a look at it.
type mark uint64

func markOf(i uint32, hash uint64) mark { return mark(hash>>32<<32) | mark(i+1) }

func (m mark) entry() uint32 { return uint32(m) - 1 }

// home is where in the index an entry belongs, if there is room.
func (m mark) home(mask int) int { return int(m>>32) & mask }

// find returns where in the index a key is, and its entry; nil where it is not.
func (t *Top[V]) find(hash uint64) (place int, s *slot[V]) {
	mask := len(t.index) - 1
	for place = mark(hash).home(mask); t.index[place] != 0; place = (place + 1) & mask {
		if m := t.index[place]; uint64(m)>>32 == hash>>32 {
			if s := t.slot(m.entry()); s.hash == hash {
				return place, s
			}
		}
	}
	return place, nil
}

// Hash is what a Top finds key by. Who adds by other hashes than these, of which all
// bits are as good as chance, finds by those only.
func (t *Top[V]) Hash(key string) uint64 { return maphash.String(t.seed, key) }

// Reach reads what Known, or Take, will mostly need for keys by their hashes, 0 for none.
// Who adds many calls it before: a processor waits for the memory of all at once then.
// Its result means nothing, and has to be used.
func (t *Top[V]) Reach(hashes []uint64) (read uint64) {
	mask, leaving := len(t.index)-1, 0
	for _, hash := range hashes {
		m := t.index[mark(hash).home(mask)]
		switch {
		case hash == 0 || m == 0:
		case uint64(m)>>32 == hash>>32:
			s := t.slot(m.entry())
			read += s.hash + uint64(s.count)
		default:
			leaving++
		}
	}
	if t.smallest == nil {
		return read
	}
	for i := range min(leaving, t.smallest.len) {
		s := t.slot(t.smallest.queue[t.smallest.at(i)].entry())
		read += s.hash + uint64(s.count) + uint64(t.index[mark(s.hash).home(mask)])
	}
	return read
}

// Add counts n > 0 events of key and returns what is remembered of it, which is
// the zero V when key is new. The pointer is valid until the next Add.
func (t *Top[V]) Add(key string, n int64) *V {
	hash := t.Hash(key)
	if v := t.Known(hash, n); v != nil {
		return v
	}
	return t.Take(key, hash, n)
}

// Known is Add of a key whose hash is known, if it is kept already; else it counts
// nothing and is nil.
func (t *Top[V]) Known(hash uint64, n int64) *V {
	_, s := t.find(hash)
	if s == nil {
		return nil
	}
	t.total += n
	s.add(n) // smallest finds out when it asks
	return &s.value
}

// Take is Add of a key that Known does not know.
func (t *Top[V]) Take(key string, hash uint64, n int64) *V {
	t.total += n
	if t.len == t.capacity {
		return t.replace(key, hash, n)
	}
	if t.len%chunkLen == 0 && t.len/chunkLen == len(t.chunks) {
		t.chunks = append(t.chunks, make([]slot[V], min(chunkLen, t.capacity-t.len)))
	}
	i := uint32(t.len)
	s := t.slot(i)
	t.len++
	s.hash = hash
	s.add(n)
	t.texts.Set(&s.key, key)
	place, _ := t.find(hash)
	if t.index[place] = markOf(i, hash); 4*t.len > 3*len(t.index) {
		t.grow()
	}
	return &s.value
}

// replace takes a key in, in place of the one with the smallest count.
func (t *Top[V]) replace(key string, hash uint64, n int64) *V {
	if t.smallest == nil {
		t.smallest = newSmallest(t.len, t.count)
	}
	i := t.smallest.take(t.count)
	s := t.slot(i)
	t.vacate(i, s)
	if t.drop != nil {
		t.drop(&s.value)
	}
	*s = slot[V]{key: s.key, hash: hash, count: s.count, error: s.count}
	s.add(n)
	t.texts.Set(&s.key, key)
	place, _ := t.find(hash)
	t.index[place] = markOf(i, hash)
	t.smallest.put(i, s.count)
	return &s.value
}

func (t *Top[V]) count(i uint32) uint32 { return t.slot(i).count }

// grow doubles the index.
func (t *Top[V]) grow() {
	old := t.index
	t.index = make([]mark, 2*len(old))
	mask := len(t.index) - 1
	for _, m := range old {
		if m == 0 {
			continue
		}
		place := m.home(mask)
		for t.index[place] != 0 {
			place = (place + 1) & mask
		}
		t.index[place] = m
	}
}

// vacate takes entry i out of the index, and moves up what stands behind it only
// because it was there.
func (t *Top[V]) vacate(i uint32, s *slot[V]) {
	mask := len(t.index) - 1
	hole := mark(s.hash).home(mask)
	for t.index[hole].entry() != i {
		hole = (hole + 1) & mask
	}
	for next := (hole + 1) & mask; t.index[next] != 0; next = (next + 1) & mask {
		if (next-t.index[next].home(mask))&mask >= (next-hole)&mask {
			t.index[hole] = t.index[next]
			hole = next
		}
	}
	t.index[hole] = 0
}

func (t *Top[V]) entry(s *slot[V]) Entry[V] {
	return Entry[V]{Key: strings.Clone(t.key(s)), Count: int64(s.count), Error: int64(s.error), Value: s.value}
}

// Get is the entry of key.
func (t *Top[V]) Get(key string) (Entry[V], bool) {
	return t.GetHashed(t.Hash(key))
}

// GetHashed is Get of a key whose hash is known.
func (t *Top[V]) GetHashed(hash uint64) (Entry[V], bool) {
	if _, s := t.find(hash); s != nil {
		return t.entry(s), true
	}
	return Entry[V]{}, false
}

// Find is what is remembered of a key by its hash, nil when it is not kept. The pointer is
// valid until the next Add.
func (t *Top[V]) Find(hash uint64) *V {
	if _, s := t.find(hash); s != nil {
		return &s.value
	}
	return nil
}

// Total is how many events were counted.
func (t *Top[V]) Total() int64 { return t.total }

// Len is how many values are kept; while Exact, all that there were.
func (t *Top[V]) Len() int { return t.len }

// Exact reports whether every count is exact.
func (t *Top[V]) Exact() bool { return t.smallest == nil }

// Bound is how many events a value can have had that is not kept; 0 while Exact.
func (t *Top[V]) Bound() int64 {
	if t.smallest == nil {
		return 0
	}
	return int64(t.smallest.least(t.count))
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
