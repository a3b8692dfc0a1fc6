package alerting

import (
	"time"

	"github.com/relaylens/relaylens"
)

// traces are of findings of which each refusal proves as much as any, however long it
// is until the next: a machine of ours that mails once an hour is refused as surely as
// one that mails each minute. Findings are of the last hour only.
type traces map[place]*trace

type place struct {
	cause  relaylens.Cause
	host   string
	entity relaylens.Entity
}

type trace struct {
	events      int
	lately      int // of the finding when it was seen last
	first, last time.Time
}

// maxTraces bounds them.
const maxTraces = 500

// steady are the causes that they are kept of.
func steady(c relaylens.Cause) bool {
	return c == relaylens.CauseClientNotInMynetworks || c == relaylens.CauseRestrictionOrder
}

// extend adds to a finding what it was before.
func (t traces) extend(f *relaylens.Finding) {
	if !steady(f.Cause) {
		return
	}
	at := place{f.Cause, f.Host, f.Entity}
	old := t[at]
	if old == nil {
		if len(t) >= maxTraces {
			return
		}
		old = &trace{first: f.First}
		t[at] = old
	}
	if f.Last.After(old.last) {
		old.events += max(f.Events-old.lately, 1)
		old.last = f.Last
	}
	old.lately = f.Events
	if old.events > f.Events {
		f.Events, f.First = old.events, old.first
	}
}

// forget lets go of what nothing was seen of for as long as any problem lasts that
// nothing proves.
func (t traces) forget(now time.Time) {
	for at, old := range t {
		if now.Sub(old.last) > maxQuietEvidence {
			delete(t, at)
		}
	}
}
