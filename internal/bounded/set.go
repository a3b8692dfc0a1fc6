package bounded

import "iter"

const (
	// SetSize is how many members a Set tells apart.
	SetSize = 12
	// fewMembers need no memory beside the Set: most sets never have more.
	fewMembers = 3
)

// Set is a small set of hashes, of which as much is kept as a T holds. When it is
// full it stays full: what matters is whether there are a few members or many. The
// zero value is empty.
type Set[T uint32 | uint64] struct {
	few  [fewMembers]T
	n    uint8
	more *[SetSize - fewMembers]T
}

// Marks are a Set that keeps half of each hash: there is one chance in hundreds of
// millions that a hash is taken for one that it is not.
type Marks = Set[uint32]

// Add adds a member and reports whether the set has it now.
func (s *Set[T]) Add(member uint64) bool {
	if s.Has(member) {
		return true
	}
	switch n := int(s.n); {
	case n == SetSize:
		return false
	case n < fewMembers:
		s.few[n] = T(member)
	default:
		if s.more == nil {
			s.more = new([SetSize - fewMembers]T)
		}
		s.more[n-fewMembers] = T(member)
	}
	s.n++
	return true
}

// Has reports whether member was added.
func (s *Set[T]) Has(member uint64) bool {
	for i := range min(int(s.n), fewMembers) {
		if s.few[i] == T(member) {
			return true
		}
	}
	for i := range int(s.n) - fewMembers {
		if s.more[i] == T(member) {
			return true
		}
	}
	return false
}

// Len is the number of members, at most SetSize.
func (s *Set[T]) Len() int { return int(s.n) }

// Members gives what is kept of them in the order in which they were added.
func (s *Set[T]) Members() iter.Seq[T] {
	return func(yield func(T) bool) {
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
