package smtp

import "strings"

// CutField splits s at the first comma with a space behind it. It is not ok, and field
// is s, where there is none.
func CutField(s string) (field, rest string, ok bool) {
	for i := 0; ; i++ {
		n := strings.IndexByte(s[i:], ',')
		if n < 0 {
			return s, "", false
		}
		if i += n; i+1 < len(s) && s[i+1] == ' ' {
			return s[:i], s[i+2:], true
		}
	}
}
