package app

import (
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/store"
)

const (
	// reviseEvery is how often recent refusals are looked at again.
	reviseEvery = 15 * time.Second
	// lateAge is after what time, in event time, nothing more is expected to come
	// that tells of a refusal; until reviseAge it may all the same.
	lateAge   = 20 * time.Minute
	reviseAge = time.Hour
	// maxRecent refusals are looked at again.
	maxRecent = 20_000
)

// recent are the refusals whose causes later events may change, oldest first.
type recent struct {
	events []relaylens.Event
	last   time.Time // when they were looked at
}

func (r *recent) add(e *relaylens.Event) {
	if len(r.events) >= maxRecent {
		n := copy(r.events, r.events[maxRecent/4:])
		clear(r.events[n:])
		r.events = r.events[:n]
	}
	r.events = append(r.events, *e)
}

// due reports whether it is time to look again.
func (r *recent) due(now time.Time) bool {
	return len(r.events) > 0 && now.Sub(r.last) >= reviseEvery
}

// revise asks for the causes anew, by all that was seen since, and returns what
// changed. Refusals older than reviseAge, by the newest, are let go.
func (r *recent) revise(c *classifier.Classifier, now time.Time) (revisions []store.Revision) {
	r.last = now
	if len(r.events) == 0 {
		return nil
	}
	newest := r.events[len(r.events)-1].Time
	old := 0
	for i := range r.events {
		e := &r.events[i]
		was, age := e.Cause, newest.Sub(e.Time)
		if age >= lateAge {
			c.Final(e)
		} else {
			c.Revise(e)
		}
		if e.Cause != was {
			revisions = append(revisions, store.Revision{ID: e.ID, Cause: e.Cause})
		}
		if old == i && age > reviseAge {
			old++
		}
	}
	n := copy(r.events, r.events[old:])
	clear(r.events[n:])
	r.events = r.events[:n]
	return revisions
}
