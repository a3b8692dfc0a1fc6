package store

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/relaylens/relaylens"
)

// Span is a half-open stretch of event time; a zero bound is open.
type Span struct{ Since, Until time.Time }

// Events lists the events of a span in time order, events of the same time in
// the order in which they came. It stops at the first error.
func (s *Store) Events(ctx context.Context, span Span) iter.Seq2[relaylens.Event, error] {
	var w where
	w.span(span)
	return s.rows(ctx, "SELECT "+columns+" FROM events"+w.sql.String()+" ORDER BY time, seq", w.args, &Query{})
}

// Stats says how full the store is.
type Stats struct {
	Events int64
	Oldest time.Time // zero when there is no event
	Newest time.Time
	Bytes  int64 // of the database without its write-ahead log
}

// Stats counts from the indexes; it does not scan events.
func (s *Store) Stats(ctx context.Context) (Stats, error) {
	var st Stats
	var oldest, newest *int64
	err := s.read.QueryRowContext(ctx, `SELECT coalesce((SELECT sum(events) FROM hourly_totals), 0),
		(SELECT min(time) FROM events), (SELECT max(time) FROM events)`).Scan(&st.Events, &oldest, &newest)
	if err != nil {
		return st, fmt.Errorf("read statistics of the event store: %w", err)
	}
	if st.Bytes, err = s.size(ctx); err != nil {
		return st, err
	}
	if oldest != nil && newest != nil {
		st.Oldest, st.Newest = time.Unix(0, *oldest).UTC(), time.Unix(0, *newest).UTC()
	}
	return st, nil
}

// size is that of the database in bytes, without its write-ahead log and what is
// free in it.
func (s *Store) size(ctx context.Context) (int64, error) {
	var pages, size, free int64
	err := s.read.QueryRowContext(ctx, `SELECT (SELECT page_count FROM pragma_page_count), (SELECT page_size FROM pragma_page_size),
		(SELECT freelist_count FROM pragma_freelist_count)`).Scan(&pages, &size, &free)
	if err != nil {
		return 0, fmt.Errorf("read size of the event store: %w", err)
	}
	return (pages - free) * size, nil
}
