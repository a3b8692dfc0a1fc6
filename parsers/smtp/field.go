package smtp

import (
	"math/bits"
	"strings"

	"github.com/relaylens/relaylens/internal/swar"
)

// CutField splits s at the first comma with a space behind it. It is not ok, and field
// is s, where there is none. It looks at eight places at a time.
func CutField(s string) (field, rest string, ok bool) {
	n := 0
	for ; n < len(s)-8; n += 8 {
		// 0 is a byte where the comma is, and the space behind it.
		x := (swar.At(s, n) ^ swar.Each*',') | (swar.At(s, n+1) ^ swar.Each*' ')
		if found := (x - swar.Each) &^ x & swar.High; found != 0 {
			n += bits.TrailingZeros64(found) / 8
			return s[:n], s[n+2:], true
		}
	}
	if i := strings.Index(s[n:], ", "); i >= 0 {
		return s[:n+i], s[n+i+2:], true
	}
	return s, "", false
}
