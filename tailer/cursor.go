package tailer

import (
	"bytes"
	"strings"
	"unsafe"

	"github.com/relaylens/relaylens"
)

// A cursor says where in its stream the next line begins.
type cursor struct {
	source string
	origin relaylens.Origin // zero until the first line is known
	number int64            // of the last line
	offset int64            // of the next line
	begun  bool             // past the NUL bytes at the beginning of the stream
}

// lead returns the number of NUL bytes that data begins with, as long as the
// stream has shown nothing else. A writer without O_APPEND that goes on after
// copytruncate leaves a hole of NULs, which may be gigabytes and belongs to no line.
func (c *cursor) lead(data []byte) int {
	if c.begun || len(data) == 0 {
		return 0
	}
	n := len(data) - len(bytes.TrimLeft(data, "\x00"))
	c.begun = n < len(data)
	c.offset += int64(n)
	return n
}

// scan adds the complete lines at the beginning of data to b, until b is full,
// and returns how many bytes they take.
func (c *cursor) scan(b *block, data []byte) int {
	rest := alias(data)
	if n := strings.IndexByte(rest, '\n'); c.origin.IsZero() && n >= 0 {
		c.origin = relaylens.NewOrigin(rest[:min(n, relaylens.MaxLine)])
	}
	room := b.lines[len(b.lines):max(len(b.lines), min(batchLines, cap(b.lines)))]
	number, offset, added := c.number, c.offset, 0
	for added < len(room) {
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			break
		}
		l := &room[added]
		added++
		// One by one: a whole Line would be made on the stack and copied from there, before
		// what was written has arrived.
		l.Text, l.Source, l.Cursor = rest[:min(n, relaylens.MaxLine)], c.source, ""
		l.Origin, l.Cut = c.origin, n > relaylens.MaxLine
		l.Number, l.Offset = number+int64(added), offset
		rest = rest[n+1:]
		offset += int64(n) + 1
		l.End = offset
	}
	c.number, c.offset, b.lines = number+int64(added), offset, b.lines[:len(b.lines)+added]
	return len(data) - len(rest)
}

// add appends one line of which text has at least the first MaxLine bytes;
// length counts all its bytes in the stream.
func (c *cursor) add(b *block, text []byte, length int64, cut bool) {
	text = text[:min(len(text), relaylens.MaxLine)]
	if c.origin.IsZero() {
		c.origin = relaylens.NewOrigin(alias(text))
	}
	c.number++
	b.lines = append(b.lines, relaylens.Line{Text: alias(text), Source: c.source, Origin: c.origin, Cut: cut,
		Number: c.number, Offset: c.offset, End: c.offset + length})
	c.offset += length
}

// alias is string(text) without the copy: lines share the memory of their
// block, which nobody writes to before the batch is released.
func alias(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }
