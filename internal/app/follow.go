package app

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/exporter/prom"
	"github.com/relaylens/relaylens/internal/sleep"
)

// followers are the sources that run. They are used under App's mutex.
type followers struct {
	out      chan<- relaylens.Batch
	exporter *prom.Exporter
	logger   *zap.Logger
	running  map[string]*follower // by the path that is configured
}

func newFollowers(out chan<- relaylens.Batch, x *prom.Exporter, l *zap.Logger) *followers {
	return &followers{out: out, exporter: x, logger: l, running: map[string]*follower{}}
}

// start runs a source until it is stopped, again and again when it fails.
func (fs *followers) start(path string, s relaylens.Source) {
	ctx, cancel := context.WithCancel(context.Background())
	f := &follower{
		source:   s,
		out:      fs.out,
		counters: fs.exporter.Source(s.Name()),
		logger:   fs.logger.With(zap.String("source", s.Name())),
		cancel:   cancel,
		done:     make(chan struct{}),
	}
	fs.running[path] = f
	go f.run(ctx)
}

// stop stops sources together and waits for them until ctx ends. One that does
// not stop by then still counts as running.
func (fs *followers) stop(ctx context.Context, paths []string) error {
	for _, path := range paths {
		fs.running[path].cancel()
	}
	var late []string
	for _, path := range paths {
		if wait(ctx, fs.running[path].done) != nil {
			late = append(late, path)
			continue
		}
		delete(fs.running, path)
	}
	if late != nil {
		return fmt.Errorf("still reading: %q", late)
	}
	return nil
}

func (fs *followers) stopAll(ctx context.Context) error { return fs.stop(ctx, fs.paths()) }

// stopped reports that no source can send a batch any more.
func (fs *followers) stopped() bool { return len(fs.running) == 0 }

func (fs *followers) paths() []string { return slices.Sorted(maps.Keys(fs.running)) }

// summary says in one word or two what is followed.
func (fs *followers) summary() string {
	paths := fs.paths()
	if len(paths) == 1 {
		return relaylens.Escaped(paths[0], 200)
	}
	return fmt.Sprintf("%d sources", len(paths))
}

// settled is how long a source has to run until an earlier failure is history.
const settled = time.Minute

// follower keeps one source running.
type follower struct {
	source   relaylens.Source
	out      chan<- relaylens.Batch
	counters *prom.Source
	logger   *zap.Logger
	cancel   context.CancelFunc
	done     chan struct{}
}

func (f *follower) run(ctx context.Context) {
	defer close(f.done)
	var b backoff
	told := map[string]bool{}
	for {
		began := time.Now()
		err := f.source.Run(ctx, f.out)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			f.logger.Info("source ended")
			return
		}
		f.counters.Failed()
		if time.Since(began) >= settled || len(told) >= maxTold {
			b = backoff{}
			clear(told)
		}
		delay := b.next()
		if text := err.Error(); !told[text] {
			told[text] = true
			f.logger.Error("source failed, trying again", zap.Error(err), zap.Duration("after", delay))
		}
		if !sleep.For(ctx, delay) {
			return
		}
	}
}

// maxTold bounds the errors that are remembered as logged.
const maxTold = 64

const (
	minBackoff = time.Second
	maxBackoff = time.Minute
)

// backoff gives growing delays: each up to twice the one before, with a random
// part, so that many sources on one disk do not come back together.
type backoff struct{ last time.Duration }

func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, minBackoff), maxBackoff)
	return b.last/2 + rand.N(b.last/2) //nolint:gosec // spreads load, keeps no secret
}
