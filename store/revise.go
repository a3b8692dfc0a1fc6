package store

import (
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// Revision is another cause of an event that is in the store.
type Revision = relaylens.Revision

// revise gives events their new causes, and moves them in the hourly totals.
// Events that are not there, or no longer, are passed over.
func (s *Store) revise(w *writer, revisions []Revision) error {
	for _, r := range revisions {
		revised, err := reviseOne(w, r)
		if err == nil && revised {
			s.stmts.revision.BindBytes(1, r.ID[:])
			_, err = w.run(s.stmts.revision)
		}
		if err != nil {
			return fmt.Errorf("revise event %s: %w", r.ID, err)
		}
	}
	return nil
}

// reviseOne reports whether the cause is another one now.
func reviseOne(w *writer, r Revision) (bool, error) {
	var at int64
	var was string
	found, err := w.row(func(st *sqlite.Stmt) { at, was = st.ColumnInt64(0), st.ColumnText(1) },
		"SELECT time, coalesce(cause, '') FROM events WHERE id = ?", r.ID[:])
	if err != nil || !found || was == r.Cause.String() {
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
		if _, err := w.exec(step.query, step.args...); err != nil {
			return false, err
		}
	}
	return true, nil
}
