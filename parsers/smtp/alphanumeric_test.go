package smtp

import (
	"encoding/binary"
	"strings"
	"testing"
)

func TestAlphanumeric(t *testing.T) {
	const all = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for n := range 26 {
		for c := range 256 {
			of := string([]byte{byte(c)})
			for _, at := range []int{0, n / 2, n} {
				s := all[:at] + of + all[at:n]
				if got, want := Alphanumeric(s), strings.Contains(all, of); got != want {
					t.Fatalf("Alphanumeric(%q) = %t", s, got)
				}
			}
		}
	}
	if !Alphanumeric("") {
		t.Error("nothing is not alphanumeric")
	}
}

// Each byte counts by itself, whatever stands beside it.
func TestEightAlphanumeric(t *testing.T) {
	for _, others := range []string{"00000000", "zzzzzzzz", "AAAAAAAA"} {
		for at := range others {
			for c := range 256 {
				b := []byte(others)
				b[at] = byte(c)
				want := b[at] >= '0' && b[at] <= '9' || b[at] >= 'A' && b[at] <= 'Z' || b[at] >= 'a' && b[at] <= 'z'
				if got := EightAlphanumeric(binary.LittleEndian.Uint64(b)); got != want {
					t.Fatalf("%q: %t", b, got)
				}
			}
		}
	}
}
