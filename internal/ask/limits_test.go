package ask

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

// Values are as many as were asked for, none of them if that is 0.
func TestStoreValuesNumber(t *testing.T) {
	s := filled(t, 30)
	for number, want := range map[int]int{NoLimit: 2, 0: 0, 1: 1, 2: 2, 3: 2} {
		values, err := (&Events{Number: number}).StoreValues(t.Context(), s, "cause")
		if err != nil || len(values) != want {
			t.Errorf("%d asked for: %q, %v", number, values, err)
		}
	}
}

// Events that only a match asks for have ids as well: a cursor is made of one.
func TestMatchedContextHasIDs(t *testing.T) {
	name := filepath.Join(t.TempDir(), "mail.log")
	const log = "2026-11-20T12:00:00Z mx1 postfix/smtpd[7]: 4F1A2B3C: client=a.example.org[203.0.113.1]\n" +
		"2026-11-20T12:00:01Z mx1 postfix/qmgr[8]: 4F1A2B3C: from=<a@example.org>, size=1, nrcpt=1 (queue active)\n"
	if err := os.WriteFile(name, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	match, err := relaylens.ParseMatch([]string{"kind=accepted"})
	if err != nil {
		t.Fatal(err)
	}
	q := Events{Query: store.Query{Match: match}, Number: NoLimit}
	n := 0
	if err := q.Files(t.Context(), &Files{Names: []string{name}}, func(e *relaylens.Event) error {
		if n++; e.ID.IsZero() {
			t.Errorf("no id: %+v", e)
		}
		return nil
	}); err != nil || n != 1 {
		t.Errorf("%d events, %v", n, err)
	}
}

// As many refusals as may be looked at are looked at; of one more, the latest of each
// cause, one at the least.
func TestFindingsMost(t *testing.T) {
	s := filled(t, 100)
	for most, want := range map[int]int{0: 10, 101: 10, 100: 10, 99: 3, 50: 2, 49: 1, 2: 1} {
		found, err := (&Findings{Most: most}).Store(t.Context(), s)
		if err != nil || len(found) != 1 {
			t.Fatalf("%d: %d findings, %v", most, len(found), err)
		}
		if f := found[0]; f.Events != want || f.Partial != (most > 0 && most < 100) {
			t.Errorf("%d: %d events, partial %v", most, f.Events, f.Partial)
		}
	}
}

// Hosts come in the order of their refusals, then of those in the span before; their
// latest events are told in UTC, whatever the zone of the log.
func TestHosts(t *testing.T) {
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := &store.Batch{}
	add := func(host string, at time.Time) {
		line := relaylens.Line{Text: "a line", Offset: int64(len(b.Events))}
		b.Events = append(b.Events, relaylens.Event{ID: relaylens.NewID(&line, 0), Time: at.In(time.FixedZone("", 3600)), Host: host, MTA: relaylens.Postfix,
			Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Cause: relaylens.CauseUnknown, ClientIP: netip.MustParseAddr("203.0.113.1"), Code: 554})
	}
	for host, n := range map[string][2]int{"mx1": {1, 1}, "mx2": {1, 3}, "mx3": {2, 0}, "mx4": {0, 1}, "mx5": {1, 1}} {
		for i := range n[0] {
			add(host, noon.Add(-time.Duration(i+1)*time.Minute))
		}
		for i := range n[1] {
			add(host, noon.Add(-time.Duration(90+i)*time.Minute))
		}
	}
	if _, err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	held, err := Hosts(t.Context(), s, SummaryOptions{Span: store.Span{Since: noon.Add(-time.Hour), Until: noon}, Now: noon, Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	var got []summary.Holding
	for _, h := range held {
		for _, m := range h.Latest {
			if m.Time.Location() != time.UTC || m.ID.IsZero() {
				t.Errorf("%s: %v", h.Host, m)
			}
		}
		got = append(got, summary.Holding{Host: h.Host, Refusals: h.Refusals, Before: h.Before})
	}
	want := []summary.Holding{{Host: "mx3", Refusals: 2}, {Host: "mx2", Refusals: 1, Before: 3}, {Host: "mx1", Refusals: 1, Before: 1}, {Host: "mx5", Refusals: 1, Before: 1}, {Host: "mx4", Before: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
