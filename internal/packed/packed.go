// Package packed writes events in few bytes, and quickly, for as long as the program
// runs: refusals that wait for the end of the files (internal/spool), and the events
// that show a finding. The form changes from version to version and is never stored.
package packed

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"
	"unsafe"

	"github.com/relaylens/relaylens"
)

// textsOf are those that hardly two events have in common.
func textsOf(e *relaylens.Event) [numTexts]*string {
	return [...]*string{&e.QueueID, &e.ClientName, &e.Helo, &e.User, &e.Sender, &e.Recipient, &e.RemoteHost, &e.Raw}
}

// namesOf are those that most events have in common; see [Packing.number] for the last.
func namesOf(e *relaylens.Event) [numNames]*string {
	return [...]*string{&e.Host, &e.Service, &e.Proto, &e.AuthMethod, &e.Source, &e.Enhanced, &e.Text}
}

// An event begins with its head: what is there of it, then its numbers, the numbers of its
// names and the lengths of its texts, each where it always is. What has no fixed length
// follows: names that have no number, texts, addresses.
const (
	hasID = 1 << iota
	hasNullSender

	marksAt, codesAt = 0, 1
	addressesAt      = codesAt + 9 // their lengths
	nanosecondsAt    = addressesAt + 2
	timeAt           = nanosecondsAt + 4
	lineAt, offsetAt = timeAt + 8, timeAt + 16
	zoneAt, pidAt    = offsetAt + 8, offsetAt + 12
	portAt, codeAt   = pidAt + 4, pidAt + 6
	namesAt          = codeAt + 2
	lengthsAt        = namesAt + 2*numNames
	headSize         = lengthsAt + 2*numTexts
)

const numTexts = 8

// longText is the length of a text that is not shorter: its length follows, before it.
const longText = 0xffff

// setHead writes all of the head but what is said of names, texts and addresses.
func setHead(head *[headSize]byte, e *relaylens.Event) {
	if !e.ID.IsZero() {
		head[marksAt] |= hasID
	}
	if e.NullSender {
		head[marksAt] |= hasNullSender
	}
	*(*[9]byte)(head[codesAt:]) = [...]byte{e.TimeDigits, byte(e.MTA), byte(e.Kind), byte(e.Direction), byte(e.Stage),
		byte(e.Reason), byte(e.Cause), byte(e.Action), byte(e.Class)}
	_, zone := e.Time.Zone()
	binary.LittleEndian.PutUint32(head[nanosecondsAt:], uint32(e.Time.Nanosecond()))
	binary.LittleEndian.PutUint64(head[timeAt:], uint64(e.Time.Unix()))
	binary.LittleEndian.PutUint64(head[lineAt:], uint64(e.Line))
	binary.LittleEndian.PutUint64(head[offsetAt:], uint64(e.Offset))
	binary.LittleEndian.PutUint32(head[zoneAt:], uint32(zone))
	binary.LittleEndian.PutUint32(head[pidAt:], uint32(e.PID))
	binary.LittleEndian.PutUint16(head[portAt:], e.ClientPort)
	binary.LittleEndian.PutUint16(head[codeAt:], e.Code)
}

// readHead reads what setHead wrote.
func (p *Packing) readHead(head *[headSize]byte, e *relaylens.Event) {
	e.NullSender = head[marksAt]&hasNullSender != 0
	c := (*[9]byte)(head[codesAt:])
	e.TimeDigits, e.MTA, e.Kind, e.Direction = c[0], relaylens.MTA(c[1]), relaylens.Kind(c[2]), relaylens.Direction(c[3])
	e.Stage, e.Reason, e.Cause = relaylens.Stage(c[4]), relaylens.Reason(c[5]), relaylens.Cause(c[6])
	e.Action, e.Class = relaylens.Action(c[7]), relaylens.Class(c[8])
	seconds, zone := binary.LittleEndian.Uint64(head[timeAt:]), binary.LittleEndian.Uint32(head[zoneAt:])
	e.Time = time.Unix(int64(seconds), int64(binary.LittleEndian.Uint32(head[nanosecondsAt:]))).In(p.zone(int(int32(zone))))
	e.Line, e.Offset = int64(binary.LittleEndian.Uint64(head[lineAt:])), int64(binary.LittleEndian.Uint64(head[offsetAt:]))
	e.PID = int32(binary.LittleEndian.Uint32(head[pidAt:]))
	e.ClientPort, e.Code = binary.LittleEndian.Uint16(head[portAt:]), binary.LittleEndian.Uint16(head[codeAt:])
}

// Append adds e to dst. Its Given is not told: it is of events that came from
// elsewhere.
func (p *Packing) Append(dst []byte, e *relaylens.Event) []byte {
	var head [headSize]byte
	setHead(&head, e)
	at := len(dst)
	dst = append(dst, head[:]...) // once more when it is whole
	if head[marksAt]&hasID != 0 {
		dst = append(dst, e.ID[:]...)
	}
	for i, name := range namesOf(e) {
		if *name == "" {
			continue
		}
		n := p.number(i, *name)
		binary.LittleEndian.PutUint16(head[namesAt+2*i:], n)
		if n == noNumber {
			dst = append(binary.LittleEndian.AppendUint32(dst, uint32(len(*name))), *name...)
		}
	}
	for i, text := range textsOf(e) {
		n := len(*text)
		switch {
		case n == 0:
			continue
		case n >= longText:
			dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
			n = longText
		}
		binary.LittleEndian.PutUint16(head[lengthsAt+2*i:], uint16(n))
		dst = append(dst, *text...)
	}
	for i, a := range addressesOf(e) {
		if a.IsValid() {
			head[addressesAt+i] = byte(a.BitLen() / 8)
			dst = appendAddr(dst, *a)
		}
	}
	copy(dst[at:], head[:])
	return dst
}

func addressesOf(e *relaylens.Event) [2]*netip.Addr {
	return [...]*netip.Addr{&e.ClientIP, &e.RemoteIP}
}

func appendAddr(dst []byte, a netip.Addr) []byte {
	if a.Is4() {
		b := a.As4()
		return append(dst, b[:]...)
	}
	b := a.As16()
	return append(dst, b[:]...)
}

var errEvent = errors.New("read packed event: it was changed")

// Read reads what Append wrote. The texts of e are those of buf, which has to stay
// as it is.
func (p *Packing) Read(buf []byte, e *relaylens.Event) error {
	*e = relaylens.Event{}
	if len(buf) < headSize {
		return errEvent
	}
	head, rest := (*[headSize]byte)(buf), cutting{buf[headSize:], true}
	p.readHead(head, e)
	if head[marksAt]&hasID != 0 {
		copy(e.ID[:], rest.cut(len(e.ID)))
	}
	for i, name := range namesOf(e) {
		switch n := binary.LittleEndian.Uint16(head[namesAt+2*i:]); {
		case n == noNumber:
			*name = rest.cut(rest.length())
		case int(n) > len(p.names):
			return errEvent
		case n > 0:
			*name = p.names[n-1]
		}
	}
	for i, t := range textsOf(e) {
		n := int(binary.LittleEndian.Uint16(head[lengthsAt+2*i:]))
		if n == longText {
			n = rest.length()
		}
		if n > 0 {
			*t = rest.cut(n)
		}
	}
	for i, a := range addressesOf(e) {
		if n := int(head[addressesAt+i]); n > 0 {
			text := rest.cut(n)
			*a, _ = netip.AddrFromSlice(unsafe.Slice(unsafe.StringData(text), len(text)))
		}
	}
	if !rest.ok {
		return errEvent
	}
	return nil
}

// cutting is what is still to be read; ok until something was missing.
type cutting struct {
	rest []byte
	ok   bool
}

func (c *cutting) cut(n int) string {
	if n > len(c.rest) {
		c.rest, c.ok = nil, false
		return ""
	}
	text := unsafe.String(unsafe.SliceData(c.rest), n)
	c.rest = c.rest[n:]
	return text
}

func (c *cutting) length() int {
	if b := c.cut(4); b != "" {
		return int(binary.LittleEndian.Uint32(unsafe.Slice(unsafe.StringData(b), 4)))
	}
	return 0
}
