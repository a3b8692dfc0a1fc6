package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

func selected(t *testing.T, s *Store, q Query) string {
	t.Helper()
	var events []relaylens.Event
	for e, err := range s.Select(context.Background(), q) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return ids(events)
}

// filled holds events 0…9; 4, 5 and 6 have one time, and 2 came last.
func filled(t *testing.T) (*Store, func(n int) *relaylens.Cursor) {
	t.Helper()
	s := open(t, t.TempDir())
	byNumber := map[int]relaylens.Event{}
	for _, n := range []int{0, 1, 3, 4, 5, 6, 7, 8, 9, 2} {
		e := event(n)
		if n == 5 || n == 6 {
			e.Time = event(4).Time
		}
		byNumber[n] = e
		commit(t, s, &Batch{Events: []relaylens.Event{e}})
	}
	return s, func(n int) *relaylens.Cursor {
		e := byNumber[n]
		c := relaylens.CursorOf(&e)
		return &c
	}
}

func TestSelect(t *testing.T) {
	s, cursor := filled(t)
	gone := *cursor(5)
	gone.ID = relaylens.ID{1}
	odd := func(e *relaylens.Event) bool { return (e.PID-1)%2 == 1 }
	for name, c := range map[string]struct {
		query Query
		want  string
	}{
		"all":                               {Query{}, "0 1 2 3 4 5 6 7 8 9"},
		"reverse":                           {Query{Reverse: true}, "9 8 7 6 5 4 3 2 1 0"},
		"limit":                             {Query{Limit: 3}, "0 1 2"},
		"reverse limit":                     {Query{Limit: 3, Reverse: true}, "9 8 7"},
		"since":                             {Query{Span: Span{Since: event(7).Time}}, "7 8 9"},
		"until leaves out its end":          {Query{Span: Span{Until: event(2).Time}}, "0 1"},
		"beyond what the column can hold":   {Query{Span: Span{Since: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}}, "0 1 2 3 4 5 6 7 8 9"},
		"cursor":                            {Query{From: cursor(5)}, "5 6 7 8 9"},
		"after cursor":                      {Query{From: cursor(5), After: true}, "6 7 8 9"},
		"after cursor, reverse":             {Query{From: cursor(5), After: true, Reverse: true}, "4 3 2 1 0"},
		"cursor, reverse":                   {Query{From: cursor(5), Reverse: true}, "5 4 3 2 1 0"},
		"after the last":                    {Query{From: cursor(9), After: true}, ""},
		"after an event that is gone":       {Query{From: &gone, After: true}, "4 5 6 7 8 9"},
		"before an event that is gone":      {Query{From: &gone, After: true, Reverse: true}, "6 5 4 3 2 1 0"},
		"keep":                              {Query{Keep: odd}, "1 3 5 7 9"},
		"the limit counts what is kept":     {Query{Keep: odd, Limit: 2, Reverse: true}, "9 7"},
		"match":                             {Query{Match: match(t, "client_ip=203.0.113.3", "client_ip=203.0.113.8")}, "3 8"},
		"or":                                {Query{Match: match(t, "pid=2", "kind=relay_denied", "+", "pid=4")}, "1 3"},
		"match and cursor":                  {Query{Match: match(t, "pid=2", "pid=9"), From: cursor(4)}, "8"},
		"up to a mark leaves out what came": {Query{UpTo: 9}, "0 1 3 4 5 6 7 8 9"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := selected(t, s, c.query); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestTail(t *testing.T) {
	s, _ := filled(t)
	for n, want := range map[int]string{0: "", 3: "7 8 9", 100: "0 1 2 3 4 5 6 7 8 9"} {
		events, err := s.Tail(context.Background(), Query{}, n)
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(events); got != want {
			t.Errorf("the last %d are %s, want %s", n, got, want)
		}
	}
}

// What is committed behind the mark comes once and in the order of its commit.
func TestSelectNew(t *testing.T) {
	s, _ := filled(t)
	ctx := context.Background()
	mark, err := s.Mark(ctx)
	if err != nil {
		t.Fatal(err)
	}
	step := func(want string) {
		t.Helper()
		events, next, err := s.SelectNew(ctx, Query{Match: match(t, "helo=pc")}, mark)
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(events); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		mark = next
	}
	step("")
	other := event(30)
	other.Helo = "other"
	commit(t, s, &Batch{Events: []relaylens.Event{event(22), event(11), other, event(9)}})
	step("22 11")
	step("")
}

func TestDistinct(t *testing.T) {
	s, _ := filled(t)
	for field, want := range map[string][]string{
		"kind": {"relay_denied"}, "client_net": {"203.0.113.0/24"}, "recipient_domain": {"example.net"}, "action": {"refuse"}, "code": {"554"},
		"pid": {"1", "10", "2", "3", "4", "5", "6", "7", "8", "9"}, "raw": {},
	} {
		t.Run(field, func(t *testing.T) {
			got, err := s.Distinct(context.Background(), field, Query{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	got, err := s.Distinct(context.Background(), "client_ip", Query{Span: Span{Since: event(8).Time}, Match: match(t, "kind=relay_denied")})
	if diff := cmp.Diff([]string{"203.0.113.8", "203.0.113.9"}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestCount(t *testing.T) {
	s, cursor := filled(t)
	middle := cursor(5).Time
	for name, c := range map[string]struct {
		span  Span
		match string
		most  int
	}{"all": {}, "at most": {most: 3}, "since": {span: Span{Since: middle}}, "until": {span: Span{Until: middle}}, "match": {match: "kind=relay_denied"},
		"match at most": {match: "kind=relay_denied", most: 2}, "none": {match: "user=nobody"}} {
		var m relaylens.Match
		if c.match != "" {
			m = match(t, c.match)
		}
		want := 0
		for e, err := range s.Select(t.Context(), Query{Span: c.span, Match: m}) {
			if err != nil {
				t.Fatal(err)
			}
			if want++; e.ID.IsZero() || want == c.most {
				break
			}
		}
		if got, err := s.Count(t.Context(), c.span, m, c.most); got != want || err != nil {
			t.Errorf("%s: %d, %v, want %d", name, got, err, want)
		}
	}
}

func TestAround(t *testing.T) {
	at := func(minutes int) time.Time {
		return time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
	}
	for name, c := range map[string][2]Span{
		"open":        {{}, {}},
		"whole hours": {{at(0), at(60)}, {at(0), at(60)}},
		"within one":  {{at(5), at(6)}, {at(0), at(60)}},
		"two":         {{at(59), at(61)}, {at(0), at(120)}},
		"since":       {{Since: at(61)}, {Since: at(60)}},
		"until":       {{Until: at(1)}, {Until: at(60)}},
	} {
		if got := c[0].Around(); got != c[1] {
			t.Errorf("%s: %v, want %v", name, got, c[1])
		}
	}
}

func TestFrequent(t *testing.T) {
	s, _ := filled(t)
	for name, c := range map[string]struct {
		field, prefix string
		want          []string
	}{
		"counted by hour":  {"client_ip", "203.0.113.7", []string{"203.0.113.7"}},
		"at most":          {"client_ip", "203.0.", []string{"203.0.113.0", "203.0.113.1"}},
		"networks":         {"client_net", "", []string{"203.0.113.0/24"}},
		"words":            {"kind", "rel", []string{"relay_denied"}},
		"another prefix":   {"kind", "x", nil},
		"no wild card":     {"kind", "%", nil},
		"of late":          {"helo", "p", []string{"pc"}},
		"of no column":     {"raw", "", nil},
		"no field at all ": {"kind; DROP TABLE events", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.Frequent(context.Background(), c.field, c.prefix, 2)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// A rare value is found in hours whose small values have been added up, in the
// others, and in both directions; where it was not, nothing is read.
func TestSelectByHours(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := context.Background()
	busy := &Batch{}
	for n := range topValues + 50 { // one hour of many users
		e := event(n)
		e.Time = at.Add(time.Duration(n) * time.Millisecond)
		e.User = fmt.Sprintf("user%04d", n)
		busy.Events = append(busy.Events, e)
	}
	commit(t, s, busy)
	for n, user := range map[int]string{1: "rare", 2: "other", 5: "rare", 6: "rare"} {
		e := event(10_000 + n)
		e.Time, e.User = at.Add(time.Duration(n)*time.Hour), user
		commit(t, s, &Batch{Events: []relaylens.Event{e}})
	}
	if _, err := s.Retain(ctx, Retention{}, at.Add(100*time.Hour)); err != nil {
		t.Fatal(err)
	}
	small := fmt.Sprintf("user%04d", topValues+49)
	for name, c := range map[string]struct {
		query Query
		want  string
	}{
		"rare":        {Query{Match: match(t, "user=rare")}, "10001 10005 10006"},
		"reverse":     {Query{Match: match(t, "user=rare"), Reverse: true}, "10006 10005 10001"},
		"limit":       {Query{Match: match(t, "user=rare"), Reverse: true, Limit: 2}, "10006 10005"},
		"limit kept":  {Query{Match: match(t, "user=rare"), Limit: 2, Keep: func(e *relaylens.Event) bool { return e.PID != 10002 }}, "10005 10006"},
		"span":        {Query{Match: match(t, "user=rare"), Span: Span{Since: at.Add(2 * time.Hour), Until: at.Add(6 * time.Hour)}}, "10005"},
		"added up":    {Query{Match: match(t, "user="+small)}, fmt.Sprint(topValues + 49)},
		"alternative": {Query{Match: match(t, "user=rare", "code=554", "+", "user=other")}, "10001 10002 10005 10006"},
		"never seen":  {Query{Match: match(t, "user=nobody")}, ""},
		"not counted": {Query{Match: match(t, "user=rare", "+", "pid=10003")}, "10001 10002 10005 10006"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := selected(t, s, c.query); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	spans, ok, err := s.hours(ctx, match(t, "user=rare"), Span{})
	if err != nil || !ok || len(spans) != 2 || spans[0].Until.Sub(spans[0].Since) != 2*time.Hour {
		t.Errorf("hours %v, %v, %v: want the busy one with the next, and two that follow each other", spans, ok, err)
	}
}
