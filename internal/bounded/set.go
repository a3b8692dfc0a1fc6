package bounded

import "iter"

const (
	// SetSize is how many members a Set tells apart.
	SetSize = 12
	// fewMembers need no memory beside the Set: most sets never have more.
	fewMembers = 2
)

// Set is a small set of hashes. When it is full it stays full: what matters is
// whether there are a few members or many. The zero value is empty.
type Set struct {
	few  [fewMembers]uint64
	more *[SetSize - fewMembers]uint64
	n    uint8
}

// Add adds a member and reports whether the set has it now.
func (s *Set) Add(member uint64) bool {
	if s.Has(member) {
		return true
	}
	switch n := int(s.n); {
	case n == SetSize:
		return false
	case n < fewMembers:
		s.few[n] = member
	default:
		if s.more == nil {
			s.more = new([SetSize - fewMembers]uint64)
		}
		s.more[n-fewMembers] = member
	}
	s.n++
	return true
}

// Has reports whether member was added.
func (s *Set) Has(member uint64) bool {
	for i := range min(int(s.n), fewMembers) {
		if s.few[i] == member {
			return true
		}
	}
	for i := range int(s.n) - fewMembers {
		if s.more[i] == member {
			return true
		}
	}
	return false
}

// Len is the number of members, at most SetSize.
func (s *Set) Len() int { return int(s.n) }

// Members gives them in the order in which they were added.
func (s *Set) Members() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for i := range int(s.n) {
			m := s.few[min(i, fewMembers-1)]
			if i >= fewMembers {
				m = s.more[i-fewMembers]
			}
			if !yield(m) {
				return
			}
		}
	}
}
