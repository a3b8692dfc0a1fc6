package relaylens

import (
	"strings"

	"github.com/relaylens/relaylens/internal/swar"
)

// Lower is [strings.ToLower], quick where nothing has to change: it looks at eight
// bytes at a time. Domains and addresses of a log mostly are in small letters.
func Lower(s string) string {
	last := len(s) - 8
	if last < 0 {
		for i := range len(s) {
			if c := s[i]; 'A' <= c && c <= 'Z' || c >= 0x80 {
				return strings.ToLower(s)
			}
		}
		return s
	}
	for at := 0; at < last; at += 8 {
		if !hasNoCapital(swar.At(s, at)) {
			return strings.ToLower(s)
		}
	}
	if !hasNoCapital(swar.At(s, last)) { // some of them once more
		return strings.ToLower(s)
	}
	return s
}

// hasNoCapital reports whether of eight bytes none is a capital, or other than ASCII.
func hasNoCapital(x uint64) bool {
	// The highest bit of a byte tells that it is 'A' or more, and that it is more
	// than 'Z'; other than ASCII has it from the beginning.
	return ((x+swar.Each*(0x80-'A'))&^(x+swar.Each*(0x80-'Z'-1))|x)&swar.High == 0
}

// isASCIIText reports whether s is of ASCII alone, and has no NUL.
func isASCIIText(s string) bool {
	last := len(s) - 8
	if last < 0 {
		for i := range len(s) {
			if s[i]-1 >= 0x7f {
				return false
			}
		}
		return true
	}
	for at := 0; at < last; at += 8 {
		if !isASCII(swar.At(s, at)) {
			return false
		}
	}
	return isASCII(swar.At(s, last)) // some of them once more
}

// isASCII reports whether of eight bytes all are ASCII, and none is 0: one less than
// such a byte has no highest bit, and takes none from the byte above it.
func isASCII(x uint64) bool {
	return (x|(x-swar.Each))&swar.High == 0
}
