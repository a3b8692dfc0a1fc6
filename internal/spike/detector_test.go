package spike

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// stream adds refusals at a rate per minute, and returns the changes.
func stream(d *Detector, r *rand.Rand, from, until time.Time, perMinute float64, cause relaylens.Cause) (changes []Spike) {
	e := relaylens.Event{Kind: relaylens.KindRelayDenied, Cause: cause, Time: from}
	for {
		e.Time = e.Time.Add(time.Duration(r.ExpFloat64() / perMinute * float64(time.Minute)))
		if !e.Time.Before(until) {
			return append(changes, d.Advance(until)...)
		}
		changes = append(changes, d.Advance(e.Time)...)
		d.Add(&e)
	}
}

func TestFlood(t *testing.T) {
	t.Parallel()
	d, r := New(Settings{}), rand.New(rand.NewPCG(1, 1))
	at := monday.Add(3 * 24 * time.Hour)
	if got := stream(d, r, monday, at, 2, relaylens.CausePolicy); len(got) != 0 {
		t.Fatalf("spikes of nothing: %+v", got)
	}
	began := stream(d, r, at, at.Add(10*time.Minute), 40, relaylens.CausePolicy)
	if len(began) != 3 { // total, kind, cause
		t.Fatalf("began: %+v", began)
	}
	for _, s := range began {
		if found := s.Found.Sub(at); found > 2*time.Minute || s.Ratio() < 3 || s.Start.Sub(at).Abs() > time.Minute {
			t.Errorf("found after %v, ratio %v, start %v: %+v", found, s.Ratio(), s.Start, s)
		}
	}
	if got := len(d.Active()); got != 3 {
		t.Errorf("%d spikes are on", got)
	}
	ended := stream(d, r, at.Add(10*time.Minute), at.Add(5*time.Hour), 2, relaylens.CausePolicy)
	if len(ended) != 3 || len(d.Active()) != 0 {
		t.Fatalf("ended: %+v", ended)
	}
	for _, s := range ended {
		if after := s.End.Sub(at); after < 9*time.Minute || after > 30*time.Minute {
			t.Errorf("ended %v after its begin: %+v", after, s)
		}
	}
}

// Expected is how many refusals of s the baseline foresees in the window that
// ends now, and how many there were; of windows up to three hours, and 0 for
// entities.
func (d *Detector) Expected(s Series, window time.Duration) (expected, value float64) {
	for _, t := range d.tracks {
		if t.series == s && d.begun {
			now := d.head * pane
			since := now - int64(window/time.Second)
			return t.expected(since, now), float64(t.ring.sum(floorDiv(since, pane)))
		}
	}
	return 0, 0
}
