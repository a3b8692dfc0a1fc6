// Package packed writes events in as few bytes as are needed, for as long as the
// program runs.
package packed

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
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

// headSize is what the numbers take that have as many bytes in every event.
const headSize = 16 + 8 + 4 + 4 + 2 + 2 + 10

// appendHead writes them.
func appendHead(dst []byte, e *relaylens.Event) []byte {
	null := byte(0)
	if e.NullSender {
		null = 1
	}
	dst = append(slices.Grow(dst, headSize), e.ID[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(e.Time.Unix()))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(e.Time.Nanosecond()))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(e.PID))
	dst = binary.LittleEndian.AppendUint16(dst, e.ClientPort)
	dst = binary.LittleEndian.AppendUint16(dst, e.Code)
	return append(dst, e.TimeDigits, byte(e.MTA), byte(e.Kind), byte(e.Direction), byte(e.Stage), byte(e.Reason), byte(e.Cause),
		byte(e.Action), byte(e.Class), null)
}

// cutHead reads what appendHead wrote, all but the zone of the time.
func cutHead(buf []byte, e *relaylens.Event) (rest []byte, ok bool) {
	if len(buf) < headSize {
		return nil, false
	}
	h, rest := buf[:headSize], buf[headSize:]
	h = h[copy(e.ID[:], h):]
	e.Time = time.Unix(int64(binary.LittleEndian.Uint64(h)), int64(binary.LittleEndian.Uint32(h[8:])))
	e.PID = int32(binary.LittleEndian.Uint32(h[12:]))
	e.ClientPort, e.Code = binary.LittleEndian.Uint16(h[16:]), binary.LittleEndian.Uint16(h[18:])
	h = h[20:]
	e.TimeDigits, e.MTA, e.Kind, e.Direction = h[0], relaylens.MTA(h[1]), relaylens.Kind(h[2]), relaylens.Direction(h[3])
	e.Stage, e.Reason, e.Cause = relaylens.Stage(h[4]), relaylens.Reason(h[5]), relaylens.Cause(h[6])
	e.Action, e.Class, e.NullSender = relaylens.Action(h[7]), relaylens.Class(h[8]), h[9] == 1
	return rest, true
}

// wordsOf are the numbers that are small in most events.
func wordsOf(e *relaylens.Event) [3]int64 {
	_, zone := e.Time.Zone()
	return [...]int64{int64(zone), e.Line, e.Offset}
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
	dst = appendHead(dst, e)
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
	buf, ok := cutHead(buf, e)
	if !ok {
		return errEvent
	}
	var words [3]int64
	for i := range words {
		v, n := binary.Varint(buf)
		if n <= 0 {
			return errEvent
		}
		words[i], buf = v, buf[n:]
	}
	e.Time, e.Line, e.Offset = e.Time.In(p.zone(int(words[0]))), words[1], words[2]
	var text []byte
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
