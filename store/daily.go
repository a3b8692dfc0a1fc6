package store

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// topFields are the fields of hourly_top and daily_top, in the order of their names.
var topFields = [...]string{"client_ip", "network", "recipient_domain", "remote_host", "sender_domain", "user"}

// The places of topFields.
const (
	fieldClientIP = iota
	fieldNetwork
	fieldRecipientDomain
	fieldRemoteHost
	fieldSenderDomain
	fieldUser
)

const (
	hourSeconds = 3600
	daySeconds  = 24 * hourSeconds
	// dailyVersion is the schema that brought daily_top. A daemon that was not
	// restarted yet has an older one, and commands read it.
	dailyVersion = 4
	// waitingVersion brought hours_waiting.
	waitingVersion = 7
	// listsVersion brought hourly_lists.
	listsVersion = 8
)

// limits are how many values stay of each field.
type limits struct{ hour, day int }

// dayOf is the beginning of the day (UTC) of a time, both in Unix seconds.
func dayOf(seconds int64) int64 { return seconds - ((seconds%daySeconds)+daySeconds)%daySeconds }

// addUp keeps the largest values of each hour that ended before a time, so that an
// attacker's many names cost one row an hour, and adds the days up that ended
// before it. Days that are done and had no events since cost nothing. Hours before
// since may be gone, so that their day is not whole.
func (s *Store) addUp(ctx context.Context, since, before int64) error {
	return s.undone(ctx, since, before, func(day int64) error {
		if err := s.trim(ctx, day, min(before, day+daySeconds)); err != nil {
			return err
		}
		if day < since || day+daySeconds > before {
			return nil
		}
		for _, field := range topFields {
			if err := s.transact(ctx, "add up a day", func(w *writer) error { return s.tops.addUpField(w, day, field) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// trimHours keeps the largest values of each hour that is over.
func (s *Store) trimHours(ctx context.Context) error {
	newest, err := s.Newest(ctx, 1)
	if err != nil {
		return err
	}
	before := over(newest)
	return s.undone(ctx, math.MinInt64, before, func(day int64) error { return s.trim(ctx, day, min(before, day+daySeconds)) })
}

// over is when the hours began of which nothing more comes, but for what is late.
func over(newest time.Time) int64 { return newest.Add(-2 * time.Hour).Truncate(time.Hour).Unix() }

// undone hands on the days of a stretch that are not added up, or had events since.
func (s *Store) undone(ctx context.Context, since, before int64, do func(day int64) error) error {
	done, err := s.daysDone(ctx)
	if err != nil {
		return err
	}
	for at := since; ; {
		var day int64
		found := false
		err := s.read.row(ctx, func(st *sqlite.Stmt) { day, found = dayOf(st.ColumnInt64(0)), !st.ColumnIsNull(0) },
			"SELECT min(hour) FROM hourly_totals WHERE hour >= ? AND hour < ?", at, before)
		if err != nil {
			return fmt.Errorf("add up days: %w", err)
		}
		if !found {
			return nil
		}
		if at = day + daySeconds; done[day] {
			continue
		}
		if err := do(day); err != nil {
			return err
		}
	}
}

// daysDone are the days that need nothing more.
func (s *Store) daysDone(ctx context.Context) (map[int64]bool, error) {
	done := make(map[int64]bool)
	for day, err := range s.days(ctx, "SELECT day FROM daily GROUP BY day HAVING count(*) = ? AND max(late) = 0", len(topFields)) {
		if err != nil {
			return nil, err
		}
		done[day] = true
	}
	return done, nil
}

// days are those that a query tells.
func (s *Store) days(ctx context.Context, query string, args ...any) iter.Seq2[int64, error] {
	return each(ctx, s, "days", query, args, func(st *sqlite.Stmt, yield func(int64) bool) (bool, error) {
		return yield(st.ColumnInt64(0)), nil
	})
}

// addUpField writes one field of a day, unless it is there. Events that came since
// the hours were trimmed are looked at with the next ones that are late.
//
// A value whose name is not kept had at most, in each hour without its name, what
// [bound] tells, and in the hours with it what is left out here.
func (l limits) addUpField(w *writer, day int64, field string) error {
	there, err := w.row(func(*sqlite.Stmt) {}, "SELECT 1 FROM daily WHERE day = ? AND field = ?", day, field)
	if err != nil || there {
		return err
	}
	sums, err := l.sumsOf(w, day, field)
	if err != nil {
		return err
	}
	if _, err := w.exec("DELETE FROM daily_top WHERE day = ? AND field = ?", day, field); err != nil {
		return err
	}
	for _, v := range l.largestOf(sums) {
		if _, err := w.exec("INSERT INTO daily_top (day, field, value, kind, events, first, last, bound) VALUES (?,?,?,?,?,?,?,?)",
			day, field, v.Value, v.Kind.String(), v.Events, v.First.UnixNano(), v.Last.UnixNano(), v.Bound); err != nil {
			return err
		}
	}
	_, err = w.exec("INSERT INTO daily (day, field, late) VALUES (?, ?, 1)", day, field)
	return err
}

// daySums are the values of a field of a day, and of each kind those without names.
type daySums map[dayValue]*Value

type dayValue struct {
	value string
	kind  relaylens.Kind
}

func (d daySums) add(v *Value) {
	key := dayValue{v.Value, v.Kind}
	sum, ok := d[key]
	if !ok {
		added := *v
		d[key] = &added
		return
	}
	sum.Events, sum.Bound = sum.Events+v.Events, sum.Bound+v.Bound
	if v.First.Before(sum.First) {
		sum.First = v.First
	}
	if v.Last.After(sum.Last) {
		sum.Last = v.Last
	}
}

// sumsOf adds up a field of the hours of a day.
func (l limits) sumsOf(w *writer, day int64, field string) (daySums, error) {
	const query = packedHour + ` FROM (SELECT DISTINCT hour FROM hourly_totals WHERE hour >= ?1 AND hour < ?2) h CROSS JOIN hourly_top t
		WHERE t.hour = h.hour AND t.field = ?3 GROUP BY h.hour
		UNION ALL SELECT field, list FROM hourly_lists WHERE hour >= ?1 AND hour < ?2 AND field = ?3`
	sums, kinds := daySums{}, make(map[string]relaylens.Kind)
	var hour []Value
	err := rows(w.conn, query, []any{day, day + daySeconds, field}, func(st *sqlite.Stmt) (err error) {
		hour = hour[:0]
		for text := st.ColumnText(1); text != ""; {
			v := Value{Field: field}
			if text, err = v.unpack(text, kinds, false); err != nil {
				return err
			}
			hour = append(hour, v)
		}
		bound(hour, l.hour)
		for i := range hour {
			sums.add(&hour[i])
		}
		return nil
	})
	return sums, err
}

// largestOf are the largest values, and the others without their names: one of them
// had at most as many events as the largest of its kind that is left out.
func (l limits) largestOf(sums daySums) []Value {
	var named []Value
	rest := daySums{}
	for key, v := range sums {
		if key.value == "" {
			rest.add(v)
		} else {
			named = append(named, *v)
		}
	}
	slices.SortFunc(named, func(a, b Value) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), strings.Compare(a.Value, b.Value), strings.Compare(a.Kind.String(), b.Kind.String()))
	})
	kept := named[:min(l.day, len(named))]
	bounds := map[relaylens.Kind]int64{}
	for _, v := range named[len(kept):] {
		bounds[v.Kind] = max(bounds[v.Kind], v.Events)
		v.Value = ""
		rest.add(&v)
	}
	for key, v := range rest {
		v.Bound += bounds[key.kind]
		kept = append(kept, *v)
	}
	return kept
}

// stretch is a part of a span that one table tells of.
type stretch struct {
	since, until int64
	daily        bool
}

// stretches splits a span of whole hours in what daily_top tells of and what
// hourly_top does, in order.
func (s *Store) stretches(ctx context.Context, span Span) ([]stretch, error) {
	since, until := span.hours()
	if !s.daily {
		return []stretch{{since, until, false}}, nil
	}
	var parts []stretch
	for day, err := range s.days(ctx, "SELECT day FROM daily WHERE day >= ? AND day <= ? GROUP BY day HAVING count(*) = ? ORDER BY day",
		since, until-daySeconds, len(topFields)) {
		if err != nil {
			return nil, err
		}
		if n := len(parts); n > 0 && day == since {
			parts[n-1].until += daySeconds
		} else {
			if since < day {
				parts = append(parts, stretch{since, day, false})
			}
			parts = append(parts, stretch{day, day + daySeconds, true})
		}
		since = day + daySeconds
	}
	if since < until {
		parts = append(parts, stretch{since, until, false})
	}
	return parts, nil
}

// parted hands on what ask gives of each stretch of a span.
func (s *Store) parted(ctx context.Context, span Span, ask func(stretch) iter.Seq2[Value, error]) iter.Seq2[Value, error] {
	return func(yield func(Value, error) bool) {
		parts, err := s.stretches(ctx, span)
		if err != nil {
			yield(Value{}, err)
			return
		}
		for _, p := range parts {
			for v, err := range ask(p) {
				if !yield(v, err) || err != nil {
					return
				}
			}
		}
	}
}
