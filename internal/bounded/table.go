// Package bounded holds what rooms remember between events: tables and sets
// whose size does not depend on what attackers send.
package bounded

// Table is a map with a bound: when it is full, the entry that was used least
// recently makes room, and entries that were not used for ttl seconds of event
// time go first. A full table allocates nothing.
//
// Keys are hashes already, so that the index takes their bits as they are. It
// holds numbers of slots and the slots are small, for finding an entry and
// marking it used are what a line's time goes to: the values, which are large,
// lie apart.
type Table[V any] struct {
	index  []int32 // slot+1, 0 is free; linear probing; a power of two long
	slots  []slot
	values []V
	free   []int32
	head   int32 // most recently used
	tail   int32
	len    int
	max    int
	ttl    int64
	// evict is told of every entry that leaves; it may recycle memory of it.
	evict func(*V)
	// Spare, if it is set, tells which entries should stay when room has to be
	// made although they were not used lately: the next one leaves in their place,
	// unless one after the other is to be spared.
	Spare func(*V) bool
}

type slot struct {
	key        uint64
	seen       int64 // unix seconds, event time
	prev, next int32
}

const none = int32(-1)

// minIndex is the length of a new table's index.
const minIndex = 64

// NewTable makes a table of at most so many entries, each kept for ttl seconds of
// event time after its last use. Evict, if not nil, is told of every entry that
// leaves. Keys have to be hashes, whose bits are all as good as chance.
func NewTable[V any](entries int, ttl int64, evict func(*V)) *Table[V] {
	return &Table[V]{index: make([]int32, minIndex), head: none, tail: none, max: entries, ttl: ttl, evict: evict}
}

// find returns where in the index key is, and its slot, or none.
func (t *Table[V]) find(key uint64) (at int, i int32) {
	mask := len(t.index) - 1
	for at = int(key) & mask; ; at = (at + 1) & mask {
		i = t.index[at] - 1
		if i == none || t.slots[i].key == key {
			return at, i
		}
	}
}

// Get returns the entry of key and marks it used, or nil. An entry older than
// ttl is gone. The pointer is valid until the next Put.
func (t *Table[V]) Get(key uint64, now int64) *V {
	at, i := t.find(key)
	if i == none {
		return nil
	}
	if now-t.slots[i].seen > t.ttl {
		t.remove(at, i)
		return nil
	}
	t.touch(i, now)
	return &t.values[i]
}

// Put returns the entry of key, a used one as it is, a new one with what its
// slot last held: the caller resets it. isNew tells which.
func (t *Table[V]) Put(key uint64, now int64) (v *V, isNew bool) {
	if v := t.Get(key, now); v != nil {
		return v, false
	}
	if t.tail != none && (t.len >= t.max || now-t.slots[t.tail].seen > t.ttl) {
		t.spare()
		t.DropOldest()
	}
	var i int32
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		i = int32(len(t.slots))
		t.slots = append(t.slots, slot{})
		var zero V
		t.values = append(t.values, zero)
	}
	if 2*(t.len+1) > len(t.index) {
		t.grow()
	}
	t.slots[i] = slot{key: key, seen: now, prev: none, next: none}
	at, _ := t.find(key)
	t.index[at] = i + 1
	t.len++
	t.pushFront(i)
	return &t.values[i], true
}

// grow doubles the index.
func (t *Table[V]) grow() {
	t.index = make([]int32, 2*len(t.index))
	for i := t.head; i != none; i = t.slots[i].next {
		at, _ := t.find(t.slots[i].key)
		t.index[at] = i + 1
	}
}

// maxSpared entries are passed over at once.
const maxSpared = 8

// spare passes over entries that should stay.
func (t *Table[V]) spare() {
	for range maxSpared {
		if t.Spare == nil || !t.Spare(&t.values[t.tail]) {
			return
		}
		i := t.tail
		t.unlink(i)
		t.pushFront(i)
	}
}

// Delete forgets the entry of key.
func (t *Table[V]) Delete(key uint64) {
	if at, i := t.find(key); i != none {
		t.remove(at, i)
	}
}

// DropOldest makes the least recently used entry leave; false when there is none.
func (t *Table[V]) DropOldest() bool {
	if t.tail == none {
		return false
	}
	at, i := t.find(t.slots[t.tail].key)
	t.remove(at, i)
	return true
}

// Each calls f for every entry, the one used last first.
func (t *Table[V]) Each(f func(*V)) {
	for i := t.head; i != none; i = t.slots[i].next {
		f(&t.values[i])
	}
}

// Len is the number of entries.
func (t *Table[V]) Len() int { return t.len }

// remove takes the entry out of slot i, which the index names at.
func (t *Table[V]) remove(at int, i int32) {
	t.close(at)
	t.unlink(i)
	t.len--
	if t.evict != nil {
		t.evict(&t.values[i])
	}
	t.free = append(t.free, i)
}

// close frees a place of the index, and moves up what was put behind it only
// because it was taken.
func (t *Table[V]) close(at int) {
	mask := len(t.index) - 1
	for next := (at + 1) & mask; t.index[next] != 0; next = (next + 1) & mask {
		home := int(t.slots[t.index[next]-1].key) & mask
		if (next-home)&mask >= (next-at)&mask {
			t.index[at] = t.index[next]
			at = next
		}
	}
	t.index[at] = 0
}

// touch keeps the larger time: sources are at different points of theirs.
func (t *Table[V]) touch(i int32, now int64) {
	s := &t.slots[i]
	s.seen = max(s.seen, now)
	if t.head != i {
		t.unlink(i)
		t.pushFront(i)
	}
}

func (t *Table[V]) unlink(i int32) {
	s := &t.slots[i]
	if s.prev != none {
		t.slots[s.prev].next = s.next
	} else {
		t.head = s.next
	}
	if s.next != none {
		t.slots[s.next].prev = s.prev
	} else {
		t.tail = s.prev
	}
}

func (t *Table[V]) pushFront(i int32) {
	s := &t.slots[i]
	s.prev, s.next = none, t.head
	if t.head != none {
		t.slots[t.head].prev = i
	}
	t.head = i
	if t.tail == none {
		t.tail = i
	}
}
