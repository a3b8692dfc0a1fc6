package store

import (
	"database/sql"
	"fmt"
	"net/netip"
	"time"

	"github.com/relaylens/relaylens"
)

// columns of the table events in the order of values and scan.
const columns = `id, time, zone, digits, host, mta, service, pid, queue_id, kind, direction, stage, reason, cause,
	client_ip, client_name, client_port, helo, proto, user, auth_method, sender, recipient, sender_domain, recipient_domain,
	code, class, enhanced, text, remote_host, remote_ip, source, line, offset`

const numColumns = 34

// values adds e as one row; NULL is what the log does not tell.
func values(row []any, e *relaylens.Event) []any {
	_, zone := e.Time.Zone()
	sender := text(e.Sender)
	if e.NullSender {
		sender = ""
	}
	return append(row, e.ID[:], e.Time.UnixNano(), int64(zone), int64(e.TimeDigits), text(e.Host), e.MTA.String(), text(e.Service),
		number(int64(e.PID)), text(e.QueueID), e.Kind.String(), text(e.Direction.String()), text(e.Stage.String()),
		text(e.Reason.String()), text(e.Cause.String()), addr(e.ClientIP), text(e.ClientName), number(int64(e.ClientPort)),
		text(e.Helo), text(e.Proto), text(e.User), text(e.AuthMethod), sender, text(e.Recipient), text(e.SenderDomain()),
		text(e.RecipientDomain()), number(int64(e.Code)), text(e.ReplyClass().String()), text(e.Enhanced), text(e.Text),
		text(e.RemoteHost), addr(e.RemoteIP), text(e.Source), number(e.Line), e.Offset)
}

// text is s as a column. Bytes that are not UTF-8 become U+FFFD, because other
// readers of the file expect text to be text; so does NUL, at which they stop.
func text(s string) any {
	if s == "" {
		return nil
	}
	return relaylens.ValidText(s)
}

func number(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func addr(a netip.Addr) any {
	if !a.IsValid() {
		return nil
	}
	return a.String()
}

// row is what a database row is scanned into.
type row struct {
	id                                                                         []byte
	time, zone, digits                                                         int64
	host, service, queueID, direction, stage, reason, cause                    sql.NullString
	mta, kind                                                                  string
	clientIP, clientName, helo, proto, user, method, sender, recipient, sd, rd sql.NullString
	class, enhanced, text, remoteHost, remoteIP, source                        sql.NullString
	pid, port, code, line, offset                                              sql.NullInt64
}

func (r *row) targets() []any {
	return []any{&r.id, &r.time, &r.zone, &r.digits, &r.host, &r.mta, &r.service, &r.pid, &r.queueID, &r.kind, &r.direction,
		&r.stage, &r.reason, &r.cause, &r.clientIP, &r.clientName, &r.port, &r.helo, &r.proto, &r.user, &r.method, &r.sender,
		&r.recipient, &r.sd, &r.rd, &r.code, &r.class, &r.enhanced, &r.text, &r.remoteHost, &r.remoteIP, &r.source, &r.line, &r.offset}
}

// event is the row as it was written. A word that this version does not know is
// an error that names it.
func (r *row) event() (relaylens.Event, error) {
	e := relaylens.Event{
		TimeDigits: uint8(r.digits), Host: r.host.String, Service: r.service.String, PID: int32(r.pid.Int64), QueueID: r.queueID.String,
		ClientName: r.clientName.String, ClientPort: uint16(r.port.Int64), Helo: r.helo.String, Proto: r.proto.String,
		User: r.user.String, AuthMethod: r.method.String, Sender: r.sender.String, NullSender: r.sender.Valid && r.sender.String == "",
		Recipient: r.recipient.String, Code: uint16(r.code.Int64), Enhanced: r.enhanced.String, Text: r.text.String,
		RemoteHost: r.remoteHost.String, Source: r.source.String, Line: r.line.Int64, Offset: r.offset.Int64,
	}
	if len(r.id) != len(e.ID) {
		return e, fmt.Errorf("read event: its id has %d bytes", len(r.id))
	}
	copy(e.ID[:], r.id)
	e.Time = time.Unix(0, r.time).In(zone(int(r.zone)))
	var err error
	word(&err, &e.MTA, r.mta, relaylens.ParseMTA)
	word(&err, &e.Kind, r.kind, relaylens.ParseKind)
	word(&err, &e.Direction, r.direction.String, relaylens.ParseDirection)
	word(&err, &e.Stage, r.stage.String, relaylens.ParseStage)
	word(&err, &e.Reason, r.reason.String, relaylens.ParseReason)
	word(&err, &e.Cause, r.cause.String, relaylens.ParseCause)
	if e.Code == 0 {
		word(&err, &e.Class, r.class.String, relaylens.ParseClass)
	}
	word(&err, &e.ClientIP, r.clientIP.String, netip.ParseAddr)
	word(&err, &e.RemoteIP, r.remoteIP.String, netip.ParseAddr)
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
