package timespec

import (
	"fmt"
	"strings"
	"time"
)

// Parse reads a time. What is relative, or has no date, is told from now; what
// has no zone is in the zone of now. The forms are those of systemd.time(7):
//
//	now today yesterday tomorrow
//	-2h  +1h  "2h ago"  "1h left"  @1700000000
//	2026-11-21  09:00  "2026-11-21 09:00:00.5"  "Sat 2026-11-21 09:00 Europe/Berlin"
//
// and RFC 3339 besides.
func Parse(text string, now time.Time) (time.Time, error) {
	s := strings.TrimSpace(text)
	if s == "" {
		return time.Time{}, fmt.Errorf("time %q: it is empty", text)
	}
	if t, err := time.Parse(time.RFC3339Nano, strings.Replace(strings.ToUpper(s), " ", "T", 1)); err == nil {
		return t.In(now.Location()), nil
	}
	if t, ok, err := relative(s, now); ok {
		return t, err
	}
	s, loc := cutZone(s, now.Location())
	if t, ok := absolute(s, now.In(loc)); ok {
		return t.In(now.Location()), nil
	}
	return time.Time{}, fmt.Errorf(`time %q: write it as "2006-01-02 15:04:05", 15:04, today, yesterday, -2h or "2h ago"`, text)
}

// relative reads the forms that count from a moment.
func relative(s string, now time.Time) (t time.Time, ok bool, err error) {
	back := false
	ago, isAgo := strings.CutSuffix(s, " ago")
	left, isLeft := strings.CutSuffix(s, " left")
	switch {
	case s == "now":
		return now, true, nil
	case s[0] == '@':
		return epoch(s[1:], now)
	case s[0] == '-':
		s, back = s[1:], true
	case s[0] == '+':
		s = s[1:]
	case isAgo:
		s, back = ago, true
	case isLeft:
		s = left
	default:
		return time.Time{}, false, nil
	}
	d, err := ParseSpan(s)
	if back {
		d = -d
	}
	return now.Add(d), true, err
}

// epoch reads seconds since 1970. They are added in two steps, because a
// Duration ends in the year 2262.
func epoch(s string, now time.Time) (time.Time, bool, error) {
	sign := int64(1)
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		s, sign = rest, -1
	}
	n := digits(s)
	if n > 0 && n <= 12 && (n == len(s) || s[n] == '.') {
		var seconds int64
		for _, c := range s[:n] {
			seconds = seconds*10 + int64(c-'0')
		}
		var nanos int64
		if n < len(s) {
			fraction, ok := nanoseconds(s[n+1:])
			if !ok {
				return time.Time{}, true, fmt.Errorf("time %q: write seconds since 1970 behind the @", "@"+s)
			}
			nanos = fraction
		}
		return time.Unix(sign*seconds, sign*nanos).In(now.Location()), true, nil
	}
	d, err := ParseSpan(s)
	if err != nil {
		return time.Time{}, true, fmt.Errorf("time %q: write seconds since 1970 behind the @", "@"+s)
	}
	return time.Unix(0, sign*int64(d)).In(now.Location()), true, nil
}

// cutZone cuts the name of a zone off the end; loc is the zone without one.
func cutZone(s string, loc *time.Location) (string, *time.Location) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return s, loc
	}
	name := s[i+1:]
	if name == "UTC" || name == "Z" {
		return s[:i], time.UTC
	}
	if t, err := time.Parse("Z07:00", name); err == nil {
		return s[:i], t.Location()
	}
	// A name like "today" or "09:00" is no zone; names of zones begin with a capital.
	if name == "" || name[0] < 'A' || name[0] > 'Z' || name == "Local" {
		return s, loc
	}
	if zone, err := time.LoadLocation(name); err == nil {
		return s[:i], zone
	}
	return s, loc
}
