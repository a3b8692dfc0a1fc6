package summary

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// barsOf are the bars of a time line of n minutes, each with one refusal.
func barsOf(n int) []bar {
	r := &Report{Timeline: Timeline{Step: "1m"}}
	for i := range n {
		r.Timeline.Buckets = append(r.Timeline.Buckets, Bucket{Time: noon.Add(time.Duration(i) * time.Minute), Events: 1, Rejected: 1})
	}
	return r.bars()
}

// The bars of a page have eight labels at most, the same way apart, each with room for
// itself.
func TestBarLabels(t *testing.T) {
	for n, want := range map[int]string{1: "0", 8: "0 1 2 3 4 5 6 7", 9: "0 2 4 6", 15: "0 2 4 6 8 10 12", 16: "0 2 4 6 8 10 12 14", 72: "0 9 18 27 36 45 54 63", 70: "0 9 18 27 36 45 54"} {
		var labels []string
		for i, b := range barsOf(n) {
			if b.Label != "" {
				labels = append(labels, fmt.Sprint(i))
			}
		}
		if got := strings.Join(labels, " "); got != want {
			t.Errorf("%d bars: labels at %s, want %s", n, got, want)
		}
	}
}

// The highest bar has all of the height, its remote part included; the smallest part is
// seen as well.
func TestBarHeights(t *testing.T) {
	r := &Report{Timeline: Timeline{Step: "1m", Buckets: []Bucket{
		{Time: noon, Events: 600, RelayDenied: 599, SenderVerify: 1, Remote: 600},
		{Time: noon.Add(time.Minute), Events: 300, AuthFailed: 300},
		{Time: noon.Add(2 * time.Minute)},
	}}}
	var got [][]barPart
	for _, b := range r.bars() {
		got = append(got, b.Parts)
	}
	want := [][]barPart{{{"remote", 60}, {"sender_verify", 1}, {"relay_denied", 59}}, {{"auth_failed", 30}}, nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.Timeline.Buckets = r.Timeline.Buckets[2:]
	if bars := r.bars(); bars != nil {
		t.Errorf("bars of nothing: %v", bars)
	}
}

// The totals of a page are compared only where there is a span before; the axis below
// the lines of the text is none of its rows.
func TestPageTotals(t *testing.T) {
	for _, compared := range []bool{false, true} {
		r := aReport(t, 5, PageSteps)
		if r.Before = nil; compared {
			r.Before = &Before{Refusals: 7}
		}
		page, err := r.AppendHTML(nil, TextOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, table, _ := strings.Cut(string(page), ">What<")
		table, _, _ = strings.Cut(table, "</table>")
		if strings.Contains(table, ">before<") != compared || strings.Contains(table, ">change<") != compared {
			t.Errorf("compared %v: %s", compared, table)
		}
		columns := 2
		if compared {
			columns = 4
		}
		if heads := strings.Count(table, "<th"); heads != columns {
			t.Errorf("compared %v: %d columns: %s", compared, heads, table)
		}
		if rows := strings.Count(table, "<tr"); rows != 1+6 { // heading, four kinds, all, by other servers
			t.Errorf("%d rows: %s", rows, table)
		}
	}
}

// A time line has as many steps as were asked for, at most.
func TestEdgesLimit(t *testing.T) {
	hour := step{name: "1h", duration: time.Hour}
	until := noon.Add(10 * time.Hour)
	if n := len(hour.edges(noon, until, 10)); n != 10 {
		t.Errorf("%d steps of 10", n)
	}
	if n := len(hour.edges(noon, until.Add(1), 10)); n != 0 {
		t.Errorf("%d steps where there are 11", n)
	}
	if n := len(hour.edges(noon, noon, 1)); n != 1 {
		t.Errorf("%d steps of an empty span", n)
	}
}

// However few steps are asked for, no event is left out; and none is finer than what was
// counted.
func TestTimelineOfFewSteps(t *testing.T) {
	var h histogram
	h.init()
	if line := h.timeline(Span{noon.AddDate(-950, 0, 0), noon}, time.UTC, 1); len(line.Buckets) != 11 || line.Step != "100y" {
		t.Errorf("950 years: %d steps of %s", len(line.Buckets), line.Step)
	}
	h.least = time.Hour
	if line := h.timeline(Span{noon, noon.Add(2 * time.Hour)}, time.UTC, 30); len(line.Buckets) != 2 || line.Step != "1h" {
		t.Errorf("two hours by the hour: %d steps of %s", len(line.Buckets), line.Step)
	}
}

// A day begins when its first hour is shown, where a clock change leaves out midnight.
func TestDayWithoutMidnight(t *testing.T) {
	for zone, day := range map[string]time.Time{
		"America/Sao_Paulo": time.Date(2018, 11, 4, 0, 0, 0, 0, time.UTC),
		"Asia/Beirut":       time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC),
		"America/Havana":    time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC),
	} {
		at := local(day.Year(), day.Month(), day.Day(), 0, zoneNamed(t, zone))
		if got := at.Format(time.DateTime); got != day.Format(time.DateOnly)+" 01:00:00" {
			t.Errorf("%s: the day begins at %s", zone, got)
		}
		if before := at.Add(-time.Second).Format(time.DateTime); before != day.AddDate(0, 0, -1).Format(time.DateOnly)+" 23:59:59" {
			t.Errorf("%s: before it stands %s", zone, before)
		}
	}
}
