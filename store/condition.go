package store

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/relaylens/relaylens"
)

// inNetwork is the SQL function that tells whether an address is in a network.
const inNetwork = "relaylens_in_network"

func isInNetwork(address, network string) (int64, error) {
	p, err := netip.ParsePrefix(network)
	if err != nil {
		return 0, fmt.Errorf("read network: %w", err)
	}
	if a, err := netip.ParseAddr(address); err == nil && p.Contains(a.Unmap().WithZone("")) {
		return 1, nil
	}
	return 0, nil
}

// where collects conditions and their arguments. Nothing that somebody typed
// gets into the text of a statement.
type where struct {
	sql  strings.Builder
	args []any
}

func (w *where) and(condition string, args ...any) {
	if w.sql.Len() == 0 {
		w.sql.WriteString(" WHERE ")
	} else {
		w.sql.WriteString(" AND ")
	}
	w.sql.WriteString(condition)
	w.args = append(w.args, args...)
}

func (w *where) span(s Span) {
	if !s.Since.IsZero() {
		w.and("time >= ?", nanos(s.Since))
	}
	if !s.Until.IsZero() {
		w.and("time < ?", nanos(s.Until))
	}
}

// match adds what selects the events of m.
func (w *where) match(m relaylens.Match) error {
	if m.IsZero() {
		return nil
	}
	var args []any
	var groups []string
	for _, g := range m.Groups() {
		var clauses []string
		for _, c := range g {
			var conditions []string
			for i := range c.Conditions {
				text, a, err := translate(&c.Conditions[i])
				if err != nil {
					return err
				}
				conditions, args = append(conditions, text), append(args, a...)
			}
			clauses = append(clauses, oneOf(conditions))
		}
		groups = append(groups, strings.Join(clauses, " AND "))
	}
	w.and(oneOf(groups), args...)
	return nil
}

func oneOf(alternatives []string) string {
	if len(alternatives) == 1 {
		return alternatives[0]
	}
	return "((" + strings.Join(alternatives, ") OR (") + "))"
}

// expressions are the columns that conditions can name. Most are columns of the
// table, whose rows are refusals and have no action and no line of the log.
var expressions = map[string]string{
	"action": "'refuse'",
	"raw":    "NULL",
	"offset": "CASE WHEN source IS NOT NULL THEN offset END",
	"mta":    "mta",
	"kind":   "kind",
}

func init() {
	for _, name := range strings.Split(columns, ",") {
		name = strings.TrimSpace(name)
		if _, ok := expressions[name]; !ok {
			expressions[name] = name
		}
	}
}

var errCondition = errors.New("ask event store: a condition that it does not know")

func translate(c *relaylens.Condition) (text string, args []any, err error) {
	x, ok := expressions[c.Column]
	if !ok {
		return "", nil, fmt.Errorf("%w: %q", errCondition, c.Column)
	}
	switch c.Op {
	case relaylens.OpEqual:
		if c.Column == "id" {
			var id relaylens.ID
			if err := id.UnmarshalText([]byte(c.Text)); err != nil {
				return "", nil, fmt.Errorf("%w: %w", errCondition, err)
			}
			// What is read beside the id is an index, where a search would read every event.
			return "seq IN (SELECT seq FROM events WHERE id = ?)", []any{id[:]}, nil
		}
		return x + " = ?", []any{c.Text}, nil
	case relaylens.OpAbsent:
		if c.Column == "sender" { // '' is the null sender, which the log does tell
			return "sender IS NULL", nil, nil
		}
		return "(" + x + " IS NULL OR " + x + " = '')", nil, nil
	case relaylens.OpRange:
		if c.Low == c.High {
			return x + " = ?", []any{c.Low}, nil
		}
		return x + " BETWEEN ? AND ?", []any{c.Low, c.High}, nil
	case relaylens.OpDomain:
		below := "." + c.Text
		return "(" + x + " = ? OR substr(" + x + ", -?) = ?)", []any{c.Text, utf8.RuneCountInString(below), below}, nil
	case relaylens.OpNetwork:
		if c.Network.IsSingleIP() {
			return x + " = ?", []any{c.Network.Addr().String()}, nil
		}
		return inNetwork + "(" + x + ", ?)", []any{c.Network.String()}, nil
	}
	return "", nil, fmt.Errorf("%w: operator %d", errCondition, c.Op)
}
