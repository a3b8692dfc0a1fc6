package store

import (
	"context"
	"fmt"
	"iter"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// Rest gives back the memory that questions took, which waits a while for others.
func (s *Store) Rest() { s.read.rest() }

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
	err := s.read.row(ctx, func(row *sqlite.Stmt) {
		if st.Events = row.ColumnInt64(0); !row.ColumnIsNull(1) {
			st.Oldest, st.Newest = time.Unix(0, row.ColumnInt64(1)).UTC(), time.Unix(0, row.ColumnInt64(2)).UTC()
		}
	}, `SELECT coalesce((SELECT sum(events) FROM hourly_totals), 0), (SELECT min(time) FROM events), (SELECT max(time) FROM events)`)
	if err != nil {
		return st, fmt.Errorf("read statistics of the event store: %w", err)
	}
	st.Bytes, err = s.size(ctx)
	return st, err
}

// Newest is the time of the nth event from behind, the zero time where there are
// fewer.
func (s *Store) Newest(ctx context.Context, n int) (at time.Time, err error) {
	err = s.read.row(ctx, func(st *sqlite.Stmt) {
		if !st.ColumnIsNull(0) {
			at = time.Unix(0, st.ColumnInt64(0)).UTC()
		}
	}, "SELECT (SELECT time FROM events ORDER BY time DESC LIMIT 1 OFFSET ?)", n-1)
	if err != nil {
		return at, fmt.Errorf("read time of events: %w", err)
	}
	return at, nil
}

// size is that of the database in bytes, without its write-ahead log and what is
// free in it.
func (s *Store) size(ctx context.Context) (bytes int64, err error) {
	err = s.read.row(ctx, func(st *sqlite.Stmt) { bytes = st.ColumnInt64(0) }, `SELECT ((SELECT page_count FROM pragma_page_count) -
		(SELECT freelist_count FROM pragma_freelist_count)) * (SELECT page_size FROM pragma_page_size)`)
	if err != nil {
		return 0, fmt.Errorf("read size of the event store: %w", err)
	}
	return bytes, nil
}
