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
)

// spell is a spike that is on, as one of a series begins at a time.
type spell struct {
	series spike.Series
	start  time.Time
}

// ebb is since when the last minutes of a spike are as usual, and whether it is over.
type ebb struct {
	since time.Time
	over  bool
}

// spikes are those that are on at a moment and not over; Last is when the last
// minutes were unusual.
func (w *Watch) spikes(now time.Time) (on []spike.Spike) {
	first, ebbs := w.ebbs == nil, map[spell]ebb{}
	for _, s := range w.detector.Active() {
		id, unrest := spell{s.Series, s.Start}, w.detector.Unrest(s.Series)
		e, ebbing := w.ebbs[id]
		switch {
		case e.over && unrest >= back, !e.over && unrest >= calm:
			on = append(on, s)
			continue
		case !ebbing:
			e.since = now
		}
		// What a daemon that starts again finds calm may have been told to be over.
		e.over = e.over || first || now.Sub(e.since) >= ebbFor
		ebbs[id] = e
		if !e.over {
			if s.Last.After(e.since) {
				s.Last = e.since
			}
			on = append(on, s)
		}
	}
	w.ebbs = ebbs
	return on
}
