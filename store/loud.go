package store

import (
	"context"
	"iter"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// Loud lists, in order of time, the values that had at least so many events of
// one kind in an hour of a span of whole hours, or in a day where days are what is
// known of it. Unlike [Store.Values] it takes no memory for the others.
func (s *Store) Loud(ctx context.Context, span Span, least int) iter.Seq2[Value, error] {
	return s.parted(ctx, span, func(p stretch) iter.Seq2[Value, error] {
		const columns = "SELECT field, value, kind, events, first, last, NULL"
		query := columns + ", hour FROM hourly_top WHERE hour >= ?1 AND hour < ?2 AND value <> '' AND events >= ?3"
		if s.lists {
			query += " UNION ALL SELECT field, '', '', 0, 0, 0, list, hour FROM hourly_lists WHERE hour >= ?1 AND hour < ?2"
		}
		if query += " ORDER BY hour"; p.daily {
			query = columns + " FROM daily_top WHERE day >= ? AND day < ? AND value <> '' AND events >= ? ORDER BY day"
		}
		kinds := make(map[string]relaylens.Kind)
		return each(ctx, s, "loudest clients, users and domains", query, []any{p.since, p.until, least}, func(st *sqlite.Stmt, yield func(Value) bool) (more bool, err error) {
			if !st.ColumnIsNull(6) {
				return loudOf(st.ColumnText(0), st.ColumnText(6), int64(least), kinds, yield)
			}
			v := Value{Field: st.ColumnText(0), Value: st.ColumnText(1), Events: st.ColumnInt64(3),
				First: time.Unix(0, st.ColumnInt64(4)).UTC(), Last: time.Unix(0, st.ColumnInt64(5)).UTC()}
			if word(&err, &v.Kind, st.ColumnText(2), relaylens.ParseKind); err != nil {
				return false, err
			}
			return yield(v), nil
		})
	})
}

// loudOf hands on those of a packed list.
func loudOf(field, list string, least int64, kinds map[string]relaylens.Kind, yield func(Value) bool) (more bool, err error) {
	for list != "" {
		v := Value{Field: field}
		if list, err = v.unpack(list, kinds, false); err != nil {
			return false, err
		}
		if v.Value != "" && v.Events >= least && !yield(v) {
			return false, nil
		}
	}
	return true, nil
}
