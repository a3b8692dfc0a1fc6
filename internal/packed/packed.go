// Package packed writes events in as few bytes as are needed, for as long as the
// program runs.
package packed

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"time"
	"unsafe"

	"github.com/relaylens/relaylens"
)

// textsOf are those that hardly two events have in common.
func textsOf(e *relaylens.Event) [10]*string {
	return [10]*string{&e.QueueID, &e.ClientName, &e.Helo, &e.User, &e.Sender, &e.Recipient, &e.Enhanced, &e.Text, &e.RemoteHost, &e.Raw}
}

// namesOf are those that most events have in common.
func namesOf(e *relaylens.Event) [5]*string {
	return [5]*string{&e.Host, &e.Service, &e.Proto, &e.AuthMethod, &e.Source}
}

// numWords is how many numbers an event is written with.
const numWords = 18

// wordsOf are the numbers of an event.
func wordsOf(e *relaylens.Event) [numWords]int64 {
	_, zone := e.Time.Zone()
	null := int64(0)
	if e.NullSender {
		null = 1
	}
	return [numWords]int64{e.Time.Unix(), int64(e.Time.Nanosecond()), int64(zone), int64(e.TimeDigits), int64(e.MTA), int64(e.PID),
		int64(e.Kind), int64(e.Direction), int64(e.Stage), int64(e.Reason), int64(e.Cause), int64(e.Action), int64(e.Class),
		int64(e.ClientPort), null, int64(e.Code), e.Line, e.Offset}
}

func setWords(e *relaylens.Event, w *[numWords]int64, zone *time.Location) {
	e.Time = time.Unix(w[0], w[1]).In(zone)
	e.TimeDigits, e.MTA, e.PID = uint8(w[3]), relaylens.MTA(w[4]), int32(w[5])
	e.Kind, e.Direction, e.Stage = relaylens.Kind(w[6]), relaylens.Direction(w[7]), relaylens.Stage(w[8])
	e.Reason, e.Cause, e.Action, e.Class = relaylens.Reason(w[9]), relaylens.Cause(w[10]), relaylens.Action(w[11]), relaylens.Class(w[12])
	e.ClientPort, e.NullSender, e.Code = uint16(w[13]), w[14] == 1, uint16(w[15])
	e.Line, e.Offset = w[16], w[17]
}

// Packing is what the events of a log have in common, and is not written with each.
// The zero value has seen none. What it wrote nothing else can read. It is used by
// one goroutine.
type Packing struct {
	names   []string
	numbers map[string]uint64
	last    [5]uint64 // the numbers of the names of the last event

	seconds  int // of zone
	location *time.Location
}

// maxNames of at most maxName bytes are told by number; others are written out.
const maxNames, maxName = 1 << 12, 256

// number of a name; 0 is none, of which the name itself is written.
func (p *Packing) number(which int, name string) uint64 {
	if n := p.last[which]; n > 0 && p.names[n-1] == name {
		return n
	}
	n, known := p.numbers[name]
	switch {
	case known:
	case len(p.names) == maxNames || len(name) > maxName:
		return 0
	case p.numbers == nil:
		p.numbers = make(map[string]uint64)
		fallthrough
	default:
		name = strings.Clone(name)
		p.names = append(p.names, name)
		n = uint64(len(p.names))
		p.numbers[name] = n
	}
	p.last[which] = n
	return n
}

// zone is that of the last event, as a rule: a log seldom has another.
func (p *Packing) zone(seconds int) *time.Location {
	switch {
	case seconds == 0:
		return time.UTC
	case p.location == nil || p.seconds != seconds:
		p.seconds, p.location = seconds, time.FixedZone("", seconds)
	}
	return p.location
}

// Append adds e to dst. Its Given is not told: it is of events that came from
// elsewhere.
func (p *Packing) Append(dst []byte, e *relaylens.Event) []byte {
	dst = append(dst, e.ID[:]...)
	for _, w := range wordsOf(e) {
		dst = binary.AppendVarint(dst, w)
	}
	for i, t := range namesOf(e) {
		n := p.number(i, *t)
		if dst = binary.AppendUvarint(dst, n); n == 0 {
			dst = append(binary.AppendUvarint(dst, uint64(len(*t))), *t...)
		}
	}
	for _, t := range textsOf(e) {
		dst = append(binary.AppendUvarint(dst, uint64(len(*t))), *t...)
	}
	return appendAddr(appendAddr(dst, e.ClientIP), e.RemoteIP)
}

func appendAddr(dst []byte, a netip.Addr) []byte {
	switch {
	case !a.IsValid():
		return append(dst, 0)
	case a.Is4():
		b := a.As4()
		return append(append(dst, byte(len(b))), b[:]...)
	}
	b := a.As16()
	return append(append(dst, byte(len(b))), b[:]...)
}

var errEvent = errors.New("read packed event: it was changed")

// Read reads what Append wrote. The texts of e are those of buf, which has to stay
// as it is.
func (p *Packing) Read(buf []byte, e *relaylens.Event) error {
	*e = relaylens.Event{}
	buf = buf[copy(e.ID[:], buf):]
	var words [numWords]int64
	for i := range words {
		v, n := binary.Varint(buf)
		if n <= 0 {
			return errEvent
		}
		words[i], buf = v, buf[n:]
	}
	setWords(e, &words, p.zone(int(words[2])))
	var text []byte
	var ok bool
	for _, t := range namesOf(e) {
		n, used := binary.Uvarint(buf)
		if used <= 0 || n > uint64(len(p.names)) {
			return errEvent
		}
		if buf = buf[used:]; n > 0 {
			*t = p.names[n-1]
			continue
		}
		if text, buf, ok = cutBytes(buf); !ok {
			return errEvent
		}
		*t = unsafe.String(unsafe.SliceData(text), len(text))
	}
	for _, t := range textsOf(e) {
		if text, buf, ok = cutBytes(buf); !ok {
			return errEvent
		}
		*t = unsafe.String(unsafe.SliceData(text), len(text))
	}
	for _, a := range []*netip.Addr{&e.ClientIP, &e.RemoteIP} {
		if text, buf, ok = cutBytes(buf); !ok {
			return errEvent
		}
		*a, _ = netip.AddrFromSlice(text) // none of no bytes
	}
	return nil
}

func cutBytes(b []byte) (text, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, false
	}
	end := used + int(n)
	return b[used:end], b[end:], true
}
