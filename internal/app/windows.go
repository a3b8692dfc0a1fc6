package app

import (
	"context"
	"sync"
	"time"

	"github.com/relaylens/relaylens/internal/aggregate"
)

// lists are what the windows told last. A scrape asks for them, however many
// scrapes there are, at most once in snapshotEvery: the pipeline has to stop for
// it.
type lists struct {
	mu    sync.Mutex
	taken time.Time
	last  *aggregate.Snapshot
}

const (
	snapshotEvery = time.Second
	// snapshotWait is how long a scrape waits for a pipeline that is busy; then it
	// shows what there was.
	snapshotWait = time.Second
)

// snapshot is nil until the pipeline runs.
func (p *pipeline) snapshot() *aggregate.Snapshot {
	l := &p.lists
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.beat.Load() == 0 || l.last != nil && time.Since(l.taken) < snapshotEvery {
		return l.last
	}
	ctx, cancel := context.WithTimeout(context.Background(), snapshotWait)
	defer cancel()
	take := func() { l.last, l.taken = p.windows.Snapshot(), time.Now() }
	select {
	case <-p.done: // nobody else looks at the windows any more
		take()
	default:
		// Late lists are better than none.
		_ = p.do(ctx, take)
	}
	return l.last
}
