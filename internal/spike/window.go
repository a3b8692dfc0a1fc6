package spike

import "time"

// pane is how many seconds of refusals are counted together, and how often the
// windows are looked at.
const pane = 15

// The windows that end now. Short ones show a flood at once, long ones a ramp.
var windows = [...]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour}

const (
	numWindows = 5
	numTests   = numWindows + 1  // of the windows, and of a rise
	lastHour   = 3               // the window
	numPanes   = 3*3600/pane + 1 // the longest window, and the pane under way
	cell       = 600             // seconds of the finest history
	fromCell   = 2               // the first window that is no shorter than that
)

// panesOf is the length of each window in panes.
var panesOf = [numWindows]int64{60 / pane, 300 / pane, 900 / pane, 3600 / pane, numPanes - 1}

// panesOfTest is the length of the window of each test, and of one that overlaps with
// the next as rise does.
var panesOfTest = [numTests]int64{60 / pane, 300 / pane, 900 / pane, 3600 / pane, numPanes - 1, risePanes / riseWeight}

// ring counts the refusals of the last hours in panes.
type ring struct {
	panes [numPanes]uint32
	sums  [numWindows]uint32 // of the panes of each window that ends with head
	newer newer
	head  int64 // the pane under way, in panes since 1970; no part of sums
}

func slotOf(p int64) int64 { return ((p % numPanes) + numPanes) % numPanes }

// add counts n refusals in pane p; false when that is too long ago.
func (r *ring) add(p int64, n uint32) bool {
	if p > r.head || p <= r.head-numPanes {
		return false
	}
	r.panes[slotOf(p)] += n
	for w, length := range panesOf {
		if p < r.head && p >= r.head-length {
			r.sums[w] += n
		}
	}
	r.newer.add(r.head-p, n)
	return true
}

// step ends the pane under way and begins the next.
func (r *ring) step() {
	done := r.panes[slotOf(r.head)]
	for w, length := range panesOf {
		r.sums[w] += done - r.panes[slotOf(r.head-length)]
	}
	r.newer.step(done, r.panes[slotOf(r.head-risePanes)])
	r.head++
	r.panes[slotOf(r.head)] = 0
}

// sum counts the panes from first until before head.
func (r *ring) sum(first int64) (n uint32) {
	for p := max(first, r.head-numPanes+1); p < r.head; p++ {
		n += r.panes[slotOf(p)]
	}
	return n
}

// reset forgets everything; the pane under way is p.
func (r *ring) reset(p int64) { *r = ring{head: p} }
