package bounded

import (
	"strings"
	"testing"
)

func TestNameTellsNamesApart(t *testing.T) {
	const all = "4gTDc114YPz12p6-00000001aBc-0x"
	seen := map[uint64]string{}
	add := func(name string) {
		h := Name(7, name)
		if other, ok := seen[h]; ok && other != name {
			t.Errorf("%q and %q have the same hash", name, other)
		}
		if again := Name(7, strings.Clone(name)); again != h {
			t.Errorf("%q has hashes %x and %x", name, h, again)
		}
		seen[h] = name
	}
	for from := range len(all) {
		for to := from; to <= len(all); to++ {
			add(all[from:to])
			for i := from; i < to; i++ { // each byte counts
				add(all[from:i] + "\x00" + all[i+1:to])
			}
		}
	}
	if Name(7, all) == Name(8, all) {
		t.Error("the seed does not matter")
	}
}
