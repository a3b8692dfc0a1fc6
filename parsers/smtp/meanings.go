package smtp

import (
	"math/bits"
	"unsafe"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/swar"
)

// Meanings remembers what texts meant that servers said lately: most servers say the same
// again and again, but for a number or an address in it, which means nothing. It changes
// nothing of what is read, and is used by one goroutine. The nil Meanings remembers nothing.
type Meanings [64]meaning

// meaning is what a text means; ok says whether it means anything.
type meaning struct {
	text   [maxMeaning]byte // folded
	len    uint8            // 0 is none
	about  uint8
	kind   relaylens.Kind
	reason relaylens.Reason
	ok     bool
}

const minMeaning, maxMeaning = 8, 100

// Of is what read says of a text, whatever numbers are in it; about is all else that it
// goes by.
func (m *Meanings) Of(text string, about uint8, read func() (relaylens.Kind, relaylens.Reason, bool)) (relaylens.Kind, relaylens.Reason, bool) {
	if m == nil || len(text) < minMeaning || len(text) > maxMeaning {
		return read()
	}
	var buf [maxMeaning]byte
	n := fold(&buf, text)
	folded := unsafe.String(&buf[0], n)
	if n < minMeaning {
		return read()
	}
	known := &m[look(folded)%uint64(len(m))]
	if known.about != about || string(known.text[:known.len]) != folded {
		known.kind, known.reason, known.ok = read()
		known.len, known.about = uint8(copy(known.text[:], folded)), about
	}
	return known.kind, known.reason, known.ok
}

// fold puts text into buf with one 0 for the digits that stand together, and says how long it
// is then. A word that begins with a 4 or a 5 stays, as it may be a code, which is told from a
// number.
func fold(buf *[maxMeaning]byte, text string) (n int) {
	for at := 0; at < len(text); {
		end := at + indexDigit(text[at:])
		n += copy(buf[n:], text[at:end])
		if at = end; at == len(text) {
			break
		}
		if code := text[at] == '4' || text[at] == '5'; code && (at == 0 || text[at-1] == ' ') {
			for end < len(text) && text[end] != ' ' {
				end++
			}
			n += copy(buf[n:], text[at:end])
		} else {
			for end < len(text) && digit(text[end]) {
				end++
			}
			buf[n] = '0'
			n++
		}
		at = end
	}
	return n
}

// indexDigit is where the first digit of s is, or its length.
func indexDigit(s string) int {
	at := 0
	for ; at+8 <= len(s); at += 8 {
		x := swar.At(s, at)
		if digits := (from(x&^swar.High, '0') ^ from(x&^swar.High, '9'+1)) &^ x & swar.High; digits != 0 {
			return at + bits.TrailingZeros64(digits)/8
		}
	}
	for at < len(s) && !digit(s[at]) {
		at++
	}
	return at
}

// look is a hash of a text that is not too short.
func look(text string) (hash uint64) {
	last := len(text) - minMeaning
	for i := 0; i < last; i += minMeaning {
		hash = (hash ^ swar.At(text, i)) * 0x9e3779b97f4a7c15
		hash ^= hash >> 32
	}
	hash = (hash ^ swar.At(text, last)) * 0x9e3779b97f4a7c15
	return hash >> 32
}
