package store

import (
	"context"
	"iter"
	"net/netip"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// Brief lists the events of a span that a match selects, in no order, with the
// fields that summaries count by: time in UTC, host, mta, kind, direction,
// reason, cause, client, user, sender, recipient and the remote server. What the
// server answered is told of outbound events alone, whose words are another's;
// of others the class is.
func (s *Store) Brief(ctx context.Context, span Span, match relaylens.Match) iter.Seq2[relaylens.Event, error] {
	var w where
	w.span(span)
	if err := w.match(match); err != nil {
		return func(yield func(relaylens.Event, error) bool) { yield(relaylens.Event{}, err) }
	}
	query := `SELECT time, host, mta, kind, direction, reason, cause, class, client_ip, client_name, user, sender, recipient, remote_host, remote_ip,
		CASE WHEN direction = 'outbound' THEN code END, CASE WHEN direction = 'outbound' THEN enhanced END,
		CASE WHEN direction = 'outbound' THEN text END FROM events`
	var b *brief
	return each(ctx, s, "events", query+w.sql.String(), w.args, func(st *sqlite.Stmt, yield func(relaylens.Event) bool) (bool, error) {
		if b == nil || b.st != st {
			b = newBrief(st)
		}
		e, err := b.event()
		if err != nil {
			return false, err
		}
		return yield(e), nil
	})
}

// brief reads rows of what Brief asks for.
type brief struct {
	row
	words words
}

// words are those of the closed lists that were seen, so that each is parsed
// once.
type words struct {
	mta       map[string]relaylens.MTA
	kind      map[string]relaylens.Kind
	direction map[string]relaylens.Direction
	reason    map[string]relaylens.Reason
	cause     map[string]relaylens.Cause
	class     map[string]relaylens.Class
}

func newBrief(st *sqlite.Stmt) *brief {
	return &brief{*newRow(st), words{map[string]relaylens.MTA{}, map[string]relaylens.Kind{}, map[string]relaylens.Direction{},
		map[string]relaylens.Reason{}, map[string]relaylens.Cause{}, map[string]relaylens.Class{}}}
}

func (b *brief) event() (relaylens.Event, error) {
	st := b.st
	e := relaylens.Event{
		Time: time.Unix(0, st.ColumnInt64(0)).UTC(), Host: b.name(1), ClientName: st.ColumnText(9),
		User: st.ColumnText(10), Sender: st.ColumnText(11), Recipient: st.ColumnText(12),
		RemoteHost: st.ColumnText(13), Code: uint16(st.ColumnInt64(15)), Enhanced: b.name(16), Text: st.ColumnText(17),
	}
	e.NullSender = e.Sender == "" && !st.ColumnIsNull(11)
	var err error
	known(&err, b.words.mta, &e.MTA, b.name(2), relaylens.ParseMTA)
	known(&err, b.words.kind, &e.Kind, b.name(3), relaylens.ParseKind)
	known(&err, b.words.direction, &e.Direction, b.name(4), relaylens.ParseDirection)
	known(&err, b.words.reason, &e.Reason, b.name(5), relaylens.ParseReason)
	known(&err, b.words.cause, &e.Cause, b.name(6), relaylens.ParseCause)
	known(&err, b.words.class, &e.Class, b.name(7), relaylens.ParseClass)
	word(&err, &e.ClientIP, st.ColumnText(8), netip.ParseAddr)
	word(&err, &e.RemoteIP, st.ColumnText(14), netip.ParseAddr)
	return e, err
}

// known is word for one of few texts, each of which is parsed once.
func known[T any](err *error, seen map[string]T, target *T, text string, parse func(string) (T, error)) {
	if text == "" || *err != nil {
		return
	}
	v, ok := seen[text]
	if !ok {
		if v, *err = parse(text); *err != nil {
			return
		}
		seen[strings.Clone(text)] = v
	}
	*target = v
}

// interned is b as a string of which there is one.
func interned(names map[string]string, b []byte) string {
	if s, ok := names[string(b)]; ok {
		return s
	}
	s := string(b)
	names[s] = s
	return s
}
