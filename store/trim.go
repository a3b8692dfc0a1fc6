package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
	large, err := s.tops.large(ctx, s.read, day, before)
	if err != nil {
		return fmt.Errorf("trim hours: %w", err)
	}
	for _, h := range large {
		if err := s.transact(ctx, "trim hours", func(tx *sql.Tx) error { return s.tops.trimHour(ctx, tx, h) }); err != nil {
			return err
		}
	}
	return s.transact(ctx, "trim hours", func(tx *sql.Tx) error { return s.tops.trimDay(ctx, tx, day, before) })
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// large are the fields of the hours of a stretch that have more values than may stay.
func (l limits) large(ctx context.Context, q querier, since, until int64) (list []hourField, err error) {
	rows, err := q.QueryContext(ctx, `SELECT hour, field FROM hourly_top WHERE hour >= ? AND hour < ? AND value <> ''
		GROUP BY hour, field HAVING count(*) > ?`, since, until, l.hour)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var h hourField
		if err := rows.Scan(&h.hour, &h.field); err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, rows.Err()
}

// trimHour adds up the small values of a field of an hour: those that come after
// the last that stays.
func (l limits) trimHour(ctx context.Context, tx *sql.Tx, h hourField) error {
	var events int64
	var value, kind string
	err := tx.QueryRowContext(ctx, `SELECT events, value, kind FROM hourly_top WHERE hour = ? AND field = ? AND value <> ''
		ORDER BY events DESC, value, kind LIMIT 1 OFFSET ?`, h.hour, h.field, l.hour-1).Scan(&events, &value, &kind)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	const small = ` FROM hourly_top WHERE hour = ?1 AND field = ?2 AND value <> '' AND (events < ?3 OR events = ?3 AND (value, kind) > (?4, ?5))`
	args := []any{h.hour, h.field, events, value, kind}
	// Each kind by itself: to group so many rows is to sort them.
	for _, k := range relaylens.RefusalKinds() {
		if _, err := tx.ExecContext(ctx, `INSERT INTO hourly_top (hour, field, value, kind, events, first, last)
			SELECT ?1, ?2, '', ?6, sum(events), min(first), max(last)`+small+` AND kind = ?6 HAVING count(*) > 0
			ON CONFLICT DO UPDATE SET events = events + excluded.events, first = min(first, excluded.first), last = max(last, excluded.last)`,
			append(args, k.String())...); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, "DELETE"+small, args...)
	return err
}

// trimDay does the same for hours that grew meanwhile, and for the day where it was
// added up already.
func (l limits) trimDay(ctx context.Context, tx *sql.Tx, day, before int64) error {
	large, err := l.large(ctx, tx, day, before)
	if err != nil {
		return err
	}
	for _, h := range large {
		if err := l.trimHour(ctx, tx, h); err != nil {
			return err
		}
	}
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
		if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
			return err
		}
	}
	return nil
}
