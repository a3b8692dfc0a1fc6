package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

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

// Value is how many events of one kind had a value in a field, in one hour or one
// day (UTC).
type Value struct {
	Field  string // client_ip, network, user, sender_domain, recipient_domain; remote_host of outbound events
	Value  string // empty: of small values, whose names are not kept
	Kind   relaylens.Kind
	Events int64
	First  time.Time
	Last   time.Time
	// Bound is set with an empty Value: no value had more events of this kind in
	// the hour, or the day, beside those under its own name.
	Bound int64
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
	const query = `SELECT hour, host, mta, kind, direction, reason, cause, class, events FROM hourly_totals
		WHERE hour >= ? AND hour < ? ORDER BY hour`
	return each(ctx, s, "hourly totals", query, []any{since, until}, func(rows *sql.Rows, yield func(Total) bool) error {
		var hour int64
		var mta, kind, direction, reason, cause, class string
		for rows.Next() {
			var t Total
			if err := rows.Scan(&hour, &t.Host, &mta, &kind, &direction, &reason, &cause, &class, &t.Events); err != nil {
				return err
			}
			t.Hour = time.Unix(hour, 0).UTC()
			var err error
			word(&err, &t.MTA, mta, relaylens.ParseMTA)
			word(&err, &t.Kind, kind, relaylens.ParseKind)
			word(&err, &t.Direction, direction, relaylens.ParseDirection)
			word(&err, &t.Reason, reason, relaylens.ParseReason)
			word(&err, &t.Cause, cause, relaylens.ParseCause)
			word(&err, &t.Class, class, relaylens.ParseClass)
			if err != nil || !yield(t) {
				return err
			}
		}
		return nil
	})
}

// Values lists the values that the hours of a span of whole hours had, of whole
// days together where that is known.
func (s *Store) Values(ctx context.Context, span Span) iter.Seq2[Value, error] {
	return s.parted(ctx, span, func(p stretch) iter.Seq2[Value, error] {
		query := packedHour + ` FROM hourly_top t WHERE hour >= ? AND hour < ? GROUP BY t.hour, t.field`
		if p.daily {
			query = packedDay + ` FROM daily_top t WHERE day >= ? AND day < ? GROUP BY t.day, t.field`
		}
		return s.values(ctx, p.daily, query, p.since, p.until)
	})
}

// ValuesOf lists some values of a field as [Store.Values] does; what has no name
// any more is among them.
func (s *Store) ValuesOf(ctx context.Context, span Span, field string, values []string) iter.Seq2[Value, error] {
	names, err := json.Marshal(append([]string{""}, values...))
	if err != nil {
		return func(yield func(Value, error) bool) { yield(Value{}, fmt.Errorf("name values of %s: %w", field, err)) }
	}
	return s.parted(ctx, span, func(p stretch) iter.Seq2[Value, error] {
		// One search for each hour or day and value: they may hold many more.
		query := packedHour + ` FROM (SELECT DISTINCT hour FROM hourly_totals WHERE hour >= ? AND hour < ?) h CROSS JOIN json_each(?) v CROSS JOIN hourly_top t
			WHERE t.hour = h.hour AND t.field = ? AND t.value = v.value GROUP BY h.hour`
		if p.daily {
			query = packedDay + ` FROM (SELECT DISTINCT day FROM daily WHERE day >= ? AND day < ?) d CROSS JOIN json_each(?) v CROSS JOIN daily_top t
				WHERE t.day = d.day AND t.field = ? AND t.value = v.value GROUP BY d.day`
		}
		return s.values(ctx, p.daily, query, p.since, p.until, string(names), field)
	})
}

// Packed selects all rows of an hour, or a day, and field as one text, which costs
// half of what so many rows do. The value is last and its length tells where it
// ends, for it is a stranger's text.
const (
	packedHour = `SELECT t.field, group_concat(concat_ws(' ', t.kind, t.events, t.first, t.last, octet_length(t.value), t.value), '')`
	packedDay  = `SELECT t.field, group_concat(concat_ws(' ', t.kind, t.events, t.first, t.last, t.bound, octet_length(t.value), t.value), '')`
)

var errPacked = errors.New("a row of a top list is not as it was written")

func (s *Store) values(ctx context.Context, daily bool, query string, args ...any) iter.Seq2[Value, error] {
	return each(ctx, s, "top lists", query, args, func(rows *sql.Rows, yield func(Value) bool) error {
		var field, text string
		kinds := make(map[string]relaylens.Kind)
		var hour []Value
		for rows.Next() {
			if err := rows.Scan(&field, &text); err != nil {
				return err
			}
			hour = hour[:0]
			for text != "" {
				v := Value{Field: field}
				var err error
				if text, err = v.unpack(text, kinds, daily); err != nil {
					return err
				}
				hour = append(hour, v)
			}
			if !daily {
				bound(hour, s.tops.hour)
			}
			for i := range hour {
				if !yield(hour[i]) {
					return nil
				}
			}
		}
		return nil
	})
}

// unpack reads v from the beginning of text, which it aliases, and returns the
// rest. That of a day tells its bound.
func (v *Value) unpack(text string, kinds map[string]relaylens.Kind, daily bool) (rest string, err error) {
	word, text, _ := strings.Cut(text, " ")
	if known(&err, kinds, &v.Kind, []byte(word), relaylens.ParseKind); err != nil {
		return "", err
	}
	var numbers [5]int64 // events, first, last, bound, length of the value
	for i := range numbers {
		if i == 3 && !daily {
			continue
		}
		var ok bool
		if word, text, ok = strings.Cut(text, " "); !ok {
			return "", errPacked
		}
		if numbers[i], err = strconv.ParseInt(word, 10, 64); err != nil {
			return "", errPacked
		}
	}
	n := numbers[4]
	if n < 0 || n > int64(len(text)) {
		return "", errPacked
	}
	v.Events, v.First, v.Last, v.Value = numbers[0], time.Unix(0, numbers[1]).UTC(), time.Unix(0, numbers[2]).UTC(), text[:n]
	v.Bound = numbers[3]
	return text[n:], nil
}

// bound tells of the values of one hour and field whose names were not kept that
// none of them had more events than the least of the most that were. What came
// late is beside those until the next time.
func bound(hour []Value, most int) {
	if !slices.ContainsFunc(hour, func(v Value) bool { return v.Value == "" }) {
		return
	}
	kept := make([]int64, 0, len(hour))
	for i := range hour {
		if hour[i].Value != "" {
			kept = append(kept, hour[i].Events)
		}
	}
	least := int64(math.MaxInt64)
	if len(kept) > most {
		slices.Sort(kept)
		kept = kept[len(kept)-most:]
	}
	for _, n := range kept {
		least = min(least, n)
	}
	for i := range hour {
		if hour[i].Value == "" {
			hour[i].Bound = min(hour[i].Events, least)
		}
	}
}

// each runs a query and hands its rows to scan, which ends at an error or when
// yield does not want more.
func each[T any](ctx context.Context, s *Store, what, query string, args []any, scan func(*sql.Rows, func(T) bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := s.read.QueryContext(ctx, query, args...)
		if err != nil {
			yield(none, fmt.Errorf("read %s: %w", what, err))
			return
		}
		defer rows.Close()
		done := false
		err = scan(rows, func(v T) bool {
			done = !yield(v, nil)
			return !done
		})
		if err == nil {
			err = rows.Err()
		}
		if err != nil && !done {
			yield(none, fmt.Errorf("read %s: %w", what, err))
		}
	}
}
