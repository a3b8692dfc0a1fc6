// Package bounded holds what rooms remember between events: tables and sets
// whose size does not depend on what attackers send.
package bounded

// Table is a map with a bound: when it is full, the entry that was used least
// recently makes room, and entries that were not used for ttl seconds of event
// time go first. Entries live in a slab, so that a full table allocates nothing.
type Table[V any] struct {
	index map[uint64]int32
	slab  []slot[V]
	free  []int32
	head  int32 // most recently used
	tail  int32
	max   int
	ttl   int64
	// evict is told of every entry that leaves; it may recycle memory of it.
	evict func(*V)
}

type slot[V any] struct {
	key        uint64
	prev, next int32
	seen       int64 // unix seconds, event time
	value      V
}

const none = int32(-1)

// NewTable makes a table of at most so many entries, each kept for ttl seconds of
// event time after its last use. Evict, if not nil, is told of every entry that
// leaves.
func NewTable[V any](entries int, ttl int64, evict func(*V)) *Table[V] {
	return &Table[V]{index: make(map[uint64]int32), head: none, tail: none, max: entries, ttl: ttl, evict: evict}
}

// Get returns the entry of key and marks it used, or nil. An entry older than
// ttl is gone.
func (t *Table[V]) Get(key uint64, now int64) *V {
	i, ok := t.index[key]
	if !ok {
		return nil
	}
	s := &t.slab[i]
	if now-s.seen > t.ttl {
		t.remove(i)
		return nil
	}
	t.touch(i, now)
	return &s.value
}

// Put returns the entry of key, a used one as it is, a new one with what its
// slot last held: the caller resets it. isNew tells which.
func (t *Table[V]) Put(key uint64, now int64) (v *V, isNew bool) {
	if v := t.Get(key, now); v != nil {
		return v, false
	}
	if t.tail != none && (len(t.index) >= t.max || now-t.slab[t.tail].seen > t.ttl) {
		t.remove(t.tail)
	}
	var i int32
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		i = int32(len(t.slab))
		t.slab = append(t.slab, slot[V]{})
	}
	s := &t.slab[i]
	s.key, s.seen, s.prev, s.next = key, now, none, none
	t.index[key] = i
	t.pushFront(i)
	return &s.value, true
}

// Delete forgets the entry of key.
func (t *Table[V]) Delete(key uint64) {
	if i, ok := t.index[key]; ok {
		t.remove(i)
	}
}

// DropOldest makes the least recently used entry leave; false when there is none.
func (t *Table[V]) DropOldest() bool {
	if t.tail == none {
		return false
	}
	t.remove(t.tail)
	return true
}

// Each calls f for every entry, the one used last first.
func (t *Table[V]) Each(f func(*V)) {
	for i := t.head; i != none; i = t.slab[i].next {
		f(&t.slab[i].value)
	}
}

// Len is the number of entries.
func (t *Table[V]) Len() int { return len(t.index) }

func (t *Table[V]) remove(i int32) {
	s := &t.slab[i]
	delete(t.index, s.key)
	t.unlink(i)
	if t.evict != nil {
		t.evict(&s.value)
	}
	t.free = append(t.free, i)
}

// touch keeps the larger time: sources are at different points of theirs.
func (t *Table[V]) touch(i int32, now int64) {
	s := &t.slab[i]
	s.seen = max(s.seen, now)
	if t.head != i {
		t.unlink(i)
		t.pushFront(i)
	}
}

func (t *Table[V]) unlink(i int32) {
	s := &t.slab[i]
	if s.prev != none {
		t.slab[s.prev].next = s.next
	} else {
		t.head = s.next
	}
	if s.next != none {
		t.slab[s.next].prev = s.prev
	} else {
		t.tail = s.prev
	}
}

func (t *Table[V]) pushFront(i int32) {
	s := &t.slab[i]
	s.prev, s.next = none, t.head
	if t.head != none {
		t.slab[t.head].prev = i
	}
	t.head = i
	if t.tail == none {
		t.tail = i
	}
}
