package spool

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/relaylens/relaylens"
)

func textsOf(e *relaylens.Event) [15]*string {
	return [15]*string{&e.Host, &e.Service, &e.QueueID, &e.ClientName, &e.Helo, &e.Proto, &e.User, &e.AuthMethod,
		&e.Sender, &e.Recipient, &e.Enhanced, &e.Text, &e.RemoteHost, &e.Source, &e.Raw}
}

// numWords is how many numbers an entry is written with.
const numWords = 19

// wordsOf are the numbers of an entry.
func wordsOf(e *entry) [numWords]int64 {
	_, zone := e.Time.Zone()
	null := int64(0)
	if e.NullSender {
		null = 1
	}
	return [numWords]int64{int64(e.seq), e.Time.Unix(), int64(e.Time.Nanosecond()), int64(zone), int64(e.TimeDigits), int64(e.MTA), int64(e.PID),
		int64(e.Kind), int64(e.Direction), int64(e.Stage), int64(e.Reason), int64(e.Cause), int64(e.Action), int64(e.Class),
		int64(e.ClientPort), null, int64(e.Code), e.Line, e.Offset}
}

func (e *entry) setWords(w *[numWords]int64) {
	e.seq = int(w[0])
	e.Time = time.Unix(w[1], w[2]).In(zoneOf(int(w[3])))
	e.TimeDigits, e.MTA, e.PID = uint8(w[4]), relaylens.MTA(w[5]), int32(w[6])
	e.Kind, e.Direction, e.Stage = relaylens.Kind(w[7]), relaylens.Direction(w[8]), relaylens.Stage(w[9])
	e.Reason, e.Cause, e.Action, e.Class = relaylens.Reason(w[10]), relaylens.Cause(w[11]), relaylens.Action(w[12]), relaylens.Class(w[13])
	e.ClientPort, e.NullSender, e.Code = uint16(w[14]), w[15] == 1, uint16(w[16])
	e.Line, e.Offset = w[17], w[18]
}

func zoneOf(seconds int) *time.Location {
	if seconds == 0 {
		return time.UTC
	}
	return time.FixedZone("", seconds)
}

// lengthSize is what the length of a record takes.
const lengthSize = 4

// appendEntry adds the length of the record and the record.
func appendEntry(dst []byte, e *entry) []byte {
	dst = append(dst, make([]byte, lengthSize)...)
	begin := len(dst)
	dst = append(dst, e.ID[:]...)
	for _, w := range wordsOf(e) {
		dst = binary.AppendVarint(dst, w)
	}
	for _, t := range textsOf(&e.Event) {
		dst = appendBytes(dst, *t)
	}
	for _, a := range []netip.Addr{e.ClientIP, e.RemoteIP} {
		dst = appendBytes(dst, string(a.AsSlice()))
	}
	binary.BigEndian.PutUint32(dst[begin-lengthSize:], uint32(len(dst)-begin))
	return dst
}

func appendBytes(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

var errRecord = errors.New("read temporary file for events: it was changed by another program")

// readEntry reads one record; io.EOF when there is none.
func readEntry(r *bufio.Reader, e *entry) error {
	var head [lengthSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return fmt.Errorf("read temporary file for events: %w", err)
	}
	buf := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(r, buf); err != nil {
		return fmt.Errorf("read temporary file for events: %w", err)
	}
	return readRecord(buf, e)
}

// readRecord reads what appendEntry wrote, without its length; buf is not kept.
func readRecord(buf []byte, e *entry) error {
	*e = entry{}
	buf = buf[copy(e.ID[:], buf):]
	var words [numWords]int64
	for i := range words {
		v, n := binary.Varint(buf)
		if n <= 0 {
			return errRecord
		}
		words[i], buf = v, buf[n:]
	}
	e.setWords(&words)
	rest := string(buf) // all texts in one piece
	var ok bool
	for _, t := range textsOf(&e.Event) {
		if *t, rest, ok = cutBytes(rest); !ok {
			return errRecord
		}
	}
	for _, a := range []*netip.Addr{&e.ClientIP, &e.RemoteIP} {
		var text string
		if text, rest, ok = cutBytes(rest); !ok {
			return errRecord
		}
		*a, _ = netip.AddrFromSlice([]byte(text)) // none of no bytes
	}
	return nil
}

func cutBytes(s string) (text, rest string, ok bool) {
	n, used := uint64(0), 0
	for shift := 0; used < len(s) && shift < 64; shift += 7 {
		b := s[used]
		used++
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if n > uint64(len(s)-used) {
				return "", "", false
			}
			return s[used : used+int(n)], s[used+int(n):], true
		}
	}
	return "", "", false
}
