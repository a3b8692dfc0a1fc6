package ask

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// filled is a store with n refusals, a minute apart, the last one at noon; each
// tenth is of a cause that makes findings.
func filled(t *testing.T, n int) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	b := &store.Batch{}
	for i := range n {
		line := relaylens.Line{Text: "a line", Offset: int64(i)}
		e := relaylens.Event{ID: relaylens.NewID(&line, 0), Time: noon.Add(time.Duration(i+1-n) * time.Minute), Host: "mx1", MTA: relaylens.Postfix,
			Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Cause: relaylens.CausePolicy, ClientIP: netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}),
			Sender: "a@example.com", Recipient: "b@lost.example.net", Code: 554}
		if i%10 == 0 {
			e.Cause = relaylens.CauseRecipientDomainNotConfigured
		}
		b.Events = append(b.Events, e)
	}
	if _, err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return s
}

// Spans are counted alike by hours, by events, and by both.
func TestCount(t *testing.T) {
	s := filled(t, 500)
	for _, minutes := range []int{0, 1, 5, 59, 60, 61, 125, 360, 499, 500, 600} {
		span := store.Span{Since: noon.Add(-time.Duration(minutes) * time.Minute), Until: noon}
		n, err := Count(t.Context(), s, span, relaylens.Match{})
		if want := int64(min(minutes, 499)); n != want || err != nil {
			t.Errorf("%d minutes: %d, %v, want %d", minutes, n, err, want)
		}
		only, err := relaylens.ParseMatch([]string{"cause=policy", "cause=recipient_domain_not_configured"})
		if err != nil {
			t.Fatal(err)
		}
		if selected, err := Count(t.Context(), s, span, only); selected != n || err != nil {
			t.Errorf("%d minutes by a match: %d, %v, want %d", minutes, selected, err, n)
		}
	}
}

// A summary finds the problems that all refusals point to, and says where it saw
// the latest of them only.
func TestSummaryFindings(t *testing.T) {
	for _, c := range []struct {
		refusals, events int
		partial          bool
	}{{9 * mostOfCause, 9 * mostOfCause / 10, false}, {10 * mostOfCause, mostOfCause, true}, {20 * mostOfCause, mostOfCause, true}} {
		s := filled(t, c.refusals)
		q, err := NewSummary(SummaryOptions{Span: store.Span{Since: noon.Add(-100 * time.Hour)}, Top: 5, Now: noon.Add(1), Location: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		if err := q.CountStore(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		r := q.Report(24)
		if len(r.Findings) != 1 || r.FindingsTotal != 1 || r.Findings[0].Events != c.events || r.Findings[0].Partial != c.partial || r.Findings[0].Fix == "" {
			t.Errorf("%d refusals: %+v", c.refusals, r.Findings)
		}
		if r.Refusals != int64(c.refusals) {
			t.Errorf("%d refusals of %d", r.Refusals, c.refusals)
		}
	}
}

// What is asked of files is answered as what is asked of a store, in each order
// and number.
func TestEventsOfFilesAndStore(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "mail.log")
	var log []byte
	for i := range 30 {
		log = fmt.Appendf(log, "%s mx1 postfix/smtpd[%d]: NOQUEUE: reject: RCPT from unknown[203.0.113.%d]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<x>\n",
			noon.Add(time.Duration(i)*time.Second).Format(time.RFC3339), i+1, i%3)
	}
	if err := os.WriteFile(name, log, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := &store.Batch{}
	all := Events{Number: NoLimit}
	if err := all.Files(t.Context(), &Files{Names: []string{name}}, func(e *relaylens.Event) error { b.Events = append(b.Events, e.Clone()); return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	only, err := relaylens.ParseMatch([]string{"client_ip=203.0.113.1"})
	if err != nil {
		t.Fatal(err)
	}
	cursor := relaylens.CursorOf(&b.Events[12])
	odd := func(e *relaylens.Event) bool { return e.PID%2 == 1 }
	for _, number := range []int{NoLimit, 0, 1, 7, 100} {
		for i, query := range []store.Query{{}, {Reverse: true}, {Match: only}, {Match: only, Reverse: true}, {From: &cursor}, {From: &cursor, After: true, Reverse: true},
			{Keep: odd}, {Keep: odd, Reverse: true}, {Keep: odd, Match: only}, {Span: store.Span{Since: noon.Add(5 * time.Second), Until: noon.Add(20 * time.Second)}}} {
			var files, stored []int32
			q := Events{Query: query, Number: number}
			if err := q.Files(t.Context(), &Files{Names: []string{name}}, func(e *relaylens.Event) error { files = append(files, e.PID); return nil }); err != nil {
				t.Fatal(err)
			}
			if err := q.Store(t.Context(), s, func(e *relaylens.Event) error { stored = append(stored, e.PID); return nil }); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(stored, files); diff != "" {
				t.Errorf("query %d, number %d (-store +files):\n%s", i, number, diff)
			}
		}
	}
}
