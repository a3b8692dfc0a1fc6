package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// hourlyKey is a value that hourly_top counts, or a cause.
type hourlyKey struct{ field, value string }

// hours are the stretches of time in a span, in order, in which events of a match can be,
// by what the hours counted; ok is false when they do not tell. A rare client,
// user or domain is found without reading what lies between.
func (s *Store) hours(ctx context.Context, m relaylens.Match, within Span) (spans []Span, ok bool, err error) {
	keys, ok := hourlyKeys(m)
	if !ok {
		return nil, false, nil
	}
	query, args := s.hoursQuery(keys, within)
	err = s.read.query(ctx, query, args, func(st *sqlite.Stmt) (bool, error) {
		begin := time.Unix(st.ColumnInt64(0), 0)
		if n := len(spans); n > 0 && spans[n-1].Until.Equal(begin) {
			spans[n-1].Until = begin.Add(time.Hour)
		} else {
			spans = append(spans, Span{begin, begin.Add(time.Hour)})
		}
		return true, nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("read hours of events: %w", err)
	}
	return spans, true, nil
}

// hoursQuery asks for the hours of a span in which one of keys was counted.
func (s *Store) hoursQuery(keys []hourlyKey, within Span) (query string, args []any) {
	since, until := within.Around().hours()
	args = []any{since, until}
	var tests []string
	listed := false
	for _, k := range keys {
		if k.field == "cause" {
			tests = append(tests, "EXISTS (SELECT 1 FROM hourly_totals AS t WHERE t.hour = h.hour AND t.cause = ?)")
			args = append(args, k.value)
			continue
		}
		// '' stands for the small values of an hour, whose names are not kept.
		tests = append(tests, "EXISTS (SELECT 1 FROM hourly_top AS t WHERE t.hour = h.hour AND t.field = ? AND t.value IN (?, ''))")
		args = append(args, k.field, k.value)
		if s.lists {
			tests = append(tests, "EXISTS (SELECT 1 FROM hourly_lists AS t WHERE t.hour = h.hour AND t.field = ? AND (t.rest OR instr(t.list, ?)))")
			args = append(args, k.field, inList(k.value))
		}
		listed = true
	}
	if listed {
		// What remote servers refused is not counted under client, user or domain.
		tests = append(tests, "EXISTS (SELECT 1 FROM hourly_totals AS t WHERE t.hour = h.hour AND t.direction = 'outbound')")
	}
	if listed && s.waits {
		tests = append(tests, "EXISTS (SELECT 1 FROM hours_waiting AS t WHERE t.hour = h.hour)")
	}
	return strings.Join([]string{`WITH RECURSIVE h (hour) AS (SELECT min(hour) FROM hourly_totals WHERE hour >= ?1
		UNION ALL SELECT (SELECT min(hour) FROM hourly_totals WHERE hour > h.hour AND hour < ?2) FROM h WHERE h.hour IS NOT NULL)
		SELECT hour FROM h WHERE hour IS NOT NULL AND (`, strings.Join(tests, " OR "), ") ORDER BY hour"}, ""), args
}

// hourlyKeys are values of which every event of m has at least one; ok is false
// when there are none that the hours count, or too many.
func hourlyKeys(m relaylens.Match) (keys []hourlyKey, ok bool) {
	const most = 20
	for _, g := range m.Groups() {
		i := slices.IndexFunc(g, func(c relaylens.Clause) bool {
			return !slices.ContainsFunc(c.Conditions, func(c relaylens.Condition) bool { _, ok := hourlyKeyOf(&c); return !ok })
		})
		if i < 0 {
			return nil, false
		}
		for _, c := range g[i].Conditions {
			k, _ := hourlyKeyOf(&c)
			keys = append(keys, k)
		}
	}
	return keys, len(keys) > 0 && len(keys) <= most
}

func hourlyKeyOf(c *relaylens.Condition) (hourlyKey, bool) {
	switch {
	case c.Op == relaylens.OpNetwork && c.Column == "client_ip" && c.Network.IsSingleIP():
		return hourlyKey{"client_ip", c.Network.Addr().String()}, true
	case c.Op == relaylens.OpNetwork && c.Column == "client_ip" && c.Network == relaylens.NetworkOf(c.Network.Addr()):
		return hourlyKey{"network", c.Network.String()}, true
	case c.Op == relaylens.OpEqual && (c.Column == "user" || c.Column == "sender_domain" || c.Column == "recipient_domain" || c.Column == "cause"):
		return hourlyKey{c.Column, c.Text}, true
	}
	return hourlyKey{}, false
}

// within is the part of a that is in b.
func within(a, b Span) (Span, bool) {
	if a.Since.Before(b.Since) {
		a.Since = b.Since
	}
	if a.Until.IsZero() || !b.Until.IsZero() && b.Until.Before(a.Until) {
		a.Until = b.Until
	}
	return a, a.Until.IsZero() || a.Since.Before(a.Until)
}
