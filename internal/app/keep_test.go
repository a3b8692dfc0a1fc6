package app

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens/store"
)

// flooded is a store that grows with time, and notes what is done to it.
type flooded struct {
	began     time.Time
	perSecond int64
	deleted   int64
	largest   int64
	checks    int
	times     []time.Duration // of the retains
}

func (f *flooded) size() int64 {
	return int64(time.Since(f.began)/time.Second)*f.perSecond - f.deleted
}

func (f *flooded) Check(context.Context) error {
	f.checks++
	return nil
}

func (f *flooded) Stats(context.Context) (store.Stats, error) {
	return store.Stats{Newest: time.Now()}, nil
}

func (f *flooded) Retain(ctx context.Context, r store.Retention, _ time.Time) (int64, error) {
	f.times = append(f.times, time.Since(f.began))
	return f.Shrink(ctx, r.MaxBytes)
}

func (f *flooded) Shrink(_ context.Context, most int64) (int64, error) {
	f.largest = max(f.largest, f.size())
	n := max(f.size()-most, 0)
	f.deleted += n
	return n, nil
}

// Under attack the store stays near its size from the first minute on, and the rest
// of its upkeep is done no more often than otherwise.
func TestFloodStaysWithinSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 1000
		f := &flooded{began: time.Now(), perSecond: 20}
		u := upkeep{store: f, bounds: func() *store.Retention { return &store.Retention{MaxBytes: most} }, logger: zap.NewNop()}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		u.run(ctx)
		if limit := most + f.perSecond*int64(shrinkEvery/time.Second); f.largest > limit {
			t.Errorf("the store had %d bytes, want at most %d", f.largest, limit)
		}
		if f.checks != 1 || len(f.times) != 6 || f.times[0] != settleTime {
			t.Errorf("%d checks, upkeep at %v; want one, and six times in an hour", f.checks, f.times)
		}
	})
}
