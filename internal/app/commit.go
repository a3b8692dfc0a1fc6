package app

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/exporter/prom"
	"github.com/relaylens/relaylens/store"
)

const (
	// commitTimeout is after what time a transaction counts as stuck.
	commitTimeout = 30 * time.Second
	minRetry      = 100 * time.Millisecond
	maxRetry      = 5 * time.Second
	// sayAgain is how often a store that cannot be written is spoken of.
	sayAgain = time.Minute
)

// eventStore is what a committer writes to.
type eventStore interface {
	Commit(ctx context.Context, b *store.Batch) (inserted int, err error)
}

// committer writes to the store on a goroutine of its own. A batch that cannot
// be written is tried again until it can, or until quit: nothing behind it is
// written before, and what the logs still hold waits there.
type committer struct {
	in      chan *store.Batch
	idle    chan struct{}          // holds a token while a batch may be handed over
	spare   chan []relaylens.Event // the memory of what was written
	store   eventStore
	metrics *prom.Commits
	logger  *zap.Logger
	done    chan struct{}
	quit    <-chan struct{}
}

func newCommitter(s eventStore, m *prom.Commits, l *zap.Logger, quit <-chan struct{}) *committer {
	c := &committer{in: make(chan *store.Batch, 1), idle: make(chan struct{}, 1), spare: make(chan []relaylens.Event, 1), store: s, metrics: m, logger: l, done: make(chan struct{}), quit: quit}
	c.idle <- struct{}{}
	return c
}

// write hands b over. Its caller has taken the token from idle; for nothing to
// write it gives it back.
func (c *committer) write(b *store.Batch) {
	if b == nil {
		c.idle <- struct{}{}
		return
	}
	c.in <- b
}

// run ends when in is closed and everything is written, or at quit.
func (c *committer) run() {
	defer close(c.done)
	for b := range c.in {
		if !c.commit(b) {
			return
		}
		c.reuse(b.Events)
		c.idle <- struct{}{}
	}
}

// reuse gives back the memory of a backlog's events, whose texts may be in use still.
func (c *committer) reuse(events []relaylens.Event) {
	if len(events) < commitEvents || cap(events) > 2*maxUncommitted {
		return
	}
	clear(events)
	select {
	case c.spare <- events[:0]:
	default:
	}
}

// commit writes b and reports whether it could before quit.
func (c *committer) commit(b *store.Batch) bool {
	var said time.Time
	for retry := minRetry; ; retry = min(2*retry, maxRetry) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
		n, err := c.store.Commit(ctx, b)
		cancel()
		if err == nil {
			c.metrics.Done(time.Since(began), n)
			for _, f := range b.Committed {
				f()
			}
			if !said.IsZero() {
				c.logger.Info("event store can be written again")
			}
			return true
		}
		failure := store.FailureOf(err)
		c.metrics.Failed(failure.String())
		if time.Since(said) >= sayAgain {
			said = time.Now()
			c.logger.Error("event store cannot be written; the logs wait where they are",
				zap.Error(err), zap.String("reason", failure.String()), zap.String("remedy", failure.Remedy()),
				zap.Int("events", len(b.Events)))
		}
		t := time.NewTimer(retry)
		select {
		case <-t.C:
		case <-c.quit:
			t.Stop()
			c.logger.Warn("stopped with events unwritten; they are read again at the next start", zap.Int("events", len(b.Events)))
			return false
		}
	}
}
