package relaylens

import (
	"math"
	"strings"
)

// suggestion is the end of an error about a name that is none of names: what was
// probably meant, or all that there are when they are few.
func suggestion(given string, names []string) string {
	if s := Suggest(given, names); s != "" {
		return "; did you mean " + s + "?"
	}
	if len(names) <= 12 {
		return "; choose one of " + strings.Join(names, ", ")
	}
	return ""
}

// Suggest is the one of names that was probably meant by given, "" when none is
// near.
func Suggest(given string, names []string) string {
	best, limit := "", 1+len(given)/4
	for _, name := range names {
		if PlainName(given) == PlainName(name) {
			return name
		}
		if d := editDistance(PlainName(given), PlainName(name)); d <= limit {
			best, limit = name, d-1
		}
	}
	return best
}

// PlainName is a name without what people write in different ways: clientIP,
// client-ip and client_ip are one.
func PlainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// editDistance is the number of letters to insert, delete or change, or to swap
// with their neighbour. Long names are far from everything.
func editDistance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return math.MaxInt
	}
	var rows [3][longest + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
