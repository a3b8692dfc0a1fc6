package tailer

import (
	"bytes"
	"io"

	"github.com/relaylens/relaylens"
)

// A footprint tells how far some content was read, and how to know it again.
type footprint struct {
	source     string
	id         fileID
	origin     relaylens.Origin
	head, tail []byte
	from       int64 // how far it was looked at
	line       int64 // where the next line begins
	number     int64 // of the line before
}

func (s *stream) footprint() footprint {
	at := s.position()
	return footprint{
		source: s.source, id: s.id, origin: s.origin, from: s.from, line: at.Offset, number: at.Number,
		head: bytes.Clone(s.head), tail: bytes.Clone(s.tail),
	}
}

// resemblance is how much of what was read a file holds.
type resemblance uint8

const (
	different resemblance = iota
	partial               // its beginning: a copy that is still being made
	same                  // all of it
)

// compare looks for the content of p in a file.
func (p *footprint) compare(f io.ReaderAt, size int64) resemblance {
	if len(p.head) == 0 || size == 0 {
		return different
	}
	head := make([]byte, min(int64(len(p.head)), size))
	if _, err := f.ReadAt(head, 0); err != nil || !bytes.HasPrefix(p.head, head) {
		return different
	}
	if size < p.from {
		return partial
	}
	tail := make([]byte, len(p.tail))
	if _, err := f.ReadAt(tail, p.from-int64(len(tail))); err != nil || !bytes.Equal(tail, p.tail) {
		return different
	}
	return same
}
