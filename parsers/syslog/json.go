package syslog

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// member reads the member of an object at s[i:]. next is where the following
// one begins, 0 at the end of the object. value is raw JSON.
func member(s string, i int) (name, value string, next int, ok bool) {
	i = skipSpace(s, i)
	if i < len(s) && s[i] == ',' {
		i = skipSpace(s, i+1)
	}
	if i < len(s) && s[i] == '}' {
		return "", "", 0, true
	}
	end := skipString(s, i)
	if end == 0 {
		return "", "", 0, false
	}
	name = s[i+1 : end-1]
	i = skipSpace(s, end)
	if i >= len(s) || s[i] != ':' {
		return "", "", 0, false
	}
	i = skipSpace(s, i+1)
	end = skipValue(s, i)
	if end == 0 {
		return "", "", 0, false
	}
	return name, s[i:end], end, true
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n') {
		i++
	}
	return i
}

// skipString is the position after the string at s[i:], 0 when there is none.
// A quote ends it unless an odd number of backslashes stands before it.
func skipString(s string, i int) int {
	if i >= len(s) || s[i] != '"' {
		return 0
	}
	for i++; ; i++ {
		n := strings.IndexByte(s[i:], '"')
		if n < 0 {
			return 0
		}
		escapes := 0
		for escapes < n && s[i+n-1-escapes] == '\\' {
			escapes++
		}
		if i += n; escapes%2 == 0 {
			return i + 1
		}
	}
}

// skipValue is the position after the value at s[i:], 0 when it has no end.
func skipValue(s string, i int) int {
	start, depth := i, 0
	for i < len(s) {
		switch s[i] {
		case '"':
			if i = skipString(s, i); i == 0 {
				return 0
			}
			if depth == 0 {
				return i
			}
			continue
		case '[', '{':
			depth++
		case ']', '}', ',':
			if depth == 0 { // ends a number or a literal, and the object around it
				if i == start {
					return 0
				}
				return i
			}
			if s[i] != ',' {
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		i++
	}
	return 0
}

// text is the text of a raw value. journalctl writes an array of numbers for
// bytes that are not UTF-8, an array of values for a field that was set several
// times (the first counts), and null for what it found too long.
func (d *Decoder) text(value string) string {
	if value == "" {
		return ""
	}
	if value[0] == '[' {
		first := skipSpace(value, 1)
		if end := skipValue(value, first); end > 0 && (value[first] == '"' || value[first] == '[') {
			value = value[first:end]
		}
	}
	switch c := value[0]; {
	case c == '"':
		return d.unquote(value[1 : len(value)-1])
	case c == '[':
		return d.byteArray(value)
	case digit(c) || c == 't':
		return strings.TrimRight(value, " \t")
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
		b = append(b, plain(s[i+1]))
		s = s[i+2:]
	}
	b = append(b, s...)
	d.scratch = b
	return alias(b[start:])
}

// plain is what the escape of c stands for.
func plain(c byte) byte {
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
