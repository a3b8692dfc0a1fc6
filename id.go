package relaylens

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// ID names an event by what its line is, so that the same log gives the same
// ids live, rotated, compressed, replayed or on another machine.
type ID [16]byte

// NewID digests where line stands (the stream's origin and offset, or the
// journal's cursor), its text, and ordinal, the 0-based number of the event
// among those of the same line.
func NewID(line *Line, ordinal int) ID {
	var stack [512]byte
	b := stack[:0]
	if line.Cursor != "" {
		b = append(b, 'c')
		b = binary.AppendUvarint(b, uint64(len(line.Cursor)))
		b = append(b, line.Cursor...)
	} else {
		b = append(b, 'o')
		b = append(b, line.Origin[:]...)
		b = binary.AppendUvarint(b, uint64(line.Offset))
	}
	b = binary.AppendUvarint(b, uint64(ordinal))
	b = append(b, line.Text...)
	sum := sha256.Sum256(b)
	return ID(sum[:16])
}

// NewOrigin digests the first line of a stream, without its newline.
func NewOrigin(firstLine string) Origin {
	sum := sha256.Sum256([]byte(firstLine))
	return Origin(sum[:16])
}

// IsZero reports whether id names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// String is 32 lower-case hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText implements [encoding.TextMarshaler].
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (id *ID) UnmarshalText(b []byte) error {
	if len(b) != hex.EncodedLen(len(id)) {
		return fmt.Errorf("parse event id %q: want %d hexadecimal digits", b, hex.EncodedLen(len(id)))
	}
	if _, err := hex.Decode(id[:], b); err != nil {
		return fmt.Errorf("parse event id %q: %w", b, err)
	}
	return nil
}

// MarshalText implements [encoding.TextMarshaler].
func (o Origin) MarshalText() ([]byte, error) { return ID(o).MarshalText() }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (o *Origin) UnmarshalText(b []byte) error { return (*ID)(o).UnmarshalText(b) }

// IsZero reports whether o is of no stream yet.
func (o Origin) IsZero() bool { return o == Origin{} }
