package store

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"github.com/relaylens/relaylens"
)

// Loud lists, in order of time, the values that had at least so many events of
// one kind in an hour of a span of whole hours, or in a day where days are what is
// known of it. Unlike [Store.Values] it takes no memory for the others.
func (s *Store) Loud(ctx context.Context, span Span, least int) iter.Seq2[Value, error] {
	return s.parted(ctx, span, func(p stretch) iter.Seq2[Value, error] {
		const columns = "SELECT field, value, kind, events, first, last"
		query := columns + " FROM hourly_top WHERE hour >= ? AND hour < ? AND value <> '' AND events >= ? ORDER BY hour"
		if p.daily {
			query = columns + " FROM daily_top WHERE day >= ? AND day < ? AND value <> '' AND events >= ? ORDER BY day"
		}
		return each(ctx, s, "loudest clients, users and domains", query, []any{p.since, p.until, least}, func(rows *sql.Rows, yield func(Value) bool) error {
			for rows.Next() {
				var v Value
				var kind string
				var first, last int64
				err := rows.Scan(&v.Field, &v.Value, &kind, &v.Events, &first, &last)
				if word(&err, &v.Kind, kind, relaylens.ParseKind); err != nil {
					return err
				}
				v.First, v.Last = time.Unix(0, first).UTC(), time.Unix(0, last).UTC()
				if !yield(v) {
					return nil
				}
			}
			return nil
		})
	})
}
