package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

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

// Values lists the values that the hours of a span of whole hours had, of whole
// days together where that is known.
func (s *Store) Values(ctx context.Context, span Span) iter.Seq2[Value, error] {
	return s.parted(ctx, span, func(p stretch) iter.Seq2[Value, error] {
		query := packedHour + ` FROM hourly_top t WHERE hour >= ? AND hour < ? GROUP BY t.hour, t.field`
		if s.lists {
			query += wholeLists
		}
		if p.daily {
			query = packedDay + ` FROM daily_top t WHERE day >= ? AND day < ? GROUP BY t.day, t.field`
		}
		return s.values(ctx, p.daily, func(*Value) bool { return true }, query, p.since, p.until)
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
		if s.lists {
			query += wholeList
		}
		if p.daily {
			query = packedDay + ` FROM (SELECT DISTINCT day FROM daily WHERE day >= ? AND day < ?) d CROSS JOIN json_each(?) v CROSS JOIN daily_top t
				WHERE t.day = d.day AND t.field = ? AND t.value = v.value GROUP BY d.day`
		}
		return s.values(ctx, p.daily, func(v *Value) bool { return v.Field == field && slices.Contains(values, v.Value) }, query, p.since, p.until, string(names), field)
	})
}

// valuesWith lists the values of one field as [Store.Values] does.
func (s *Store) valuesWith(ctx context.Context, span Span, field string) iter.Seq2[Value, error] {
	return s.parted(ctx, span, func(p stretch) iter.Seq2[Value, error] {
		// One search for each hour or day: the other fields of each lie between.
		query := packedHour + ` FROM (SELECT DISTINCT hour FROM hourly_totals WHERE hour >= ? AND hour < ?) h CROSS JOIN hourly_top t
			WHERE t.hour = h.hour AND t.field = ? GROUP BY h.hour`
		if s.lists {
			query += wholeLists + " AND field = ?3"
		}
		if p.daily {
			query = packedDay + ` FROM (SELECT DISTINCT day FROM daily WHERE day >= ? AND day < ?) d CROSS JOIN daily_top t
				WHERE t.day = d.day AND t.field = ? GROUP BY d.day`
		}
		return s.values(ctx, p.daily, func(v *Value) bool { return v.Field == field }, query, p.since, p.until, field)
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

// values are those of a query that keep wants or that have no name, and with them those
// that it wants of the hours that wait.
func (s *Store) values(ctx context.Context, daily bool, keep func(*Value) bool, query string, args ...any) iter.Seq2[Value, error] {
	kinds := make(map[string]relaylens.Kind)
	var hour []Value
	var behind []behindHour
	if s.waits {
		query += selectBehind
	}
	written := each(ctx, s, "top lists", query, args, func(st *sqlite.Stmt, yield func(Value) bool) (more bool, err error) {
		field, text := st.ColumnText(0), st.ColumnText(1)
		if field == "" {
			var h behindHour
			err := h.parse(text)
			behind = append(behind, h)
			return true, err
		}
		hour = hour[:0]
		for text != "" {
			v := Value{Field: field}
			if text, err = v.unpack(text, kinds, daily); err != nil {
				return false, err
			}
			hour = append(hour, v)
		}
		if !daily {
			bound(hour, s.tops.hour)
		}
		for i := range hour {
			if (hour[i].Value == "" || keep(&hour[i])) && !yield(hour[i]) {
				return false, nil
			}
		}
		return true, nil
	})
	return func(yield func(Value, error) bool) {
		for v, err := range written {
			if !yield(v, err) || err != nil {
				return
			}
		}
		for _, h := range behind {
			if !s.valuesBehind(ctx, h, func(v Value, err error) bool { return err == nil && !keep(&v) || yield(v, err) }) {
				return
			}
		}
	}
}

// unpack reads v from the beginning of text, which it aliases, and returns the
// rest. That of a day tells its bound.
func (v *Value) unpack(text string, kinds map[string]relaylens.Kind, daily bool) (rest string, err error) {
	word, text, _ := strings.Cut(text, " ")
	if known(&err, kinds, &v.Kind, word, relaylens.ParseKind); err != nil {
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
