package timespec

import (
	"strings"
	"time"
)

// absolute reads a date, a time of day, or both.
func absolute(s string, now time.Time) (time.Time, bool) {
	y, m, d := now.Date()
	midnight := func(days int) time.Time { return time.Date(y, m, d+days, 0, 0, 0, 0, now.Location()) }
	switch s {
	case "today":
		return midnight(0), true
	case "yesterday":
		return midnight(-1), true
	case "tomorrow":
		return midnight(1), true
	}
	s, weekday, ok := cutWeekday(s)
	if !ok {
		return time.Time{}, false
	}
	date, clock, both := strings.Cut(s, " ")
	if !both && strings.Contains(s, ":") {
		date, clock = "", s
	}
	if date != "" {
		if y, m, d, ok = parseDate(date); !ok {
			return time.Time{}, false
		}
	}
	var c clockTime
	if clock = strings.TrimLeft(clock, " "); clock != "" || both {
		if c, ok = parseClock(clock); !ok {
			return time.Time{}, false
		}
	}
	t := time.Date(y, m, d, c.hour, c.minute, c.second, c.nano, now.Location())
	return t, weekday < 0 || t.Weekday() == weekday
}

// cutWeekday cuts "Sat " or "Saturday, " off the front. The weekday is -1 when
// there is none, and ok is false when nothing but a weekday stands there.
func cutWeekday(s string) (rest string, weekday time.Weekday, ok bool) {
	name, rest, found := strings.Cut(s, " ")
	name = strings.TrimSuffix(name, ",")
	for w := time.Sunday; w <= time.Saturday; w++ {
		if strings.EqualFold(name, w.String()) || strings.EqualFold(name, w.String()[:3]) {
			return strings.TrimLeft(rest, " "), w, found && strings.TrimSpace(rest) != ""
		}
	}
	return s, -1, true
}

func parseDate(s string) (int, time.Month, int, bool) {
	parts := strings.Split(s, "-")
	if len(parts) != 3 {
		return 0, 0, 0, false
	}
	y, ok1 := number(parts[0], 4)
	m, ok2 := number(parts[1], 2)
	d, ok3 := number(parts[2], 2)
	if !ok1 || !ok2 || !ok3 || m < 1 || m > 12 || d < 1 || d > 31 { // as mktime(3), 31 November is 1 December
		return 0, 0, 0, false
	}
	if len(parts[0]) <= 2 { // strptime(3), %y
		y += 1900
		if y < 1969 {
			y += 100
		}
	} else if len(parts[0]) == 3 {
		return 0, 0, 0, false
	}
	return y, time.Month(m), d, true
}

type clockTime struct{ hour, minute, second, nano int }

func parseClock(s string) (c clockTime, ok bool) {
	s, fraction, hasFraction := strings.Cut(s, ".")
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 || hasFraction && len(parts) < 3 {
		return c, false
	}
	limits := [3]int{23, 59, 60} // a leap second
	fields := [3]*int{&c.hour, &c.minute, &c.second}
	for i, part := range parts {
		n, ok := number(part, 2)
		if !ok || n > limits[i] {
			return c, false
		}
		*fields[i] = n
	}
	if hasFraction {
		nano, ok := nanoseconds(fraction)
		if !ok {
			return c, false
		}
		c.nano = int(nano)
	}
	return c, true
}

// nanoseconds reads the decimals of a second.
func nanoseconds(decimals string) (int64, bool) {
	n := digits(decimals)
	if n == 0 || n != len(decimals) {
		return 0, false
	}
	var nanos int64
	for i := range 9 {
		nanos *= 10
		if i < n {
			nanos += int64(decimals[i] - '0')
		}
	}
	return nanos, true
}

func number(s string, longest int) (int, bool) {
	if n := digits(s); n == 0 || n != len(s) || n > longest {
		return 0, false
	}
	n := 0
	for _, c := range s {
		n = n*10 + int(c-'0')
	}
	return n, true
}
