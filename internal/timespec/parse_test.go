package timespec

import (
	"testing"
	"time"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Skipf("no time zones here: %v", err)
	}
	return loc
}

func TestParse(t *testing.T) {
	chatham := time.FixedZone("", 12*3600+45*60)
	now := time.Date(2026, 11, 21, 20, 25, 43, 500_000_000, chatham)
	at := func(y int, m time.Month, d, hour, minute, second int) time.Time {
		return time.Date(y, m, d, hour, minute, second, 0, chatham)
	}
	for text, want := range map[string]time.Time{
		"now":                              now,
		"today":                            at(2026, 11, 21, 0, 0, 0),
		"yesterday":                        at(2026, 11, 20, 0, 0, 0),
		"tomorrow":                         at(2026, 11, 22, 0, 0, 0),
		"today UTC":                        time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		"-2h":                              now.Add(-2 * time.Hour),
		"- 2h":                             now.Add(-2 * time.Hour),
		"+1h":                              now.Add(time.Hour),
		"2h ago":                           now.Add(-2 * time.Hour),
		"1h 30min ago":                     now.Add(-90 * time.Minute),
		"5 ago":                            now.Add(-5 * time.Second),
		"1h left":                          now.Add(time.Hour),
		"-1.5 days":                        now.Add(-36 * time.Hour),
		"-1M":                              now.Add(-2629800 * time.Second),
		"@1700000000":                      time.Unix(1700000000, 0),
		"@1700000000.25":                   time.Unix(1700000000, 250_000_000),
		"@-5":                              time.Unix(-5, 0),
		"@1 year":                          time.Unix(31557600, 0),
		"2026-11-20 09:00":                 at(2026, 11, 20, 9, 0, 0),
		"2026-11-20 09:00:07":              at(2026, 11, 20, 9, 0, 7),
		"2026-11-20 9:5":                   at(2026, 11, 20, 9, 5, 0),
		"26-11-20":                         at(2026, 11, 20, 0, 0, 0),
		"99-11-20":                         at(1999, 11, 20, 0, 0, 0),
		"2026-11-20":                       at(2026, 11, 20, 0, 0, 0),
		"2026-1-5":                         at(2026, 1, 5, 0, 0, 0),
		"2012-11-31":                       at(2012, 12, 1, 0, 0, 0),
		"2012-11-23 11:12:60":              at(2012, 11, 23, 11, 13, 0),
		"09:00":                            at(2026, 11, 21, 9, 0, 0),
		"23:59:59":                         at(2026, 11, 21, 23, 59, 59),
		"2026-11-20 09:00:00.5":            at(2026, 11, 20, 9, 0, 0).Add(500 * time.Millisecond),
		"Fri 2026-11-20":                   at(2026, 11, 20, 0, 0, 0),
		"friday, 2026-11-20 09:00":         at(2026, 11, 20, 9, 0, 0),
		"2026-11-20 09:00 UTC":             time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
		"2026-11-20 09:00 +02:00":          time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC),
		"09:00 UTC":                        time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
		"2026-11-20T09:00:00Z":             time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
		"2026-11-20t09:00:00.123456+01:00": time.Date(2026, 11, 20, 8, 0, 0, 123_456_000, time.UTC),
		"2026-11-20 09:00:00+01:00":        time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
		"  2026-11-20 ":                    at(2026, 11, 20, 0, 0, 0),
	} {
		t.Run(text, func(t *testing.T) {
			got, err := Parse(text, now)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equal(want) {
				t.Errorf("got %s, want %s", got, want)
			}
			if got.Location() != now.Location() {
				t.Errorf("it is in %s", got.Location())
			}
		})
	}
}

func TestParseZone(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	got, err := Parse("2026-07-01 09:00 Europe/Berlin", time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC))
	if want := time.Date(2026, 7, 1, 9, 0, 0, 0, berlin); err != nil || !got.Equal(want) {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

// A day is from midnight to midnight when the clocks change, too.
func TestParseDays(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	now := time.Date(2026, 10, 26, 12, 0, 0, 0, berlin)
	got, err := Parse("yesterday", now)
	if want := time.Date(2026, 10, 25, 0, 0, 0, 0, berlin); err != nil || !got.Equal(want) {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestParseErrors(t *testing.T) {
	now := time.Date(2026, 11, 21, 20, 25, 43, 0, time.UTC)
	for _, text := range []string{"", " ", "3", "1h", "soon", "2026-13-01", "2026-11-32", "2026-11", "202-11-20", "24:00", "09", "09:60",
		"09:00.5", "Fri", "Mon 2026-11-20", "-2x", "-", "+-5", "-h", "@", "@x", "@1.x", "2026-11-20 09:00 Mars/Olympus",
		"2026-11-20 x", "ago", " ago", "now UTC", "2026-11-20 09:00:00.", "-999999999999y", "2026-11-20T25:00:00Z"} {
		t.Run(text, func(t *testing.T) {
			if got, err := Parse(text, now); err == nil {
				t.Errorf("it is %s", got)
			}
		})
	}
}

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90": 90 * time.Second, "2h": 2 * time.Hour, "1h 30min": 90 * time.Minute, "1h30m": 90 * time.Minute, "1.5 h": 90 * time.Minute,
		".5s": 500 * time.Millisecond, "1y 12month": year + 12*month, "2w 3d": 17 * day, "5ms 7us": 5007 * time.Microsecond, "1M": month, "1m": time.Minute,
	} {
		t.Run(text, func(t *testing.T) {
			if got, err := ParseSpan(text); err != nil || got != want {
				t.Errorf("got %s, %v; want %s", got, err, want)
			}
		})
	}
}

// Whatever is read, is read again from the RFC 3339 form of the result.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"now", "-2h", "2026-11-20 09:00", "Fri 2026-11-20", "@1.5", "2026-11-20T09:00:00Z", "1h 2min ago", "today UTC"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 21, 20, 25, 43, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse(text, now)
		if err != nil || got.Year() < 0 || got.Year() > 9999 {
			return
		}
		again, err := Parse(got.Format(time.RFC3339Nano), now)
		if err != nil || !again.Equal(got) {
			t.Errorf("%q is %s, and that is %s, %v", text, got, again, err)
		}
	})
}
