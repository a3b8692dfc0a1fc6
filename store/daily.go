package store

import (
	"context"
	"fmt"
	"iter"

	"zombiezen.com/go/sqlite"
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
		if err := s.trim(ctx, day, min(before, at)); err != nil {
			return err
		}
		if day < since || at > before {
			continue
		}
		for _, field := range topFields {
			if err := s.transact(ctx, "add up a day", func(w *writer) error { return s.tops.addUpField(w, day, field) }); err != nil {
				return err
			}
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
	const sums = `WITH RECURSIVE
		h (hour) AS (VALUES (?1) UNION ALL SELECT hour + 3600 FROM h WHERE hour < ?1 + 82800),
		least (hour, events) AS MATERIALIZED (SELECT hour, coalesce(
			(SELECT events FROM hourly_top t WHERE t.hour = h.hour AND t.field = ?2 AND t.value <> '' ORDER BY events DESC LIMIT 1 OFFSET ?4 - 1),
			(SELECT min(events) FROM hourly_top t WHERE t.hour = h.hour AND t.field = ?2 AND t.value <> ''), 1 << 62)
			FROM h WHERE EXISTS (SELECT 1 FROM hourly_top t WHERE t.hour = h.hour AND t.field = ?2 AND t.value = '')),
		sums (value, kind, events, first, last, bound) AS (SELECT value, kind, sum(t.events), min(first), max(last),
			sum(CASE WHEN value = '' THEN min(t.events, (SELECT l.events FROM least l WHERE l.hour = h.hour)) ELSE 0 END)
			FROM h CROSS JOIN hourly_top t WHERE t.hour = h.hour AND t.field = ?2 GROUP BY value, kind),
		ranked AS (SELECT *, value <> '' AND row_number() OVER (PARTITION BY value = '' ORDER BY events DESC, value, kind) > ?3 AS small FROM sums)
		INSERT INTO daily_top (day, field, value, kind, events, first, last, bound)
		SELECT ?1, ?2, CASE WHEN small THEN '' ELSE value END AS name, kind, sum(events), min(first), max(last),
			sum(bound) + max(CASE WHEN small THEN events ELSE 0 END) FROM ranked GROUP BY name, kind`
	there, err := w.row(func(*sqlite.Stmt) {}, "SELECT 1 FROM daily WHERE day = ? AND field = ?", day, field)
	if err != nil || there {
		return err
	}
	for _, step := range []struct {
		query string
		args  []any
	}{
		{"DELETE FROM daily_top WHERE day = ? AND field = ?", []any{day, field}},
		{sums, []any{day, field, l.day, l.hour}},
		{"INSERT INTO daily (day, field, late) VALUES (?, ?, 1)", []any{day, field}},
	} {
		if _, err := w.exec(step.query, step.args...); err != nil {
			return err
		}
	}
	return nil
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
