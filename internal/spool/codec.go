package spool

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/packed"
)

// lengthSize is what the length of a record takes.
const lengthSize = 4

// appendRecord adds the length of the record and the record.
func appendRecord(dst []byte, e *relaylens.Event) []byte {
	begin := len(dst) + lengthSize
	dst = packed.Append(append(dst, make([]byte, lengthSize)...), e)
	binary.BigEndian.PutUint32(dst[begin-lengthSize:], uint32(len(dst)-begin))
	return dst
}

// lengthOf is how long a record is that begins with head.
func lengthOf(head []byte) int { return int(binary.BigEndian.Uint32(head)) }

var errRecord = errors.New("read temporary file for events: it was changed by another program")

// readRecord reads what appendRecord wrote, without its length. The texts of e are
// those of buf.
func readRecord(buf []byte, e *relaylens.Event, z *packed.Zone) error {
	if err := packed.Read(buf, e, z); err != nil {
		return fmt.Errorf("%w: %w", errRecord, err)
	}
	return nil
}
