package nats

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/relaylens/relaylens"
)

// version is the first byte of a payload, and the id of its dictionary.
const version = 1

// dictionary are texts that the logs of mail servers are full of, the most
// frequent last. It is part of the format: a change needs another version.
//
//go:embed dictionary.txt
var dictionary []byte

const (
	// batchEvents is how many events a message has at most.
	batchEvents = 512
	// batchBytes is after how much, uncompressed, a message has enough. One more
	// event is smaller than a line, so that the whole is well below the server's
	// own bound of 1 MiB.
	batchBytes = 256 << 10
)

// message is what is published.
type message struct {
	subject string
	id      string
	data    []byte
	events  int
}

// encoder makes messages. It is used by one goroutine.
type encoder struct {
	fleet string
	host  string // of events that have none
	zstd  *zstd.Encoder
	raw   []byte
	field []byte
}

func newEncoder(fleet, host string) (*encoder, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderDictRaw(version, dictionary), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(512<<10))
	if err != nil {
		return nil, err
	}
	return &encoder{fleet: fleet, host: host, zstd: z}, nil
}

// group is whose events one message holds.
type group struct {
	host string
	mta  relaylens.MTA
	kind string
}

// messages are those of a parcel, the same ones whenever it is asked for again.
func (e *encoder) messages(p *relaylens.Parcel) []message {
	var out []message
	out = e.each(out, len(p.Events), func(i int) group { return e.groupOf(&p.Events[i], p.Events[i].Kind.String()) },
		func(g group, all []int) []message { return e.events(nil, g, p.Events, all) })
	out = e.each(out, len(p.Revised), func(i int) group { return e.groupOf(&p.Revised[i], kindRevised) },
		func(g group, all []int) []message { return e.revised(nil, g, p.Revised, all) })
	return e.each(out, len(p.Context), func(i int) group { return e.groupOf(&p.Context[i].Event, kindContext) },
		func(g group, all []int) []message { return e.context(nil, g, p.Context, all) })
}

func (e *encoder) groupOf(ev *relaylens.Event, kind string) group {
	host := ev.Host
	if host == "" || len(host) > maxHostName {
		host = e.host
	}
	return group{host, ev.MTA, kind}
}

// each gives what belongs together to encode, in the order of the first of each.
func (e *encoder) each(out []message, n int, groupOf func(int) group, encode func(group, []int) []message) []message {
	members := map[group][]int{}
	var order []group
	for i := range n {
		g := groupOf(i)
		if members[g] == nil {
			order = append(order, g)
		}
		members[g] = append(members[g], i)
	}
	for _, g := range order {
		out = append(out, encode(g, members[g])...)
	}
	return out
}

func (e *encoder) events(out []message, g group, events []relaylens.Event, all []int) []message {
	for len(all) > 0 {
		e.begin(g, events[all[0]].Time)
		digest, n := sha256.New(), 0
		previous := relaylens.Event{Time: events[all[0]].Time}
		for n < len(all) && n < batchEvents && len(e.raw) < batchBytes {
			ev := &events[all[n]]
			e.nest(fieldEvents, e.event(ev, &previous))
			digest.Write(ev.ID[:])
			previous = *ev
			n++
		}
		id := hex.EncodeToString(digest.Sum(nil)[:16])
		if n == 1 {
			id = events[all[0]].ID.String()
		}
		out = append(out, e.finish(g, id, n))
		all = all[n:]
	}
	return out
}

func (e *encoder) revised(out []message, g group, events []relaylens.Event, all []int) []message {
	for len(all) > 0 {
		e.begin(g, time.Unix(0, 0))
		digest, n := sha256.New(), 0
		for n < len(all) && n < batchEvents && len(e.raw) < batchBytes {
			ev := &events[all[n]]
			b := appendBytes(e.field[:0], revisionID, ev.ID[:])
			b = appendText(b, revisionCause, ev.Cause.String())
			if !ev.Time.IsZero() {
				_, zone := ev.Time.Zone()
				b = appendSigned(b, revisionShown, ev.Time.Unix()+int64(zone))
			}
			e.nest(fieldRevised, b)
			digest.Write(b)
			n++
		}
		out = append(out, e.finish(g, hex.EncodeToString(digest.Sum(nil)[:16])+"-"+kindRevised, n))
		all = all[n:]
	}
	return out
}

func (e *encoder) context(out []message, g group, tallies []relaylens.Tally, all []int) []message {
	for len(all) > 0 {
		at := tallies[all[0]].Event.Time
		e.begin(g, at)
		n := 0
		for n < len(all) && n < batchEvents && len(e.raw) < batchBytes {
			t := &tallies[all[n]]
			e.nest(fieldContext, e.tally(t, at))
			at = t.Event.Time
			n++
		}
		sum := sha256.Sum256(e.raw)
		out = append(out, e.finish(g, hex.EncodeToString(sum[:16])+"-"+kindContext, n))
		all = all[n:]
	}
	return out
}

func (e *encoder) begin(g group, at time.Time) {
	b := appendText(e.raw[:0], fieldHost, g.host)
	b = appendText(b, fieldMTA, g.mta.String())
	b = appendText(b, fieldKind, g.kind)
	e.raw = appendSigned(b, fieldTime, at.Unix())
}

func (e *encoder) nest(number protowire.Number, b []byte) {
	e.raw = appendBytes(e.raw, number, b)
	e.field = b
}

func (e *encoder) finish(g group, id string, n int) message {
	return message{subject: subject(e.fleet, g.host, g.mta, g.kind), id: id, events: n,
		data: e.zstd.EncodeAll(e.raw, []byte{version})}
}

func (e *encoder) event(ev, previous *relaylens.Event) []byte {
	b := appendBytes(e.field[:0], eventID, ev.ID[:])
	_, zone := ev.Time.Zone()
	b = appendSigned(b, eventSeconds, ev.Time.Unix()-previous.Time.Unix())
	b = appendNumber(b, eventNanoseconds, uint64(ev.Time.Nanosecond()))
	b = appendSigned(b, eventZone, int64(zone))
	b = appendNumber(b, eventDigits, uint64(ev.TimeDigits))
	b = appendText(b, eventService, ev.Service)
	b = appendNumber(b, eventPID, uint64(max(ev.PID, 0)))
	b = appendText(b, eventQueueID, ev.QueueID)
	b = appendText(b, eventDirection, ev.Direction.String())
	b = appendText(b, eventStage, ev.Stage.String())
	b = appendText(b, eventReason, ev.Reason.String())
	b = appendText(b, eventCause, ev.Cause.String())
	if ev.Code == 0 {
		b = appendText(b, eventClass, ev.Class.String())
	}
	b = appendAddr(b, eventClientIP, ev.ClientIP)
	b = appendText(b, eventClientName, ev.ClientName)
	b = appendNumber(b, eventClientPort, uint64(ev.ClientPort))
	b = appendText(b, eventHelo, ev.Helo)
	b = appendText(b, eventProto, ev.Proto)
	b = appendText(b, eventUser, ev.User)
	b = appendText(b, eventAuthMethod, ev.AuthMethod)
	b = appendText(b, eventSender, ev.Sender)
	b = appendBool(b, eventNullSender, ev.NullSender)
	b = appendText(b, eventRecipient, ev.Recipient)
	b = appendNumber(b, eventCode, uint64(ev.Code))
	b = appendText(b, eventEnhanced, ev.Enhanced)
	b = appendText(b, eventText, ev.Text)
	b = appendText(b, eventRemoteHost, ev.RemoteHost)
	b = appendAddr(b, eventRemoteIP, ev.RemoteIP)
	b = appendText(b, eventSource, ev.Source)
	b = appendSigned(b, eventLine, ev.Line-previous.Line)
	return appendSigned(b, eventOffset, ev.Offset-previous.Offset)
}

func (e *encoder) tally(t *relaylens.Tally, previous time.Time) []byte {
	ev := &t.Event
	b := appendText(e.field[:0], tallyKind, ev.Kind.String())
	b = appendSigned(b, tallySeconds, ev.Time.Unix()-previous.Unix())
	b = appendNumber(b, tallyCount, uint64(t.Count))
	b = appendText(b, tallyDirection, ev.Direction.String())
	b = appendAddr(b, tallyClientIP, ev.ClientIP)
	b = appendText(b, tallyUser, ev.User)
	b = appendText(b, tallySender, ev.Sender)
	b = appendBool(b, tallyNullSender, ev.NullSender)
	return appendText(b, tallyRecipient, ev.Recipient)
}

// What has its zero value is left out.

func appendBytes(b []byte, n protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), v)
}

func appendText(b []byte, n protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), s)
}

func appendNumber(b []byte, n protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
}

func appendSigned(b []byte, n protowire.Number, v int64) []byte {
	return appendNumber(b, n, protowire.EncodeZigZag(v))
}

func appendBool(b []byte, n protowire.Number, v bool) []byte {
	return appendNumber(b, n, protowire.EncodeBool(v))
}

func appendAddr(b []byte, n protowire.Number, a netip.Addr) []byte {
	if !a.IsValid() {
		return b
	}
	return appendBytes(b, n, a.AsSlice())
}
