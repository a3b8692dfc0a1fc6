package smtp

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unsafe"
)

// Eight is eight bytes of s from at on, the first of them the lowest. s has as many.
func Eight(s string, at int) uint64 {
	return binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(s), len(s))[at:])
}

// Alphanumeric reports whether s is of ASCII letters and digits alone. It looks at
// eight of them at a time.
func Alphanumeric(s string) bool {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	if len(b) < 8 {
		for _, c := range b {
			if l := c | 0x20; (l < 'a' || l > 'z') && !digit(c) {
				return false
			}
		}
		return true
	}
	last := b[len(b)-8:] // some of them once more
	for ; len(b) > 8; b = b[8:] {
		if !EightAlphanumeric(binary.LittleEndian.Uint64(b)) {
			return false
		}
	}
	return EightAlphanumeric(binary.LittleEndian.Uint64(last))
}

// Of eight bytes in a word, each is added what makes its highest bit tell that it is
// as much as the first of a range, or more than the last.
const (
	each = 0x0101010101010101
	high = each * 0x80
)

// between has the highest bit of each byte of x set that is in a range. No byte of x
// is more than 0x7f; first is more than 0.
func between(x uint64, first, last uint64) uint64 {
	return (x + each*(0x80-first)) &^ (x + each*(0x7f-last))
}

// EightAlphanumeric reports whether each of eight bytes is an ASCII letter or digit.
func EightAlphanumeric(x uint64) bool {
	return x&high == 0 && (between(x|each*0x20, 'a', 'z')|between(x, '0', '9'))&high == high
}

// EightOfName reports whether each of eight bytes is what names of hosts are made of:
// an ASCII letter, a digit, a dot, a hyphen, an underscore, or none of ASCII.
func EightOfName(x uint64) bool {
	s := x &^ high
	return (between(s|each*0x20, 'a', 'z')|between(s, '0', '9')|between(s, '-', '.')|between(s, '_', '_')|x)&high == high
}

// PlainLength is the length of what s begins with that is plain, or up to seven less:
// of letters, digits and other signs that mean nothing in addresses and names of hosts.
// Controls, spaces, quotes, brackets, commas, colons, backslashes and some others are not plain.
func PlainLength(s string) (n int) {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for ; len(b)-n >= 8; n += 8 {
		x := binary.LittleEndian.Uint64(b[n:])
		s := x &^ high
		if other := ^(between(s, '-', '9') | between(s, '?', 'Z') | between(s, '^', '~') | x) & high; other != 0 {
			return n + bits.TrailingZeros64(other)/8
		}
	}
	return n
}

// LastIndexByte is [strings.LastIndexByte], which looks at one byte at a time.
func LastIndexByte(s string, c byte) int {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for ; len(b) >= 8; b = b[:len(b)-8] {
		x := binary.LittleEndian.Uint64(b[len(b)-8:]) ^ each*uint64(c)
		if zero := ^((x&^high + each*0x7f) | x) & high; zero != 0 {
			return len(b) - 1 - bits.LeadingZeros64(zero)/8
		}
	}
	return strings.LastIndexByte(s[:len(b)], c)
}
