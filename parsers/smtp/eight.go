package smtp

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unsafe"
)

// Eight is eight bytes of s from at on, the first of them the lowest. s has as many.
func Eight(s string, at int) uint64 { return eightOf(s[at : at+8]) }

// eightOf is the first eight bytes of s, which has as many.
func eightOf(s string) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Pointer(unsafe.StringData(s)))[:])
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
// as much as some bound. Where the bounds of several ranges are passed, an odd number of
// them tells that it is in one: so bits that are not the same make one that is set.
const (
	each = 0x0101010101010101
	high = each * 0x80
)

// from has the highest bit of each byte of x set that is not less than first. No byte of x
// is more than 0x7f; first is more than 0.
func from(x uint64, first uint64) uint64 { return x + each*(0x80-first) }

// EightAlphanumeric reports whether each of eight bytes is an ASCII letter or digit.
func EightAlphanumeric(x uint64) bool { return x&high == 0 && alphanumeric(x)&high == high }

// alphanumeric has the highest bit of each byte of x set that is a letter or digit.
func alphanumeric(x uint64) uint64 {
	small := x | each*0x20
	return from(small, 'a') ^ from(small, 'z'+1) ^ from(x, '0') ^ from(x, '9'+1)
}

// EightOfName reports whether each of eight bytes is what names of hosts are made of:
// an ASCII letter, a digit, a dot, a hyphen, an underscore, or none of ASCII.
func EightOfName(x uint64) bool {
	s := x &^ high
	return (alphanumeric(s)^from(s, '-')^from(s, '.'+1)^from(s, '_')^from(s, '_'+1)|x)&high == high
}

// PlainLength is the length of what s begins with that is plain, or up to seven less:
// of letters, digits and other signs that mean nothing in addresses and names of hosts.
// Controls, spaces, quotes, brackets, commas, colons, backslashes and some others are not plain.
func PlainLength(s string) (n int) {
	for ; n <= len(s)-8; n += 8 {
		x := eightOf(s[n:])
		s := x &^ high
		in := from(s, '-') ^ from(s, '9'+1) ^ from(s, '?') ^ from(s, 'Z'+1) ^ from(s, '^') ^ from(s, '~'+1) | x
		if in&high != high {
			return n + bits.TrailingZeros64(^in&high)/8
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
