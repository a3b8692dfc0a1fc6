package doctor

import (
	"strconv"
	"strings"
)

// Bounds of what values may refer to: how deep, and how long the result is. Lists
// and ACLs that are within each other are followed less deep, as each may be
// there several times.
const (
	maxDepth    = 12
	maxNested   = 5
	maxExpanded = 1 << 16
)

// expand fills in $name, ${name}, $(name), ${name?text}, ${name:text},
// ${name?{a}:{b}} and ${{a} op {b} ? {x} : {y}} (Postfix src/util/mac_expand.c).
func expand(s string, get func(string) string, depth int) string {
	if depth > maxDepth || !strings.Contains(s, "$") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if b.Len() > maxExpanded {
			return b.String()
		}
		if i < 0 || i+1 >= len(s) {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		switch s[0] {
		case '$':
			b.WriteByte('$')
			s = s[1:]
		case '{', '(':
			body, rest, ok := cutBraces(s)
			if !ok {
				return b.String() + s
			}
			b.WriteString(expandBody(body, get, depth+1))
			s = rest
		default:
			n := nameLen(s)
			b.WriteString(expand(get(s[:n]), get, depth+1))
			s = s[n:]
		}
	}
}

func expandBody(body string, get func(string) string, depth int) string {
	body = strings.TrimSpace(body)
	if strings.HasPrefix(body, "{") {
		return expandTest(body, get, depth)
	}
	n := nameLen(body)
	value, rest := expand(get(body[:n]), get, depth), strings.TrimSpace(body[n:])
	switch {
	case rest == "":
		return value
	case rest[0] == ':' && value == "":
		return expand(unbrace(rest[1:]), get, depth)
	case rest[0] == ':':
		return value
	case rest[0] == '?':
		return expand(choose(value != "", rest[1:]), get, depth)
	}
	return value
}

// expandTest is {a} op {b} ? {x} : {y}.
func expandTest(body string, get func(string) string, depth int) string {
	left, rest, ok := cutBraces(body)
	if !ok {
		return ""
	}
	op, rest, ok := strings.Cut(strings.TrimSpace(rest), "{")
	if !ok {
		return ""
	}
	right, rest, ok := cutBraces("{" + rest)
	rest, question := strings.CutPrefix(strings.TrimSpace(rest), "?")
	if !ok || !question {
		return ""
	}
	holds := compare(expand(left, get, depth), strings.TrimSpace(op), expand(right, get, depth))
	return expand(choose(holds, rest), get, depth)
}

// choose takes "{x} : {y}", or a text that stands for x alone.
func choose(first bool, s string) string {
	s = strings.TrimSpace(s)
	if !strings.HasPrefix(s, "{") {
		if first {
			return s
		}
		return ""
	}
	x, rest, _ := cutBraces(s)
	if first {
		return x
	}
	rest, _ = strings.CutPrefix(strings.TrimSpace(rest), ":")
	return unbrace(rest)
}

func unbrace(s string) string {
	s = strings.TrimSpace(s)
	if body, rest, ok := cutBraces(s); ok && rest == "" && s[0] == '{' {
		return body
	}
	return s
}

// cutBraces splits "{body}rest".
func cutBraces(s string) (body, rest string, ok bool) {
	if s == "" || s[0] != '{' && s[0] != '(' {
		return "", s, false
	}
	open, closing := s[0], byte('}')
	if open == '(' {
		closing = ')'
	}
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case open:
			depth++
		case closing:
			if depth--; depth == 0 {
				return strings.TrimSpace(s[1:i]), s[i+1:], true
			}
		}
	}
	return "", s, false
}

func nameLen(s string) int {
	n := 0
	for n < len(s) && (s[n] == '_' || s[n] >= '0' && s[n] <= '9' || s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z') {
		n++
	}
	return n
}

// compare holds two values against each other; operators that end in "level"
// compare releases such as 3.6.
func compare(a, op, b string) bool {
	op, isLevel := strings.CutSuffix(op, "level")
	var order int
	if isLevel {
		order = compareLevels(a, b)
	} else if m, err := strconv.Atoi(a); err == nil {
		n, err := strconv.Atoi(b)
		if err != nil {
			order = strings.Compare(a, b)
		} else {
			order = m - n
		}
	} else {
		order = strings.Compare(a, b)
	}
	switch op {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return false
}

func compareLevels(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		var m, n int
		if i < len(x) {
			m, _ = strconv.Atoi(x[i])
		}
		if i < len(y) {
			n, _ = strconv.Atoi(y[i])
		}
		if m != n {
			return m - n
		}
	}
	return 0
}
