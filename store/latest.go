package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// maxPassed is how many events are passed over together; what is rarer is
// looked for by itself, in its hours.
const maxPassed = 8192

// Latest gives, of each of several causes, the latest n events of a span that a
// match selects, in no order.
func (s *Store) Latest(ctx context.Context, span Span, match relaylens.Match, causes []relaylens.Cause, n int) ([]relaylens.Event, error) {
	return s.latest(ctx, Query{Span: span, Match: match, Limit: n}, causes, maxPassed)
}

func (s *Store) latest(ctx context.Context, q Query, causes []relaylens.Cause, most int) ([]relaylens.Event, error) {
	left := make(map[string]int, len(causes))
	for _, c := range causes {
		left[c.String()] = q.Limit
	}
	found, passed, err := s.pass(ctx, &q, left, most)
	if err != nil {
		return nil, err
	}
	names, err := json.Marshal(found)
	if err != nil {
		return nil, fmt.Errorf("name events: %w", err)
	}
	var events []relaylens.Event
	query := Query{}
	for e, err := range s.rows(ctx, "SELECT "+columns+" FROM events WHERE seq IN (SELECT value FROM json_each(?))", []any{string(names)}, &query) {
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	for cause, n := range left {
		only, err := relaylens.ParseMatch([]string{"cause=" + cause})
		if err != nil {
			return nil, fmt.Errorf("ask event store: %w", err)
		}
		query = Query{Span: q.Span, Match: q.Match.And(only), Reverse: true, Limit: n}
		if query.Span.Until = passed; passed.IsZero() {
			break // all events were passed
		}
		for e, err := range s.Select(ctx, query) {
			if err != nil {
				return nil, err
			}
			events = append(events, e)
		}
	}
	return events, nil
}

// pass goes through the latest events, about most of them, and gives the numbers of those that are
// left to find by their cause. What it found all of is left no longer. Events
// before the time that it gives were not passed; the zero time says that all
// were. Of the events of that time all were.
func (s *Store) pass(ctx context.Context, q *Query, left map[string]int, most int) (found []int64, passed time.Time, err error) {
	var w where
	w.span(q.Span)
	if err := w.match(q.Match); err != nil {
		return nil, time.Time{}, err
	}
	query := strings.Join([]string{"SELECT seq, time, coalesce(cause, '') FROM events", w.sql.String(), " ORDER BY time DESC, seq DESC"}, "")
	n, last := 0, int64(0)
	var r *row
	err = s.read.query(ctx, query, w.args, func(st *sqlite.Stmt) (bool, error) {
		if r == nil {
			r = newRow(st)
		}
		at, cause := st.ColumnInt64(1), r.name(2)
		if n >= most && at != last {
			passed = time.Unix(0, last)
			return false, nil
		}
		n, last = n+1, at
		switch more := left[cause]; more {
		case 0:
			return true, nil
		case 1:
			delete(left, cause)
		default:
			left[cause] = more - 1
		}
		found = append(found, st.ColumnInt64(0))
		return len(left) > 0, nil
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read causes of events: %w", err)
	}
	return found, passed, nil
}
