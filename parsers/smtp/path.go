package smtp

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
	end := closing(s)
	if end < 0 {
		return "", s, false
	}
	return s[1:end], s[end+1:], true
}

// closing finds the bracket that closes the one at the start of s, or -1: the first
// that no quoted string holds.
func closing(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '>':
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
