package store

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// valueColumns are the fields whose values stand in a column as they are shown.
var valueColumns = []string{"host", "mta", "service", "pid", "queue_id", "kind", "direction", "stage", "reason", "cause", "client_ip",
	"client_name", "client_port", "helo", "proto", "user", "auth_method", "sender", "recipient", "sender_domain", "recipient_domain",
	"code", "class", "enhanced", "text", "remote_host", "remote_ip", "source", "line"}

// hourlyFields are counted by hour, from which the most frequent values of late
// are known at once.
var hourlyFields = map[string]string{"client_ip": "client_ip", "client_net": "network", "user": "user",
	"sender_domain": "sender_domain", "recipient_domain": "recipient_domain"}

// Distinct lists what the events that q asks for have in a field, sorted, each
// value once.
func (s *Store) Distinct(ctx context.Context, field string, q Query) ([]string, error) {
	if field == "client_net" && q.Keep == nil {
		return s.networks(ctx, q)
	}
	if slices.Contains(valueColumns, field) && q.Keep == nil {
		var w where
		w.span(q.Span)
		if err := w.match(q.Match); err != nil {
			return nil, err
		}
		w.and(field + " IS NOT NULL")
		values, err := s.strings(ctx, "SELECT DISTINCT CAST("+field+" AS TEXT) FROM events"+w.sql.String(), w.args)
		slices.Sort(values)
		return values, err
	}
	set := map[string]struct{}{}
	for e, err := range s.Select(ctx, q) {
		if err != nil {
			return nil, err
		}
		if v := e.MatchField(field); v != "" {
			set[v] = struct{}{}
		}
	}
	return sortedKeys(set), nil
}

func (s *Store) networks(ctx context.Context, q Query) ([]string, error) {
	addresses, err := s.Distinct(ctx, "client_ip", q)
	if err != nil {
		return nil, err
	}
	set := map[string]struct{}{}
	for _, text := range addresses {
		if p := relaylens.NetworkOf(parseAddr(text)); p.IsValid() {
			set[p.String()] = struct{}{}
		}
	}
	return sortedKeys(set), nil
}

// Frequent lists at most n of the values that a field had most often in the
// last day of the log, or where they are not counted by hour in its latest
// events, and that begin with prefix, the most frequent first. It is for
// completion: quick rather than whole.
func (s *Store) Frequent(ctx context.Context, field, prefix string, n int) ([]string, error) {
	if name, ok := hourlyFields[field]; ok {
		return s.frequent(ctx, name, prefix, n)
	}
	if slices.Contains([]string{"host", "mta", "kind", "direction", "reason", "cause", "class"}, field) {
		return s.strings(ctx, `SELECT `+field+` FROM hourly_totals WHERE `+field+` <> '' AND substr(`+field+`, 1, length(?)) = ?
			GROUP BY 1 ORDER BY sum(events) DESC, 1 LIMIT ?`, []any{prefix, prefix, n})
	}
	if !slices.Contains(valueColumns, field) {
		return nil, nil
	}
	return s.strings(ctx, `SELECT v FROM (SELECT CAST(`+field+` AS TEXT) AS v FROM events ORDER BY time DESC LIMIT 2000)
		WHERE v <> '' AND substr(v, 1, length(?)) = ? GROUP BY v ORDER BY count(*) DESC, v LIMIT ?`, []any{prefix, prefix, n})
}

// frequent are the largest values of the last day, of a field that the hours count.
func (s *Store) frequent(ctx context.Context, field, prefix string, n int) ([]string, error) {
	var day Span
	err := s.read.row(ctx, func(st *sqlite.Stmt) { day.Since = time.Unix(st.ColumnInt64(0), 0) }, "SELECT max(hour) - 82800 FROM hourly_totals")
	if err != nil {
		return nil, fmt.Errorf("read values of events: %w", err)
	}
	events := map[string]int64{}
	for v, err := range s.valuesWith(ctx, day, field) {
		if err != nil {
			return nil, err
		}
		if v.Value != "" && strings.HasPrefix(v.Value, prefix) {
			events[v.Value] += v.Events
		}
	}
	values := sortedKeys(events)
	slices.SortStableFunc(values, func(a, b string) int { return cmp.Compare(events[b], events[a]) })
	return values[:min(n, len(values))], nil
}

func (s *Store) strings(ctx context.Context, query string, args []any) ([]string, error) {
	var values []string
	err := s.read.query(ctx, query, args, func(st *sqlite.Stmt) (bool, error) {
		if v := st.ColumnText(0); v != "" {
			values = append(values, v)
		}
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("read values of events: %w", err)
	}
	return values, nil
}

func sortedKeys[V any](set map[string]V) []string {
	keys := make([]string, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// parseAddr is not valid where text is no address.
func parseAddr(text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return a
}
