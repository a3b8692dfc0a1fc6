package smtp

import "strings"

// CutPath reads an address that stands in angle brackets at the start of s:
// `<"a b>c"@example.com> to=…` gives `"a b>c"@example.com` and ` to=…`. Quoted
// strings may hold any character, with backslash escapes (RFC 5321 4.1.2); a
// source route or an address literal passes. ok is false when s does not begin
// with '<', when the bracket is never closed, or when an unquoted '<' shows
// that the text is not one address.
func CutPath(s string) (address, rest string, ok bool) {
	if s == "" || s[0] != '<' {
		return "", s, false
	}
	end := scanAddress(s, 1, '>')
	if end < 0 {
		return "", s, false
	}
	return s[1:end], s[end+1:], true
}

// CutAddress reads an address without brackets up to the first unquoted space,
// or to the end of s.
func CutAddress(s string) (address, rest string, ok bool) {
	end := scanAddress(s, 0, ' ')
	if end < 0 {
		if strings.IndexByte(s, '"') >= 0 && scanAddress(s+" ", 0, ' ') != len(s) {
			return "", s, false
		}
		return s, "", s != ""
	}
	return s[:end], s[end:], end > 0
}

// scanAddress finds the first stop from i on that no quoted string holds, or -1.
func scanAddress(s string, i int, stop byte) int {
	for ; i < len(s); i++ {
		switch s[i] {
		case stop:
			return i
		case '<':
			return -1
		case '"':
			for i++; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
			if i >= len(s) {
				return -1
			}
		}
	}
	return -1
}

// TrimPath drops the angle brackets around s, if it has both.
func TrimPath(s string) string {
	if len(s) >= 2 && s[0] == '<' && s[len(s)-1] == '>' {
		return s[1 : len(s)-1]
	}
	return s
}
