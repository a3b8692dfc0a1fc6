package store

import (
	"context"
	"database/sql"
	"iter"
	"net/netip"
	"time"

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
	return each(ctx, s, "events", query+w.sql.String(), w.args, func(rows *sql.Rows, yield func(relaylens.Event) bool) error {
		b := newBrief()
		for rows.Next() {
			if err := rows.Scan(b.targets...); err != nil {
				return err
			}
			if e, err := b.event(); err != nil || !yield(e) {
				return err
			}
		}
		return nil
	})
}

// brief is what a row is scanned into.
type brief struct {
	targets []any
	at      int64
	code    sql.NullInt64
	bytes   [16]sql.RawBytes
	words   words
	names   map[string]string
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

func newBrief() *brief {
	b := &brief{names: make(map[string]string), words: words{map[string]relaylens.MTA{}, map[string]relaylens.Kind{}, map[string]relaylens.Direction{},
		map[string]relaylens.Reason{}, map[string]relaylens.Cause{}, map[string]relaylens.Class{}}}
	b.targets = []any{&b.at}
	for i := range b.bytes {
		if i == 14 {
			b.targets = append(b.targets, &b.code)
		}
		b.targets = append(b.targets, &b.bytes[i])
	}
	return b
}

// The places of the columns in brief.bytes.
const (
	briefHost = iota
	briefMTA
	briefKind
	briefDirection
	briefReason
	briefCause
	briefClass
	briefClient
	briefName
	briefUser
	briefSender
	briefRecipient
	briefRemoteHost
	briefRemoteIP
	briefEnhanced
	briefText
)

func (b *brief) event() (relaylens.Event, error) {
	e := relaylens.Event{
		Time: time.Unix(0, b.at).UTC(), Host: interned(b.names, b.bytes[briefHost]), ClientName: string(b.bytes[briefName]),
		User: string(b.bytes[briefUser]), Sender: string(b.bytes[briefSender]), Recipient: string(b.bytes[briefRecipient]),
		RemoteHost: string(b.bytes[briefRemoteHost]), Code: uint16(b.code.Int64),
		Enhanced: string(b.bytes[briefEnhanced]), Text: string(b.bytes[briefText]),
	}
	e.NullSender = b.bytes[briefSender] != nil && e.Sender == ""
	var err error
	known(&err, b.words.mta, &e.MTA, b.bytes[briefMTA], relaylens.ParseMTA)
	known(&err, b.words.kind, &e.Kind, b.bytes[briefKind], relaylens.ParseKind)
	known(&err, b.words.direction, &e.Direction, b.bytes[briefDirection], relaylens.ParseDirection)
	known(&err, b.words.reason, &e.Reason, b.bytes[briefReason], relaylens.ParseReason)
	known(&err, b.words.cause, &e.Cause, b.bytes[briefCause], relaylens.ParseCause)
	known(&err, b.words.class, &e.Class, b.bytes[briefClass], relaylens.ParseClass)
	word(&err, &e.ClientIP, string(b.bytes[briefClient]), netip.ParseAddr)
	word(&err, &e.RemoteIP, string(b.bytes[briefRemoteIP]), netip.ParseAddr)
	return e, err
}

// known is word for one of few texts, each of which is parsed once.
func known[T any](err *error, seen map[string]T, target *T, text []byte, parse func(string) (T, error)) {
	if len(text) == 0 || *err != nil {
		return
	}
	v, ok := seen[string(text)]
	if !ok {
		if v, *err = parse(string(text)); *err != nil {
			return
		}
		seen[string(text)] = v
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
