package bounded

import (
	"math/rand/v2"
	"testing"
)

func TestHashes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	h, want := NewHashes(1000), map[uint32]bool{}
	for range 20_000 {
		hash := r.Uint32N(3000) << 10 // places collide
		isNew := !want[max(hash, 1)] && len(want) < 1000
		if got := h.Add(hash); got != isNew {
			t.Fatalf("%d is new: %t, want %t", hash, got, isNew)
		}
		if isNew {
			want[max(hash, 1)] = true
		}
		if h.Len() != len(want) {
			t.Fatalf("%d hashes, want %d", h.Len(), len(want))
		}
	}
	if h.Len() != 1000 {
		t.Errorf("%d hashes fill it", h.Len())
	}
}
