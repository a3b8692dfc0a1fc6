package relaylens

import (
	"errors"
	"fmt"
	"strings"
)

// Match selects events by their fields, with the rule of journalctl(1):
// conditions on one field are alternatives, different fields must all be met,
// and "+" separates groups of which one has to be met. The zero value selects
// every event.
type Match struct{ groups []MatchGroup }

// MatchGroup is a list of clauses that an event must all meet.
type MatchGroup []Clause

// Clause is what was asked of one field: one of the conditions has to hold.
type Clause struct {
	Field      string
	Conditions []Condition
}

// ErrPlus is returned for a "+" that does not stand between conditions.
var ErrPlus = errors.New(`"+" stands between matches only`)

// ParseMatch reads FIELD=VALUE arguments and "+".
func ParseMatch(args []string) (Match, error) {
	var m Match
	var group MatchGroup
	for _, arg := range args {
		if arg == "+" {
			if len(group) == 0 {
				return Match{}, ErrPlus
			}
			m.groups, group = append(m.groups, group), nil
			continue
		}
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return Match{}, fmt.Errorf("match %q: write it as FIELD=VALUE", arg)
		}
		c, err := parseCondition(name, value)
		if err != nil {
			return Match{}, err
		}
		group = group.add(name, c)
	}
	if len(group) == 0 && len(m.groups) > 0 {
		return Match{}, ErrPlus
	}
	if len(group) > 0 {
		m.groups = append(m.groups, group)
	}
	return m, nil
}

func (g MatchGroup) add(field string, c Condition) MatchGroup {
	for i := range g {
		if g[i].Field == field {
			g[i].Conditions = append(g[i].Conditions, c)
			return g
		}
	}
	return append(g, Clause{field, []Condition{c}})
}

// Groups are the alternatives; none when every event is selected. The caller
// must not change them.
func (m Match) Groups() []MatchGroup { return m.groups }

// IsZero reports whether m selects every event.
func (m Match) IsZero() bool { return len(m.groups) == 0 }

// Uses reports whether m asks for a field.
func (m Match) Uses(field string) bool {
	for _, g := range m.groups {
		for _, c := range g {
			if c.Field == field {
				return true
			}
		}
	}
	return false
}

// Without is m with the clauses on one field left out: it selects every event
// that m does, and those that only that field kept out.
func (m Match) Without(field string) Match {
	var rest Match
	for _, g := range m.groups {
		var kept MatchGroup
		for _, c := range g {
			if c.Field != field {
				kept = append(kept, c)
			}
		}
		if len(kept) == 0 {
			return Match{}
		}
		rest.groups = append(rest.groups, kept)
	}
	return rest
}

// And selects what both m and other select.
func (m Match) And(other Match) Match {
	if m.IsZero() || other.IsZero() {
		return Match{append(m.groups[:len(m.groups):len(m.groups)], other.groups...)}
	}
	var both Match
	for _, a := range m.groups {
		for _, b := range other.groups {
			both.groups = append(both.groups, append(a[:len(a):len(a)], b...))
		}
	}
	return both
}

// Event reports whether m selects e.
func (m Match) Event(e *Event) bool {
	if len(m.groups) == 0 {
		return true
	}
	for _, g := range m.groups {
		if g.event(e) {
			return true
		}
	}
	return false
}

func (g MatchGroup) event(e *Event) bool {
	for i := range g {
		if !g[i].event(e) {
			return false
		}
	}
	return true
}

func (c *Clause) event(e *Event) bool {
	for i := range c.Conditions {
		if c.Conditions[i].Event(e) {
			return true
		}
	}
	return false
}

// Context reports whether m asks by name for what is no refusal: a kind that
// is context, or an action other than refuse.
func (m Match) Context() bool {
	for _, g := range m.groups {
		for _, clause := range g {
			for _, c := range clause.Conditions {
				if c.context() {
					return true
				}
			}
		}
	}
	return false
}

func (c *Condition) context() bool {
	switch c.Column {
	case "kind":
		k, err := ParseKind(c.Text)
		return err == nil && !k.Refusal()
	case "action":
		a, err := ParseAction(c.Text)
		return err == nil && a != ActionRefuse
	}
	return false
}
