package nats

import (
	"math"
	"net/netip"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/relaylens/relaylens"
)

func (r *reading) eventOf(b []byte) error {
	e := relaylens.Event{Host: r.host, MTA: r.mta, Kind: r.event, Line: r.last.Number, Offset: r.last.Offset}
	t := eventTime{}
	err := fields(b, func(f field) error {
		if f.isText {
			if len(f.bytes) > maxText {
				return errPayload
			}
			return r.eventText(&e, f)
		}
		return eventNumber(&e, &t, f)
	})
	if err != nil {
		return err
	}
	if e.ID.IsZero() {
		return errPayload
	}
	e.NullSender = e.NullSender && e.Sender == ""
	if e.Reason != relaylens.ReasonNone && e.Reason.Kind() != e.Kind {
		e.Reason = e.Kind.AnyReason()
	}
	r.time += t.seconds
	r.last.Number, r.last.Offset = e.Line, e.Offset
	at, ok := r.when(r.time)
	if !ok {
		r.untimely++
		return nil
	}
	e.Time = at.Add(time.Duration(t.nanoseconds)).In(zone(int(t.zone)))
	r.shipment.Events = append(r.shipment.Events, e)
	return nil
}

// eventTime is the time of an event in parts.
type eventTime struct{ seconds, nanoseconds, zone int64 }

func zone(seconds int) *time.Location {
	if seconds == 0 {
		return time.UTC
	}
	return time.FixedZone("", seconds)
}

// when is a time in Unix seconds, if it can be one.
func (r *reading) when(seconds int64) (at time.Time, ok bool) {
	return time.Unix(seconds, 0).UTC(), seconds >= oldest.Unix() && seconds <= r.latest.Unix()
}

func eventNumber(e *relaylens.Event, t *eventTime, f field) error {
	signed := protowire.DecodeZigZag(f.value)
	switch f.number {
	case eventSeconds:
		t.seconds = signed
		return checkNumber(abs(signed), math.MaxInt64/4)
	case eventNanoseconds:
		t.nanoseconds = int64(f.value)
		return checkNumber(f.value, 999_999_999)
	case eventZone:
		t.zone = signed
		return checkNumber(abs(signed), 24*60*60)
	case eventDigits:
		e.TimeDigits = uint8(f.value)
		return checkNumber(f.value, 9)
	case eventPID:
		e.PID = int32(f.value)
		return checkNumber(f.value, math.MaxInt32)
	case eventClientPort:
		e.ClientPort = uint16(f.value)
		return checkNumber(f.value, math.MaxUint16)
	case eventCode:
		e.Code = uint16(f.value)
		return checkNumber(f.value, math.MaxUint16)
	case eventNullSender:
		e.NullSender = f.value != 0
	case eventLine:
		e.Line += signed
	case eventOffset:
		e.Offset += signed
	}
	return nil
}

func abs(n int64) uint64 { return uint64(max(n, -(n + 1))) }

func checkNumber(n, most uint64) error {
	if n > most {
		return errPayload
	}
	return nil
}

func (r *reading) eventText(e *relaylens.Event, f field) error {
	switch f.number {
	case eventID:
		return idOf(&e.ID, f.bytes)
	case eventDirection:
		return word(&e.Direction, f.bytes, relaylens.ParseDirection, relaylens.Inbound)
	case eventStage:
		return word(&e.Stage, f.bytes, relaylens.ParseStage, relaylens.StageNone)
	case eventReason:
		return word(&e.Reason, f.bytes, relaylens.ParseReason, e.Kind.AnyReason())
	case eventCause:
		return word(&e.Cause, f.bytes, relaylens.ParseCause, relaylens.CauseUnknown)
	case eventClass:
		return word(&e.Class, f.bytes, relaylens.ParseClass, 0)
	case eventClientIP:
		return addressOf(&e.ClientIP, f.bytes)
	case eventRemoteIP:
		return addressOf(&e.RemoteIP, f.bytes)
	}
	if target := textField(e, f.number); target != nil {
		*target = r.text(f.bytes)
	}
	return nil
}

// textField is where a text of the log belongs, nil for one that is not known.
func textField(e *relaylens.Event, number protowire.Number) *string {
	switch number {
	case eventService:
		return &e.Service
	case eventQueueID:
		return &e.QueueID
	case eventClientName:
		return &e.ClientName
	case eventHelo:
		return &e.Helo
	case eventProto:
		return &e.Proto
	case eventUser:
		return &e.User
	case eventAuthMethod:
		return &e.AuthMethod
	case eventSender:
		return &e.Sender
	case eventRecipient:
		return &e.Recipient
	case eventEnhanced:
		return &e.Enhanced
	case eventText:
		return &e.Text
	case eventRemoteHost:
		return &e.RemoteHost
	case eventSource:
		return &e.Source
	}
	return nil
}

// word reads a word of a closed list. One that a later version added is taken
// for what claims least.
func word[T any](target *T, b []byte, parse func(string) (T, error), unknown T) error {
	if len(b) > 64 {
		return errPayload
	}
	v, err := parse(string(b))
	if err != nil {
		v = unknown
	}
	*target = v
	return nil
}

func idOf(id *relaylens.ID, b []byte) error {
	if copy(id[:], b) != len(id) || len(b) != len(id) {
		return errPayload
	}
	return nil
}

func addressOf(a *netip.Addr, b []byte) error {
	v, ok := netip.AddrFromSlice(b)
	if !ok {
		return errPayload
	}
	*a = v
	return nil
}
