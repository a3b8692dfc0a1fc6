package config

import (
	"math"
	"strings"
)

// suggest returns the name that was probably meant, or "".
func suggest(given string, names []string) string {
	best, limit := "", 1+len(given)/4
	for _, name := range names {
		if plain(given) == plain(name) {
			return name
		}
		if d := distance(plain(given), plain(name)); d <= limit {
			best, limit = name, d-1
		}
	}
	return best
}

// plain leaves out what people write in different ways: dataDir, data-dir.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// distance is the number of letters to insert, delete, change or swap with
// their neighbour (optimal string alignment). Long names are not compared.
func distance(a, b string) int {
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
