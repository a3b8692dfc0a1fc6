package aggregate

import "slices"

// smallest knows which of some entries has the smallest count. Counts only grow, and
// nobody has to tell it of those that do: it looks when it is an entry's turn. An entry
// that is put back has mostly one more than the smallest, and as many as the last that
// was put back, or more: such entries stand in a queue, and need no look at others.
type smallest struct {
	heap  []node // of four children each
	queue []node // a ring; what stands in it is in order
	begin int    // of the queue in the ring
	len   int    // of the queue
}

// node is the count of an entry as it was when it was looked at, and its number in the
// lowest 32 bits.
type node uint64

func nodeOf(i, count uint32) node { return node(count)<<32 | node(i) }

func (n node) entry() uint32 { return uint32(n) }

// newSmallest has the entries 0 to entries-1, whose counts it asks for.
func newSmallest(entries int, count func(uint32) uint32) *smallest {
	s := &smallest{heap: make([]node, entries), queue: make([]node, entries)}
	for i := range s.heap {
		s.heap[i] = nodeOf(uint32(i), count(uint32(i)))
	}
	slices.Sort(s.heap)
	return s
}

// least is the smallest count.
func (s *smallest) least(count func(uint32) uint32) uint32 {
	i, _ := s.find(count)
	return count(i)
}

// take takes the entry with the smallest count out.
func (s *smallest) take(count func(uint32) uint32) uint32 {
	i, queued := s.find(count)
	if queued {
		s.shift()
	} else {
		s.pop()
	}
	return i
}

// put puts an entry back that was taken.
func (s *smallest) put(i, count uint32) {
	n := nodeOf(i, count)
	if s.len > 0 && n>>32 < s.queue[s.at(s.len-1)]>>32 {
		s.push(n)
		return
	}
	s.queue[s.at(s.len)] = n
	s.len++
}

// find is the entry with the smallest count, and whether it is the first of the queue,
// and not of the heap. Those in front of it whose counts have grown go to their places.
func (s *smallest) find(count func(uint32) uint32) (i uint32, queued bool) {
	for {
		queued = len(s.heap) == 0 || s.len > 0 && s.queue[s.begin]>>32 <= s.heap[0]>>32
		n := s.first(queued)
		now := nodeOf(n.entry(), count(n.entry()))
		switch {
		case now == n:
			return n.entry(), queued
		case queued:
			s.shift()
			s.push(now)
		default:
			s.heap[0] = now
			s.down()
		}
	}
}

// first is the first of the queue or of the heap.
func (s *smallest) first(queued bool) node {
	if queued {
		return s.queue[s.begin]
	}
	return s.heap[0]
}

// at is where in the ring the entry of a number in the queue is.
func (s *smallest) at(number int) int {
	if number += s.begin; number < len(s.queue) {
		return number
	}
	return number - len(s.queue)
}

// shift takes the first out of the queue.
func (s *smallest) shift() { s.begin, s.len = s.at(1), s.len-1 }

// pop takes the first out of the heap.
func (s *smallest) pop() {
	last := len(s.heap) - 1
	s.heap[0] = s.heap[last]
	if s.heap = s.heap[:last]; last > 0 {
		s.down()
	}
}

const children = 4

func (s *smallest) push(n node) {
	i := len(s.heap)
	s.heap = append(s.heap, n)
	for i > 0 {
		parent := (i - 1) / children
		if s.heap[parent] <= n {
			break
		}
		s.heap[i], i = s.heap[parent], parent
	}
	s.heap[i] = n
}

// down finds the place of what stands first in the heap.
func (s *smallest) down() {
	h, i, n := s.heap, 0, s.heap[0]
	for {
		least, size := 0, n
		for c := children*i + 1; c <= children*i+children && c < len(h); c++ {
			if h[c] < size {
				least, size = c, h[c]
			}
		}
		if least == 0 {
			h[i] = n
			return
		}
		h[i], i = size, least
	}
}
