package store

import (
	"fmt"
	"net/netip"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// columns of the table events in the order of bindEvent and scan.
const columns = `id, time, zone, digits, host, mta, service, pid, queue_id, kind, direction, stage, reason, cause,
	client_ip, client_name, client_port, helo, proto, user, auth_method, sender, recipient, sender_domain, recipient_domain,
	code, class, enhanced, text, remote_host, remote_ip, source, line, offset`

const numColumns = 34

// bindEvent gives a statement the columns of e, from its first parameter on; NULL
// is what the log does not tell.
func bindEvent(p *prepared, e *relaylens.Event) {
	_, zone := e.Time.Zone()
	r := p.bind()
	r.bytes(e.ID[:])
	r.number(e.Time.UnixNano())
	r.number(int64(zone))
	r.number(int64(e.TimeDigits))
	r.text(e.Host)
	r.text(e.MTA.String())
	r.text(e.Service)
	r.known(int64(e.PID))
	r.text(e.QueueID)
	r.text(e.Kind.String())
	r.text(e.Direction.String())
	r.text(e.Stage.String())
	r.text(e.Reason.String())
	r.text(e.Cause.String())
	r.addr(e.ClientIP)
	r.text(e.ClientName)
	r.known(int64(e.ClientPort))
	r.text(e.Helo)
	r.text(e.Proto)
	r.text(e.User)
	r.text(e.AuthMethod)
	r.sender(e)
	r.text(e.Recipient)
	r.text(e.SenderDomain())
	r.text(e.RecipientDomain())
	r.known(int64(e.Code))
	r.text(e.ReplyClass().String())
	r.text(e.Enhanced)
	r.text(e.Text)
	r.text(e.RemoteHost)
	r.addr(e.RemoteIP)
	r.text(e.Source)
	r.known(e.Line)
	r.number(e.Offset)
}

// row reads rows of the columns. Texts of which there are few are kept, so that
// they need no memory for each row.
type row struct {
	st      *sqlite.Stmt
	names   map[string]string
	buf     [64]byte
	zone    *time.Location // of the last row
	seconds int64          // east of UTC
}

// maxNames bounds the texts that are kept.
const maxNames = 4096

func newRow(st *sqlite.Stmt) *row {
	return &row{st: st, names: make(map[string]string), zone: time.UTC}
}

// name is a column of which there are few texts.
func (r *row) name(column int) string {
	n := r.st.ColumnLen(column)
	if n == 0 {
		return ""
	}
	if n > len(r.buf) || len(r.names) >= maxNames {
		return r.st.ColumnText(column)
	}
	r.st.ColumnBytes(column, r.buf[:])
	return interned(r.names, r.buf[:n])
}

// event is the row as it was written. A word that this version does not know is
// an error that names it.
func (r *row) event() (relaylens.Event, error) {
	st := r.st
	e := relaylens.Event{
		TimeDigits: uint8(st.ColumnInt64(3)), Host: r.name(4), Service: r.name(6), PID: st.ColumnInt32(7), QueueID: st.ColumnText(8),
		ClientName: st.ColumnText(15), ClientPort: uint16(st.ColumnInt64(16)), Helo: st.ColumnText(17), Proto: r.name(18),
		User: st.ColumnText(19), AuthMethod: r.name(20), Sender: st.ColumnText(21), Recipient: st.ColumnText(22),
		Code: uint16(st.ColumnInt64(25)), Enhanced: r.name(27), Text: r.name(28), RemoteHost: st.ColumnText(29), Source: r.name(31),
		Line: st.ColumnInt64(32), Offset: st.ColumnInt64(33),
	}
	e.NullSender = e.Sender == "" && !st.ColumnIsNull(21)
	if n := st.ColumnLen(0); n != len(e.ID) {
		return e, fmt.Errorf("read event: its id has %d bytes", n)
	}
	st.ColumnBytes(0, e.ID[:])
	if seconds := st.ColumnInt64(2); seconds != r.seconds {
		r.zone, r.seconds = zone(int(seconds)), seconds
	}
	e.Time = time.Unix(0, st.ColumnInt64(1)).In(r.zone)
	var err error
	word(&err, &e.MTA, r.name(5), relaylens.ParseMTA)
	word(&err, &e.Kind, r.name(9), relaylens.ParseKind)
	word(&err, &e.Direction, r.name(10), relaylens.ParseDirection)
	word(&err, &e.Stage, r.name(11), relaylens.ParseStage)
	word(&err, &e.Reason, r.name(12), relaylens.ParseReason)
	word(&err, &e.Cause, r.name(13), relaylens.ParseCause)
	if e.Code == 0 {
		word(&err, &e.Class, r.name(26), relaylens.ParseClass)
	}
	word(&err, &e.ClientIP, st.ColumnText(14), netip.ParseAddr)
	word(&err, &e.RemoteIP, st.ColumnText(30), netip.ParseAddr)
	if err != nil {
		return e, fmt.Errorf("read event %s: %w", e.ID, err)
	}
	return e, nil
}

func zone(seconds int) *time.Location {
	if seconds == 0 {
		return time.UTC
	}
	return time.FixedZone("", seconds)
}

// word parses text into target and keeps the first error.
func word[T any](err *error, target *T, text string, parse func(string) (T, error)) {
	if text == "" || *err != nil {
		return
	}
	*target, *err = parse(text)
}
