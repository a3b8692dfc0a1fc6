package store

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
	rows, err := s.read.Query("SELECT type, name, tbl_name, coalesce(sql, '-') FROM sqlite_schema ORDER BY 1, 2")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var b strings.Builder
	for rows.Next() {
		var kind, name, table, sql string
		if err := rows.Scan(&kind, &name, &table, &sql); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, kind, name, table, sql)
	}
	if err := rows.Err(); err != nil {
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
