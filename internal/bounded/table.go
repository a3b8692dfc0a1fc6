// Package bounded has the tables, sets and texts in which other packages remember what
// they have seen. Each has a limit that its maker sets; when it is full an entry that
// was not used for long makes room, so that memory does not depend on what
// attackers send. Nothing here is safe for concurrent use.
package bounded

import "math"

// Table is a map with a bound: when it is full, an entry that was not used for
// long makes room, and entries that were not used for ttl seconds of event time
// make room before. A full table allocates nothing.
//
// Keys are hashes already, so that the index takes their bits as they are. What a
// line's time goes to is waiting for memory, so an entry stands with its key and
// its last use in one place, and using it writes nowhere else: there is no list
// in the order of use. A hand goes round in its place, and empties the first cell
// that was not used since it came by last (CLOCK, Corbató 1968). So what came once
// makes room before what came again.
type Table[V any] struct {
	index  []place // linear probing; a power of two long
	chunks []*[chunkLen]cell[V]
	made   int32 // cells that were ever taken
	free   []int32
	hand   int32
	len    int
	left   uint64 // entries that ever left
	max    int
	ttl    int64
	// oldest is when, or before, the entry was used that was not used for longest;
	// round is that of those that the hand came by since it began anew, and of new ones.
	oldest, round int64
	// cells is how many of the lowest bits of a place number a cell; above is where the
	// highest bits of a key begin that fit over it and the home.
	cells, above uint8
	// far says that an entry is further from its home than a place can tell.
	far bool
	// evict is told of every entry that leaves; it may recycle memory of it.
	evict func(*V)
	// Spare, if it is set, tells which entries should stay when room has to be
	// made although they were not used lately: another one leaves in their place,
	// unless all that are looked at are to be spared.
	Spare func(*V) bool
}

// place is an entry's number of its cell + 1, below the lowest bits of its key, by
// which the place is known that it should have, its home, and some of the highest,
// which spare a look at most cells of others; 0 is free.
type place uint32

const (
	fewCells, manyCells = 16, 24 // bits
	homeBits            = 7
	homeMask            = 1<<homeBits - 1
)

// The shifts are by fewer bits than there are, which the compiler cannot know: it makes
// more of them where they are not cut.
func (t *Table[V]) place(i int32, key uint64) place {
	high := key >> (t.above & 63)
	return place(i+1) | place(key&homeMask|high<<homeBits)<<(t.cells&31)
}

func (t *Table[V]) cellAt(p place) int32 { return int32(p&(1<<(t.cells&31)-1)) - 1 }

type cell[V any] struct {
	key   uint64
	state int64 // the last use in unix seconds of event time, and two bits
	value V
}

// The bits of cell.state below the time.
const (
	taken     = 1
	again     = 2 // used since the hand came by, and not only made
	stateBits = 2
)

func (c *cell[V]) seen() int64 { return c.state >> stateBits }

func (c *cell[V]) taken() bool { return c.state&taken != 0 }

const (
	none = int32(-1)
	// chunkLen cells are made at once; they stay where they are. Of 64, a sixth of the
	// memory was in what is left over of the pages that an allocator cuts them from.
	chunkLen  = 1 << chunkBits
	chunkBits = 7
	// minIndex is the length of a new table's index.
	minIndex = 64
	// longest is how far the hand goes to find who makes room.
	longest = 64
)

// NewTable makes a table of at most so many entries, each kept for ttl seconds of
// event time after its last use; 16 million is the most there can be. Evict, if not nil,
// is told of every entry that leaves. Keys have to be hashes, whose bits are all as good as chance.
func NewTable[V any](entries int, ttl int64, evict func(*V)) *Table[V] {
	t := &Table[V]{index: make([]place, minIndex), max: min(entries, 1<<manyCells-2), ttl: ttl, evict: evict, cells: fewCells, oldest: math.MaxInt64, round: math.MaxInt64}
	if t.max > 1<<fewCells-2 {
		t.cells = manyCells
	}
	t.above = 64 - (32 - homeBits - t.cells)
	return t
}

func (t *Table[V]) cell(i int32) *cell[V] { return &t.chunks[i>>chunkBits][i&(chunkLen-1)] }

// find returns where in the index key is, and its cell with its number, or none.
func (t *Table[V]) find(key uint64) (at int, i int32, c *cell[V]) {
	index, mark := t.index, t.place(none, key)
	mask := len(index) - 1
	for at = int(key) & mask; ; at = (at + 1) & mask {
		p := index[at]
		if p == 0 {
			return at, none, nil
		}
		if (p^mark)>>(t.cells&31) == 0 {
			i = t.cellAt(p)
			if c = t.cell(i); c.key == key {
				return at, i, c
			}
		}
	}
}

// Get returns the entry of key and marks it used, or nil. An entry older than
// ttl is gone. The pointer is valid until the next Put.
func (t *Table[V]) Get(key uint64, now int64) *V {
	if t.len == 0 {
		return nil
	}
	at, i, c := t.find(key)
	switch {
	case c == nil:
		return nil
	case !t.use(c, now):
		t.remove(at, i)
		return nil
	}
	return &c.value
}

// use marks a cell used; false when its time is up.
func (t *Table[V]) use(c *cell[V], now int64) bool {
	seen := c.seen()
	if now-seen > t.ttl {
		return false
	}
	c.state = max(seen, now)<<stateBits | taken | again // sources are at different points of their time
	return true
}

// Put returns the entry of key, a used one as it is, a new one with what its
// cell last held: the caller resets it. isNew tells which.
func (t *Table[V]) Put(key uint64, now int64) (v *V, isNew bool) {
	at, i, c := t.find(key)
	if c != nil {
		if t.use(c, now) {
			return &c.value, false
		}
		t.remove(at, i)
	}
	had, size, left := t.len, len(t.index), i != none
	if t.len >= t.max {
		t.DropOldest()
	} else {
		t.sweep(now)
	}
	if 4*(t.len+1) > 3*len(t.index) {
		t.grow()
	}
	if left || t.len != had || len(t.index) != size {
		at, _, _ = t.find(key) // others may have moved up
	}
	i = t.take()
	c = t.cell(i)
	c.key, c.state = key, now<<stateBits|taken
	t.oldest, t.round = min(t.oldest, now), min(t.round, now)
	t.enterAt(at, i, key)
	t.len++
	return &c.value, true
}

// Reach looks where the entries of keys should be, of all of them at once, and reports
// how many may be there. It changes nothing, but what is asked of these keys next does
// not wait for memory one key after the other.
func (t *Table[V]) Reach(keys []uint64) (n int) {
	const most = 32
	for mask := len(t.index) - 1; len(keys) > 0; {
		var places [most]place
		part := keys[:min(most, len(keys))]
		for i, key := range part {
			places[i] = t.index[int(key)&mask]
		}
		for i, key := range part {
			if p := places[i]; p != 0 && t.cell(t.cellAt(p)).key == key {
				n++
			}
		}
		keys = keys[len(part):]
	}
	return n
}

// take is a cell that is not taken.
func (t *Table[V]) take() int32 {
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		return i
	}
	if int(t.made) == len(t.chunks)*chunkLen {
		t.chunks = append(t.chunks, new([chunkLen]cell[V]))
	}
	t.made++
	return t.made - 1
}

// sweep moves the hand past two cells, and empties those whose time is up: so all
// are empty by the time that half as many came new. It does not look at them, which
// is to wait for memory, while there can be none.
func (t *Table[V]) sweep(now int64) {
	look := now-t.oldest > t.ttl
	for range 2 {
		i := t.next()
		if i == none {
			return
		}
		if !look {
			t.round = t.oldest
			continue
		}
		c := t.cell(i)
		switch {
		case !c.taken():
		case now-c.seen() > t.ttl:
			at, _, _ := t.find(c.key)
			t.remove(at, i)
		default:
			t.round = min(t.round, c.seen())
		}
	}
}

// next moves the hand.
func (t *Table[V]) next() int32 {
	if t.made == 0 {
		return none
	}
	i := t.hand
	if i == 0 {
		t.oldest, t.round = t.round, math.MaxInt64
	}
	if t.hand++; t.hand >= t.made {
		t.hand = 0
	}
	return i
}

// DropOldest makes an entry leave that was not used for long; false when there is none.
func (t *Table[V]) DropOldest() bool {
	if t.len == 0 {
		return false
	}
	victim, sparedVictim := none, false
	for looked := 0; looked < longest || victim == none; looked++ {
		i := t.next()
		t.round = t.oldest
		c := t.cell(i)
		if !c.taken() {
			continue
		}
		spared := t.Spare != nil && t.Spare(&c.value)
		if c.state&again == 0 && !spared {
			victim = i
			break
		}
		c.state &^= again
		if victim == none || sparedVictim && !spared {
			victim, sparedVictim = i, spared // if there is no better one
		}
	}
	at, _, _ := t.find(t.cell(victim).key)
	t.remove(at, victim)
	return true
}

// grow doubles the index.
func (t *Table[V]) grow() {
	t.index = make([]place, 2*len(t.index))
	for i := range t.made {
		if c := t.cell(i); c.taken() {
			t.enter(i, c.key)
		}
	}
}

// enter puts cell i into the index.
func (t *Table[V]) enter(i int32, key uint64) {
	at, _, _ := t.find(key)
	t.enterAt(at, i, key)
}

// enterAt puts cell i where find found room for its key.
func (t *Table[V]) enterAt(at int, i int32, key uint64) {
	t.index[at] = t.place(i, key)
	t.far = t.far || (at-int(key))&(len(t.index)-1) > homeMask
}

// Delete forgets the entry of key.
func (t *Table[V]) Delete(key uint64) {
	if t.len == 0 {
		return
	}
	if at, i, _ := t.find(key); i != none {
		t.remove(at, i)
	}
}

// Each calls f for every entry.
func (t *Table[V]) Each(f func(*V)) {
	for i := range t.made {
		if c := t.cell(i); c.taken() {
			f(&c.value)
		}
	}
}

// Len is the number of entries.
func (t *Table[V]) Len() int { return t.len }

// remove empties cell i, which the index names at.
func (t *Table[V]) remove(at int, i int32) {
	t.close(at)
	t.len--
	t.left++
	c := t.cell(i)
	c.state = 0
	if t.evict != nil {
		t.evict(&c.value)
	}
	t.free = append(t.free, i)
}

// close frees a place of the index, and moves up what was put behind it only
// because it was taken.
func (t *Table[V]) close(at int) {
	index := t.index
	mask := len(index) - 1
	for next := (at + 1) & mask; ; next = (next + 1) & mask {
		p := index[next]
		if p == 0 {
			break
		}
		if t.fromHome(p, next) >= (next-at)&mask {
			index[at] = p
			at = next
		}
	}
	index[at] = 0
}

// fromHome is how far p, which stands at next, is from its home. That is read from the
// index alone, as a look at the cell would wait for memory.
func (t *Table[V]) fromHome(p place, next int) int {
	mask := len(t.index) - 1
	if t.far {
		return (next - int(t.cell(t.cellAt(p)).key)) & mask
	}
	return (next - int(p>>(t.cells&31))) & min(mask, homeMask)
}

// Mix makes one hash of two, of which one at least has to be a hash with a seed
// that nobody knows (Stafford's variant 13 of the finalizer of MurmurHash3).
func Mix(a, b uint64) uint64 {
	x := a ^ b*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
