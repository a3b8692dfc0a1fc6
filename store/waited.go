package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// transactHours runs one transaction that may change what waits. After one that failed
// it is known again by the database, and written by the next.
func (s *Store) transactHours(ctx context.Context, what string, do func(*writer) error) error {
	return s.writing(ctx, what, func(w *writer) error {
		err := w.transact(ctx, func(w *writer) error {
			if err := s.relearn(w); err != nil {
				return err
			}
			return do(w)
		})
		if err != nil {
			s.waiting = waiting{unknown: true}
		}
		return err
	})
}

// writeHours writes all hours that wait.
func (s *Store) writeHours(ctx context.Context) error {
	return s.transactHours(ctx, "write hours", func(w *writer) error { return s.waiting.write(w, &s.stmts, s.tops.hour, false, false) })
}

// recover writes the hours that waited when the program ended. Where nothing can be
// written yet, the first commit does it.
func (s *Store) recover(ctx context.Context) error {
	s.waiting.unknown = true
	err := s.writeHours(ctx)
	if err != nil && (ctx.Err() != nil || Damaged(err)) {
		return err
	}
	return nil
}

// relearn writes the hours that the database says wait, where nothing else does.
func (s *Store) relearn(w *writer) error {
	if !s.waiting.unknown {
		return nil
	}
	var list []*hourTops
	since := int64(math.MaxInt64)
	err := rows(w.conn, "SELECT hour, since FROM hours_waiting", nil, func(st *sqlite.Stmt) error {
		h := &hourTops{hour: st.ColumnInt64(0), since: st.ColumnInt64(1), noted: true}
		list, since = append(list, h), min(since, h.since)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read hours that wait: %w", err)
	}
	s.waiting = waiting{hours: list}
	if len(list) == 0 {
		return nil
	}
	err = rows(w.conn, fmt.Sprint("SELECT ", countedColumns, " FROM events WHERE seq > ", since), nil, func(st *sqlite.Stmt) error {
		e, seq := countedEvent(st)
		for _, h := range list {
			if h.hour == hourOf(e.Time.Unix()) && seq > h.since {
				s.waiting.values += h.add(&e)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read events of hours that wait: %w", err)
	}
	return s.waiting.write(w, &s.stmts, s.tops.hour, false, false)
}

// countedColumns are what top lists count by.
const countedColumns = "seq, time, kind, direction, client_ip, user, sender, recipient, remote_host, remote_ip"

// countedEvent is a row of them. What cannot be read counts nowhere: nothing is
// written after an error.
func countedEvent(st *sqlite.Stmt) (e relaylens.Event, seq int64) {
	e = relaylens.Event{Time: time.Unix(0, st.ColumnInt64(1)), User: st.ColumnText(5), Sender: st.ColumnText(6), Recipient: st.ColumnText(7), RemoteHost: st.ColumnText(8)}
	e.Kind, _ = relaylens.ParseKind(st.ColumnText(2))
	e.Direction, _ = relaylens.ParseDirection(st.ColumnText(3))
	e.ClientIP, e.RemoteIP = parseAddr(st.ColumnText(4)), parseAddr(st.ColumnText(9))
	return e, st.ColumnInt64(0)
}

// rows hands the rows of a query of the connection that writes to read.
func rows(conn *sqlite.Conn, query string, args []any, read func(*sqlite.Stmt) error) (err error) {
	st, _, err := conn.PrepareTransient(query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Finalize()) }()
	bind(st, args)
	for {
		if more, err := st.Step(); err != nil || !more {
			return err
		}
		if err := read(st); err != nil {
			return err
		}
	}
}

// behindHour are the events of an hour that its top lists do not tell yet: behind
// one event, up to another.
type behindHour struct{ hour, since, upTo int64 }

// selectBehind adds the hours of a span that wait to a query of two columns, whose
// parameters begin with the span, so that both tell of one moment.
const selectBehind = " UNION ALL SELECT NULL, concat_ws(' ', hour, since, (SELECT max(seq) FROM events)) FROM hours_waiting WHERE hour >= ?1 AND hour < ?2"

func (h *behindHour) parse(text string) error {
	if _, err := fmt.Sscan(text, &h.hour, &h.since, &h.upTo); err != nil {
		return fmt.Errorf("read hour that waits: %w", err)
	}
	return nil
}

// valuesBehind hands on what the lists of an hour do not tell yet. It returns false
// when yield wants no more.
func (s *Store) valuesBehind(ctx context.Context, h behindHour, yield func(Value, error) bool) bool {
	const query = "SELECT " + countedColumns + " FROM events WHERE seq > ? AND seq <= ? AND +time >= ? AND +time < ?"
	tops := hourTops{}
	const second = 1_000_000_000
	err := s.read.query(ctx, query, []any{h.since, h.upTo, h.hour * second, (h.hour + hourSeconds) * second}, func(st *sqlite.Stmt) (bool, error) {
		e, _ := countedEvent(st)
		tops.add(&e)
		return true, nil
	})
	if err != nil {
		yield(Value{}, fmt.Errorf("read events of an hour that waits: %w", err))
		return false
	}
	for field := range tops.fields {
		for _, c := range tops.fields[field].counts {
			v := Value{Field: topFields[field], Value: c.value(), Kind: c.kind(), Events: c.events, First: time.Unix(0, c.first).UTC(), Last: time.Unix(0, c.last).UTC()}
			if !yield(v, nil) {
				return false
			}
		}
	}
	return true
}
