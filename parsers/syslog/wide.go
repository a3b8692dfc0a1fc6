package syslog

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// wide says that the lines of a stream are UTF-16, as what Windows' PowerShell writes by ">":
// the logs of a container, mostly.
type wide uint8

const (
	narrow       wide = iota // they are not
	littleEndian             // and each begins with the second half of the line end before it
	bigEndian                // and each ends with the first half of its line end
)

// narrowed is s in UTF-8. Where a line has no NUL it is no UTF-16, nor are those behind it.
func (d *Decoder) narrowed(s string) string {
	switch {
	case strings.HasPrefix(s, "\xff\xfe"):
		d.wide, s = littleEndian, s[2:]
	case strings.HasPrefix(s, "\xfe\xff"):
		d.wide, s = bigEndian, s[2:]
	case s != "" && strings.IndexByte(s, 0) < 0:
		d.wide = narrow
		return s
	case d.wide == littleEndian:
		s = strings.TrimPrefix(s, "\x00")
	}
	high, low := 0, 1
	if d.wide == littleEndian {
		high, low = 1, 0
	}
	b := d.scratch
	start := len(b)
	for ; len(s) > 1; s = s[2:] {
		r := rune(s[high])<<8 | rune(s[low])
		if utf16.IsSurrogate(r) && len(s) > 3 {
			if pair := utf16.DecodeRune(r, rune(s[2+high])<<8|rune(s[2+low])); pair != utf8.RuneError {
				r, s = pair, s[2:]
			}
		}
		b = utf8.AppendRune(b, r)
	}
	d.scratch = b
	return alias(b[start:])
}
