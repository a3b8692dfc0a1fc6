package watch

import (
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
)

const (
	// lateAge is after what time nothing more is expected to come that tells of a
	// refusal; until reviseAge it may all the same.
	lateAge   = 20 * time.Minute
	reviseAge = time.Hour
	lateEvery = 2 * time.Minute
	// maxRecent refusals are looked at again.
	maxRecent = 20_000
)

// Revision is a cause that later events changed.
type Revision = relaylens.Revision

// recent are the refusals whose causes later events may change, in the order in
// which they came.
type recent struct {
	events []relaylens.Event
	since  time.Time // from when on they are all that there were
	late   time.Time // when the late ones were looked at
}

func (r *recent) add(e *relaylens.Event) {
	if len(r.events) >= maxRecent {
		r.forget(maxRecent / 4)
	}
	if r.since.IsZero() {
		r.since = e.Time
	}
	r.events = append(r.events, *e)
}

// forget lets the first n go.
func (r *recent) forget(n int) {
	for i := range r.events[:n] {
		if t := r.events[i].Time; t.After(r.since) {
			r.since = t
		}
	}
	left := copy(r.events, r.events[n:])
	clear(r.events[left:])
	r.events = r.events[:left]
}

// revise asks for the causes anew, by all that was seen since, and returns what
// changed. Refusals that are too old at now are let go.
func (r *recent) revise(c *classifier.Classifier, now time.Time) (revisions []Revision) {
	old := 0
	late := now.Sub(r.late) >= lateEvery
	if late {
		r.late = now
	}
	for i := range r.events {
		e := &r.events[i]
		was, age := e.Cause, now.Sub(e.Time)
		switch {
		case age < lateAge:
			c.Revise(e)
		case late:
			c.Final(e)
		}
		if e.Cause != was {
			revisions = append(revisions, Revision{ID: e.ID, Cause: e.Cause, Time: e.Time})
		}
		if old == i && age > reviseAge {
			old++
		}
	}
	r.forget(old)
	return revisions
}

// given notes the causes that others give events of theirs now.
func (r *recent) given(revisions []relaylens.Revision) {
	causes := make(map[relaylens.ID]relaylens.Cause, len(revisions))
	for _, v := range revisions {
		causes[v.ID] = v.Cause
	}
	for i := range r.events {
		if c, ok := causes[r.events[i].ID]; ok && r.events[i].Given != relaylens.CauseNone {
			r.events[i].Given, r.events[i].Cause = c, c
		}
	}
}

// findings gathers the problems that the recent refusals point to.
func (r *recent) findings(c *classifier.Classifier) []relaylens.Finding {
	f := c.NewFindings()
	for i := range r.events {
		f.AddKept(&r.events[i])
	}
	return f.List()
}

// all are the refusals.
func (r *recent) all(yield func(*relaylens.Event) bool) {
	for i := range r.events {
		if e := &r.events[i]; e.Refusal() && !yield(e) {
			return
		}
	}
}
