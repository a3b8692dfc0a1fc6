// Package jsonscan takes JSON objects apart that are one line of a log, without
// memory of its own. It finds where values begin and end; what is within them it
// does not check.
package jsonscan

import "strings"

// Member reads the member of an object at s[i:], which is behind its brace or the
// member before. next is where the following one begins, 0 at the end of the
// object. The value is raw JSON, the name raw text without its quotes; both alias s.
func Member(s string, i int) (name, value string, next int, ok bool) {
	i = Space(s, i)
	if i < len(s) && s[i] == ',' {
		i = Space(s, i+1)
	}
	if i < len(s) && s[i] == '}' {
		return "", "", 0, true
	}
	end := endOfString(s, i)
	if end == 0 {
		return "", "", 0, false
	}
	name = s[i+1 : end-1]
	i = Space(s, end)
	if i >= len(s) || s[i] != ':' {
		return "", "", 0, false
	}
	i = Space(s, i+1)
	end = Value(s, i)
	if end == 0 {
		return "", "", 0, false
	}
	return name, s[i:end], end, true
}

// Space is where what follows the white space at s[i:] begins.
func Space(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n') {
		i++
	}
	return i
}

// endOfString is the position after the string at s[i:], 0 when there is none.
// A quote ends it unless an odd number of backslashes stands before it.
func endOfString(s string, i int) int {
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

// Value is the position after the value at s[i:], 0 when it has no end.
func Value(s string, i int) int {
	start, depth := i, 0
	for i < len(s) {
		switch s[i] {
		case '"':
			if i = endOfString(s, i); i == 0 {
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
