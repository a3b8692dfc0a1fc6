package store

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// hourField is a field of an hour in hourly_top.
type hourField struct {
	hour  int64
	field string
}

// trim adds up the small values of the hours of a day before a time, and of the
// day itself where events came late. A flood of names makes hours of half a million
// rows each, so each field of an hour has a transaction of its own: commits wait
// for one, and the memory that it takes does not depend on how many there are.
func (s *Store) trim(ctx context.Context, day, before int64) error {
	large, err := s.large(ctx, day, before)
	if err != nil {
		return fmt.Errorf("trim hours: %w", err)
	}
	for _, h := range large {
		if err := s.transact(ctx, "trim hours", func(w *writer) error { return s.tops.trimHour(w, h) }); err != nil {
			return err
		}
	}
	return s.transact(ctx, "trim hours", func(w *writer) error {
		again, err := s.large(ctx, day, before) // of hours that grew meanwhile
		if err != nil {
			return err
		}
		for _, h := range again {
			if err := s.tops.trimHour(w, h); err != nil {
				return err
			}
		}
		return s.tops.trimDay(w, day)
	})
}

// large are the fields of the hours of a stretch that have more values than may stay.
func (s *Store) large(ctx context.Context, since, until int64) (list []hourField, err error) {
	err = s.read.query(ctx, `SELECT hour, field FROM hourly_top WHERE hour >= ? AND hour < ? AND value <> ''
		GROUP BY hour, field HAVING count(*) > ?`, []any{since, until, s.tops.hour}, func(st *sqlite.Stmt) (bool, error) {
		list = append(list, hourField{st.ColumnInt64(0), st.ColumnText(1)})
		return true, nil
	})
	return list, err
}

// trimHour adds up the small values of a field of an hour: those that come after
// the last that stays.
func (l limits) trimHour(w *writer, h hourField) error {
	var events int64
	var value, kind string
	found, err := w.row(func(st *sqlite.Stmt) { events, value, kind = st.ColumnInt64(0), st.ColumnText(1), st.ColumnText(2) },
		`SELECT events, value, kind FROM hourly_top WHERE hour = ? AND field = ? AND value <> ''
		ORDER BY events DESC, value, kind LIMIT 1 OFFSET ?`, h.hour, h.field, l.hour-1)
	if err != nil || !found {
		return err
	}
	const small = ` FROM hourly_top WHERE hour = ?1 AND field = ?2 AND value <> '' AND (events < ?3 OR events = ?3 AND (value, kind) > (?4, ?5))`
	args := []any{h.hour, h.field, events, value, kind}
	// Each kind by itself: to group so many rows is to sort them.
	for _, k := range relaylens.RefusalKinds() {
		if _, err := w.exec(`INSERT INTO hourly_top (hour, field, value, kind, events, first, last)
			SELECT ?1, ?2, '', ?6, sum(events), min(first), max(last)`+small+` AND kind = ?6 HAVING count(*) > 0
			ON CONFLICT DO UPDATE SET events = events + excluded.events, first = min(first, excluded.first), last = max(last, excluded.last)`,
			append(args, k.String())...); err != nil {
			return err
		}
	}
	_, err = w.exec("DELETE"+small, args...)
	return err
}

// trimDay does the same for the day where it was added up already.
func (l limits) trimDay(w *writer, day int64) error {
	const days = `SELECT day, field, value, kind FROM (
		SELECT day, field, value, kind, row_number() OVER (PARTITION BY field ORDER BY events DESC, value, kind) AS rank
		FROM daily_top WHERE day = ?1 AND value <> '') WHERE rank > ?2`
	for _, step := range []struct {
		query string
		args  []any
	}{
		// A value may be added up once more, so the bounds add.
		{`INSERT INTO daily_top (day, field, value, kind, events, first, last, bound)
			SELECT day, field, '', kind, sum(events), min(first), max(last), max(events) FROM daily_top
			WHERE (day, field, value, kind) IN (` + days + `) GROUP BY day, field, kind
			ON CONFLICT DO UPDATE SET events = events + excluded.events, first = min(first, excluded.first), last = max(last, excluded.last),
				bound = bound + excluded.bound`, []any{day, l.day}},
		{`DELETE FROM daily_top WHERE (day, field, value, kind) IN (` + days + `)`, []any{day, l.day}},
		{`UPDATE daily SET late = 0 WHERE day = ?`, []any{day}},
	} {
		if _, err := w.exec(step.query, step.args...); err != nil {
			return err
		}
	}
	return nil
}
