package store

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

var at = time.Date(2026, 11, 20, 9, 30, 0, 123_456_000, time.FixedZone("", 3600))

// asked are the numbers in the one row of an answer.
func asked(t testing.TB, s *Store, query string) (numbers []int64) {
	t.Helper()
	err := s.read.row(context.Background(), func(st *sqlite.Stmt) {
		for i := range st.ColumnCount() {
			numbers = append(numbers, st.ColumnInt64(i))
		}
	}, query)
	if err != nil {
		t.Fatal(err)
	}
	return numbers
}

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func commit(t testing.TB, s *Store, b *Batch) int {
	t.Helper()
	n, err := s.Commit(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func list(t testing.TB, s *Store, span Span) []relaylens.Event {
	t.Helper()
	var events []relaylens.Event
	for e, err := range s.Events(context.Background(), span) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// event is a refusal whose every field tells n.
func event(n int) relaylens.Event {
	line := relaylens.Line{Text: fmt.Sprint("line ", n), Offset: int64(n)}
	return relaylens.Event{
		ID: relaylens.NewID(&line, 0), Time: at.Add(time.Duration(n) * time.Second), TimeDigits: 6, Host: "mx1", MTA: relaylens.Postfix,
		Service: "smtpd", PID: int32(n + 1), QueueID: "4XyZ", Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound,
		Stage: relaylens.StageRcpt, Cause: relaylens.CauseUnknown, ClientIP: netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}),
		ClientName: "pc.example.com", ClientPort: 4711, Helo: "pc", Proto: "ESMTP", User: "joe", AuthMethod: "PLAIN",
		Sender: fmt.Sprintf("a%d@example.com", n), Recipient: "b@Example.NET", Code: 554, Enhanced: "5.7.1", Text: "Relay access denied",
		RemoteHost: "mx.example.org", RemoteIP: netip.MustParseAddr("2001:db8::1"), Source: "/var/log/mail.log", Line: int64(n + 1), Offset: int64(n),
	}
}

var compareEvents = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) && a.Format(time.RFC3339) == b.Format(time.RFC3339) }),
}

func TestEventsComeBackAsTheyWere(t *testing.T) {
	s := open(t, t.TempDir())
	want := []relaylens.Event{
		event(1),
		{ID: relaylens.ID{2}, Time: at.Add(2 * time.Second), MTA: relaylens.Exim, Kind: relaylens.KindRejected, Reason: relaylens.ReasonGreylist, Class: relaylens.Class4xx},
		{ID: relaylens.ID{3}, Time: at.Add(3 * time.Second).UTC(), MTA: relaylens.Sendmail, Kind: relaylens.KindSenderVerify, NullSender: true},
	}
	if n := commit(t, s, &Batch{Events: want}); n != 3 {
		t.Fatalf("%d inserted", n)
	}
	if diff := cmp.Diff(want, list(t, s, Span{}), compareEvents); diff != "" {
		t.Error(diff)
	}
}

func TestHostileTextIsText(t *testing.T) {
	s := open(t, t.TempDir())
	e := event(1)
	e.Helo, e.User, e.Sender = "'); DROP TABLE events; --", "nul\x00after", "\xff\xfe@example.com"
	commit(t, s, &Batch{Events: []relaylens.Event{e}})
	got := list(t, s, Span{})[0]
	if got.Helo != e.Helo || got.User != "nul\ufffdafter" || got.Sender != "\ufffd@example.com" {
		t.Errorf("helo %q, user %q, sender %q", got.Helo, got.User, got.Sender)
	}
}

func TestCommitIsRepeatable(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	b := &Batch{
		Events:    []relaylens.Event{event(1), event(2), event(2)},
		Positions: []relaylens.Position{{Source: "/var/log/mail.log", Device: 1, Inode: 1 << 63, Origin: relaylens.NewOrigin("x"), Offset: 10, Number: 3, Time: at.UTC(), Saved: at.UTC()}},
	}
	if n := commit(t, s, b); n != 2 {
		t.Fatalf("%d inserted, want 2: one came twice", n)
	}
	s.Close()
	s = open(t, dir)
	b.Events, b.Positions[0].Offset = append(b.Events, event(3)), 20
	if n := commit(t, s, b); n != 1 {
		t.Errorf("%d inserted after the restart, want 1", n)
	}
	if got := len(list(t, s, Span{})); got != 3 {
		t.Errorf("%d events, want 3", got)
	}
	st, err := s.Stats(context.Background())
	if err != nil || st.Events != 3 {
		t.Errorf("the roll-up counts %d events (%v), want 3: a repeated one was counted again", st.Events, err)
	}
	positions, err := s.Positions(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.Positions, positions); diff != "" {
		t.Error(diff)
	}
	commit(t, s, &Batch{Drained: b.Positions})
	if positions, _ := s.Positions(context.Background()); len(positions) != 0 {
		t.Errorf("a drained file's position stays: %v", positions)
	}
}

func TestRevisedCauseMovesInTheTotals(t *testing.T) {
	s := open(t, t.TempDir())
	commit(t, s, &Batch{Events: []relaylens.Event{event(1), event(2)}})
	one := event(1)
	timed, untimed := Revision{ID: one.ID, Time: one.Time}, Revision{ID: one.ID}
	for _, r := range []Revision{untimed, timed, untimed, timed} {
		for _, cause := range []relaylens.Cause{relaylens.CauseStalePassword, relaylens.CauseOpenRelayProbe} {
			r.Cause = cause
			b := &Batch{Revised: []Revision{r, {ID: relaylens.ID{9}, Cause: relaylens.CausePolicy}, {ID: relaylens.ID{9}, Time: one.Time, Cause: relaylens.CausePolicy}}}
			for range 2 { // the second time finds nothing to do
				commit(t, s, b)
			}
		}
	}
	if got := list(t, s, Span{}); got[0].Cause != relaylens.CauseOpenRelayProbe || got[1].Cause != relaylens.CauseUnknown {
		t.Errorf("causes %v, %v", got[0].Cause, got[1].Cause)
	}
	totals := map[string]int{}
	err := s.read.query(t.Context(), "SELECT cause, sum(events) FROM hourly_totals GROUP BY cause", nil, func(st *sqlite.Stmt) (bool, error) {
		totals[st.ColumnText(0)] = st.ColumnInt(1)
		return true, nil
	})
	if diff := cmp.Diff(map[string]int{"unknown": 1, "open_relay_probe": 1}, totals); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// A cause that changes before its event is written leaves nothing of itself, not
// even where the text of the host is not as it is stored.
func TestCauseRevisedWithItsEvent(t *testing.T) {
	for _, host := range []string{"mx1", "mx\xff"} {
		t.Run(host, func(t *testing.T) {
			s := open(t, t.TempDir())
			for n := range 8 { // the order of the totals differs
				e := event(n)
				e.Host, e.Time = host, at.Add(time.Duration(n)*time.Hour)
				commit(t, s, &Batch{Events: []relaylens.Event{e}, Revised: []Revision{{ID: e.ID, Cause: relaylens.CausePolicy, Time: e.Time}}})
			}
			for v, err := range s.Totals(t.Context(), Span{}) {
				if err != nil {
					t.Fatal(err)
				}
				if v.Cause != relaylens.CausePolicy || v.Events != 1 {
					t.Errorf("%s: %d events of cause %s, want 1 of policy", v.Hour, v.Events, v.Cause)
				}
			}
		})
	}
}

func TestSpanIsHalfOpen(t *testing.T) {
	s := open(t, t.TempDir())
	commit(t, s, &Batch{Events: []relaylens.Event{event(3), event(1), event(2)}})
	got := list(t, s, Span{Since: at.Add(time.Second), Until: at.Add(3 * time.Second)})
	if len(got) != 2 || got[0].PID != 2 || got[1].PID != 3 {
		t.Errorf("got %d events %+v", len(got), got)
	}
}

func TestRetain(t *testing.T) {
	ctx := context.Background()
	s := open(t, t.TempDir())
	var events []relaylens.Event
	for n := range 20_000 {
		e := event(n)
		e.Time = at.Add(time.Duration(n) * time.Minute)
		e.ClientIP = netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
		events = append(events, e)
	}
	commit(t, s, &Batch{Events: events})
	now := events[len(events)-1].Time
	if deleted, err := s.Retain(ctx, Retention{Keep: 10_000 * time.Minute}, now); err != nil || deleted != 9_999 {
		t.Errorf("deleted %d by age, %v; want 9999", deleted, err)
	}
	full, err := s.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	file := fileSize(t, s)
	if _, err := s.Retain(ctx, Retention{MaxBytes: full.Bytes / 2}, now); err != nil {
		t.Fatal(err)
	}
	half, err := s.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if half.Bytes > full.Bytes/2 {
		t.Errorf("%d bytes after a bound of %d", half.Bytes, full.Bytes/2)
	}
	if !half.Newest.Equal(full.Newest) || !half.Oldest.After(full.Oldest) {
		t.Errorf("events from %v to %v left of %v to %v: the oldest were to go", half.Oldest, half.Newest, full.Oldest, full.Newest)
	}
	if now := fileSize(t, s); now > file*3/4 {
		t.Errorf("the file has %d bytes, had %d: no space was given back", now, file)
	}
}

func fileSize(t *testing.T, s *Store) int64 {
	t.Helper()
	if _, err := s.write.exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(s.path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestAnHourKeepsItsLargest(t *testing.T) {
	ctx := context.Background()
	s := open(t, t.TempDir())
	var events []relaylens.Event
	for n := range 3_000 {
		e := event(n)
		e.Time = at
		e.User = fmt.Sprint("guessed", n)
		if n%3 == 0 {
			e.User = "victim"
		}
		events = append(events, e)
	}
	commit(t, s, &Batch{Events: events})
	for range 2 { // the second time finds nothing to do
		if _, err := s.Retain(ctx, Retention{}, at.Add(24*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	n := asked(t, s, `SELECT count(*), sum(events), sum(events) FILTER (WHERE value = 'victim'), sum(events) FILTER (WHERE value = '')
		FROM hourly_top WHERE field = 'user'`)
	rows, total, victim, other := n[0], n[1], n[2], n[3]
	if rows != topValues+1 || victim != 1000 || total != 3000 || other != 3000-1000-(topValues-1) {
		t.Errorf("%d rows, %d events, victim %d, others %d", rows, total, victim, other)
	}
}

func TestDamagedFileIsPutAside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	garbage := []byte(strings.Repeat("this is no database ", 1000))
	if err := os.WriteFile(path, garbage, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), dir); err == nil || !Damaged(err) {
		t.Fatalf("Open says %v", err)
	}
	s, aside, err := OpenOrReplace(context.Background(), dir, at, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if kept, err := os.ReadFile(aside); err != nil || string(kept) != string(garbage) {
		t.Errorf("the damaged file was not kept at %s: %v", aside, err)
	}
	commit(t, s, &Batch{Events: []relaylens.Event{event(1)}})
	if err := s.Check(context.Background()); err != nil {
		t.Error(err)
	}
}

// What the former schema said in place of a journal's cursor is a state by now.
func TestPositionsOfAnOlderSchema(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	p := relaylens.Position{Source: "/var/log/mail.log", Device: 1, Inode: 2, Origin: relaylens.NewOrigin("x"), Offset: 10, Number: 3, Time: at.UTC(), Saved: at.UTC()}
	var want []relaylens.Position
	for cursor, state := range map[string]relaylens.PositionState{"": relaylens.PositionOpen, "end": relaylens.PositionEnded, "old": relaylens.PositionSkipped} {
		old := p
		old.Source, old.Cursor = p.Source+cursor, cursor
		commit(t, s, &Batch{Positions: []relaylens.Position{old}})
		old.Cursor, old.State = "", state
		want = append(want, old)
	}
	journal := relaylens.Position{Source: "journal", Cursor: "s=1;i=end", Time: at.UTC(), Saved: at.UTC()}
	commit(t, s, &Batch{Positions: []relaylens.Position{journal}})
	want = append(want, journal)
	downgrade(t, s, 4)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	slices.SortFunc(want, func(a, b relaylens.Position) int { return strings.Compare(a.Source, b.Source) })
	got, err := s.Positions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for i := range want { // and what is saved comes back
		want[i].State = relaylens.PositionState(i % 3)
	}
	commit(t, s, &Batch{Positions: want})
	if got, err = s.Positions(t.Context()); err != nil || !cmp.Equal(want, got) {
		t.Errorf("%v: %s", err, cmp.Diff(want, got))
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.write.exec("PRAGMA user_version = 1000"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, _, err := OpenOrReplace(context.Background(), dir, at, nil); !errors.Is(err, ErrNewer) {
		t.Errorf("Open says %v", err)
	}
	if _, err := OpenReadOnly(context.Background(), dir); !errors.Is(err, ErrNewer) {
		t.Errorf("OpenReadOnly says %v", err)
	}
}

func TestReadWhileWritten(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenReadOnly(context.Background(), dir); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("without a database: %v", err)
	}
	w := open(t, dir)
	commit(t, w, &Batch{Events: []relaylens.Event{event(1)}})
	r, err := OpenReadOnly(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	commit(t, w, &Batch{Events: []relaylens.Event{event(2)}})
	if got := len(list(t, r, Span{})); got != 2 {
		t.Errorf("the reader sees %d events, want 2", got)
	}
}

func BenchmarkCommit(b *testing.B) {
	s := open(b, b.TempDir())
	batch := &Batch{Events: make([]relaylens.Event, 1000), Positions: []relaylens.Position{{Source: "x"}}}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		for i := range batch.Events {
			n++
			batch.Events[i] = event(n)
			batch.Events[i].ClientIP = netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
		}
		commit(b, s, batch)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}
