package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// texts are what hostile and plain clients send.
var texts = []string{"", "a", "A", "example.com", ".example.com", "mx.example.com", "evilexample.com", "EXAMPLE.com", "münchen.example",
	"x.münchen.example", "100%", "_", "'; DROP TABLE events; --", "\xff\xfe", "a\x00b", "a\ufffdb", "日本.example", "ａ", "?1", "0", "554", "5xx"}

func one[T any](r *rand.Rand, values []T) T { return values[r.IntN(len(values))] }

func address(r *rand.Rand) netip.Addr {
	return one(r, []netip.Addr{{}, netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("203.0.113.99"), netip.MustParseAddr("203.0.114.9"),
		netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:0:1::1"), netip.MustParseAddr("10.0.0.1")})
}

func mailbox(r *rand.Rand) string {
	return one(r, []string{"", "joe@", "@", `"a@b"@`, "joe", `"joe@x"`}) + one(r, texts)
}

func randomEvent(r *rand.Rand, n int) relaylens.Event {
	e := relaylens.Event{
		Time: at.Add(time.Duration(r.IntN(150)) * time.Hour), Host: one(r, texts), MTA: one(r, relaylens.MTAs()), Service: one(r, texts),
		PID: int32(r.IntN(3)), QueueID: one(r, texts), Kind: one(r, relaylens.RefusalKinds()),
		Direction: one(r, append(relaylens.Directions(), 0)), Stage: one(r, append(relaylens.Stages(), 0)), Reason: one(r, append(relaylens.Reasons(), 0)),
		Cause: one(r, append(relaylens.Causes(), 0)), ClientIP: address(r), ClientName: one(r, texts), ClientPort: uint16(r.IntN(3)),
		Helo: one(r, texts), Proto: one(r, texts), User: one(r, texts), AuthMethod: one(r, texts), Recipient: mailbox(r),
		Code: one(r, []uint16{0, 450, 454, 550, 554, 559, 221}), Class: one(r, append(relaylens.Classes(), 0)), Enhanced: one(r, texts),
		Text: one(r, texts), RemoteHost: one(r, texts), RemoteIP: address(r), Source: one(r, texts), Line: int64(r.IntN(3)), Offset: int64(r.IntN(3)),
	}
	if r.IntN(2) == 0 {
		e.SetSender(mailbox(r))
	}
	line := relaylens.Line{Text: "line", Offset: int64(n)}
	e.ID = relaylens.NewID(&line, 0)
	return e
}

// randomCondition is FIELD=VALUE with a VALUE that some events have, or nearly.
func randomCondition(r *rand.Rand, events []relaylens.Event) string {
	field := one(r, relaylens.MatchFields())
	value := one(r, texts)
	switch field {
	case "code":
		value = one(r, []string{"554", "454", "5xx", "4XX", "55x", "45x", "", "0"})
	case "client_ip", "remote_ip", "client_net":
		value = one(r, []string{"203.0.113.9", "203.0.113.0/24", "203.0.112.0/23", "203.0.113.9/30", "2001:db8::/64", "2001:db8::/32", "0.0.0.0/0", "::/0", "", "::ffff:203.0.113.9"})
	default:
		e := one(r, events)
		value = one(r, []string{value, e.MatchField(field), e.MatchField(field), ""})
		if field == "time" || field == "id" {
			value = e.MatchField(field)
		}
	}
	return field + "=" + value
}

func randomMatch(r *rand.Rand, events []relaylens.Event) []string {
	var args []string
	for range 1 + r.IntN(3) {
		if len(args) > 0 {
			args = append(args, "+")
		}
		for range 1 + r.IntN(3) {
			args = append(args, randomCondition(r, events))
		}
	}
	return args
}

// The database selects what a match selects in memory.
func TestMatchIsTheSameInSQL(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	s := open(t, t.TempDir())
	var events []relaylens.Event
	for i := range 200 {
		events = append(events, randomEvent(r, i))
	}
	commit(t, s, &Batch{Events: events})
	parsed, some := 0, 0
	for range 800 {
		args := randomMatch(r, events)
		m, err := relaylens.ParseMatch(args)
		if err != nil {
			continue // a word that is not in its list
		}
		parsed++
		var want, got []string
		for i := range events {
			if m.Event(&events[i]) {
				want = append(want, events[i].ID.String())
			}
		}
		for e, err := range s.Select(context.Background(), Query{Match: m}) {
			if err != nil {
				t.Fatalf("%q: %v", args, err)
			}
			got = append(got, e.ID.String())
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q (- memory, + SQL):\n%s", args, diff)
		}
		if n := len(want); n > 0 && n < len(events) {
			some++
		}
	}
	if parsed < 300 || some < 120 {
		t.Errorf("of 800 matches %d could be read and %d selected some events: the test shows nothing", parsed, some)
	}
}

// Whatever is asked, the order comes from an index, and rows are looked at in it.
func TestQueryPlans(t *testing.T) {
	s := open(t, t.TempDir())
	var events []relaylens.Event
	for i := range 100 {
		events = append(events, event(i))
	}
	commit(t, s, &Batch{Events: events})
	hour := Span{at, at.Add(time.Hour)}
	for name, c := range map[string]struct {
		query Query
		want  string
	}{
		"all":        {Query{}, "SCAN events USING INDEX events_by_time"},
		"reverse":    {Query{Reverse: true, Limit: 50}, "SCAN events USING INDEX events_by_time"},
		"since":      {Query{Span: Span{Since: at}}, "SEARCH events USING INDEX events_by_time (time>?)"},
		"span":       {Query{Span: hour, Reverse: true}, "SEARCH events USING INDEX events_by_time (time>? AND time<?)"},
		"cursor":     {Query{From: &relaylens.Cursor{ID: events[5].ID, Time: events[5].Time}, After: true}, "SEARCH events USING INDEX events_by_time (time>?)"},
		"match":      {Query{Match: match(t, "kind=relay_denied", "code=5xx", "client_ip=203.0.113.0/24")}, "SCAN events USING INDEX events_by_time"},
		"span match": {Query{Span: hour, Match: match(t, "user=joe", "+", "user=jim")}, "SEARCH events USING INDEX events_by_time (time>? AND time<?)"},
		"mark":       {Query{UpTo: 50, Reverse: true, Limit: 10}, "SCAN events USING INDEX events_by_time"},
	} {
		t.Run(name, func(t *testing.T) {
			query, args, err := s.statement(context.Background(), &c.query)
			if err != nil {
				t.Fatal(err)
			}
			if got := plan(t, s, query, args); got != c.want {
				t.Errorf("plan of %s:\n got %s\nwant %s", query, got, c.want)
			}
		})
	}
	t.Run("id", func(t *testing.T) {
		query, args, err := s.statement(context.Background(), &Query{Match: match(t, "id="+events[3].ID.String())})
		if err != nil {
			t.Fatal(err)
		}
		if got := plan(t, s, query, args); !strings.HasPrefix(got, "SEARCH events USING INTEGER PRIMARY KEY (rowid=?); LIST SUBQUERY 1; SCAN events USING COVERING INDEX events_once") {
			t.Errorf("plan of %s: %s", query, got)
		}
	})
}

func plan(t *testing.T, s *Store, query string, args []any) string {
	t.Helper()
	var steps []string
	err := s.read.query(t.Context(), "EXPLAIN QUERY PLAN "+query, args, func(st *sqlite.Stmt) (bool, error) {
		steps = append(steps, st.GetText("detail"))
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "; ")
}

func ids(events []relaylens.Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%d ", e.PID-1)
	}
	return strings.TrimSpace(b.String())
}
