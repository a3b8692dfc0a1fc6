package nats

import (
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/relaylens/relaylens"
)

// Bounds of what a message may say. Whoever may publish may have been taken over.
const (
	maxPayload = 1 << 20
	maxRaw     = 4 << 20
	maxThings  = 4096 // events, revisions and tallies of a message
	maxText    = relaylens.MaxLine
	maxCount   = 10_000_000 // of a tally: no server does more in a minute
	// maxAhead is how far in the future an event may be. The store keeps events by
	// the time of the newest one.
	maxAhead = 24 * time.Hour
)

// oldest is the earliest time an event may have.
var oldest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// Why a message is refused, from a closed list.
var (
	errVersion  = errors.New("the format is of another version; update relaylens here or there")
	errPayload  = errors.New("the payload is malformed")
	errTooLarge = errors.New("the payload is too large")
	errHost     = errors.New("the payload speaks for another host than the subject")
)

// decoder reads messages. It is used by one goroutine.
type decoder struct {
	fleet string
	zstd  *zstd.Decoder
	now   func() time.Time
	raw   []byte
}

func newDecoder(fleet string, now func() time.Time) (*decoder, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderDictRaw(version, dictionary),
		zstd.WithDecoderMaxMemory(maxRaw), zstd.WithDecoderMaxWindow(maxRaw), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return &decoder{fleet: fleet, zstd: z, now: now}, nil
}

// decode reads one message, which is the receiver's to keep. It is refused as a
// whole when anything of it is wrong: no honest sender writes such a message.
// Only events whose host has no idea of the time are left out one by one.
func (d *decoder) decode(subject string, data []byte) (s *relaylens.Shipment, untimely int, err error) {
	at, err := parseSubject(d.fleet, subject)
	switch {
	case err != nil:
		return nil, 0, err
	case len(data) == 0 || data[0] != version:
		return nil, 0, errVersion
	case len(data) > maxPayload:
		return nil, 0, errTooLarge
	}
	d.raw, err = d.zstd.DecodeAll(data[1:], d.raw[:0])
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return nil, 0, errTooLarge
	case err != nil:
		return nil, 0, fmt.Errorf("%w: %w", errPayload, err)
	}
	r := reading{at: at, latest: d.now().Add(maxAhead), shipment: &relaylens.Shipment{}, names: map[string]string{}}
	if err := r.shipmentOf(d.raw); err != nil {
		return nil, 0, err
	}
	return r.shipment, r.untimely, nil
}

// reading is one message on its way.
type reading struct {
	at       address
	latest   time.Time
	shipment *relaylens.Shipment
	names    map[string]string // texts of which there is one copy

	host  string
	mta   relaylens.MTA
	kind  string
	event relaylens.Kind // of the events
	begun bool           // the things that belong to a host began
	time  int64
	last  relaylens.Position // of the event before

	// untimely is how many events are left out because they are from the future or
	// from long before there were logs.
	untimely int
}

// field is one field of a message, by its wire type.
type field struct {
	number protowire.Number
	bytes  []byte
	value  uint64
	isText bool
}

// fields gives each field of b. Types that are not used are passed over.
func fields(b []byte, use func(field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errPayload
		}
		b = b[n:]
		f := field{number: number}
		switch kind {
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
			f.isText = true
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(b)
		default:
			f.number = 0
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return errPayload
		}
		b = b[n:]
		if f.number == 0 {
			continue
		}
		if err := use(f); err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) shipmentOf(b []byte) error {
	return fields(b, func(f field) error {
		if r.begun && f.number <= fieldTime {
			return errPayload // or the second name would be one that nobody checked
		}
		switch f.number {
		case fieldHost:
			r.host = string(f.bytes)
		case fieldMTA:
			mta, err := relaylens.ParseMTA(string(f.bytes))
			if err != nil {
				return errPayload
			}
			r.mta = mta
		case fieldKind:
			r.kind = string(f.bytes)
		case fieldTime:
			r.time = protowire.DecodeZigZag(f.value)
		case fieldEvents, fieldRevised, fieldContext:
			return r.thing(f)
		}
		return nil
	})
}

// thing reads an event, a revision or a tally. What they have in common stands
// before them.
func (r *reading) thing(f field) error {
	if !r.begun {
		if err := r.begin(); err != nil {
			return err
		}
		r.begun = true
	}
	if !f.isText || r.shipment.Len() >= maxThings {
		return errPayload
	}
	switch {
	case f.number == fieldEvents && r.event.Refusal():
		return r.eventOf(f.bytes)
	case f.number == fieldRevised && r.kind == kindRevised:
		return r.revisionOf(f.bytes)
	case f.number == fieldContext && r.kind == kindContext:
		return r.tallyOf(f.bytes)
	}
	return errPayload
}

// begin holds what the payload says of itself against the subject, which is what
// the server let the sender say.
func (r *reading) begin() error {
	if r.mta == relaylens.MTANone || len(r.host) > maxHostName {
		return errPayload
	}
	if Token(r.host) != r.at.host || r.mta.String() != r.at.mta || r.kind != r.at.kind {
		return errHost
	}
	if r.kind != kindRevised && r.kind != kindContext {
		kind, err := relaylens.ParseKind(r.kind)
		if err != nil {
			return errPayload
		}
		r.event = kind
	}
	return nil
}

// text is a copy of b, the same one for the same text.
func (r *reading) text(b []byte) string {
	if s, ok := r.names[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(s) <= 64 {
		r.names[s] = s
	}
	return s
}
