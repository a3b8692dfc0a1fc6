package bounded

// SetSize is how many members a Set tells apart.
const SetSize = 12

// Set is a small set of hashes. When it is full it stays full: what matters is
// whether there are a few members or many. The zero value is empty.
type Set struct {
	members [SetSize]uint64
	n       uint8
}

// Add adds a member and reports whether the set has it now.
func (s *Set) Add(member uint64) bool {
	if s.Has(member) {
		return true
	}
	if int(s.n) == SetSize {
		return false
	}
	s.members[s.n] = member
	s.n++
	return true
}

// Has reports whether member was added.
func (s *Set) Has(member uint64) bool {
	for _, m := range s.members[:s.n] {
		if m == member {
			return true
		}
	}
	return false
}

// Len is the number of members, at most SetSize.
func (s *Set) Len() int { return int(s.n) }

// Members lists them; the slice is the set's own.
func (s *Set) Members() []uint64 { return s.members[:s.n] }
