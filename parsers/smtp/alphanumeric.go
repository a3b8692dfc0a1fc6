package smtp

import (
	"encoding/binary"
	"unsafe"
)

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

// EightAlphanumeric reports whether each of eight bytes is an ASCII letter or digit.
func EightAlphanumeric(x uint64) bool {
	const each = 0x0101010101010101
	// The highest bit of a byte tells that it is as much as the first or more, and no
	// more than the last; other than ASCII has it from the beginning.
	low := x | each*0x20
	letters := (low + each*(0x80-'a')) &^ (low + each*(0x80-'z'-1))
	digits := (x + each*(0x80-'0')) &^ (x + each*(0x80-'9'-1))
	return x&(each*0x80) == 0 && (letters|digits)&(each*0x80) == each*0x80
}
