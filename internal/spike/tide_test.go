package spike

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// town is a server with causes of several kinds, each of which has as many refusals a
// minute, with 28 days of history of which the last had level.
type town struct {
	rand *rand.Rand
	d    *Detector
	at   time.Time
}

var townCauses = []struct {
	kind  relaylens.Kind
	cause relaylens.Cause
	rate  float64
}{
	{relaylens.KindRelayDenied, relaylens.CauseOpenRelayProbe, 0.4},
	{relaylens.KindRelayDenied, relaylens.CauseClientNotAuthenticated, 0.3},
	{relaylens.KindSenderVerify, relaylens.CauseSenderDomainUnresolvable, 0.5},
	{relaylens.KindAuthFailed, relaylens.CauseStalePassword, 0.4},
	{relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing, 0.7},
	{relaylens.KindRejected, relaylens.CausePolicy, 1.2},
	{relaylens.KindRejected, relaylens.CauseClientBlocklisted, 0.6},
}

func newTown(level float64) *town {
	const days = 28
	w := &town{rand: rand.New(rand.NewPCG(17, 17)), d: New(Settings{}), at: monday.AddDate(0, 0, days)}
	var counts []Count
	for h := range days * 24 {
		times := 1.0
		if h >= (days-2)*24 {
			times = level
		}
		for _, c := range townCauses {
			counts = append(counts, Count{Start: monday.Add(time.Duration(h) * time.Hour), Length: time.Hour, Kind: c.kind, Cause: c.cause,
				Events: int64(poisson(w.rand, 60*c.rate*times))})
		}
	}
	w.d.Learn(counts)
	return w
}

// go on for some time, in which each cause has so many times as much, and one another
// number of times.
func (w *town) pass(last time.Duration, times float64, other relaylens.Cause, otherTimes float64) (changes []Spike) {
	for end := w.at.Add(last); w.at.Before(end); w.at = w.at.Add(pane * time.Second) {
		for _, c := range townCauses {
			rate := c.rate * times
			if c.cause == other {
				rate = c.rate * otherTimes
			}
			if n := poisson(w.rand, rate/4); n > 0 {
				w.d.AddN(&relaylens.Event{Time: w.at, Kind: c.kind, Cause: c.cause}, n)
			}
		}
		changes = append(changes, w.d.Advance(w.at.Add(pane*time.Second))...)
	}
	return changes
}

func seriesOf(changes []Spike, began bool) (list []Series) {
	for _, s := range changes {
		if s.End.IsZero() == began {
			list = append(list, s.Series)
		}
	}
	return list
}

// Three times as much of everything is one spike, which is over when the level is usual.
func TestTideIsOneSpike(t *testing.T) {
	t.Parallel()
	w := newTown(1)
	if got := w.pass(time.Hour, 1, 0, 0); len(got) != 0 {
		t.Fatalf("as usual: %+v", got)
	}
	began := w.pass(12*time.Hour, 3, 0, 0)
	if got := seriesOf(began, true); !slices.Equal(got, []Series{{}}) {
		t.Errorf("began %+v", got)
	}
	if got := seriesOf(began, false); len(got) != 0 {
		t.Errorf("ended while it stood: %+v", got)
	}
	later := w.pass(30*time.Hour, 3, 0, 0)
	if got := seriesOf(later, true); len(got) != 0 {
		t.Errorf("began anew: %+v", got)
	}
	if got := w.d.Active(); len(got) != 0 {
		t.Errorf("still on after two days: %+v", got)
	}
	if got := w.pass(time.Hour, 3, relaylens.CauseStalePassword, 30); !slices.Contains(seriesOf(got, true), Series{By: PerCause, Cause: relaylens.CauseStalePassword}) {
		t.Errorf("what is far beyond it is not found: %+v", got)
	}
}

// What one cause has beyond the others is found while they are up, at once, measured
// by them, and is over when it goes on as they do.
func TestBeyondTheTide(t *testing.T) {
	t.Parallel()
	w := newTown(1)
	w.pass(time.Hour, 1, 0, 0)
	w.pass(2*time.Hour, 3, 0, 0)
	beyond, at := Series{By: PerCause, Cause: relaylens.CauseClientNotAuthenticated}, w.at
	ours := func(s Spike) bool { return s.Series == beyond }
	told := w.pass(time.Hour, 3, beyond.Cause, 40)
	if i := slices.IndexFunc(told, ours); i < 0 || told[i].Found.Sub(at) > 5*time.Minute {
		t.Errorf("found %d, %+v", i, told)
	}
	on := w.d.Active()
	if i := slices.IndexFunc(on, ours); i < 0 || on[i].Value < 8*on[i].Expected || on[i].Value > 20*on[i].Expected {
		t.Errorf("40 times as much beside three times as much: %d, %+v", i, on)
	}
	if over := w.pass(time.Hour, 3, 0, 0); !slices.ContainsFunc(over, func(s Spike) bool { return ours(s) && !s.End.IsZero() }) {
		t.Errorf("as the others for an hour: %+v", over)
	}
}

// What comes back after two quiet days is what was usual before them.
func TestEndOfHolidays(t *testing.T) {
	t.Parallel()
	w := newTown(0.25)
	if got := w.pass(12*time.Hour, 1, 0, 0); len(got) != 0 {
		t.Errorf("holidays are over: %+v", got)
	}
	w = newTown(0.25)
	if got := w.pass(time.Hour, 3, 0, 0); len(got) == 0 {
		t.Error("three times as much as before them is nothing new")
	}
}

// A spike whose minutes are too few to show it is on as long as its level stands.
func TestLevelStands(t *testing.T) {
	t.Parallel()
	w := newTown(1)
	w.pass(time.Hour, 1, 0, 0)
	cause := Series{By: PerCause, Cause: relaylens.CauseSenderDomainUnresolvable}
	stood := slices.DeleteFunc(w.pass(8*time.Hour, 1, cause.Cause, 2.5), func(s Spike) bool { return s.Series != cause })
	if len(stood) != 1 {
		t.Errorf("while it stood: %+v", stood)
	}
	gone := slices.DeleteFunc(w.pass(3*time.Hour, 1, 0, 0), func(s Spike) bool { return s.Series != cause })
	if len(gone) != 1 || gone[0].End.IsZero() || gone[0].End.After(w.at.Add(-time.Hour)) {
		t.Errorf("when it was gone: %+v", gone)
	}
}
