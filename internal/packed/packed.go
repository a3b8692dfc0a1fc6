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

func textsOf(e *relaylens.Event) [15]*string {
	return [15]*string{&e.Host, &e.Service, &e.QueueID, &e.ClientName, &e.Helo, &e.Proto, &e.User, &e.AuthMethod,
		&e.Sender, &e.Recipient, &e.Enhanced, &e.Text, &e.RemoteHost, &e.Source, &e.Raw}
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

func setWords(e *relaylens.Event, w *[numWords]int64, z *Zone) {
	e.Time = time.Unix(w[0], w[1]).In(z.of(int(w[2])))
	e.TimeDigits, e.MTA, e.PID = uint8(w[3]), relaylens.MTA(w[4]), int32(w[5])
	e.Kind, e.Direction, e.Stage = relaylens.Kind(w[6]), relaylens.Direction(w[7]), relaylens.Stage(w[8])
	e.Reason, e.Cause, e.Action, e.Class = relaylens.Reason(w[9]), relaylens.Cause(w[10]), relaylens.Action(w[11]), relaylens.Class(w[12])
	e.ClientPort, e.NullSender, e.Code = uint16(w[13]), w[14] == 1, uint16(w[15])
	e.Line, e.Offset = w[16], w[17]
}

// Zone is the last time zone that was read: a log seldom has another. The zero value
// has read none.
type Zone struct {
	seconds  int
	location *time.Location
}

func (z *Zone) of(seconds int) *time.Location {
	switch {
	case seconds == 0:
		return time.UTC
	case z.location == nil || z.seconds != seconds:
		z.seconds, z.location = seconds, time.FixedZone("", seconds)
	}
	return z.location
}

// Append adds e to dst. Its Given is not told: it is of events that came from
// elsewhere.
func Append(dst []byte, e *relaylens.Event) []byte {
	dst = append(dst, e.ID[:]...)
	for _, w := range wordsOf(e) {
		dst = binary.AppendVarint(dst, w)
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
func Read(buf []byte, e *relaylens.Event, z *Zone) error {
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
	setWords(e, &words, z)
	var text []byte
	var ok bool
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
