package spike

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// Servers with 5 and with 200,000 refusals a day page for nothing in a day and a half, and
// within minutes for what is an incident there, whether the store knows of two weeks or
// of two hours.
func TestFewAndMany(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		perDay, incident float64 // of which the latter is in a quarter of an hour
		known            time.Duration
		within           time.Duration
	}{
		{5, 40, 14 * 24 * time.Hour, 10 * time.Minute},
		{200_000, 7000, 14 * 24 * time.Hour, 4 * time.Minute},
		{5, 40, 2 * time.Hour, 10 * time.Minute},
		{2000, 400, 2 * time.Hour, 10 * time.Minute},
		{200_000, 7000, 2 * time.Hour, 4 * time.Minute},
	} {
		t.Run(fmt.Sprint(c.perDay, " a day, known for ", c.known), func(t *testing.T) {
			t.Parallel()
			d, r := New(Settings{}), rand.New(rand.NewPCG(61, 61))
			var counts []Count
			for at := monday.Add(-c.known); at.Before(monday); at = at.Add(time.Hour) {
				if n := poisson(r, c.perDay/24); n > 0 {
					counts = append(counts, Count{Start: at, Length: time.Hour, Kind: relaylens.KindRejected, Cause: relaylens.CausePolicy, Events: int64(n)})
				}
			}
			d.Learn(counts)
			e := relaylens.Event{Kind: relaylens.KindRejected, Cause: relaylens.CausePolicy}
			begin := monday.Add(36 * time.Hour)
			for e.Time = monday; e.Time.Before(begin.Add(15 * time.Minute)); e.Time = e.Time.Add(pane * time.Second) {
				mean := c.perDay / 5760
				if !e.Time.Before(begin) {
					mean += c.incident / 60
				}
				d.AddN(&e, poisson(r, mean))
				told := d.Advance(e.Time.Add(pane * time.Second))
				switch {
				case len(told) == 0:
				case e.Time.Before(begin):
					t.Fatalf("%v after the start: %+v", e.Time.Sub(monday), told)
				case e.Time.Sub(begin) > c.within:
					t.Errorf("told of after %v", e.Time.Sub(begin))
					return
				default:
					return
				}
			}
			t.Error("not told of")
		})
	}
}
