package app

import (
	"slices"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/watch"
	"github.com/relaylens/relaylens/store"
)

const (
	// commitEvents are enough for a commit at once.
	commitEvents = 1000
	// commitDelay is how long the first of fewer waits for company.
	commitDelay = 50 * time.Millisecond
	// maxUncommitted events may wait for a store that is busy. Then no batch is
	// taken, and the logs wait on disk.
	maxUncommitted = 3_000
)

// ledger is what the pipeline has read and not yet given to the store: events,
// and how far the sources were read when they came.
//
// A position may be committed only with or after every event of the lines
// before it. The parser holds some events back, so each position waits as a
// checkpoint until nothing is held that is older.
type ledger struct {
	events      []relaylens.Event
	spare       <-chan []relaylens.Event // memory for them
	revised     []store.Revision
	checkpoints []checkpoint
	committed   []func() // called when all of it is in the store
	tallies     tallies
	since       time.Time // of the first thing that waits; zero when nothing does
	behind      bool      // what is read is long gone
	ordered     bool      // and comes in order of time
	owed        bool      // the store has been told so, and not yet that it is over
}

// checkpoint is how far a source was read by the end of a feed.
type checkpoint struct {
	feed     uint64
	position relaylens.Position // no Source: the source has none
	drained  []relaylens.Position
}

// add notes an event. It is copied, as its batch goes away, and the copy is
// returned.
func (l *ledger) add(e *relaylens.Event) *relaylens.Event {
	if l.events == nil {
		select {
		case l.events = <-l.spare:
		default:
		}
	}
	l.events = append(l.events, e.Clone())
	l.begin()
	return &l.events[len(l.events)-1]
}

// revise notes other causes.
func (l *ledger) revise(revisions []watch.Revision) {
	if len(revisions) > 0 {
		l.revised = append(l.revised, revisions...)
		l.begin()
	}
}

// read notes that b was read in a feed, and when its last line was written.
func (l *ledger) read(b *relaylens.Batch, feed uint64, last time.Time) {
	if b.Warm || b.Position.Source == "" && len(b.Drained) == 0 {
		return
	}
	c := checkpoint{feed: feed, position: b.Position, drained: b.Drained}
	c.position.Time, c.position.Saved = last, time.Now()
	c.position.Cursor = strings.Clone(c.position.Cursor)
	if n := len(l.checkpoints) - 1; n >= maxCheckpoints && len(b.Drained) == 0 && sameFile(&l.checkpoints[n].position, &c.position) {
		c.drained = l.checkpoints[n].drained
		l.checkpoints[n] = c
	} else {
		l.checkpoints = append(l.checkpoints, c)
	}
	l.begin()
}

// maxCheckpoints is how many are kept apart; beyond it neighbours of one file
// are merged, which moves a restart back by a batch.
const maxCheckpoints = 4096

func sameFile(a, b *relaylens.Position) bool {
	return a.Source == b.Source && a.Origin == b.Origin && a.Device == b.Device && a.Inode == b.Inode
}

// fileOf is what the positions of one file have in common.
func fileOf(p *relaylens.Position) relaylens.Position {
	return relaylens.Position{Source: p.Source, Origin: p.Origin, Device: p.Device, Inode: p.Inode}
}

// ripen says that nothing is held back any more that came with a checkpoint.
func (l *ledger) ripen() {
	for i := range l.checkpoints {
		l.checkpoints[i].feed = 0
	}
}

// near says that nothing is caught up with any more, which the store is to know.
func (l *ledger) near() {
	if l.behind = false; l.owed {
		l.begin()
	}
}

func (l *ledger) begin() {
	if l.since.IsZero() {
		l.since = time.Now()
	}
}

// due reports whether it is time for a commit, and how long until it is.
func (l *ledger) due(now time.Time) (bool, time.Duration) {
	if l.since.IsZero() {
		return false, 0
	}
	left := commitDelay - now.Sub(l.since)
	return left <= 0 || len(l.events) >= commitEvents, left
}

// full reports that nothing more may be read.
func (l *ledger) full() bool { return len(l.events) >= maxUncommitted }

// take gives what may be committed now: every event, and of each file the last
// position before the feed that is the oldest with an event held back (held is
// false when there is none). Nil when there is nothing to commit.
func (l *ledger) take(oldest uint64, held bool) *store.Batch {
	b := &store.Batch{Events: l.events, Revised: l.revised, Committed: l.committed, Context: l.tallies.take(time.Now(), false),
		Behind: l.behind, Ordered: l.ordered}
	ripe := len(l.checkpoints)
	for i := range l.checkpoints {
		if held && l.checkpoints[i].feed >= oldest {
			ripe = i
			break
		}
	}
	last := map[relaylens.Position]int{} // by file
	for _, c := range l.checkpoints[:ripe] {
		// The store forgets first, as a drained file may yet be read on.
		for i := range c.drained {
			if at, ok := last[fileOf(&c.drained[i])]; ok {
				b.Positions[at] = relaylens.Position{}
				delete(last, fileOf(&c.drained[i]))
			}
		}
		b.Drained = append(b.Drained, c.drained...)
		if c.position.Source == "" {
			continue
		}
		file := fileOf(&c.position)
		if at, ok := last[file]; ok {
			b.Positions[at] = c.position
		} else {
			last[file] = len(b.Positions)
			b.Positions = append(b.Positions, c.position)
		}
	}
	b.Positions = slices.DeleteFunc(b.Positions, func(p relaylens.Position) bool { return p.Source == "" })
	l.events, l.revised, l.committed = nil, nil, nil
	l.checkpoints = append(l.checkpoints[:0], l.checkpoints[ripe:]...)
	l.since = time.Time{}
	if len(b.Events)+len(b.Revised)+len(b.Positions)+len(b.Drained)+len(b.Context)+len(b.Committed) == 0 && (l.behind || !l.owed) {
		return nil
	}
	l.owed = l.behind
	return b
}
