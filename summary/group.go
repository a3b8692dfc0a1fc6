package summary

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
)

// maxGroups are counted exactly; beyond, see [aggregate.Top].
const maxGroups = 1 << 16

// groupFields are what can be grouped by beside [relaylens.MatchFields].
var groupFields = []string{"fault", "date", "hour"}

// totalFields are the fields that hourly totals tell.
var totalFields = []string{"host", "mta", "kind", "direction", "reason", "cause", "class", "fault"}

// briefFields are those, and the others that summaries count by.
var briefFields = append([]string{"time", "date", "hour", "client_ip", "client_net", "client_name", "user", "sender", "recipient",
	"sender_domain", "recipient_domain", "remote_host", "remote_ip"}, totalFields...)

// TotalField reports whether hourly totals tell a field.
func TotalField(field string) bool { return slices.Contains(totalFields, field) }

// BriefField reports whether a field is one of the few that summaries count by.
func BriefField(field string) bool { return slices.Contains(briefFields, field) }

// Groups counts the refusals of a span by any fields, in bounded memory. It is
// not safe for concurrent use.
type Groups struct {
	by     []string
	span   Span
	loc    *time.Location
	top    *aggregate.Top[seen]
	rolled bool // some events came without their times
	key    []byte
	tally  int64
}

// GroupFields are all fields that can be grouped by.
func GroupFields() []string { return append(relaylens.MatchFields(), groupFields...) }

// NewGroups counts what is in span by fields, with dates and hours of loc. A
// field that there is not is an error that names it.
func NewGroups(by []string, span Span, loc *time.Location) (*Groups, error) {
	names := GroupFields()
	for i, field := range by {
		if !slices.Contains(names, field) {
			if s := relaylens.Suggest(field, names); s != "" {
				return nil, fmt.Errorf("unknown field %q; did you mean %s?", field, s)
			}
			return nil, fmt.Errorf("unknown field %q; choose one of %s", field, strings.Join(names, ", "))
		}
		if slices.Contains(by[:i], field) {
			return nil, fmt.Errorf("the field %s stands there twice", field)
		}
	}
	return &Groups{by: by, span: span, loc: loc, top: aggregate.NewTop[seen](maxGroups, nil)}, nil
}

// Add counts one event if it is a refusal of the span; e is not kept.
func (g *Groups) Add(e *relaylens.Event) {
	if !e.Refusal() || !g.span.contains(e.Time) {
		return
	}
	at := momentOf(e.Time)
	g.add(e, 1).widen(at, at)
}

// AddMany counts n refusals that are alike in e and lie in the hour that e.Time
// begins, all of it in the span.
func (g *Groups) AddMany(e *relaylens.Event, n int64) {
	g.rolled = true
	g.add(e, n)
}

func (g *Groups) add(e *relaylens.Event, n int64) *seen {
	g.key = g.key[:0]
	for _, field := range g.by {
		value := cut(relaylens.ValidText(g.value(e, field)))
		g.key = append(binary.AppendUvarint(g.key, uint64(len(value))), value...)
	}
	g.tally += n
	return g.top.Add(unsafe.String(unsafe.SliceData(g.key), len(g.key)), n)
}

func (g *Groups) value(e *relaylens.Event, field string) string {
	switch field {
	case "fault":
		return e.Cause.Fault().String()
	case "date":
		return e.Time.In(g.loc).Format(time.DateOnly)
	case "hour":
		return e.Time.In(g.loc).Format("2006-01-02 15:00 -0700")
	}
	return e.MatchField(field)
}

// byEvents has the most events first, and groups of as many in the order of
// their values, which a key, with its lengths, does not have.
func byEvents(a, b Group) int {
	return cmp.Or(cmp.Compare(b.Events, a.Events), slices.Compare(a.Values, b.Values))
}

// values takes a key apart.
func values(key string) []string {
	var list []string
	for b := []byte(key); len(b) > 0; {
		n, size := binary.Uvarint(b)
		list = append(list, string(b[size:size+int(n)]))
		b = b[size+int(n):]
	}
	return list
}

// GroupTable is what -o json prints for --by. Text that came from a log is
// verbatim.
type GroupTable struct {
	Since    time.Time `json:"since,omitzero"`
	Until    time.Time `json:"until,omitzero"`
	By       []string  `json:"by"`
	Refusals int64     `json:"refusals"`
	Groups   []Group   `json:"groups"`
	Distinct int       `json:"distinct"` // groups that there are; at least, where AtLeast
	AtLeast  bool      `json:"distinct_at_least,omitempty"`
	Others   int64     `json:"others"` // refusals of the groups that are not listed
	Bound    int64     `json:"bound"`  // no group with more refusals than this is missing; 0: none is
	// Shared are hosts whose events several of the servers that were asked have,
	// and which count at one of them.
	Shared []string `json:"shared_hosts,omitempty"`
}

// Group is how many refusals have the same values.
type Group struct {
	Values []string  `json:"values"` // in the order of GroupTable.By; empty where the log does not tell
	Events int64     `json:"events"`
	Error  int64     `json:"error,omitempty"` // how many more it can be
	First  time.Time `json:"first,omitzero"`  // left out where only hours are known
	Last   time.Time `json:"last,omitzero"`
}

// Table is the n largest groups, all when n is negative. By date and hour alone
// they are in the order of time.
func (g *Groups) Table(n int) *GroupTable {
	t := &GroupTable{By: g.by, Refusals: g.tally, Groups: []Group{}, Distinct: g.top.Len(), AtLeast: !g.top.Exact(), Bound: g.top.Bound()}
	if !g.span.Since.IsZero() {
		t.Since = g.span.Since.In(g.loc)
	}
	if !g.span.Until.IsZero() {
		t.Until = g.span.Until.In(g.loc)
	}
	t.Others = t.Refusals
	for _, e := range g.top.List(n) {
		group := Group{Values: values(e.Key), Events: e.Count - e.Error, Error: e.Error}
		if !g.rolled {
			group.First, group.Last = e.Value.first.time().In(g.loc), e.Value.last.time().In(g.loc)
		}
		t.Others -= group.Events
		t.Groups = append(t.Groups, group)
	}
	slices.SortFunc(t.Groups, byEvents)
	if g.by[0] == "date" || g.by[0] == "hour" {
		slices.SortStableFunc(t.Groups, func(a, b Group) int { return strings.Compare(a.Values[0], b.Values[0]) })
	}
	return t
}
