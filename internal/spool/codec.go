package spool

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/relaylens/relaylens"
)

// lengthSize is what the length of a record takes.
const lengthSize = 4

// appendRecord adds the length of the record and the record.
func (s *Spool) appendRecord(dst []byte, e *relaylens.Event) []byte {
	begin := len(dst) + lengthSize
	dst = s.packing.Append(append(dst, make([]byte, lengthSize)...), e)
	binary.BigEndian.PutUint32(dst[begin-lengthSize:], uint32(len(dst)-begin))
	return dst
}

// lengthOf is how long a record is that begins with head.
func lengthOf(head []byte) int { return int(binary.BigEndian.Uint32(head)) }

var errRecord = errors.New("read temporary file for events: it was changed by another program")

// readRecord reads what appendRecord wrote, without its length. The texts of e are
// those of buf.
func (s *Spool) readRecord(buf []byte, e *relaylens.Event) error {
	if err := s.packing.Read(buf, e); err != nil {
		return fmt.Errorf("%w: %w", errRecord, err)
	}
	return nil
}
