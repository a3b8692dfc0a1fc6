package relaylens

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendEscaped adds s in a form that is safe to show on a terminal or in a log:
// control characters, bytes that are not UTF-8, and runes that move text about
// become visible escapes (\x1b, \u202e). At most limit bytes of s are shown,
// then "…"; limit 0 is no limit.
func AppendEscaped(dst []byte, s string, limit int) []byte {
	cut := limit > 0 && len(s) > limit
	if cut {
		s = s[:limit]
	}
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				dst = fmt.Appendf(dst, "\\x%02x", c)
			} else {
				dst = append(dst, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			if !(cut && !utf8.FullRuneInString(s[i:])) {
				dst = fmt.Appendf(dst, "\\x%02x", c)
			}
		default:
			dst = appendRune(dst, r)
		}
		i += n
	}
	if cut {
		dst = append(dst, "…"...)
	}
	return dst
}

// Escaped is AppendEscaped as a string.
func Escaped(s string, limit int) string { return string(AppendEscaped(nil, s, limit)) }

// appendRune adds r, or what JSON writes for it when it is unsafe.
func appendRune(dst []byte, r rune) []byte {
	switch {
	case !unsafeRune(r):
		return utf8.AppendRune(dst, r)
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		return fmt.Appendf(dst, "\\u%04x\\u%04x", high, low)
	}
	return fmt.Appendf(dst, "\\u%04x", r)
}

// unsafeRune reports whether r moves text about: C1 controls, line separators,
// and the bidirectional and invisible controls with which one address is made
// to look like another.
func unsafeRune(r rune) bool {
	switch {
	case r >= 0x80 && r < 0xa0, r == 0xad, r == 0x061c, r == 0x180e, r >= 0x200b && r <= 0x200f,
		r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff,
		r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe007f: // annotations and tags
		return true
	}
	return false
}
