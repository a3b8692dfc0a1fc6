package alerting

import (
	"time"

	"github.com/relaylens/relaylens/internal/spike"
)

// echoes are the spikes of which the cause was known while their refusals were. Long
// windows remember them for hours longer, when too few of those are left to tell it
// again: that is nothing new, whether somebody was told or it was not worth a page.
type echoes map[spike.Series]echo

type echo struct {
	peak  float64   // how much it was above the usual
	until time.Time // when its cause was known last
}

// echoTime is for how long one is remembered: by then no window shows it.
const echoTime = 4 * time.Hour

// echoGrowth is by how much more than it was an echo may be.
const echoGrowth = 1.25

// hear reports whether s is an echo: its spikes began when their cause was known, and
// are hardly larger since: what is usual differs from one quarter of an hour to the
// next, and some of the usual came on top. It remembers s where the cause is known.
func (e echoes) hear(s *surge, now time.Time) bool {
	if knows(s.profile.cause, s.profile.fault()) {
		for i := range s.spikes {
			e.note(s.spikes[i].Series, excess(&s.spikes[i]), now)
		}
		return false
	}
	for i := range s.spikes {
		o := &s.spikes[i]
		if before, ok := e[o.Series]; !ok || !o.Start.Before(before.until) || excess(o) > echoGrowth*before.peak {
			return false
		}
	}
	return true
}

// note remembers a spike whose cause was known until then.
func (e echoes) note(series spike.Series, peak float64, until time.Time) {
	before := e[series]
	if until.Sub(before.until) > echoTime {
		before = echo{}
	}
	e[series] = echo{max(before.peak, peak), later(before.until, until)}
}

func (e echoes) forget(now time.Time) {
	for s, o := range e {
		if now.Sub(o.until) > echoTime {
			delete(e, s)
		}
	}
}
