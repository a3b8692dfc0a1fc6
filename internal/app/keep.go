package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/internal/sleep"
	"github.com/relaylens/relaylens/store"
)

const (
	// retainEvery is how often what is too old is deleted, and hours and days that
	// are over are added up.
	retainEvery = 10 * time.Minute
	// shrinkEvery is how often the store is brought within its size: under attack it
	// grows by megabytes a second.
	shrinkEvery = 10 * time.Second
	// settleTime is how long the store's first upkeep waits: a start has
	// better things to do.
	settleTime = time.Minute
)

// openStore opens the event store, in the place of a damaged one that is put
// aside.
func (a *App) openStore(ctx context.Context, dir string) error {
	if err := a.claimData(ctx, dir); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	s, aside, err := store.OpenOrReplace(ctx, dir, time.Now(), a.updating)
	switch {
	case err != nil && ctx.Err() == nil && store.FailureOf(err) != store.FailureOther:
		return fmt.Errorf("data_dir: %w; %s", err, store.FailureOf(err).Remedy())
	case err != nil:
		return fmt.Errorf("data_dir: %w", err)
	}
	if aside != "" {
		a.logger.Error("event store was damaged and is put aside; another one begins, and logs without a position are read from where their source says",
			zap.String("kept", aside), zap.String("remedy", "recover what is in it with: sqlite3 "+aside+" .recover"))
	}
	a.store = s
	return nil
}

// The service manager waits for a start that it hears of, each time for so long.
const (
	extendBy    = 30 * time.Second
	extendEvery = 5 * time.Second
)

// updating says what takes the start its time, and has the service manager wait for
// it: to be killed in the middle would have it begin again.
func (a *App) updating(u store.Update) (done func(error)) {
	began := time.Now()
	a.logger.Info("event store is brought up to date", zap.Int("from", u.From), zap.Int("to", u.To),
		zap.Int64("bytes", u.Bytes), zap.Duration("about", u.About.Round(time.Second)))
	ctx, cancel := context.WithCancel(context.Background())
	told := make(chan struct{})
	go func() {
		defer close(told)
		for again := true; again; again = sleep.For(ctx, extendEvery) {
			a.tell(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d\nSTATUS=bringing the event store up to date for %s, which takes about %s",
				extendBy.Microseconds(), time.Since(began).Round(time.Second), u.About.Round(time.Second)))
		}
	}()
	return func(err error) {
		cancel()
		<-told
		if err == nil {
			a.logger.Info("event store is up to date", zap.Duration("took", time.Since(began)))
		}
	}
}

// errClaimed is what claim returns of a directory that somebody has claimed.
var errClaimed = errors.New("another relaylens uses it")

// leaveTime is how long one that was killed may take to leave its directory.
const leaveTime = 5 * time.Second

// claimData keeps dir until Stop. One that cannot be made or opened is for the store
// to complain of.
func (a *App) claimData(ctx context.Context, dir string) error {
	_ = os.MkdirAll(dir, 0o750)
	claimed, err := claim(dir)
	for end := time.Now().Add(leaveTime); errors.Is(err, errClaimed) && time.Now().Before(end); claimed, err = claim(dir) {
		if !sleep.For(ctx, leaveTime/100) {
			return ctx.Err()
		}
	}
	switch {
	case errors.Is(err, errClaimed):
		return fmt.Errorf("%s is in use by another relaylens; stop that one, or set another directory with data_dir or --data-dir", dir)
	case err == nil:
		a.cleanup.push("leave data_dir", func(context.Context) error { return claimed.Close() })
	}
	return nil
}

// resume reads how far the sources were read, for those that start now.
func (a *App) resume(ctx context.Context) (err error) {
	a.positions, err = a.store.Positions(ctx)
	return err
}

// keepStore checks the store and keeps it within its bounds until Stop.
func (a *App) keepStore() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	u := upkeep{store: a.store, bounds: a.retention.Load, logger: a.logger}
	go func() {
		defer close(done)
		u.run(ctx)
	}()
	a.cleanup.push("end upkeep of the event store", func(ctx context.Context) error {
		cancel()
		return wait(ctx, done)
	})
}

// upkeep checks a store once and keeps it within its bounds.
type upkeep struct {
	store   keptStore
	bounds  func() *store.Retention
	logger  *zap.Logger
	checked bool
	deleted int64     // since it was last said
	failed  time.Time // when that was last said
}

// keptStore is what needs upkeep.
type keptStore interface {
	Check(ctx context.Context) error
	Stats(ctx context.Context) (store.Stats, error)
	Retain(ctx context.Context, r store.Retention, now time.Time) (deleted int64, err error)
	Shrink(ctx context.Context, most int64) (deleted int64, err error)
}

// run goes on until ctx ends.
func (u *upkeep) run(ctx context.Context) {
	due := time.Now().Add(settleTime)
	for sleep.For(ctx, shrinkEvery) {
		if time.Now().Before(due) {
			deleted, err := u.store.Shrink(ctx, u.bounds().MaxBytes)
			u.note(ctx, deleted, err)
			continue
		}
		u.check(ctx)
		u.retain(ctx)
		due = time.Now().Add(retainEvery)
	}
}

func (u *upkeep) check(ctx context.Context) {
	if u.checked {
		return
	}
	u.checked = true
	if err := u.store.Check(ctx); err != nil && ctx.Err() == nil {
		u.logger.Error("event store is damaged", zap.Error(err), zap.String("remedy", store.FailureDamaged.Remedy()))
	}
}

// retain deletes what is too old, counted back from the newest event.
func (u *upkeep) retain(ctx context.Context) {
	bounds := *u.bounds()
	st, err := u.store.Stats(ctx)
	var deleted int64
	if err == nil && !st.Newest.IsZero() {
		deleted, err = u.store.Retain(ctx, bounds, st.Newest)
	}
	u.note(ctx, deleted, err)
	if u.deleted > 0 {
		u.logger.Info("deleted old events", zap.Int64("events", u.deleted), zap.Duration("keep", bounds.Keep), zap.Int64("max_bytes", bounds.MaxBytes))
		u.deleted = 0
	}
}

// note counts what was deleted, and says what went wrong.
func (u *upkeep) note(ctx context.Context, deleted int64, err error) {
	u.deleted += deleted
	if now := time.Now(); err != nil && ctx.Err() == nil && now.Sub(u.failed) >= sayAgain {
		u.failed = now
		u.logger.Error("delete old events", zap.Error(err), zap.String("remedy", store.FailureOf(err).Remedy()))
	}
}

func retentionOf(cfg *config.Config) *store.Retention {
	return &store.Retention{Keep: time.Duration(cfg.Store.Keep), MaxBytes: int64(cfg.Store.MaxSize)}
}

func failureNames() []string {
	var names []string
	for _, f := range store.Failures() {
		names = append(names, f.String())
	}
	return names
}
