package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
)

// Retention bounds the store. A zero bound is none.
type Retention struct {
	Keep     time.Duration // age of the oldest event, by the newest
	MaxBytes int64         // of the database
}

const (
	// deleteRows is how many events one transaction deletes: a commit of new ones
	// waits for it.
	deleteRows = 5000
	// A store that is larger than it may be by a part of its size as small as this is
	// flooded.
	muchMore = 20
	// vacuumPages are given back to the file system in one step.
	vacuumPages = 500
	// topValues of each hour and field stay once the hour is over.
	topValues = 1000
	// topDaily of each day and field stay.
	topDaily = 2000
)

// shipped holds for events that nobody waits for. The latest is never deleted,
// so that no number is given out a second time: positions are told by them.
const shipped = "seq <= coalesce((SELECT shipped FROM outbox), 9223372036854775807) AND seq < (SELECT max(seq) FROM events)"

// Retain deletes what is older than r allows, adds up the small values of hours
// before now and whole days, and gives the space back. What the outbox still has to ship stays
// beyond its age; when only the size is left to go by, the loss is counted. It works in small steps between which
// commits go on, and reports how many events it deleted.
func (s *Store) Retain(ctx context.Context, r Retention, now time.Time) (deleted int64, err error) {
	if err := s.writeHours(ctx); err != nil {
		return 0, err
	}
	since := int64(-1 << 62)
	if r.Keep > 0 {
		since = now.Add(-r.Keep).Unix()
		if deleted, err = s.deleteBefore(ctx, now.Add(-r.Keep)); err != nil {
			return deleted, err
		}
	}
	n, err := s.Shrink(ctx, r.MaxBytes)
	if deleted += n; err != nil {
		return deleted, err
	}
	if err := s.addUp(ctx, since, over(now)); err != nil {
		return deleted, err
	}
	if err := s.vacuum(ctx); err != nil {
		return deleted, err
	}
	_, err = s.step(ctx, "PRAGMA shrink_memory") // what the upkeep took of it
	return deleted, err
}

// Shrink deletes the oldest events until the database is no larger than most bytes,
// 0 for any size, and reports how many. It costs next to nothing where there is
// nothing to do. Their space is for what comes next; Retain gives it back.
func (s *Store) Shrink(ctx context.Context, most int64) (deleted int64, err error) {
	for trimmed := false; most > 0; {
		size, err := s.size(ctx)
		if err != nil || size <= most {
			return deleted, err
		}
		if err := s.writeHours(ctx); err != nil { // of what is deleted nobody else tells
			return deleted, err
		}
		// A flood of names makes hours of many rows, few of which stay: events do not go for them.
		if !trimmed && size > most+most/muchMore {
			if err := s.trimHours(ctx); err != nil {
				return deleted, err
			}
			trimmed = true
			continue
		}
		n, err := s.deleteOldest(ctx)
		if deleted += n; err != nil || n == 0 {
			return deleted, err
		}
	}
	return deleted, nil
}

// deleteOldest makes room at the cost of the oldest events: of those that were
// shipped, then of the others.
func (s *Store) deleteOldest(ctx context.Context) (int64, error) {
	n, err := s.step(ctx, "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE "+shipped+" ORDER BY time LIMIT ?)", deleteRows)
	if err != nil || n > 0 || !s.ships.Load() {
		return n, err
	}
	err = s.transact(ctx, "retain events", func(w *writer) error {
		var err error
		if n, err = w.exec("DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE seq < (SELECT max(seq) FROM events) ORDER BY time LIMIT ?)", deleteRows); err != nil {
			return err
		}
		_, err = w.exec("UPDATE outbox SET lost = lost + ?", n)
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (s *Store) deleteBefore(ctx context.Context, cutoff time.Time) (deleted int64, err error) {
	for n := int64(deleteRows); n == deleteRows; deleted += n {
		n, err = s.step(ctx, "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE time < ? AND "+shipped+" ORDER BY time LIMIT ?)", cutoff.UnixNano(), deleteRows)
		if err != nil {
			return deleted, err
		}
	}
	// A day that is not in daily is told by its hours, so it goes first.
	for _, query := range []string{"DELETE FROM daily WHERE day < ?", "DELETE FROM daily_top WHERE day < ?",
		"DELETE FROM hourly_totals WHERE hour < ?", "DELETE FROM hourly_top WHERE hour < ?", "DELETE FROM hourly_lists WHERE hour < ?"} {
		if _, err := s.step(ctx, query, cutoff.Unix()); err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

var errClosed = errors.New("the event store is closed")

// transact runs one transaction between commits.
func (s *Store) transact(ctx context.Context, what string, do func(*writer) error) error {
	return s.writing(ctx, what, func(w *writer) error { return w.transact(ctx, do) })
}

// writing lends the connection that writes, to one at a time. Nobody waits for it
// longer than ctx lasts: the disk may hang.
func (s *Store) writing(ctx context.Context, what string, do func(*writer) error) error {
	select {
	case s.using <- struct{}{}:
		defer func() { <-s.using }()
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
	err := errClosed
	if s.write != nil {
		err = do(s.write)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// vacuum gives free pages back to the file system, a step at a time.
func (s *Store) vacuum(ctx context.Context) error {
	for {
		var free int64
		if err := s.read.row(ctx, func(st *sqlite.Stmt) { free = st.ColumnInt64(0) }, "PRAGMA freelist_count"); err != nil {
			return fmt.Errorf("give space back: %w", err)
		}
		if free < vacuumPages {
			return nil
		}
		if _, err := s.step(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumPages)); err != nil {
			return err
		}
	}
}

// step runs one statement between commits.
func (s *Store) step(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.writing(ctx, "retain events", func(w *writer) error {
		return w.during(ctx, func(w *writer) (err error) {
			n, err = w.exec(query, args...)
			return err
		})
	})
	return n, err
}
