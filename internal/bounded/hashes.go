package bounded

// Hashes is a set of hashes with a bound: when it is full it stays as it is. Half
// of each hash is kept: of a thousand, two are as good as never taken for one.
type Hashes struct {
	places []uint32 // linear probing, a power of two; 0 is free
	len    int
	max    int
}

// NewHashes makes a set of at most so many hashes.
func NewHashes(most int) *Hashes { return &Hashes{places: make([]uint32, 32), max: most} }

// Add reports whether the set has hash now and did not have it before.
func (h *Hashes) Add(hash uint32) bool {
	hash = max(hash, 1)
	place := h.find(hash)
	if h.places[place] != 0 || h.len >= h.max {
		return false
	}
	h.places[place] = hash
	if h.len++; 4*h.len > 3*len(h.places) {
		old := h.places
		h.places = make([]uint32, 2*len(old))
		for _, hash := range old {
			if hash != 0 {
				h.places[h.find(hash)] = hash
			}
		}
	}
	return true
}

// find is the place of hash, or a free one.
func (h *Hashes) find(hash uint32) int {
	mask := len(h.places) - 1
	place := int(hash) & mask
	for h.places[place] != 0 && h.places[place] != hash {
		place = (place + 1) & mask
	}
	return place
}

// Len is the number of hashes.
func (h *Hashes) Len() int { return h.len }
