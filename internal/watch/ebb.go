package watch

import (
	"time"

	"github.com/relaylens/relaylens/internal/spike"
)

const (
	// ebbFor is how long the last minutes have to be as usual for a spike to be over
	// whose longer windows still remember it.
	ebbFor = 15 * time.Minute
	// The last minutes are as usual where they are no rarer than one in a hundred,
	// and a spike that was over is back when they are one in a hundred thousand.
	calm = 4.6
	back = 11.5
	// backFor is the longest that it takes to see that a spike is back.
	backFor = 5 * time.Minute
)

// spell is a spike that is on, as one of a series begins at a time.
type spell struct {
	series spike.Series
	start  time.Time
}

// ebb is how a spike goes.
type ebb struct {
	since time.Time // the last minutes are as usual; zero while they are not
	again time.Time // it was over, and came back then; zero if it did not
	sharp bool      // the last five minutes have shown it: they tell when it is over
	over  bool
}

// spikes are those that are on at a moment and not over; Last is when the last
// minutes were unusual.
func (w *Watch) spikes(now time.Time) (on []spike.Spike) {
	first, ebbs := w.ebbs == nil, map[spell]ebb{}
	for _, s := range w.detector.Active() {
		id := spell{s.Series, s.Start}
		u := w.detector.Unrest(s.Series)
		e := w.ebbs[id]
		e.sharp = e.sharp || u.Minutes >= back
		if first { // a start does not tell again of what was told to be over
			e.over = w.engine.Over(s.Series)
		}
		unrest, limit := max(u.Minutes, u.Hours), float64(calm)
		if e.sharp {
			unrest = u.Minutes
		}
		if e.over {
			unrest, limit = u.Beyond, back
		}
		switch {
		case unrest >= limit:
			if e.over {
				e.again = latest(e.since, now.Add(-backFor))
			}
			e.since, e.over = time.Time{}, false
		case e.since.IsZero():
			e.since = now
		}
		if !e.since.IsZero() {
			e.over = e.over || now.Sub(e.since) >= ebbFor && u.Gone
			if s.Last.After(e.since) {
				s.Last = e.since
			}
		}
		ebbs[id] = e
		if !e.over {
			s.Start = latest(s.Start, e.again)
			on = append(on, s)
		}
	}
	w.ebbs = ebbs
	return on
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
