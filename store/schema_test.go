package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// undo takes back what a migration did, so that the data of an older version can
// be made.
var undo = map[int][]string{
	4: {"DROP TABLE daily", "DROP TABLE daily_top"},
	5: {"ALTER TABLE positions DROP COLUMN state"},
	6: {
		"DROP INDEX events_once", "ALTER TABLE revisions DROP COLUMN event", "CREATE UNIQUE INDEX events_by_id ON events (id)",
		"PRAGMA writable_schema = ON",
		"UPDATE sqlite_schema SET sql = NULL, name = 'sqlite_autoindex_events_1' WHERE name = 'events_by_id'",
		"UPDATE sqlite_schema SET sql = replace(sql, 'BLOB    NOT NULL', 'BLOB    NOT NULL UNIQUE') WHERE type = 'table' AND name = 'events'",
		"PRAGMA writable_schema = RESET",
	},
	7: {"DROP TABLE hours_waiting"},
	8: {"DROP TABLE hourly_lists"},
}

// downgrade brings a store back to the schema of an older version.
func downgrade(t testing.TB, s *Store, version int) {
	t.Helper()
	for v := latestVersion(); v > version; v-- {
		for _, query := range append(undo[v], fmt.Sprintf("PRAGMA user_version = %d", v-1)) {
			if _, err := s.write.exec(query); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
		}
	}
}

// schema is what a database consists of, as SQLite tells.
func schema(t testing.TB, s *Store) string {
	t.Helper()
	var b strings.Builder
	err := s.read.query(t.Context(), "SELECT type, name, tbl_name, coalesce(sql, '-') FROM sqlite_schema ORDER BY 1, 2", nil, func(st *sqlite.Stmt) (bool, error) {
		fmt.Fprintln(&b, st.ColumnText(0), st.ColumnText(1), st.ColumnText(2), st.ColumnText(3))
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A store of the version that found events by an index of their ids has the same
// events afterwards, knows them when they come again, and ships what was to be
// shipped.
func TestEventsOfAnOlderSchema(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	made := schema(t, s)
	var events []relaylens.Event
	for n := range 1000 {
		events = append(events, event(n))
	}
	commit(t, s, &Batch{Events: events})
	o := outbox(t, s)
	done(t, o, next(t, o, len(events)))
	commit(t, s, &Batch{Revised: []Revision{{ID: event(7).ID, Cause: relaylens.CausePolicy, Time: event(7).Time}}})
	downgrade(t, s, 5)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	old, err := OpenReadOnly(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if before := schema(t, old); !strings.Contains(before, "sqlite_autoindex_events_1") || strings.Contains(before, "events_once") {
		t.Fatalf("this is not the older schema:\n%s", before)
	}
	old.Close()

	s = open(t, dir)
	if diff := cmp.Diff(made, schema(t, s)); diff != "" {
		t.Error("the schema is not that of a new store:", diff)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	events[7].Cause = relaylens.CausePolicy
	if diff := cmp.Diff(events, list(t, s, Span{}), compareEvents); diff != "" {
		t.Error(diff)
	}
	if n := commit(t, s, &Batch{Events: append(events, event(1000))}); n != 1 {
		t.Errorf("%d inserted, want 1: the others are there", n)
	}
	if p := next(t, outbox(t, s), 100); len(p.Events) != 1 || len(p.Revised) != 1 || p.Revised[0].ID != event(7).ID || p.Revised[0].Cause != relaylens.CausePolicy {
		t.Errorf("to be shipped: %d events, revised %+v", len(p.Events), p.Revised)
	}
}

// A line is known by what it shows, in whatever time zone it was read.
func TestOnceInWhateverZone(t *testing.T) {
	s := open(t, t.TempDir())
	e := event(1)
	there := e
	there.Time = e.Time.Add(-2 * time.Hour).In(time.FixedZone("", 3*3600))
	another := there
	another.ID = event(2).ID
	for i, b := range []Batch{{Events: []relaylens.Event{e}}, {Events: []relaylens.Event{there, another}}, {Events: []relaylens.Event{another, e}}} {
		if n := commit(t, s, &b); n != []int{1, 1, 0}[i] {
			t.Errorf("commit %d inserted %d", i, n)
		}
	}
}

// olderVersion is the schema before the one that reads every event.
const olderVersion = 5

// older makes a store of that schema, with events.
func older(t *testing.T, dir string) (events []relaylens.Event) {
	t.Helper()
	s := open(t, dir)
	for n := range 1000 {
		events = append(events, event(n))
	}
	commit(t, s, &Batch{Events: events})
	downgrade(t, s, olderVersion)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return events
}

// expectOlder holds that there is what older made, and nothing of the last schema.
func expectOlder(t *testing.T, dir string, events []relaylens.Event) {
	t.Helper()
	s, err := OpenReadOnly(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if version := asked(t, s, "PRAGMA user_version")[0]; version != olderVersion {
		t.Errorf("the schema is %d", version)
	}
	if made := schema(t, s); strings.Contains(made, "events_once") || !strings.Contains(made, "sqlite_autoindex_events_1") {
		t.Errorf("something of the migration stayed:\n%s", made)
	}
	if diff := cmp.Diff(events, list(t, s, Span{}), compareEvents); diff != "" {
		t.Error(diff)
	}
}

// A daemon that is killed while it brings its store up to date has done nothing, and
// the next one does it.
func TestKilledInAMigration(t *testing.T) {
	const there = "RELAYLENS_TEST_DIE_IN"
	if dir := os.Getenv(there); dir != "" {
		dieInMigration(t, dir)
	}
	dir := t.TempDir()
	events := older(t, dir)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), there+"="+dir)
	out, err := child.CombinedOutput()
	if child.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("%v: %s", err, out)
	}
	if wal, err := os.Stat(filepath.Join(dir, FileName+"-wal")); err != nil || wal.Size() == 0 {
		t.Fatalf("nothing of it was written: %v", err)
	}
	expectOlder(t, dir, events)

	s := open(t, dir)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if made := schema(t, s); made != schema(t, open(t, t.TempDir())) {
		t.Errorf("the schema is not that of a new store:\n%s", made)
	}
	if diff := cmp.Diff(events, list(t, s, Span{}), compareEvents); diff != "" {
		t.Error(diff)
	}
}

// dieInMigration does all of the next migration but its end.
func dieInMigration(t *testing.T, dir string) {
	w, err := openWriter(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.exec("PRAGMA cache_size = 10"); err != nil { // so that pages are written before
		t.Fatal(err)
	}
	die := sqlite.AuthorizeFunc(func(a sqlite.Action) sqlite.AuthResult {
		if a.Type() == sqlite.OpPragma && a.Pragma() == "user_version" && a.PragmaArg() != "" {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return sqlite.AuthResultOK
	})
	if err := w.conn.SetAuthorizer(die); err != nil {
		t.Fatal(err)
	}
	t.Fatal("it lives:", (&Store{write: w}).migrate(t.Context(), nil))
}

// Who opens an older store is told what it needs, and that it is done or was not.
func TestUpdateIsTold(t *testing.T) {
	dir := t.TempDir()
	events := older(t, dir)
	file, err := os.Stat(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	want := Update{From: olderVersion, To: latestVersion(), Bytes: file.Size(), About: time.Duration(5 * file.Size())}
	var told []Update
	var ended []error
	ctx, cancel := context.WithCancel(t.Context())
	stopped := func(u Update) func(error) {
		cancel()
		told = append(told, u)
		return func(err error) { ended = append(ended, err) }
	}
	if _, _, err := OpenOrReplace(ctx, dir, time.Now(), stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	expectOlder(t, dir, events)
	for range 2 { // nothing is to be told the second time
		s, _, err := OpenOrReplace(t.Context(), dir, time.Now(), stopped)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	if diff := cmp.Diff([]Update{want, want}, told); diff != "" {
		t.Error(diff)
	}
	if len(ended) != 2 || !errors.Is(ended[0], context.Canceled) || ended[1] != nil {
		t.Errorf("ended with %v", ended)
	}
}
