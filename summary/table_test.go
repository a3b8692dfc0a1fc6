package summary

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// What is too long for its column goes on below, between words, and in its column.
func TestTableWraps(t *testing.T) {
	table := table{
		columns: []column{{title: "about"}, {title: "what", flex: true, wrap: true, least: 10}},
		rows: [][]cell{
			{{text: "a.example"}, {text: "mail for one of your domains is refused"}},
			{{}, {text: "→ name the domain"}},
			{{text: "b.example"}, {text: "incomprehensibilities of all sorts"}},
		},
	}
	var got []string
	for _, l := range table.lines(30, false) {
		got = append(got, l.text)
		if l.width > 30 || columns(l.text) != l.width {
			t.Errorf("%q has %d columns, and is said to have %d", l.text, columns(l.text), l.width)
		}
	}
	want := []string{
		"  about      what",
		"  a.example  mail for one of",
		"               your domains is",
		"               refused",
		"             → name the domain",
		"  b.example  incomprehensibil…",
		"               of all sorts",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Groups with as many refusals are in the order of the alphabet, not of the
// length of their names.
func TestGroupsOfAsManyRefusals(t *testing.T) {
	g, err := NewGroups([]string{"user"}, Span{}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"sales", "info", "admin", "test", "backup", "test"} {
		g.Add(&relaylens.Event{Kind: relaylens.KindAuthFailed, Time: noon, User: user})
	}
	var got []string
	for _, group := range g.Table(-1).Groups {
		got = append(got, group.Values...)
	}
	if s := strings.Join(got, " "); s != "test admin backup info sales" {
		t.Errorf("order %q", s)
	}
}
