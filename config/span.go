package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Span is a length of time.
type Span time.Duration

// spanUnits are the units of a span, the larger first. A day has 24 hours.
var spanUnits = []struct {
	name string
	span Span
}{
	{"w", Span(7 * 24 * time.Hour)}, {"d", Span(24 * time.Hour)}, {"h", Span(time.Hour)}, {"m", Span(time.Minute)}, {"s", Span(time.Second)},
}

// ParseSpan reads whole numbers with units, the larger first: 90d, 36h, 1w2d.
func ParseSpan(text string) (Span, error) {
	wrong := fmt.Errorf("%s is not a time span", quote(text))
	var sum Span
	rest, units := text, spanUnits
	for rest != "" {
		digits := 0
		for digits < len(rest) && '0' <= rest[digits] && rest[digits] <= '9' {
			digits++
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		for len(units) > 0 && !strings.HasPrefix(rest[digits:], units[0].name) {
			units = units[1:]
		}
		if err != nil || len(units) == 0 {
			return 0, wrong
		}
		if n > int64((math.MaxInt64-sum)/units[0].span) {
			return 0, fmt.Errorf("%s is too long", quote(text))
		}
		sum += Span(n) * units[0].span
		rest, units = rest[digits+1:], units[1:]
	}
	if text == "" {
		return 0, wrong
	}
	return sum, nil
}

// String writes the span with the largest unit that divides it; ParseSpan reads
// it back.
func (s Span) String() string {
	for _, u := range spanUnits {
		if s != 0 && s%u.span == 0 {
			return strconv.FormatInt(int64(s/u.span), 10) + u.name
		}
	}
	return "0s"
}

// Duration is the span as the rest of the program counts it.
func (s Span) Duration() time.Duration { return time.Duration(s) }
