package summary

import (
	"errors"
	"slices"
	"strings"
	"time"
)

var errTable = errors.New("read groups: they cannot be")

// Check refuses what no store tells of the fields by; it may come from anybody.
func (t *GroupTable) Check(by []string) error {
	ok := slices.Equal(t.By, by) && number(t.Refusals) && number(int64(t.Distinct)) && number(t.Others) && number(t.Bound) && len(t.Groups) <= maxValues &&
		!slices.ContainsFunc(t.Groups, func(g Group) bool { return len(g.Values) != len(by) || !number(g.Events) || !number(g.Error) })
	if !ok {
		return errTable
	}
	return nil
}

// MergeTables puts the groups of several stores together, which must have no
// event in common and be by the same fields. A group that a store does not tell
// may have up to its bound of events there, which is added to the error.
func MergeTables(tables []*GroupTable, top int, location *time.Location) *GroupTable {
	m := &GroupTable{By: tables[0].By, Groups: []Group{}, Since: within(tables[0].Since, location), Until: within(tables[0].Until, location)}
	sums := map[string]*Group{}
	told := make([]map[string]bool, len(tables))
	named := true
	for i, t := range tables {
		m.Refusals += t.Refusals
		m.Bound += t.Bound
		m.Distinct = max(m.Distinct, t.Distinct)
		named = named && t.Others == 0 && !t.AtLeast
		told[i] = map[string]bool{}
		for _, g := range t.Groups {
			key := strings.Join(g.Values, "\x00")
			told[i][key] = true
			if sums[key] == nil {
				g.First, g.Last = within(g.First, location), within(g.Last, location)
				sums[key] = &g
				continue
			}
			sums[key].join(&g, location)
		}
	}
	m.Distinct, m.AtLeast = max(m.Distinct, len(sums)), !named
	for key, g := range sums {
		for i, t := range tables {
			if !told[i][key] {
				g.Error += t.Bound
			}
		}
		m.Groups = append(m.Groups, *g)
	}
	if slices.ContainsFunc(m.Groups, func(g Group) bool { return g.First.IsZero() }) { // of some the hour is known only
		for i := range m.Groups {
			m.Groups[i].First, m.Groups[i].Last = time.Time{}, time.Time{}
		}
	}
	m.keep(top)
	return m
}

func (g *Group) join(o *Group, location *time.Location) {
	g.Events, g.Error = g.Events+o.Events, g.Error+o.Error
	if g.First.IsZero() || o.First.IsZero() {
		g.First, g.Last = time.Time{}, time.Time{}
		return
	}
	g.First, g.Last = earlier(g.First, o.First).In(location), later(g.Last, o.Last).In(location)
}

// keep leaves the n largest groups, all when n is negative, in their order.
func (t *GroupTable) keep(n int) {
	slices.SortFunc(t.Groups, byEvents)
	if n >= 0 && n < len(t.Groups) {
		for _, g := range t.Groups[n:] {
			t.Bound = max(t.Bound, g.Events+g.Error)
		}
		t.Groups = t.Groups[:n]
	}
	t.Others = t.Refusals
	for _, g := range t.Groups {
		t.Others -= g.Events
	}
	if t.By[0] == "date" || t.By[0] == "hour" {
		slices.SortStableFunc(t.Groups, func(a, b Group) int { return strings.Compare(a.Values[0], b.Values[0]) })
	}
}
