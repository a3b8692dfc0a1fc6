package smtp

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestCutField(t *testing.T) {
	const letters = ",,  \x0c\x00\x20\x01\xac-+a"
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100_000 {
		b := make([]byte, rng.IntN(30))
		for i := range b {
			if b[i] = 'x'; rng.IntN(4) == 0 {
				b[i] = letters[rng.IntN(len(letters))]
			}
		}
		s := string(b)
		field, rest, ok := CutField(s)
		if before, after, found := strings.Cut(s, ", "); field != before || rest != after || ok != found {
			t.Fatalf("CutField(%q) = %q, %q, %v", s, field, rest, ok)
		}
	}
}
