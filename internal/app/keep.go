package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/store"
)

const (
	// retainEvery is how often the store is brought within its bounds.
	retainEvery = 10 * time.Minute
	// settleTime is how long the store's first upkeep waits: a start has
	// better things to do.
	settleTime = time.Minute
)

// openStore opens the event store, in the place of a damaged one that is put
// aside.
func (a *App) openStore(dir string) error {
	if err := a.claimData(dir); err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	s, aside, err := store.OpenOrReplace(context.Background(), dir, time.Now())
	if err != nil {
		failure := store.FailureOf(err)
		return fmt.Errorf("data_dir: %w; %s", err, failure.Remedy())
	}
	if aside != "" {
		a.logger.Error("event store was damaged and is put aside; another one begins, and logs without a position are read from where their source says",
			zap.String("kept", aside), zap.String("remedy", "recover what is in it with: sqlite3 "+aside+" .recover"))
	}
	a.store = s
	return nil
}

// errClaimed is what claim returns of a directory that somebody has claimed.
var errClaimed = errors.New("another relaylens uses it")

// leaveTime is how long one that was killed may take to leave its directory.
const leaveTime = 5 * time.Second

// claimData keeps dir until Stop. One that cannot be made or opened is for the store
// to complain of.
func (a *App) claimData(dir string) error {
	_ = os.MkdirAll(dir, 0o750)
	claimed, err := claim(dir)
	for end := time.Now().Add(leaveTime); errors.Is(err, errClaimed) && time.Now().Before(end); claimed, err = claim(dir) {
		sleep(context.Background(), leaveTime/100)
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
	go func() {
		defer close(done)
		if !sleep(ctx, settleTime) {
			return
		}
		if err := a.store.Check(ctx); err != nil && ctx.Err() == nil {
			a.logger.Error("event store is damaged", zap.Error(err), zap.String("remedy", store.FailureDamaged.Remedy()))
		}
		for {
			a.retain(ctx)
			if !sleep(ctx, retainEvery) {
				return
			}
		}
	}()
	a.cleanup.push("end upkeep of the event store", func(ctx context.Context) error {
		cancel()
		return wait(ctx, done)
	})
}

func retentionOf(cfg *config.Config) *store.Retention {
	return &store.Retention{Keep: time.Duration(cfg.Store.Keep), MaxBytes: int64(cfg.Store.MaxSize)}
}

// retain deletes what is too old, counted back from the newest event.
func (a *App) retain(ctx context.Context) {
	bounds := *a.retention.Load()
	st, err := a.store.Stats(ctx)
	var deleted int64
	if err == nil && !st.Newest.IsZero() {
		deleted, err = a.store.Retain(ctx, bounds, st.Newest)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		a.logger.Error("delete old events", zap.Error(err), zap.String("remedy", store.FailureOf(err).Remedy()))
	case deleted > 0:
		a.logger.Info("deleted old events", zap.Int64("events", deleted), zap.Duration("keep", bounds.Keep), zap.Int64("max_bytes", bounds.MaxBytes))
	}
}

func failureNames() []string {
	var names []string
	for _, f := range store.Failures() {
		names = append(names, f.String())
	}
	return names
}
