package store

import (
	"context"
	"fmt"
	"time"
)

// Retention bounds the store. A zero bound is none.
type Retention struct {
	Keep     time.Duration // age of the oldest event, by the newest
	MaxBytes int64         // of the database
}

const (
	// deleteRows is how many events one transaction deletes: a commit of new ones
	// waits for it.
	deleteRows = 2000
	// vacuumPages are given back to the file system in one step.
	vacuumPages = 500
	// topValues of each hour and field stay once the hour is over.
	topValues = 1000
)

// shipped holds for events that nobody waits for. The latest is never deleted,
// so that no number is given out a second time: positions are told by them.
const shipped = "seq <= coalesce((SELECT shipped FROM outbox), 9223372036854775807) AND seq < (SELECT max(seq) FROM events)"

// Retain deletes what is older than r allows, adds up the small values of hours
// before now, and gives the space back. What the outbox still has to ship stays
// beyond its age; when only the size is left to go by, the loss is counted. It works in small steps between which
// commits go on, and reports how many events it deleted.
func (s *Store) Retain(ctx context.Context, r Retention, now time.Time) (deleted int64, err error) {
	if r.Keep > 0 {
		if deleted, err = s.deleteBefore(ctx, now.Add(-r.Keep)); err != nil {
			return deleted, err
		}
	}
	for r.MaxBytes > 0 {
		st, err := s.Stats(ctx)
		if err != nil {
			return deleted, err
		}
		if st.Bytes <= r.MaxBytes {
			break
		}
		n, err := s.deleteOldest(ctx)
		deleted += n
		if err != nil {
			return deleted, err
		}
		if n == 0 {
			break
		}
	}
	if err := s.trimHours(ctx, now.Add(-2*time.Hour).Truncate(time.Hour)); err != nil {
		return deleted, err
	}
	return deleted, s.vacuum(ctx)
}

// deleteOldest makes room at the cost of the oldest events: of those that were
// shipped, then of the others.
func (s *Store) deleteOldest(ctx context.Context) (int64, error) {
	n, err := s.step(ctx, "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE "+shipped+" ORDER BY time LIMIT ?)", deleteRows)
	if err != nil || n > 0 || !s.ships.Load() {
		return n, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("retain events: %w", err)
	}
	defer tx.Rollback()
	result, err := tx.ExecContext(ctx, "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE seq < (SELECT max(seq) FROM events) ORDER BY time LIMIT ?)", deleteRows)
	if err == nil {
		n, err = result.RowsAffected()
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE outbox SET lost = lost + ?", n)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return 0, fmt.Errorf("retain events: %w", err)
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
	for _, table := range []string{"hourly_totals", "hourly_top"} {
		if _, err := s.step(ctx, "DELETE FROM "+table+" WHERE hour < ?", cutoff.Unix()); err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// trimHours keeps the largest values of each hour that ended before a time and
// adds the others up, so that an attacker's many names cost one row an hour.
func (s *Store) trimHours(ctx context.Context, before time.Time) error {
	const small = `SELECT hour, field, value, kind FROM (
		SELECT hour, field, value, kind, row_number() OVER (PARTITION BY hour, field ORDER BY events DESC, value, kind) AS rank
		FROM hourly_top WHERE hour < ?1 AND value <> '' AND hour IN (
			SELECT hour FROM hourly_top WHERE hour < ?1 AND value <> '' GROUP BY hour, field HAVING count(*) > ?2))
		WHERE rank > ?2`
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("trim hours: %w", err)
	}
	defer tx.Rollback()
	for _, query := range []string{
		`INSERT INTO hourly_top (hour, field, value, kind, events, first, last)
			SELECT hour, field, '', kind, sum(events), min(first), max(last) FROM hourly_top
			WHERE (hour, field, value, kind) IN (` + small + `) GROUP BY hour, field, kind
			ON CONFLICT DO UPDATE SET events = events + excluded.events, first = min(first, excluded.first), last = max(last, excluded.last)`,
		`DELETE FROM hourly_top WHERE (hour, field, value, kind) IN (` + small + `)`,
	} {
		if _, err := tx.ExecContext(ctx, query, before.Unix(), topValues); err != nil {
			return fmt.Errorf("trim hours: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("trim hours: %w", err)
	}
	return nil
}

// vacuum gives free pages back to the file system, a step at a time.
func (s *Store) vacuum(ctx context.Context) error {
	for {
		var free int64
		if err := s.read.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&free); err != nil {
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
func (s *Store) step(ctx context.Context, query string, args ...any) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	result, err := s.write.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("retain events: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("retain events: %w", err)
	}
	return n, nil
}
