package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// Revision is another cause of an event that is in the store.
type Revision = relaylens.Revision

// revise gives events their new causes, and moves them in the hourly totals.
// Events that are not there, or no longer, are passed over.
func (s *Store) revise(w *writer, revisions []Revision, totals totals) error {
	places, err := findUntimed(w, revisions)
	if err != nil {
		return fmt.Errorf("find events to revise: %w", err)
	}
	for i := range revisions {
		if err := s.reviseOne(w, &revisions[i], places, totals); err != nil {
			return fmt.Errorf("revise event %s: %w", revisions[i].ID, err)
		}
	}
	return nil
}

// findUntimed finds the events whose time is not told, all in one pass over the
// index, which has the order of time.
func findUntimed(w *writer, revisions []Revision) (places map[relaylens.ID]int64, err error) {
	var list []string
	for i := range revisions {
		if revisions[i].Time.IsZero() {
			list = append(list, "x'"+hex.EncodeToString(revisions[i].ID[:])+"'")
		}
	}
	places = make(map[relaylens.ID]int64, len(list))
	if len(list) == 0 {
		return places, nil
	}
	st, _, err := w.conn.PrepareTransient("SELECT id, seq FROM events WHERE id IN (" + strings.Join(list, ",") + ")")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.Finalize()) }()
	for {
		more, err := st.Step()
		if err != nil || !more {
			return places, err
		}
		var id relaylens.ID
		st.ColumnBytes(0, id[:])
		places[id] = st.ColumnInt64(1)
	}
}

// reviseOne notes in totals what moves from one cause to another.
func (s *Store) reviseOne(w *writer, r *Revision, places map[relaylens.ID]int64, totals totals) error {
	var seq int64
	var was totalKey
	var bad error
	scan := func(st *sqlite.Stmt) {
		seq, was.hour, was.host = st.ColumnInt64(0), hourOf(time.Unix(0, st.ColumnInt64(1)).Unix()), st.ColumnText(2)
		word(&bad, &was.mta, st.ColumnText(3), relaylens.ParseMTA)
		word(&bad, &was.kind, st.ColumnText(4), relaylens.ParseKind)
		word(&bad, &was.direction, st.ColumnText(5), relaylens.ParseDirection)
		word(&bad, &was.reason, st.ColumnText(6), relaylens.ParseReason)
		word(&bad, &was.cause, st.ColumnText(7), relaylens.ParseCause)
		word(&bad, &was.class, st.ColumnText(8), relaylens.ParseClass)
	}
	const columns = "SELECT seq, time, host, mta, kind, direction, reason, cause, class FROM events WHERE "
	var found bool
	var err error
	if r.Time.IsZero() {
		found, err = w.row(scan, columns+"seq = ?", places[r.ID])
	} else {
		found, err = w.row(scan, columns+"time / 1000000000 + zone = ? AND id = ?", shown(r.Time), r.ID[:])
	}
	if err != nil || !found || bad != nil || was.cause == r.Cause {
		return err // a row with a word of another version stays as it is
	}
	now := was
	now.cause = r.Cause
	totals[was]--
	totals[now]++
	if _, err := w.exec("UPDATE events SET cause = ? WHERE seq = ?", r.Cause.String(), seq); err != nil {
		return err
	}
	_, err = w.exec("INSERT INTO revisions (id, event) SELECT ?, ? WHERE EXISTS (SELECT 1 FROM outbox)", r.ID[:], seq)
	return err
}

// shown is the second that a line showed by the log's own clock, as the index
// events_once has it.
func shown(t time.Time) int64 {
	_, zone := t.Zone()
	at := t.UnixNano() / int64(time.Second) // as SQLite divides
	return at + int64(zone)
}
