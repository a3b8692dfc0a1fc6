package classifier

import (
	"slices"
	"time"

	"github.com/relaylens/relaylens"
)

// A problem is over when it has been quiet for long enough: for minQuiet, and for
// one that comes at intervals, such as a device that tries its old password
// every few hours, for some of them, but for no more than maxQuiet.
const (
	minQuiet  = time.Hour
	maxQuiet  = 3 * 24 * time.Hour
	intervals = 4
	// visit is how far apart events are that are no burst.
	visit = 10 * time.Minute
	// fewGaps show an interval; of more than manyGaps the last ones do.
	fewGaps, manyGaps = 2, 5
)

// episode is a stretch of time in which a problem did not come to rest. Events
// come in the order of their time, but for small confusions.
type episode struct {
	since, last time.Time
	returns     int // how often the problem came back before
	gaps        [manyGaps]time.Duration
	measured    int // gaps, ever
}

func (ep *episode) add(at time.Time) {
	gap := at.Sub(ep.last)
	switch {
	case ep.last.IsZero():
		ep.since, ep.last = at, at
		return
	case gap > ep.quiet():
		ep.since = at
		ep.returns++
	case at.Before(ep.since) && ep.returns == 0:
		ep.since = at
	}
	if gap > visit {
		ep.gaps[ep.measured%manyGaps] = gap
		ep.measured++
	}
	if gap > 0 {
		ep.last = at
	}
}

// quiet is for how long nothing has to happen until the problem is over.
func (ep *episode) quiet() time.Duration {
	n := min(ep.measured, manyGaps)
	if n < fewGaps {
		return minQuiet
	}
	sorted := ep.gaps
	slices.Sort(sorted[:n])
	return min(max(intervals*sorted[n/2], minQuiet), maxQuiet)
}

// tell says how things stand at a time.
func (ep *episode) tell(p *relaylens.Finding, now time.Time) {
	p.Since, p.Returns, p.Status, p.Resolved = ep.since, ep.returns, relaylens.StatusOpen, time.Time{}
	if quiet := ep.quiet(); now.Sub(ep.last) > quiet {
		p.Status, p.Resolved = relaylens.StatusResolved, ep.last.Add(quiet)
	}
}

// mergeStatus adds b's standing to a's: what both make is open while one is.
func mergeStatus(a, b *relaylens.Finding) {
	switch {
	case a.Status == relaylens.StatusOpen && b.Status == relaylens.StatusOpen:
		if b.Since.Before(a.Since) {
			a.Since = b.Since
		}
	case b.Status == relaylens.StatusOpen:
		a.Status, a.Resolved, a.Since = relaylens.StatusOpen, time.Time{}, b.Since
	case a.Status == relaylens.StatusResolved && b.Resolved.After(a.Resolved):
		a.Resolved = b.Resolved
	}
	a.Returns = max(a.Returns, b.Returns)
}
