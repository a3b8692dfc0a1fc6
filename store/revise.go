package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/relaylens/relaylens"
)

// Revision is another cause of an event that is in the store.
type Revision = relaylens.Revision

// revise gives events their new causes, and moves them in the hourly totals.
// Events that are not there, or no longer, are passed over.
func (s *Store) revise(ctx context.Context, tx *sql.Tx, revisions []Revision) error {
	for _, r := range revisions {
		revised, err := reviseOne(ctx, tx, r)
		if err == nil && revised {
			_, err = tx.StmtContext(ctx, s.stmts.revision).ExecContext(ctx, r.ID[:])
		}
		if err != nil {
			return fmt.Errorf("revise event %s: %w", r.ID, err)
		}
	}
	return nil
}

// reviseOne reports whether the cause is another one now.
func reviseOne(ctx context.Context, tx *sql.Tx, r Revision) (bool, error) {
	var at int64
	var was string
	err := tx.QueryRowContext(ctx, "SELECT time, coalesce(cause, '') FROM events WHERE id = ?", r.ID[:]).Scan(&at, &was)
	if errors.Is(err, sql.ErrNoRows) || err == nil && was == r.Cause.String() {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	hour := hourOf(time.Unix(0, at).Unix())
	for _, step := range []struct {
		query string
		args  []any
	}{
		{`UPDATE hourly_totals SET events = events - 1 WHERE hour = ?1 AND cause = ?2 AND (host, mta, kind, direction, reason, class) =
			(SELECT coalesce(host, ''), mta, kind, coalesce(direction, ''), coalesce(reason, ''), coalesce(class, '') FROM events WHERE id = ?3)`,
			[]any{hour, was, r.ID[:]}},
		{"DELETE FROM hourly_totals WHERE hour = ? AND cause = ? AND events <= 0", []any{hour, was}},
		{`INSERT INTO hourly_totals (hour, host, mta, kind, direction, reason, cause, class, events)
			SELECT ?1, coalesce(host, ''), mta, kind, coalesce(direction, ''), coalesce(reason, ''), ?2, coalesce(class, ''), 1 FROM events WHERE id = ?3
			ON CONFLICT DO UPDATE SET events = events + 1`, []any{hour, r.Cause.String(), r.ID[:]}},
		{"UPDATE events SET cause = ? WHERE id = ?", []any{r.Cause.String(), r.ID[:]}},
	} {
		if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
			return false, err
		}
	}
	return true, nil
}
