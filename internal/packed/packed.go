// Package packed writes events in as few bytes as are needed, for as long as the
// program runs.
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

// namesOf are those that most events have in common.
func namesOf(e *relaylens.Event) [6]*string {
	return [6]*string{&e.Host, &e.Service, &e.Proto, &e.AuthMethod, &e.Source, &e.Enhanced}
}

// An event begins with what is there of it: a byte of these marks, and one that has
// a bit for each of textsOf.
const (
	hasID = 1 << iota
	hasNanoseconds
	hasNullSender
)

// codesSize is what those numbers take that are a byte each.
const codesSize = 9

// appendHead writes the marks and all numbers.
func appendHead(dst []byte, e *relaylens.Event) []byte {
	var marks, texts byte
	nanoseconds := e.Time.Nanosecond()
	if !e.ID.IsZero() {
		marks |= hasID
	}
	if nanoseconds != 0 {
		marks |= hasNanoseconds
	}
	if e.NullSender {
		marks |= hasNullSender
	}
	for i, t := range textsOf(e) {
		if *t != "" {
			texts |= 1 << i
		}
	}
	dst = append(dst, marks, texts)
	if marks&hasID != 0 {
		dst = append(dst, e.ID[:]...)
	}
	if marks&hasNanoseconds != 0 {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(nanoseconds))
	}
	dst = append(dst, e.TimeDigits, byte(e.MTA), byte(e.Kind), byte(e.Direction), byte(e.Stage), byte(e.Reason), byte(e.Cause), byte(e.Action), byte(e.Class))
	for _, w := range wordsOf(e) {
		dst = binary.AppendVarint(dst, w)
	}
	return dst
}

// cutHead reads what appendHead wrote, and tells which texts there are.
func (p *Packing) cutHead(buf []byte, e *relaylens.Event) (texts byte, rest []byte, ok bool) {
	if len(buf) < 2 {
		return 0, nil, false
	}
	marks, texts, buf := buf[0], buf[1], buf[2:]
	if marks&hasID != 0 {
		buf = buf[copy(e.ID[:], buf):]
	}
	nanoseconds := uint32(0)
	if marks&hasNanoseconds != 0 && len(buf) >= 4 {
		nanoseconds, buf = binary.LittleEndian.Uint32(buf), buf[4:]
	}
	if len(buf) < codesSize {
		return 0, nil, false
	}
	e.NullSender = marks&hasNullSender != 0
	e.TimeDigits, e.MTA, e.Kind, e.Direction = buf[0], relaylens.MTA(buf[1]), relaylens.Kind(buf[2]), relaylens.Direction(buf[3])
	e.Stage, e.Reason, e.Cause = relaylens.Stage(buf[4]), relaylens.Reason(buf[5]), relaylens.Cause(buf[6])
	e.Action, e.Class = relaylens.Action(buf[7]), relaylens.Class(buf[8])
	buf = buf[codesSize:]
	var words [numWords]int64
	for i := range words {
		v, n := binary.Varint(buf)
		if n <= 0 {
			return 0, nil, false
		}
		words[i], buf = v, buf[n:]
	}
	e.Time = time.Unix(words[0], int64(nanoseconds)).In(p.zone(int(words[1])))
	e.PID, e.ClientPort, e.Code, e.Line, e.Offset = int32(words[2]), uint16(words[3]), uint16(words[4]), words[5], words[6]
	return texts, buf, true
}

const numWords = 7

// wordsOf are the numbers that are small in most events.
func wordsOf(e *relaylens.Event) [numWords]int64 {
	_, zone := e.Time.Zone()
	return [...]int64{e.Time.Unix(), int64(zone), int64(e.PID), int64(e.ClientPort), int64(e.Code), e.Line, e.Offset}
}

// Append adds e to dst. Its Given is not told: it is of events that came from
// elsewhere.
func (p *Packing) Append(dst []byte, e *relaylens.Event) []byte {
	dst = appendHead(dst, e)
	for i, t := range namesOf(e) {
		dst = appendName(dst, p.number(i, *t), *t)
	}
	dst = appendName(dst, p.said(e.Text), e.Text)
	for _, t := range textsOf(e) {
		if *t != "" {
			dst = appendText(dst, *t)
		}
	}
	return appendAddr(appendAddr(dst, e.ClientIP), e.RemoteIP)
}

// appendName writes the number of a name, or what has none.
func appendName(dst []byte, number uint64, name string) []byte {
	if dst = binary.AppendUvarint(dst, number); number == 0 {
		dst = appendText(dst, name)
	}
	return dst
}

func appendText(dst []byte, t string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(t))), t...)
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
	texts, buf, ok := p.cutHead(buf, e)
	if !ok {
		return errEvent
	}
	for _, t := range namesOf(e) {
		if *t, buf, ok = p.cutName(buf); !ok {
			return errEvent
		}
	}
	if e.Text, buf, ok = p.cutName(buf); !ok {
		return errEvent
	}
	var text []byte
	for i, t := range textsOf(e) {
		if texts&(1<<i) == 0 {
			continue
		}
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

// cutName reads what appendName wrote.
func (p *Packing) cutName(buf []byte) (name string, rest []byte, ok bool) {
	n, used := binary.Uvarint(buf)
	if used <= 0 || n > uint64(len(p.names)) {
		return "", nil, false
	}
	if buf = buf[used:]; n > 0 {
		return p.names[n-1], buf, true
	}
	text, rest, ok := cutBytes(buf)
	return unsafe.String(unsafe.SliceData(text), len(text)), rest, ok
}

func cutBytes(b []byte) (text, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, false
	}
	end := used + int(n)
	return b[used:end], b[end:], true
}
