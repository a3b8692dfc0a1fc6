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
func TestEight(t *testing.T) {
	for name, c := range map[string]struct {
		eight func(uint64) bool
		one   func(c byte) bool
	}{
		"EightAlphanumeric":    {EightAlphanumeric, func(c byte) bool { return letter(c) || digit(c) }},
		"the first of sixteen": {func(x uint64) bool { return SixteenAlphanumeric(x, 0x3030303030303030) }, func(c byte) bool { return letter(c) || digit(c) }},
		"the last of sixteen":  {func(x uint64) bool { return SixteenAlphanumeric(0x7a7a7a7a7a7a7a7a, x) }, func(c byte) bool { return letter(c) || digit(c) }},
		"EightOfName":          {EightOfName, func(c byte) bool { return letter(c) || digit(c) || strings.IndexByte(".-_", c) >= 0 || c >= 0x80 }},
		"PlainLength": {func(x uint64) bool {
			return PlainLength(string(binary.LittleEndian.AppendUint64(nil, x))) == 8
		}, plain},
	} {
		for _, others := range []string{"00000000", "zzzzzzzz", "AAAAAAAA", "99999999"} {
			for at := range others {
				for b := range 256 {
					eight := []byte(others)
					eight[at] = byte(b)
					if got := c.eight(binary.LittleEndian.Uint64(eight)); got != c.one(byte(b)) {
						t.Fatalf("%s of %q: %t", name, eight, got)
					}
				}
			}
		}
	}
}

func plain(c byte) bool {
	return letter(c) || digit(c) || strings.IndexByte("-./?@^_`{|}~", c) >= 0 || c >= 0x80
}

func TestPlainLength(t *testing.T) {
	for n := range 30 {
		for _, end := range []string{"", " <x@example.com>", ",", "\x00\xff\xff\xff\xff\xff\xff\xff", "\x01-------"} {
			s := strings.Repeat("\xff@", 15)[:n] + end
			if got := PlainLength(s); got > n || got < n-7 || len(s) >= n+8 && got != n {
				t.Errorf("PlainLength(%q) = %d, want %d", s, got, n)
			}
		}
	}
}
