package spike

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/relaylens/relaylens"
)

// berlin puts its clocks forward on 29 March 2026 at one o'clock UTC, and back on 25
// October.
func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// changes are the Sundays on which clocks are changed.
var changes = []time.Time{time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)}

// Offices keep the time of their clocks: a day of 23 hours, or of 25, and the ones after
// it, page nobody.
func TestClocksChange(t *testing.T) {
	t.Parallel()
	zone := berlin(t)
	perHour := func(at time.Time) float64 {
		if h := at.In(zone).Hour(); h >= 7 && h < 19 {
			return 360
		}
		return 40
	}
	for _, change := range changes {
		t.Run(change.Format(time.DateOnly), func(t *testing.T) {
			t.Parallel()
			d, r := New(Settings{Location: zone}), rand.New(rand.NewPCG(51, 51))
			begin := change.Add(-24 * time.Hour)
			var counts []Count
			for at := begin.AddDate(0, 0, -28); at.Before(begin); at = at.Add(time.Hour) {
				counts = append(counts, Count{Start: at, Length: time.Hour, Kind: relaylens.KindRejected, Cause: relaylens.CausePolicy, Events: int64(poisson(r, perHour(at)))})
			}
			d.Learn(counts)
			for at := begin; at.Before(begin.Add(4 * 24 * time.Hour)); at = at.Add(pane * time.Second) {
				d.AddN(&relaylens.Event{Time: at, Kind: relaylens.KindRejected, Cause: relaylens.CausePolicy}, poisson(r, perHour(at)/240))
				if told := d.Advance(at.Add(pane * time.Second)); len(told) > 0 {
					t.Fatalf("%s: %+v", at, told)
				}
			}
		})
	}
}

// What comes every night by the clock of the server's zone is no news where that is put
// forward or back.
func TestScannerWhenClocksChange(t *testing.T) {
	t.Parallel()
	zone := berlin(t)
	for _, change := range changes {
		t.Run(change.Format(time.DateOnly), func(t *testing.T) {
			t.Parallel()
			d, r := New(Settings{Location: zone}), rand.New(rand.NewPCG(52, 52))
			for at := change.AddDate(0, 0, -11); at.Before(change.AddDate(0, 0, 3)); at = at.Add(pane * time.Second) {
				rate := 0.3
				if local := at.In(zone); local.Hour() == 5 && local.Minute() < 12 {
					rate = 8
				}
				d.AddN(&relaylens.Event{Time: at, Kind: relaylens.KindRelayDenied, Cause: relaylens.CauseOpenRelayProbe}, poisson(r, rate))
				if told := d.Advance(at.Add(pane * time.Second)); len(told) > 0 && at.After(change.AddDate(0, 0, -1)) {
					t.Fatalf("%s: %+v", at, told)
				}
			}
		})
	}
}
