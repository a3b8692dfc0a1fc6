package store

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// Query asks for events. The zero value asks for all.
type Query struct {
	Span  Span
	Match relaylens.Match
	// From leaves out what stands before the event that it names, in the order
	// of the answer; After that event as well.
	From  *relaylens.Cursor
	After bool
	// Keep, when it is set, is asked of each event that Match selects.
	Keep func(*relaylens.Event) bool
	// Reverse lists the latest first.
	Reverse bool
	// Limit is the most events of the answer; 0 is no limit.
	Limit int
	// UpTo leaves out what was committed behind a mark; 0 is no mark.
	UpTo Mark
}

// Mark is a place in the order in which events were committed.
type Mark int64

// Mark is behind the latest event that is committed.
func (s *Store) Mark(ctx context.Context) (Mark, error) {
	var m Mark
	if err := s.read.row(ctx, func(st *sqlite.Stmt) { m = Mark(st.ColumnInt64(0)) }, "SELECT coalesce(max(seq), 0) FROM events"); err != nil {
		return 0, fmt.Errorf("read events: %w", err)
	}
	return m, nil
}

// Select lists the events that q asks for in time order, events of the same
// time in the order in which they came. It stops at the first error. An event
// is the receiver's to keep.
func (s *Store) Select(ctx context.Context, q Query) iter.Seq2[relaylens.Event, error] {
	return func(yield func(relaylens.Event, error) bool) {
		spans, err := s.spans(ctx, &q)
		if err != nil {
			yield(relaylens.Event{}, err)
			return
		}
		limited, left := q.Limit > 0, q.Limit
		for _, span := range spans {
			q.Span, q.Limit = span, left
			query, args, err := s.statement(ctx, &q)
			if err != nil {
				yield(relaylens.Event{}, err)
				return
			}
			for e, err := range s.rows(ctx, query, args, &q) {
				left--
				if !yield(e, err) || err != nil || limited && left == 0 {
					return
				}
			}
		}
	}
}

// Count is how many events of a span a match selects; it stops at most, 0 is no
// limit.
func (s *Store) Count(ctx context.Context, span Span, match relaylens.Match, most int) (n int, err error) {
	if most <= 0 {
		most = -1
	}
	var w where
	w.span(span)
	if err := w.match(match); err != nil {
		return 0, err
	}
	query := "SELECT count(*) FROM (SELECT 1 FROM events" + w.sql.String() + " LIMIT ?)"
	if err := s.read.row(ctx, func(st *sqlite.Stmt) { n = st.ColumnInt(0) }, query, append(w.args, most)...); err != nil {
		return 0, fmt.Errorf("count events: %w", err)
	}
	return n, nil
}

// spans are where to look for what q asks for, in the order of the answer.
func (s *Store) spans(ctx context.Context, q *Query) ([]Span, error) {
	hours, ok, err := s.hours(ctx, q.Match, q.Span)
	if err != nil || !ok {
		return []Span{q.Span}, err
	}
	spans := hours[:0]
	for _, h := range hours {
		if part, ok := within(h, q.Span); ok {
			spans = append(spans, part)
		}
	}
	if q.Reverse {
		slices.Reverse(spans)
	}
	return spans, nil
}

// SelectNew lists, in the order in which they were committed, what q asks for of
// the events that were committed behind a mark; next is behind those.
func (s *Store) SelectNew(ctx context.Context, q Query, mark Mark) (events []relaylens.Event, next Mark, err error) {
	if next, err = s.Mark(ctx); err != nil || next <= mark {
		return nil, mark, err
	}
	var w where
	w.and("seq > ?", int64(mark))
	w.and("seq <= ?", int64(next))
	w.span(q.Span)
	if err := w.match(q.Match); err != nil {
		return nil, mark, err
	}
	for e, err := range s.rows(ctx, "SELECT "+columns+" FROM events"+w.sql.String()+" ORDER BY seq", w.args, &q) {
		if err != nil {
			return nil, mark, err
		}
		events = append(events, e)
	}
	return events, next, nil
}

// Tail is Select for the last n events, still in time order.
func (s *Store) Tail(ctx context.Context, q Query, n int) ([]relaylens.Event, error) {
	if n <= 0 {
		return nil, nil
	}
	q.Reverse, q.Limit = true, n
	var events []relaylens.Event
	for e, err := range s.Select(ctx, q) {
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	slices.Reverse(events)
	return events, nil
}

// statement is q in SQL. The index on time gives the order; seq, the row's
// number, is part of every index.
func (s *Store) statement(ctx context.Context, q *Query) (query string, args []any, err error) {
	var w where
	w.span(q.Span)
	if q.From != nil {
		if err := s.from(ctx, &w, q); err != nil {
			return "", nil, err
		}
	}
	if q.UpTo > 0 {
		w.and("seq <= ?", int64(q.UpTo))
	}
	if err := w.match(q.Match); err != nil {
		return "", nil, err
	}
	order := "time, seq"
	if q.Reverse {
		order = "time DESC, seq DESC"
	}
	query = "SELECT " + columns + " FROM events" + w.sql.String() + " ORDER BY " + order
	if q.Limit > 0 && q.Keep == nil {
		query, w.args = query+" LIMIT ?", append(w.args, q.Limit)
	}
	return query, w.args, nil
}

// from adds the bound of the cursor. Where its event is not there, such as
// after its time to be deleted, what has the same time is repeated rather than
// left out.
func (s *Store) from(ctx context.Context, w *where, q *Query) error {
	at, seq := nanos(q.From.Time), int64(math.MinInt64)
	if q.Reverse {
		seq = math.MaxInt64
	}
	after := false
	err := s.read.row(ctx, func(st *sqlite.Stmt) { at, seq, after = st.ColumnInt64(0), st.ColumnInt64(1), q.After },
		"SELECT time, seq FROM events WHERE time = ? AND id = ?", at, q.From.ID[:])
	if err != nil {
		return fmt.Errorf("find cursor: %w", err)
	}
	more, equal := ">", ""
	if q.Reverse {
		more = "<"
	}
	if !after {
		equal = "="
	}
	w.and("time "+more+"= ?", at)
	w.and("(time "+more+" ? OR seq "+more+equal+" ?)", at, seq)
	return nil
}

// rows reads events, asks q.Keep and counts up to q.Limit.
func (s *Store) rows(ctx context.Context, query string, args []any, q *Query) iter.Seq2[relaylens.Event, error] {
	return func(yield func(relaylens.Event, error) bool) {
		if err := s.eachRow(ctx, query, args, q, yield); err != nil {
			yield(relaylens.Event{}, fmt.Errorf("read events: %w", err))
		}
	}
}

// eachRow returns what went wrong with the reading itself; a row that is not as it
// should be is told to yield.
func (s *Store) eachRow(ctx context.Context, query string, args []any, q *Query, yield func(relaylens.Event, error) bool) error {
	var r *row
	left := q.Limit
	return s.read.query(ctx, query, args, func(st *sqlite.Stmt) (more bool, err error) {
		if r == nil {
			r = newRow(st)
		}
		e, wrong := r.event()
		if wrong == nil && q.Keep != nil && !q.Keep(&e) {
			return true, nil
		}
		left--
		return yield(e, wrong) && wrong == nil && left != 0, nil
	})
}

// nanos is t as the column has it; what lies outside of the years 1678 to 2262
// is the nearest that is inside.
func nanos(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}
