package bounded

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// Every text is what it was set to last, however the others come and go.
func TestTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var texts Texts
	kept, want := make([]Text, 300), make([]string, 300)
	for range 20_000 {
		i := r.IntN(len(kept))
		n := r.IntN(40)
		switch r.IntN(20) {
		case 0:
			n = 0
		case 1:
			n = r.IntN(largest + 100)
		case 2:
			n = r.IntN(500)
		}
		if want[i] = strings.Repeat(string(rune('a'+r.IntN(26))), n); n == 0 && r.IntN(2) == 0 {
			texts.Forget(&kept[i])
		} else {
			texts.Set(&kept[i], want[i])
		}
		if r.IntN(100) > 0 {
			continue
		}
		for j := range kept {
			if got := texts.View(kept[j]); got != want[j] {
				t.Fatalf("text %d is %.20q, %d bytes; want %.20q, %d bytes", j, got, len(got), want[j], len(want[j]))
			}
		}
	}
}

func TestTextsTakeLittleRoom(t *testing.T) {
	var texts Texts
	var x, y Text
	for n := range 100_000 { // lengths come again
		texts.Set(&x, strings.Repeat("x", 1+n%250))
		texts.Set(&y, strings.Repeat("y", 1+n*7%(2*largest)))
	}
	ordinary := 0
	for _, b := range texts.blocks {
		if cap(b) == blockSize {
			ordinary++
		}
	}
	// One place of each size, twice; the sum of sizes is less than eight blocks.
	if ordinary > 16 || len(texts.blocks)-ordinary > 1 {
		t.Errorf("two texts take %d blocks, %d of them for texts larger than %d", len(texts.blocks), len(texts.blocks)-ordinary, largest)
	}
}

func TestSizeOf(t *testing.T) {
	lastNumber, lastSize := 0, 0
	for n := 1; n <= largest; n++ {
		number, size := sizeOf(n)
		if size < n || size >= n+8 && size*4 > n*5+4 {
			t.Fatalf("%d bytes take %d", n, size)
		}
		if (number != lastNumber) != (size != lastSize) || number < lastNumber || number > lastNumber+1 {
			t.Fatalf("%d bytes: size %d has number %d, after %d, number %d", n, size, number, lastSize, lastNumber)
		}
		lastNumber, lastSize = number, size
	}
	if lastNumber != numSizes-1 || lastSize != largest {
		t.Errorf("the last size is %d, number %d of %d", lastSize, lastNumber, numSizes)
	}
}
