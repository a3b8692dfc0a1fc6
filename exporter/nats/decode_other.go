package nats

import (
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/relaylens/relaylens"
)

func (r *reading) revisionOf(b []byte) error {
	var v relaylens.Revision
	err := fields(b, func(f field) error {
		switch {
		case f.number == revisionShown && !f.isText:
			v.Time = time.Unix(protowire.DecodeZigZag(f.value), 0).UTC()
		case !f.isText:
		case f.number == revisionID:
			return idOf(&v.ID, f.bytes)
		case f.number == revisionCause:
			return word(&v.Cause, f.bytes, relaylens.ParseCause, relaylens.CauseUnknown)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if v.ID.IsZero() || v.Cause == relaylens.CauseNone {
		return errPayload
	}
	r.shipment.Revised = append(r.shipment.Revised, v)
	return nil
}

func (r *reading) tallyOf(b []byte) error {
	t := relaylens.Tally{Event: relaylens.Event{Host: r.host, MTA: r.mta}}
	e := &t.Event
	var seconds int64
	err := fields(b, func(f field) error {
		if len(f.bytes) > maxText {
			return errPayload
		}
		switch f.number {
		case tallyKind:
			return word(&e.Kind, f.bytes, relaylens.ParseKind, relaylens.KindNone)
		case tallySeconds:
			seconds = protowire.DecodeZigZag(f.value)
			return checkNumber(abs(seconds), math.MaxInt64/4)
		case tallyCount:
			t.Count = uint32(f.value)
			return checkNumber(f.value, maxCount)
		case tallyDirection:
			return word(&e.Direction, f.bytes, relaylens.ParseDirection, relaylens.Inbound)
		case tallyClientIP:
			return addressOf(&e.ClientIP, f.bytes)
		case tallyUser:
			e.User = r.text(f.bytes)
		case tallySender:
			e.Sender = r.text(f.bytes)
		case tallyNullSender:
			e.NullSender = f.value != 0
		case tallyRecipient:
			e.Recipient = r.text(f.bytes)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.time += seconds
	return r.keepTally(t)
}

// keepTally takes t, which is at the time that was read last, into the shipment.
func (r *reading) keepTally(t relaylens.Tally) error {
	if t.Count == 0 || t.Event.Kind.Refusal() {
		return errPayload
	}
	at, ok := r.when(r.time)
	if !ok || t.Event.Kind == relaylens.KindNone { // a kind that a later version added
		return nil
	}
	t.Event.Time = at
	r.shipment.Context = append(r.shipment.Context, t)
	return nil
}
