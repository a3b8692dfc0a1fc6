package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
)

// statements are prepared once on the writing connection.
type statements struct {
	event, position, forget, total, top, late, daily, context, revision *sql.Stmt
}

func (st *statements) prepare(ctx context.Context, db *sql.DB) error {
	for _, p := range []struct {
		stmt  **sql.Stmt
		query string
	}{
		{&st.event, "INSERT INTO events (" + columns + ") VALUES (?" + strings.Repeat(",?", numColumns-1) + ") ON CONFLICT (id) DO NOTHING"},
		{&st.position, `INSERT INTO positions (source, origin, device, inode, offset, number, cursor, state, updated, saved) VALUES (?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT DO UPDATE SET offset = excluded.offset, number = excluded.number, cursor = excluded.cursor, state = excluded.state, updated = excluded.updated, saved = excluded.saved`},
		{&st.forget, "DELETE FROM positions WHERE source = ? AND origin = ? AND device = ? AND inode = ?"},
		{&st.total, `INSERT INTO hourly_totals (hour, host, mta, kind, direction, reason, cause, class, events) VALUES (?,?,?,?,?,?,?,?,?)
			ON CONFLICT DO UPDATE SET events = events + excluded.events`},
		{&st.top, `INSERT INTO hourly_top (hour, field, value, kind, events, first, last) VALUES (?,?,?,?,?,?,?)
			ON CONFLICT DO UPDATE SET events = events + excluded.events, first = min(first, excluded.first), last = max(last, excluded.last)`},
		{&st.late, "UPDATE daily SET late = 1 WHERE day = ? AND field = ?"},
		{&st.daily, `INSERT INTO daily_top (day, field, value, kind, events, first, last, bound) VALUES (?,?,?,?,?,?,?,0)
			ON CONFLICT DO UPDATE SET events = events + excluded.events, first = min(first, excluded.first), last = max(last, excluded.last)`},
		{&st.context, "INSERT INTO context (minute, host, mta, kind, direction, client_ip, user, sender, recipient, events) VALUES (?,?,?,?,?,?,?,?,?,?)"},
		{&st.revision, "INSERT INTO revisions (id) SELECT id FROM events WHERE id = ? AND EXISTS (SELECT 1 FROM outbox)"},
	} {
		stmt, err := db.PrepareContext(ctx, p.query)
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
	// Committed are called by whoever commits the batch, once that is done.
	Committed []func()
}

// Commit writes b in one transaction and reports how many of its events are
// new. Events that are there already are left as they are, so that a batch that
// was written before a crash may be written again. After an error nothing of b
// is in the database.
func (s *Store) Commit(ctx context.Context, b *Batch) (inserted int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("begin transaction: %w", err)
	}
	defer tx.Rollback()
	rollup := newRollup()
	if inserted, err = s.insert(ctx, tx, b.Events, rollup); err != nil {
		return 0, err
	}
	if err := rollup.write(ctx, tx, &s.stmts); err != nil {
		return 0, err
	}
	if err := s.revise(ctx, tx, b.Revised); err != nil {
		return 0, err
	}
	if err := s.noteContext(ctx, tx, b.Context); err != nil {
		return 0, err
	}
	if err := s.move(ctx, tx, b); err != nil {
		return 0, err
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("commit %d events: %w", len(b.Events), err)
	}
	return inserted, nil
}

// unwatched is ctx for one of many short statements: for each that can be cancelled
// the driver starts a goroutine, which was a third of the CPU of a flood. Who uses it
// looks at ctx between them.
func unwatched(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

func (s *Store) insert(ctx context.Context, tx *sql.Tx, events []relaylens.Event, rollup *rollup) (int, error) {
	stmt, each := tx.StmtContext(ctx, s.stmts.event), unwatched(ctx)
	args := make([]any, 0, numColumns)
	inserted := 0
	for i := range events {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("insert events: %w", err)
		}
		e := &events[i]
		args = values(args[:0], e)
		result, err := stmt.ExecContext(each, args...)
		if err != nil {
			return 0, fmt.Errorf("insert event %s: %w", e.ID, err)
		}
		if n, err := result.RowsAffected(); err != nil {
			return 0, fmt.Errorf("insert event %s: %w", e.ID, err)
		} else if n == 1 {
			inserted++
			rollup.add(e)
		}
	}
	return inserted, nil
}

func (s *Store) move(ctx context.Context, tx *sql.Tx, b *Batch) error {
	for _, p := range b.Drained {
		if _, err := tx.StmtContext(ctx, s.stmts.forget).ExecContext(ctx, p.Source, p.Origin[:], int64(p.Device), int64(p.Inode)); err != nil {
			return fmt.Errorf("forget position of %s: %w", p.Source, err)
		}
	}
	for _, p := range b.Positions {
		if _, err := tx.StmtContext(ctx, s.stmts.position).ExecContext(ctx, p.Source, p.Origin[:], int64(p.Device), int64(p.Inode),
			p.Offset, p.Number, p.Cursor, p.State.String(), p.Time.UnixNano(), p.Saved.UnixNano()); err != nil {
			return fmt.Errorf("save position of %s: %w", p.Source, err)
		}
	}
	return nil
}

// Positions lists every saved position, the latest of a source first.
func (s *Store) Positions(ctx context.Context) ([]relaylens.Position, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT source, origin, device, inode, offset, number, cursor, state, updated, saved FROM positions ORDER BY source, updated DESC")
	if err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	defer rows.Close()
	var positions []relaylens.Position
	for rows.Next() {
		var p relaylens.Position
		var origin []byte
		var state string
		var device, inode, updated, saved int64
		if err := rows.Scan(&p.Source, &origin, &device, &inode, &p.Offset, &p.Number, &p.Cursor, &state, &updated, &saved); err != nil {
			return nil, fmt.Errorf("read positions: %w", err)
		}
		if p.State, err = relaylens.ParsePositionState(state); err != nil {
			return nil, fmt.Errorf("read positions: %w", err)
		}
		p.Device, p.Inode, p.Time = uint64(device), uint64(inode), time.Unix(0, updated).UTC()
		p.Saved = time.Unix(0, saved).UTC()
		copy(p.Origin[:], origin)
		positions = append(positions, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	return positions, nil
}
