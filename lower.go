package relaylens

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unsafe"
)

// Lower is [strings.ToLower], quick where nothing has to change: it looks at eight
// bytes at a time. Domains and addresses of a log mostly are in small letters.
func Lower(s string) string {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	if len(b) < 8 {
		for _, c := range b {
			if 'A' <= c && c <= 'Z' || c >= 0x80 {
				return strings.ToLower(s)
			}
		}
		return s
	}
	last := len(b) - 8
	for at := 0; at < last; at += 8 {
		if !small(eight(b, at)) {
			return strings.ToLower(s)
		}
	}
	if !small(eight(b, last)) { // some of them once more
		return strings.ToLower(s)
	}
	return s
}

// lastAt is where the last @ of s is, or -1. It looks at eight bytes at a time, from
// behind, where a library looks at one.
func lastAt(s string) int {
	const each, high = 0x0101010101010101, 0x8080808080808080
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	n := len(b)
	for ; n >= 8; n -= 8 {
		x := eight(b, n-8) ^ each*'@' // an @ is 0, the only one to which adding 0x7f does not set the highest bit
		if other := (x&^high + each*0x7f) | x; other&high != high {
			return n - 1 - bits.LeadingZeros64(^other&high)/8
		}
	}
	return strings.LastIndexByte(s[:n], '@')
}

// eight is eight bytes of b from at on. b has as many.
func eight(b []byte, at int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), at))[:])
}

// small reports whether of eight bytes none is a capital, or other than ASCII.
func small(x uint64) bool {
	const each = 0x0101010101010101
	// The highest bit of a byte tells that it is 'A' or more, and that it is more
	// than 'Z'; other than ASCII has it from the beginning.
	return ((x+each*(0x80-'A'))&^(x+each*(0x80-'Z'-1))|x)&(each*0x80) == 0
}

// plain reports whether s is of ASCII alone, and has no NUL.
func plain(s string) bool {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	if len(b) < 8 {
		for _, c := range b {
			if c-1 >= 0x7f {
				return false
			}
		}
		return true
	}
	last := b[len(b)-8:] // some of them once more
	for ; len(b) > 8; b = b[8:] {
		if !ascii(binary.LittleEndian.Uint64(b)) {
			return false
		}
	}
	return ascii(binary.LittleEndian.Uint64(last))
}

// ascii reports whether of eight bytes all are ASCII, and none is 0: one less than
// such a byte has no highest bit, and takes none from the byte above it.
func ascii(x uint64) bool {
	const each = 0x0101010101010101
	return (x|(x-each))&(each*0x80) == 0
}
