package timespec

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Lengths of the units that are no fixed number of hours
// (systemd src/basic/time-util.h).
const (
	day   = 24 * time.Hour
	week  = 7 * day
	month = 2629800 * time.Second
	year  = 31557600 * time.Second
)

// units in the spelling of systemd src/basic/time-util.c, extract_multiplier.
var units = map[string]time.Duration{
	"": time.Second, "seconds": time.Second, "second": time.Second, "sec": time.Second, "s": time.Second,
	"minutes": time.Minute, "minute": time.Minute, "min": time.Minute, "m": time.Minute,
	"months": month, "month": month, "M": month,
	"msec": time.Millisecond, "ms": time.Millisecond,
	"hours": time.Hour, "hour": time.Hour, "hr": time.Hour, "h": time.Hour,
	"days": day, "day": day, "d": day,
	"weeks": week, "week": week, "w": week,
	"years": year, "year": year, "y": year,
	"usec": time.Microsecond, "us": time.Microsecond, "µs": time.Microsecond, "μs": time.Microsecond,
}

// ParseSpan reads a length of time: "2h", "1h 30min", "1.5 days", "90" for
// seconds.
func ParseSpan(text string) (time.Duration, error) {
	rest := strings.TrimSpace(text)
	if rest == "" {
		return 0, fmt.Errorf("time span %q: it is empty", text)
	}
	var total time.Duration
	for rest != "" {
		value, tail, ok := cutNumber(rest)
		if !ok {
			return 0, fmt.Errorf("time span %q: a number is missing before %q", text, rest)
		}
		tail = strings.TrimLeft(tail, " \t")
		end := strings.IndexFunc(tail, func(r rune) bool {
			return r == ' ' || r == '\t' || r >= '0' && r <= '9' || r == '-' || r == '+' || r == '.'
		})
		if end < 0 {
			end = len(tail)
		}
		unit, ok := units[tail[:end]]
		if !ok {
			return 0, fmt.Errorf("time span %q: unknown unit %q; use s, min, h, d, w, month or y", text, tail[:end])
		}
		part := value * float64(unit)
		if part+float64(total) > math.MaxInt64/2 {
			return 0, fmt.Errorf("time span %q: it is longer than 146 years", text)
		}
		total += time.Duration(math.Round(part))
		rest = strings.TrimLeft(tail[end:], " \t")
	}
	return total, nil
}

// cutNumber cuts a decimal number off the front. The digits are read as they
// stand, so that 0.1 s is 100 ms.
func cutNumber(s string) (value float64, rest string, ok bool) {
	i := digits(s)
	for _, c := range s[:i] {
		value = value*10 + float64(c-'0')
	}
	if i == len(s) || s[i] != '.' {
		return value, s[i:], i > 0
	}
	fraction := s[i+1:]
	n := digits(fraction)
	scale := 1.0
	var after float64
	for _, c := range fraction[:min(n, 12)] {
		after, scale = after*10+float64(c-'0'), scale*10
	}
	return value + after/scale, fraction[n:], i+n > 0
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
