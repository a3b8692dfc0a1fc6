package store

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// Total is how many events of one hour are alike in all that is told here.
type Total struct {
	Hour      time.Time
	Host      string
	MTA       relaylens.MTA
	Kind      relaylens.Kind
	Direction relaylens.Direction
	Reason    relaylens.Reason
	Cause     relaylens.Cause
	Class     relaylens.Class
	Events    int64
}

// Hours splits s in the whole hours that the roll-ups tell of and the stretches
// before and after, which only the events themselves tell of. A part that there
// is none of is not ok. An open end is whole.
func (s Span) Hours() (head, whole, tail Span, ok [3]bool) {
	whole = s
	if !s.Since.IsZero() {
		whole.Since = s.Since.Truncate(time.Hour)
		if whole.Since.Before(s.Since) {
			whole.Since = whole.Since.Add(time.Hour)
		}
	}
	if !s.Until.IsZero() {
		whole.Until = s.Until.Truncate(time.Hour)
	}
	if !whole.Since.IsZero() && !whole.Until.IsZero() && !whole.Since.Before(whole.Until) {
		return s, Span{}, Span{}, [3]bool{true, false, false}
	}
	head, tail = Span{s.Since, whole.Since}, Span{whole.Until, s.Until}
	return head, whole, tail, [3]bool{head.Since.Before(head.Until), true, tail.Since.Before(tail.Until)}
}

// Around is s widened to whole hours.
func (s Span) Around() Span {
	if !s.Since.IsZero() {
		s.Since = s.Since.Truncate(time.Hour)
	}
	if until := s.Until.Truncate(time.Hour); until.Before(s.Until) {
		s.Until = until.Add(time.Hour)
	}
	return s
}

// hours are the bounds of s in the columns hour, which hold seconds.
func (s Span) hours() (since, until int64) {
	since, until = -1<<62, 1<<62
	if !s.Since.IsZero() {
		since = s.Since.Unix()
	}
	if !s.Until.IsZero() {
		until = s.Until.Unix()
	}
	return since, until
}

// Totals lists the hourly totals of a span of whole hours.
func (s *Store) Totals(ctx context.Context, span Span) iter.Seq2[Total, error] {
	since, until := span.hours()
	const query = `SELECT hour, group_concat(concat_ws(' ', mta, kind, direction, reason, cause, class, events, octet_length(host), host), '')
		FROM hourly_totals WHERE hour >= ? AND hour < ? GROUP BY hour ORDER BY hour`
	kinds := make(map[string]Total)
	return each(ctx, s, "hourly totals", query, []any{since, until}, func(st *sqlite.Stmt, yield func(Total) bool) (more bool, err error) {
		at, text := time.Unix(st.ColumnInt64(0), 0).UTC(), st.ColumnText(1)
		for text != "" {
			var t Total
			if text, err = t.unpack(text, kinds); err != nil {
				return false, err
			}
			if t.Hour = at; !yield(t) {
				return false, nil
			}
		}
		return true, nil
	})
}

// unpack reads all of t but its hour from the beginning of text, which it aliases,
// and returns the rest. The host is last and its length tells where it ends, for
// it is a stranger's text. Totals that are alike but for host and number are kept
// in seen.
func (t *Total) unpack(text string, seen map[string]Total) (rest string, err error) {
	end := 0
	for range 6 {
		n := strings.IndexByte(text[end:], ' ')
		if n < 0 {
			return "", errPacked
		}
		end += n + 1
	}
	words := text[:end]
	alike, ok := seen[words]
	if !ok {
		if err := alike.parse(strings.Split(words, " ")); err != nil {
			return "", err
		}
		seen[strings.Clone(words)] = alike
	}
	*t = alike
	events, text, _ := strings.Cut(text[end:], " ")
	length, text, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 || n > len(text) {
		return "", errPacked
	}
	if t.Events, err = strconv.ParseInt(events, 10, 64); err != nil {
		return "", errPacked
	}
	t.Host = text[:n]
	return text[n:], nil
}

// parse reads the words of the closed lists in the order of the query.
func (t *Total) parse(words []string) (err error) {
	word(&err, &t.MTA, words[0], relaylens.ParseMTA)
	word(&err, &t.Kind, words[1], relaylens.ParseKind)
	word(&err, &t.Direction, words[2], relaylens.ParseDirection)
	word(&err, &t.Reason, words[3], relaylens.ParseReason)
	word(&err, &t.Cause, words[4], relaylens.ParseCause)
	word(&err, &t.Class, words[5], relaylens.ParseClass)
	return err
}

// Causes lists the causes that the hours of a span of whole hours had.
func (s *Store) Causes(ctx context.Context, span Span) ([]relaylens.Cause, error) {
	since, until := span.hours()
	const query = "SELECT DISTINCT cause FROM hourly_totals WHERE hour >= ? AND hour < ?"
	var causes []relaylens.Cause
	for cause, err := range each(ctx, s, "causes", query, []any{since, until}, func(st *sqlite.Stmt, yield func(relaylens.Cause) bool) (more bool, err error) {
		var c relaylens.Cause
		if word(&err, &c, st.ColumnText(0), relaylens.ParseCause); err != nil {
			return false, err
		}
		return yield(c), nil
	}) {
		if err != nil {
			return nil, err
		}
		causes = append(causes, cause)
	}
	return causes, nil
}

// each runs a query and hands its rows to read, which ends at an error or when
// yield does not want more.
func each[T any](ctx context.Context, s *Store, what, query string, args []any, read func(st *sqlite.Stmt, yield func(T) bool) (more bool, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		done := false
		err := s.read.query(ctx, query, args, func(st *sqlite.Stmt) (bool, error) {
			return read(st, func(v T) bool {
				done = !yield(v, nil)
				return !done
			})
		})
		if err != nil && !done {
			var none T
			yield(none, fmt.Errorf("read %s: %w", what, err))
		}
	}
}
