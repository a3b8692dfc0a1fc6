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
	events []arrived
	last   time.Time // when they were looked at
}

// arrived is a refusal and when it was read, by the clock.
type arrived struct {
	relaylens.Event
	at time.Time
}

func (r *recent) add(e *relaylens.Event) {
	if len(r.events) >= maxRecent {
		r.forget(maxRecent / 4)
	}
	r.events = append(r.events, arrived{*e, time.Now()})
}

// forget lets the oldest n go.
func (r *recent) forget(n int) {
	left := copy(r.events, r.events[n:])
	clear(r.events[left:])
	r.events = r.events[:left]
}

// due reports whether it is time to look again.
func (r *recent) due(now time.Time) bool {
	return len(r.events) > 0 && now.Sub(r.last) >= reviseEvery
}

// revise asks for the causes anew, by all that was seen since, and returns what
// changed. Refusals that are too old, by the newest or by the clock, are let go.
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
			c.Final(&e.Event)
		} else {
			c.Revise(&e.Event)
		}
		if e.Cause != was {
			revisions = append(revisions, store.Revision{ID: e.ID, Cause: e.Cause})
		}
		if old == i && (age > reviseAge || now.Sub(e.at) > reviseAge) {
			old++
		}
	}
	r.forget(old)
	return revisions
}

// findings gathers the problems that the recent refusals point to.
func (r *recent) findings(c *classifier.Classifier) []relaylens.Finding {
	f := c.NewFindings()
	for i := range r.events {
		f.Add(&r.events[i].Event)
	}
	return f.List()
}
