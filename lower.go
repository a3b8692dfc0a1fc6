package relaylens

import (
	"encoding/binary"
	"strings"
	"unsafe"
)

// Lower is [strings.ToLower], quick where nothing has to change: it looks at eight
// bytes at a time. Domains and addresses of a log mostly are in small letters.
func Lower(s string) string {
	const each = 0x0101010101010101
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		// The highest bit of a byte tells that it is 'A' or more, and that it is
		// more than 'Z'; other than ASCII has it from the beginning.
		if (x+each*(0x80-'A'))&^(x+each*(0x80-'Z'-1))&(each*0x80) != 0 || x&(each*0x80) != 0 {
			return strings.ToLower(s)
		}
		b = b[8:]
	}
	for _, c := range b {
		if 'A' <= c && c <= 'Z' || c >= 0x80 {
			return strings.ToLower(s)
		}
	}
	return s
}
