package aggregate

import "math"

// sketch is a [Top] of keys of fixed size in fixed memory: Space-Saving
// (Metwally, Agrawal and El Abbadi, 2005) without a pointer, for the many panes
// of [Windows]. The keys are found by open addressing.
type sketch struct {
	entries []tally
	heap    []uint16 // positions in entries, the smallest count first; while evicting
	places  []uint16 // of each entry in heap
	slots   []uint16 // position in entries + 1, 0 is empty; a power of two
	total   int64
}

type tally struct {
	hash       uint64
	count, err uint32 // count is too high by at most err
	key        Key
}

// newSketch has room for capacity keys, at most 16,000.
func newSketch(capacity int) *sketch {
	slots := 1
	for slots < 2*capacity {
		slots *= 2
	}
	return &sketch{entries: make([]tally, 0, capacity), slots: make([]uint16, slots)}
}

func (s *sketch) reset() {
	clear(s.slots)
	s.entries, s.heap, s.places, s.total = s.entries[:0], s.heap[:0], s.places[:0], 0
}

// add counts one event of key, of which hash is.
func (s *sketch) add(hash uint64, key *Key) {
	s.total++
	i, ok := s.find(hash, key)
	if !ok {
		i = s.take(hash, key)
	}
	if e := &s.entries[i]; e.count < math.MaxUint32 {
		e.count++
	}
	if len(s.heap) > 0 {
		s.down(int(s.places[i]))
	}
}

func (s *sketch) find(hash uint64, key *Key) (entry int, ok bool) {
	mask := uint64(len(s.slots) - 1)
	for slot := hash & mask; s.slots[slot] != 0; slot = (slot + 1) & mask {
		i := int(s.slots[slot] - 1)
		if e := &s.entries[i]; e.hash == hash && e.key == *key {
			return i, true
		}
	}
	return 0, false
}

// take makes room for a key.
func (s *sketch) take(hash uint64, key *Key) int {
	i := len(s.entries)
	if i < cap(s.entries) {
		s.entries = append(s.entries, tally{hash: hash, key: *key})
	} else {
		if len(s.heap) == 0 {
			s.heapify()
		}
		i = int(s.heap[0])
		e := &s.entries[i]
		s.vacate(e.hash, i)
		*e = tally{hash: hash, count: e.count, err: e.count, key: *key}
	}
	mask := uint64(len(s.slots) - 1)
	slot := hash & mask
	for s.slots[slot] != 0 {
		slot = (slot + 1) & mask
	}
	s.slots[slot] = uint16(i + 1)
	return i
}

// vacate empties the slot of an entry and moves up what stands behind it only
// because it was taken.
func (s *sketch) vacate(hash uint64, entry int) {
	mask := uint64(len(s.slots) - 1)
	hole := hash & mask
	for int(s.slots[hole]) != entry+1 {
		hole = (hole + 1) & mask
	}
	for slot := (hole + 1) & mask; s.slots[slot] != 0; slot = (slot + 1) & mask {
		home := s.entries[s.slots[slot]-1].hash & mask
		if (slot-home)&mask >= (slot-hole)&mask {
			s.slots[hole] = s.slots[slot]
			hole = slot
		}
	}
	s.slots[hole] = 0
}

func (s *sketch) heapify() {
	if s.places == nil {
		s.heap, s.places = make([]uint16, 0, cap(s.entries)), make([]uint16, 0, cap(s.entries))
	}
	for i := range s.entries {
		s.heap, s.places = append(s.heap, uint16(i)), append(s.places, uint16(i))
	}
	for i := len(s.heap)/2 - 1; i >= 0; i-- {
		s.down(i)
	}
}

// down restores the heap after the count at i has grown.
func (s *sketch) down(i int) {
	h := s.heap
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h); c++ {
			if s.entries[h[c]].count < s.entries[h[least]].count {
				least = c
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		s.places[h[i]], s.places[h[least]] = uint16(i), uint16(least)
		i = least
	}
}

// bound is how many events a key can have had that is not kept.
func (s *sketch) bound() int64 {
	if len(s.heap) == 0 {
		return 0
	}
	return int64(s.entries[s.heap[0]].count)
}
