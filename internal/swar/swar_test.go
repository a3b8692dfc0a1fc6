package swar

import (
	"bytes"
	"strings"
	"testing"
)

func TestAt(t *testing.T) {
	const s = "0123456789ABCDEF"
	for i, want := range []uint64{0x3736353433323130, 0x3837363534333231, 0x3938373635343332} {
		if got := At(s, i); got != want {
			t.Errorf("from %d on: %x, want %x", i, got, want)
		}
	}
	if got := At(s, len(s)-8); got != 0x4645444342413938 {
		t.Errorf("the last: %x", got)
	}
}

func TestLastIndexByte(t *testing.T) {
	for n := range 30 {
		for at := range n {
			for _, c := range []byte{0, 1, ',', 0x7f, 0x80, 0xff} {
				for _, other := range []byte{c + 1, c - 1, c ^ 0x80} {
					b := bytes.Repeat([]byte{other}, n)
					b[at], b[at/2] = c, c
					if got := LastIndexByte(string(b), c); got != at {
						t.Fatalf("LastIndexByte(%q, %q) = %d, want %d", b, c, got, at)
					}
				}
			}
		}
		if got := LastIndexByte(strings.Repeat("x", n), ','); got != -1 {
			t.Errorf("%d bytes: %d", n, got)
		}
	}
}

func TestLastIndexOfAt(t *testing.T) {
	for n := range 26 {
		for first := -1; first < n; first++ {
			for last := first; last < n; last++ {
				for _, other := range []byte{'a', '@' ^ 0x80, '@' + 1, '@' - 1, 0, 0xff} {
					b := bytes.Repeat([]byte{other}, n)
					if first >= 0 {
						b[first], b[last] = '@', '@'
					}
					if got, want := LastIndexByte(string(b), '@'), bytes.LastIndexByte(b, '@'); got != want {
						t.Fatalf("LastIndexByte(%q, '@') = %d, want %d", b, got, want)
					}
				}
			}
		}
	}
}
