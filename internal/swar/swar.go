// Package swar reads eight bytes of a text as one number, a word, so that what asks something
// of each of them asks once ("SIMD within a register").
package swar

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unsafe"
)

// Of eight bytes in a word, Each has 1 in every one, and High the highest bit.
const (
	Each = 0x0101010101010101
	High = Each * 0x80
)

// At is eight bytes of s from i on, the first of them the lowest. S has as many: nothing
// looks.
func At(s string, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), i))[:])
}

// First is the first eight bytes of s. It panics where there are fewer.
func First(s string) uint64 { return At(s[:8], 0) }

// LastIndexByte is [strings.LastIndexByte], which looks at one byte at a time.
func LastIndexByte(s string, c byte) int {
	n, sought := len(s), Each*uint64(c)
	for ; n >= 8; n -= 8 {
		x := At(s, n-8) ^ sought // c is 0, the only one to which adding 0x7f does not set the highest bit
		if other := (x&^High + Each*0x7f) | x; other&High != High {
			return n - 1 - bits.LeadingZeros64(^other&High)/8
		}
	}
	return strings.LastIndexByte(s[:n], c)
}
