package smtp

import "strings"

// CutField splits s at the first comma with a space behind it. It is not ok, and field
// is s, where there is none.
func CutField(s string) (field, rest string, ok bool) {
	n := strings.IndexByte(s, ',')
	for n >= 0 && (n+1 >= len(s) || s[n+1] != ' ') {
		next := strings.IndexByte(s[n+1:], ',')
		if next < 0 {
			return s, "", false
		}
		n += 1 + next
	}
	if n < 0 {
		return s, "", false
	}
	return s[:n], s[n+2:], true
}
