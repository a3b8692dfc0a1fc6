// Package packed writes events in few bytes, and quickly, for as long as the program
// runs.
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
func textsOf(e *relaylens.Event) [8]*string {
	return [8]*string{&e.QueueID, &e.ClientName, &e.Helo, &e.User, &e.Sender, &e.Recipient, &e.RemoteHost, &e.Raw}
}

// namesOf are those that most events have in common; see [Packing.number] for the last.
func namesOf(e *relaylens.Event) [numNames]*string {
	return [...]*string{&e.Host, &e.Service, &e.Proto, &e.AuthMethod, &e.Source, &e.Enhanced, &e.Text}
}

// An event begins with its head: what is there of it, a byte of these marks and one that
// has a bit for each of textsOf, then its numbers, each where it always is, and the
// numbers of its names.
const (
	hasID = 1 << iota
	hasNullSender

	marksAt, textsAt, codesAt = 0, 1, 2
	nanosecondsAt             = codesAt + 9
	timeAt                    = nanosecondsAt + 4
	lineAt, offsetAt          = timeAt + 8, timeAt + 16
	zoneAt, pidAt             = offsetAt + 8, offsetAt + 12
	portAt, codeAt            = pidAt + 4, pidAt + 6
	namesAt                   = codeAt + 2
	headSize                  = namesAt + 2*numNames
)

// setHead writes all of the head but the numbers of names.
func setHead(head *[headSize]byte, e *relaylens.Event) {
	if !e.ID.IsZero() {
		head[marksAt] |= hasID
	}
	if e.NullSender {
		head[marksAt] |= hasNullSender
	}
	for i, t := range textsOf(e) {
		if *t != "" {
			head[textsAt] |= 1 << i
		}
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
	names := namesOf(e)
	unknown := 0 // a bit for each name that has no number
	for i, name := range names {
		n := p.number(i, *name)
		binary.LittleEndian.PutUint16(head[namesAt+2*i:], n)
		if n == 0 {
			unknown |= 1 << i
		}
	}
	dst = append(dst, head[:]...)
	if head[marksAt]&hasID != 0 {
		dst = append(dst, e.ID[:]...)
	}
	for i := 0; unknown>>i != 0; i++ {
		if unknown>>i&1 != 0 {
			dst = appendText(dst, *names[i])
		}
	}
	for _, t := range textsOf(e) {
		if *t != "" {
			dst = appendText(dst, *t)
		}
	}
	return appendAddr(appendAddr(dst, e.ClientIP), e.RemoteIP)
}

func appendText(dst []byte, t string) []byte {
	if len(t) < 0x80 {
		dst = append(dst, byte(len(t)))
	} else {
		dst = binary.AppendUvarint(dst, uint64(len(t)))
	}
	return append(dst, t...)
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
	if len(buf) < headSize {
		return errEvent
	}
	head, buf := (*[headSize]byte)(buf), buf[headSize:]
	p.readHead(head, e)
	if head[marksAt]&hasID != 0 {
		buf = buf[copy(e.ID[:], buf):]
	}
	var ok bool
	for i, name := range namesOf(e) {
		n := binary.LittleEndian.Uint16(head[namesAt+2*i:])
		switch {
		case n == 0:
			if *name, buf, ok = cutText(buf); !ok {
				return errEvent
			}
		case int(n) > len(p.names):
			return errEvent
		default:
			*name = p.names[n-1]
		}
	}
	for i, t := range textsOf(e) {
		if head[textsAt]&(1<<i) == 0 {
			continue
		}
		if *t, buf, ok = cutText(buf); !ok {
			return errEvent
		}
	}
	for _, a := range []*netip.Addr{&e.ClientIP, &e.RemoteIP} {
		var text string
		if text, buf, ok = cutText(buf); !ok {
			return errEvent
		}
		*a, _ = netip.AddrFromSlice(unsafe.Slice(unsafe.StringData(text), len(text))) // none of no bytes
	}
	return nil
}

// cutText reads what appendText wrote.
func cutText(b []byte) (text string, rest []byte, ok bool) {
	if len(b) == 0 {
		return "", nil, false
	}
	n, used := uint64(b[0]), 1
	if n >= 0x80 {
		n, used = binary.Uvarint(b)
	}
	if used <= 0 || n > uint64(len(b)-used) {
		return "", nil, false
	}
	return unsafe.String(unsafe.SliceData(b[used:]), int(n)), b[used+int(n):], true
}
