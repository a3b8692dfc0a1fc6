package syslog

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/relaylens/relaylens/internal/jsonscan"
)

// text is the text of a raw value. journalctl writes an array of numbers for
// bytes that are not UTF-8, an array of values for a field that was set several
// times (the first counts), and null for what it found too long.
func (d *Decoder) text(value string) string {
	if value == "" {
		return ""
	}
	if value[0] == '[' {
		first := jsonscan.Space(value, 1)
		if end := jsonscan.Value(value, first); end > 0 && (value[first] == '"' || value[first] == '[') {
			value = value[first:end]
		}
	}
	switch c := value[0]; {
	case c == '"':
		return d.unquote(value[1 : len(value)-1])
	case c == '[':
		return d.byteArray(value)
	case digit(c) || c == 't':
		return strings.TrimRight(value, " \t\r\n")
	}
	return ""
}

// unquote undoes the escapes of a string. What has none aliases the line.
func (d *Decoder) unquote(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	b := d.scratch
	start := len(b)
	for ; i >= 0 && i+1 < len(s); i = strings.IndexByte(s, '\\') {
		b = append(b, s[:i]...)
		if s[i+1] == 'u' {
			r, n := codePoint(s[i:])
			b = utf8.AppendRune(b, r)
			s = s[i+n:]
			continue
		}
		b = append(b, unescaped(s[i+1]))
		s = s[i+2:]
	}
	b = append(b, s...)
	d.scratch = b
	return alias(b[start:])
}

// unescaped is what the escape of c stands for.
func unescaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	}
	return c
}

// codePoint reads \uXXXX, or two of them that are a surrogate pair.
func codePoint(s string) (r rune, n int) {
	r, ok := hex4(s)
	if !ok {
		return utf8.RuneError, 2
	}
	if utf16.IsSurrogate(r) {
		if low, ok := hex4(s[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return utf8.RuneError, 6
	}
	return r, 6
}

func hex4(s string) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for i := 2; i < 6; i++ {
		c := s[i]
		switch {
		case digit(c):
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// byteArray reads [72,101,108].
func (d *Decoder) byteArray(s string) string {
	b := d.scratch
	start := len(b)
	n, digits := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case digit(c) && digits < 3:
			n = n*10 + int(c-'0')
			digits++
		case (c == ',' || c == ']') && digits > 0:
			b = append(b, byte(n))
			n, digits = 0, 0
		}
	}
	d.scratch = b
	return alias(b[start:])
}

// alias makes a string of bytes that do not change while it is in use: scratch
// is only appended to until the next line.
func alias(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b))
}
