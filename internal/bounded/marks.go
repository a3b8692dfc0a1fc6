package bounded

import "iter"

// fewMarks need no memory beside the Marks.
const fewMarks = 3

// Marks are a [Set] of which half of each hash is kept: there is one chance in
// hundreds of millions that a hash is taken for one that it is not. The zero value
// is empty.
type Marks struct {
	few  [fewMarks]uint32
	n    uint8
	more *[SetSize - fewMarks]uint32
}

// Add adds a member and reports whether the set has it now.
func (s *Marks) Add(member uint64) bool {
	if s.Has(member) {
		return true
	}
	switch n := int(s.n); {
	case n == SetSize:
		return false
	case n < fewMarks:
		s.few[n] = uint32(member)
	default:
		if s.more == nil {
			s.more = new([SetSize - fewMarks]uint32)
		}
		s.more[n-fewMarks] = uint32(member)
	}
	s.n++
	return true
}

// Has reports whether member was added.
func (s *Marks) Has(member uint64) bool {
	for i := range min(int(s.n), fewMarks) {
		if s.few[i] == uint32(member) {
			return true
		}
	}
	for i := range int(s.n) - fewMarks {
		if s.more[i] == uint32(member) {
			return true
		}
	}
	return false
}

// Len is the number of members, at most SetSize.
func (s *Marks) Len() int { return int(s.n) }

// Members gives what is kept of them in the order in which they were added.
func (s *Marks) Members() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i := range int(s.n) {
			m := s.few[min(i, fewMarks-1)]
			if i >= fewMarks {
				m = s.more[i-fewMarks]
			}
			if !yield(m) {
				return
			}
		}
	}
}
