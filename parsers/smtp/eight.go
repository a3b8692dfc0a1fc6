package smtp

import (
	"math/bits"

	"github.com/relaylens/relaylens/internal/swar"
)

// Alphanumeric reports whether s is of ASCII letters and digits alone. It looks at
// eight of them at a time.
func Alphanumeric(s string) bool {
	n := len(s) - 8
	switch {
	case n < 0:
		for i := range len(s) {
			if c := s[i]; !letter(c) && !digit(c) {
				return false
			}
		}
		return true
	case n <= 8:
		return SixteenAlphanumeric(swar.At(s, 0), swar.At(s, n)) // some of them twice
	}
	for at := 0; at < n; at += 8 {
		if !EightAlphanumeric(swar.At(s, at)) {
			return false
		}
	}
	return EightAlphanumeric(swar.At(s, n))
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// Of eight bytes in a word, each is added what makes its highest bit tell that it is
// as much as some bound. Where the bounds of several ranges are passed, an odd number of
// them tells that it is in one: so bits that are not the same make one that is set.
//
// from has the highest bit of each byte of x set that is not less than first. No byte of x
// is more than 0x7f; first is more than 0.
func from(x uint64, first uint64) uint64 { return x + swar.Each*(0x80-first) }

// EightAlphanumeric reports whether each of eight bytes is an ASCII letter or digit.
func EightAlphanumeric(x uint64) bool {
	return x&swar.High == 0 && alphanumeric(x)&swar.High == swar.High
}

// SixteenAlphanumeric is EightAlphanumeric of twice as many.
func SixteenAlphanumeric(x, y uint64) bool {
	return (x|y)&swar.High == 0 && alphanumeric(x)&alphanumeric(y)&swar.High == swar.High
}

// alphanumeric has the highest bit of each byte of x set that is a letter or digit.
func alphanumeric(x uint64) uint64 {
	small := x | swar.Each*0x20
	return from(small, 'a') ^ from(small, 'z'+1) ^ from(x, '0') ^ from(x, '9'+1)
}

// EightOfName reports whether each of eight bytes is what names of hosts are made of:
// an ASCII letter, a digit, a dot, a hyphen, an underscore, or none of ASCII.
func EightOfName(x uint64) bool {
	s := x &^ swar.High
	return (alphanumeric(s)^from(s, '-')^from(s, '.'+1)^from(s, '_')^from(s, '_'+1)|x)&swar.High == swar.High
}

// PlainLength is the length of what s begins with that is plain, or up to seven less:
// of letters, digits and other signs that mean nothing in addresses and names of hosts.
// Controls, spaces, quotes, brackets, commas, colons, backslashes and some others are not plain.
func PlainLength(s string) (n int) {
	for ; n <= len(s)-8; n += 8 {
		x := swar.At(s, n)
		s := x &^ swar.High
		in := from(s, '-') ^ from(s, '9'+1) ^ from(s, '?') ^ from(s, 'Z'+1) ^ from(s, '^') ^ from(s, '~'+1) | x
		if in&swar.High != swar.High {
			return n + bits.TrailingZeros64(^in&swar.High)/8
		}
	}
	return n
}
