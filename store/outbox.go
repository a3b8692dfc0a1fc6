package store

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// maxContext is how many counts of context wait to be shipped. Those of long ago
// tell little, so the oldest go first.
const maxContext = 200_000

// Outbox is what of a store the fleet does not have yet. It is used by one
// goroutine; the store's other methods go on beside it.
type Outbox struct{ store *Store }

// Places of the marks of a parcel.
const (
	markShipped = iota
	markRevised
	markContext
)

// Outbox begins to keep what has to be shipped: everything that is in the store
// now and that comes from now on.
func (s *Store) Outbox(ctx context.Context) (*Outbox, error) {
	if _, err := s.step(ctx, "INSERT INTO outbox (one, shipped, intended, lost) VALUES (1, 0, 0, 0) ON CONFLICT DO NOTHING"); err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	s.ships.Store(true)
	return &Outbox{s}, nil
}

// CloseOutbox forgets what was to be shipped, when nothing ships any more:
// nothing is to be kept for a fleet that is no longer asked for.
func (s *Store) CloseOutbox(ctx context.Context) error {
	for _, query := range []string{"DELETE FROM outbox", "DELETE FROM revisions", "DELETE FROM context"} {
		if _, err := s.step(ctx, query); err != nil {
			return fmt.Errorf("close outbox: %w", err)
		}
	}
	s.ships.Store(false)
	return nil
}

// Next gives what comes next, at most most events and as many of the others. It
// is empty when everything was shipped. Until Done it gives the same events
// again, also after a restart, so that what was sent twice is seen to be the same.
func (o *Outbox) Next(ctx context.Context, most int) (*relaylens.Parcel, error) {
	p, err := o.next(ctx, most)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return p, nil
}

func (o *Outbox) next(ctx context.Context, most int) (*relaylens.Parcel, error) {
	shipped, end, err := o.intend(ctx, most)
	if err != nil {
		return nil, err
	}
	p := &relaylens.Parcel{Marks: [3]int64{markShipped: end}}
	if end > shipped {
		for e, err := range o.store.rows(ctx, "SELECT "+columns+" FROM events WHERE seq > ? AND seq <= ? ORDER BY seq", []any{shipped, end}, &Query{}) {
			if err != nil {
				return nil, err
			}
			p.Events = append(p.Events, e)
		}
	}
	if err := o.revised(ctx, p, shipped, most); err != nil {
		return nil, err
	}
	return p, o.context(ctx, p, most)
}

// intend says which events to ship now and writes that down before anything is
// sent. Causes that changed before their events are sent need no message.
func (o *Outbox) intend(ctx context.Context, most int) (shipped, end int64, err error) {
	err = o.store.transact(ctx, "choose what to ship", func(w *writer) error {
		if _, err := w.row(func(st *sqlite.Stmt) { shipped, end = st.ColumnInt64(0), st.ColumnInt64(1) }, "SELECT shipped, intended FROM outbox"); err != nil || end > shipped {
			return err
		}
		if _, err := w.row(func(st *sqlite.Stmt) { end = st.ColumnInt64(0) },
			"SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM events WHERE seq > ? ORDER BY seq LIMIT ?)", shipped, most); err != nil {
			return err
		}
		if end <= shipped {
			end = shipped
			return nil
		}
		for _, step := range []string{
			"DELETE FROM revisions WHERE event > (SELECT shipped FROM outbox) AND event <= ?",
			"UPDATE outbox SET intended = ?",
		} {
			if _, err := w.exec(step, end); err != nil {
				return err
			}
		}
		return nil
	})
	return shipped, end, err
}

// revised adds the changed causes of events that the fleet has.
func (o *Outbox) revised(ctx context.Context, p *relaylens.Parcel, shipped int64, most int) error {
	const query = `SELECT r.seq, e.id, e.host, e.mta, e.kind, e.cause, e.seq, e.time, e.zone FROM revisions AS r
		LEFT JOIN events AS e ON e.seq = r.event ORDER BY r.seq LIMIT ?`
	return o.store.read.query(ctx, query, []any{most}, func(st *sqlite.Stmt) (more bool, err error) {
		if st.ColumnInt64(6) > shipped {
			return false, nil // its event comes first
		}
		p.Marks[markRevised] = st.ColumnInt64(0)
		if st.ColumnIsNull(1) {
			return true, nil // it was deleted since
		}
		e := relaylens.Event{Host: st.ColumnText(2), Time: time.Unix(0, st.ColumnInt64(7)).In(zone(st.ColumnInt(8)))}
		st.ColumnBytes(1, e.ID[:])
		word(&err, &e.MTA, st.ColumnText(3), relaylens.ParseMTA)
		word(&err, &e.Kind, st.ColumnText(4), relaylens.ParseKind)
		word(&err, &e.Cause, st.ColumnText(5), relaylens.ParseCause)
		p.Revised = append(p.Revised, e)
		return err == nil, err
	})
}

func (o *Outbox) context(ctx context.Context, p *relaylens.Parcel, most int) error {
	const query = `SELECT seq, minute, host, mta, kind, direction, client_ip, user, sender, recipient, events FROM context ORDER BY seq LIMIT ?`
	return o.store.read.query(ctx, query, []any{most}, func(st *sqlite.Stmt) (more bool, err error) {
		e := relaylens.Event{Time: time.Unix(0, st.ColumnInt64(1)).UTC(), Host: st.ColumnText(2), User: st.ColumnText(7), Recipient: st.ColumnText(9)}
		if !st.ColumnIsNull(8) {
			e.SetSender(st.ColumnText(8))
		}
		word(&err, &e.MTA, st.ColumnText(3), relaylens.ParseMTA)
		word(&err, &e.Kind, st.ColumnText(4), relaylens.ParseKind)
		word(&err, &e.Direction, st.ColumnText(5), relaylens.ParseDirection)
		word(&err, &e.ClientIP, st.ColumnText(6), netip.ParseAddr)
		p.Marks[markContext] = st.ColumnInt64(0)
		p.Context = append(p.Context, relaylens.Tally{Event: e, Count: uint32(min(st.ColumnInt64(10), 1<<31))})
		return err == nil, err
	})
}

// Done says that the fleet has what is in p.
func (o *Outbox) Done(ctx context.Context, p *relaylens.Parcel) error {
	return o.store.transact(ctx, "move outbox", func(w *writer) error {
		for _, step := range []struct {
			query string
			arg   int64
		}{
			{"UPDATE outbox SET shipped = max(shipped, ?)", p.Marks[markShipped]},
			{"DELETE FROM revisions WHERE seq <= ?", p.Marks[markRevised]},
			{"DELETE FROM context WHERE seq <= ?", p.Marks[markContext]},
		} {
			if _, err := w.exec(step.query, step.arg); err != nil {
				return err
			}
		}
		return nil
	})
}

// Backlog tells how far behind the fleet is.
func (o *Outbox) Backlog(ctx context.Context) (relaylens.Backlog, error) {
	var b relaylens.Backlog
	err := o.store.read.row(ctx, func(st *sqlite.Stmt) {
		b.Events, b.Lost, b.Others = st.ColumnInt64(0), st.ColumnInt64(2), st.ColumnBool(3)
		if !st.ColumnIsNull(1) {
			b.Oldest = time.Unix(0, st.ColumnInt64(1)).UTC()
		}
	}, `SELECT max(0, coalesce((SELECT max(seq) FROM events), 0) - max(shipped, coalesce((SELECT min(seq) FROM events), 1) - 1)),
		(SELECT time FROM events WHERE seq > shipped ORDER BY seq LIMIT 1), lost,
		EXISTS (SELECT 1 FROM revisions) OR EXISTS (SELECT 1 FROM context) FROM outbox`)
	if err != nil {
		return b, fmt.Errorf("read outbox: %w", err)
	}
	return b, nil
}

// noteContext keeps counts for the outbox, where there is one.
func (s *Store) noteContext(w *writer, tallies []relaylens.Tally) error {
	if len(tallies) == 0 || !s.ships.Load() {
		return nil
	}
	for i := range tallies {
		e, b := &tallies[i].Event, s.stmts.context.bind()
		b.number(e.Time.UnixNano())
		b.text(e.Host)
		b.text(e.MTA.String())
		b.text(e.Kind.String())
		b.text(e.Direction.String())
		b.addr(e.ClientIP)
		b.text(e.User)
		b.sender(e)
		b.text(e.Recipient)
		b.number(int64(tallies[i].Count))
		if _, err := w.run(b.st); err != nil {
			return fmt.Errorf("write context: %w", err)
		}
	}
	if _, err := w.exec("DELETE FROM context WHERE seq <= (SELECT max(seq) FROM context) - ?", maxContext); err != nil {
		return fmt.Errorf("bound context: %w", err)
	}
	return nil
}
