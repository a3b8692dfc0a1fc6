package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// statements are prepared once on the writing connection.
type statements struct {
	event, position, forget, total, none, top, list, late, daily, context *prepared
}

func (st *statements) prepare(conn *sqlite.Conn) error {
	for _, p := range []struct {
		stmt  **prepared
		query string
	}{
		{&st.event, "INSERT INTO events (" + columns + ") VALUES (?" + strings.Repeat(",?", numColumns-1) + ") ON CONFLICT DO NOTHING"},
		{&st.position, `INSERT INTO positions (source, origin, device, inode, offset, number, cursor, state, updated, saved) VALUES (?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT DO UPDATE SET offset = excluded.offset, number = excluded.number, cursor = excluded.cursor, state = excluded.state, updated = excluded.updated, saved = excluded.saved`},
		{&st.forget, "DELETE FROM positions WHERE source = ? AND origin = ? AND device = ? AND inode = ?"},
		{&st.total, `INSERT INTO hourly_totals (hour, host, mta, kind, direction, reason, cause, class, events) VALUES (?,?,?,?,?,?,?,?,?)
			ON CONFLICT DO UPDATE SET events = events + excluded.events`},
		{&st.none, "DELETE FROM hourly_totals WHERE hour = ? AND host = ? AND mta = ? AND kind = ? AND direction = ? AND reason = ? AND cause = ? AND class = ? AND events <= 0"},
		{&st.top, `INSERT INTO hourly_top (hour, field, value, kind, events, first, last) VALUES (?,?,?,?,?,?,?)
			ON CONFLICT DO UPDATE SET events = events + excluded.events, first = min(first, excluded.first), last = max(last, excluded.last)`},
		{&st.list, "INSERT INTO hourly_lists (hour, field, rest, list) VALUES (?,?,?,?)"},
		{&st.late, "UPDATE daily SET late = 1 WHERE day = ? AND field = ?"},
		{&st.daily, `INSERT INTO daily_top (day, field, value, kind, events, first, last, bound) VALUES (?,?,?,?,?,?,?,0)
			ON CONFLICT DO UPDATE SET events = events + excluded.events, first = min(first, excluded.first), last = max(last, excluded.last)`},
		{&st.context, "INSERT INTO context (minute, host, mta, kind, direction, client_ip, user, sender, recipient, events) VALUES (?,?,?,?,?,?,?,?,?,?)"},
	} {
		stmt, err := prepare(conn, p.query)
		if err != nil {
			return err
		}
		*p.stmt = stmt
	}
	return nil
}

// Batch is what is committed together.
type Batch struct {
	Events []relaylens.Event
	// Revised are causes of events of this batch or of earlier ones that later
	// events changed.
	Revised []Revision
	// Positions are how far the sources have been read: every event of a line
	// before them is in Events or was committed before.
	Positions []relaylens.Position
	// Drained are files that were read to their end and will not grow.
	Drained []relaylens.Position
	// Context is what happened beside the events, for the outbox; where there is
	// none it is left out.
	Context []relaylens.Tally
	// Behind says that what is read is long gone and more of it waits: the top lists of
	// its hours may wait until an hour is over.
	Behind bool
	// Ordered says that events come in the order of their time, but for few.
	Ordered bool
	// Committed are called by whoever commits the batch, once that is done.
	Committed []func()
}

// Commit writes b in one transaction and reports how many of its events are
// new. Events that are there already are left as they are, so that a batch that
// was written before a crash may be written again. After an error nothing of b
// is in the database.
func (s *Store) Commit(ctx context.Context, b *Batch) (inserted int, err error) {
	err = s.transactHours(ctx, fmt.Sprintf("commit %d events", len(b.Events)), func(w *writer) error {
		clear(s.totals)
		if inserted, err = s.insert(w, b.Events); err != nil {
			return err
		}
		if err := s.revise(w, b.Revised, s.totals); err != nil {
			return err
		}
		if err := s.totals.write(w, &s.stmts); err != nil {
			return err
		}
		if err := s.waiting.write(w, &s.stmts, s.tops.hour, b.Behind, b.Ordered); err != nil {
			return err
		}
		if err := s.noteContext(w, b.Context); err != nil {
			return err
		}
		return s.move(w, b)
	})
	if err != nil {
		return 0, err
	}
	return inserted, nil
}

func (s *Store) insert(w *writer, events []relaylens.Event) (inserted int, err error) {
	for i := range events {
		e := &events[i]
		bindEvent(s.stmts.event, e)
		n, err := w.run(s.stmts.event.st)
		if err != nil {
			return 0, fmt.Errorf("insert event %s: %w", e.ID, err)
		}
		if n == 1 {
			inserted++
			s.totals.add(e)
			s.waiting.add(e, w.conn.LastInsertRowID)
		}
	}
	return inserted, nil
}

func (s *Store) move(w *writer, b *Batch) error {
	for i := range b.Drained {
		p := s.stmts.forget.bind()
		p.file(&b.Drained[i])
		if _, err := w.run(p.st); err != nil {
			return fmt.Errorf("forget position of %s: %w", b.Drained[i].Source, err)
		}
	}
	for i := range b.Positions {
		at := &b.Positions[i]
		p := s.stmts.position.bind()
		p.file(at)
		p.number(at.Offset)
		p.number(at.Number)
		p.valid(at.Cursor)
		p.valid(at.State.String())
		p.number(at.Time.UnixNano())
		p.number(at.Saved.UnixNano())
		if _, err := w.run(p.st); err != nil {
			return fmt.Errorf("save position of %s: %w", at.Source, err)
		}
	}
	return nil
}

// file is what the positions of one file have in common.
func (b *binder) file(p *relaylens.Position) {
	b.valid(p.Source)
	b.bytes(p.Origin[:])
	b.number(int64(p.Device))
	b.number(int64(p.Inode))
}

// Positions lists every saved position, the latest of a source first.
func (s *Store) Positions(ctx context.Context) ([]relaylens.Position, error) {
	const query = "SELECT source, origin, device, inode, offset, number, cursor, updated, saved, state FROM positions ORDER BY source, updated DESC"
	var positions []relaylens.Position
	err := s.read.query(ctx, query, nil, func(st *sqlite.Stmt) (more bool, err error) {
		p := relaylens.Position{Source: st.ColumnText(0), Device: uint64(st.ColumnInt64(2)), Inode: uint64(st.ColumnInt64(3)),
			Offset: st.ColumnInt64(4), Number: st.ColumnInt64(5), Cursor: st.ColumnText(6),
			Time: time.Unix(0, st.ColumnInt64(7)).UTC(), Saved: time.Unix(0, st.ColumnInt64(8)).UTC()}
		st.ColumnBytes(1, p.Origin[:])
		p.State, err = relaylens.ParsePositionState(st.ColumnText(9))
		positions = append(positions, p)
		return err == nil, err
	})
	if err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	return positions, nil
}
