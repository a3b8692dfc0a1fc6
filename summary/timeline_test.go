package summary

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTimelineSteps(t *testing.T) {
	for _, c := range []struct {
		since, until string
		zone         string
		want         string // step, number, first beginning
	}{
		{"2026-11-20T12:00:00Z", "2026-11-20T12:00:01Z", "UTC", "1s 1 2026-11-20 12:00:00"},
		{"2026-11-20T12:00:00Z", "2026-11-20T12:00:30Z", "UTC", "1s 30 2026-11-20 12:00:00"},
		{"2026-11-20T12:00:07Z", "2026-11-20T12:30:00Z", "UTC", "1m 30 2026-11-20 12:00:00"},
		{"2026-11-20T12:10:00Z", "2026-11-21T12:10:00Z", "UTC", "1h 25 2026-11-20 12:00:00"},
		{"2026-11-20T12:10:00Z", "2026-11-21T12:10:00Z", "Asia/Kolkata", "1h 25 2026-11-20 17:00:00"},
		{"2026-11-20T12:10:00Z", "2026-11-21T12:10:00Z", "Asia/Kathmandu", "1h 25 2026-11-20 17:00:00"},
		// The clocks go back: the day has 25 hours, its days begin at midnight.
		{"2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "Europe/Berlin", "1h 25 2026-10-25 00:00:00"},
		{"2026-10-20T22:00:00Z", "2026-10-28T23:00:00Z", "Europe/Berlin", "12h 16 2026-10-21 00:00:00"},
		// Midnight is left out in Beirut.
		{"2026-03-20T22:00:00Z", "2026-04-10T22:00:00Z", "Asia/Beirut", "1d 22 2026-03-21 00:00:00"},
		{"2026-12-31T23:30:00Z", "2027-01-01T00:30:00Z", "UTC", "5m 12 2026-12-31 23:30:00"},
		{"2026-12-20T00:00:00Z", "2027-01-10T00:00:00Z", "UTC", "1d 21 2026-12-20 00:00:00"},
		{"2026-07-01T00:00:00Z", "2026-12-30T00:00:00Z", "UTC", "7d 27 2026-06-29 00:00:00"},
		{"2024-01-15T00:00:00Z", "2026-01-15T00:00:00Z", "UTC", "1mo 25 2024-01-01 00:00:00"},
		{"1990-01-15T00:00:00Z", "2026-01-15T00:00:00Z", "UTC", "10y 4 1990-01-01 00:00:00"},
	} {
		t.Run(c.since+" "+c.until+" "+c.zone, func(t *testing.T) {
			var h histogram
			h.init()
			line := h.timeline(Span{parsed(t, c.since), parsed(t, c.until)}, zoneNamed(t, c.zone), 30)
			got := fmt.Sprint(line.Step, " ", len(line.Buckets), " ", line.Buckets[0].Time.Format(time.DateTime))
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func parsed(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestTimelineIsComplete puts random events in random spans of many zones: none
// is lost, and the steps follow one another.
func TestTimelineIsComplete(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Beirut", "Asia/Kathmandu", "Australia/Lord_Howe",
		"Pacific/Apia", "Africa/Casablanca", "America/Havana", "Pacific/Chatham"}
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		loc := zoneNamed(t, zones[r.IntN(len(zones))])
		since := time.Unix(r.Int64N(60*365*86400), 0)
		length := int64(1) << r.IntN(31)
		span := Span{since, since.Add(time.Duration(1+r.Int64N(length)) * time.Second)}
		var h histogram
		h.init()
		for range 20 {
			h.add(since.Unix()+r.Int64N(max(span.Until.Unix()-since.Unix(), 1)), series(r.IntN(numSeries)), 1)
		}
		line := h.timeline(span, loc, 1+r.IntN(60))
		var sum int64
		for i, b := range line.Buckets {
			sum += b.Events + b.Remote
			if i > 0 && !b.Time.After(line.Buckets[i-1].Time) {
				t.Fatalf("%s: step %d begins at %s, the one before at %s", loc, i, b.Time, line.Buckets[i-1].Time)
			}
		}
		if sum != 20 {
			t.Fatalf("%s, %v: %d of 20 events", loc, span, sum)
		}
		if first := line.Buckets[0].Time; first.After(span.Since) {
			t.Fatalf("%s, %v: begins at %s, step %s", loc, span, first, line.Step)
		}
		if n := columns(line.axis()); n > len(line.Buckets) {
			t.Fatalf("the axis of %d steps has %d columns", len(line.Buckets), n)
		}
	}
}

func TestHistogramTurnsCoarser(t *testing.T) {
	var h histogram
	h.init()
	const days = 900
	for i := range int64(days * 96) {
		h.add(i*900, 0, 2)
	}
	if h.step != 900 || len(h.buckets) != days*96 {
		t.Errorf("step %d, %d buckets", h.step, len(h.buckets))
	}
	var sum int64
	for _, b := range h.buckets {
		sum += b[0]
	}
	if sum != 2*days*96 {
		t.Errorf("%d events", sum)
	}
}

// What a histogram turned coarser for, no time line shows.
func TestCoarserIsFineEnough(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	coarse := map[int64]int{}
	for range 500 {
		var h, exact histogram
		h.init()
		exact.init()
		since := time.Unix(r.Int64N(60*365*86400), 0)
		until, length := since, 2+r.Int64N(int64(1)<<(4+r.IntN(20)))
		for range 50 {
			at := since.Add(time.Duration(r.Int64N(length)) * time.Second)
			h.add(at.Unix(), 0, 1)
			exact.bucket(at.Unix())[0]++
			until = time.Unix(max(until.Unix(), at.Unix()+1), 0)
		}
		h.add(since.Unix(), 1, 1)
		exact.bucket(since.Unix())[1]++
		limit := 1 + r.IntN(maxLine)
		got, want := h.timeline(Span{since, until}, zoneNamed(t, "Asia/Kathmandu"), limit), exact.timeline(Span{since, until}, zoneNamed(t, "Asia/Kathmandu"), limit)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%d seconds in %d steps at most (- of seconds, + of steps of %d):\n%s", length, limit, h.step, diff)
		}
		coarse[h.step]++
	}
	if len(coarse) != 3 {
		t.Errorf("steps of %v, want three of them", coarse)
	}
}

func TestAxis(t *testing.T) {
	var h histogram
	h.init()
	line := h.timeline(Span{noon.Add(10 * time.Minute), noon.Add(24*time.Hour + 10*time.Minute)}, time.UTC, 30)
	if got := line.axis(); !strings.HasPrefix(got, "12:00") || !strings.Contains(got, " Nov 21") {
		t.Errorf("%q", got)
	}
}
