package tailer

import (
	"bytes"
	"io"
)

// A footprint tells how far some content was read, and how to know it again.
type footprint struct {
	head, tail []byte // at the beginning, and before from; none of what another process read
	from       int64  // how far it was looked at
	line       int64  // where the next line begins
	number     int64  // of the line before
}

// imprint notes in p how far s has come.
func (s *stream) imprint(p *footprint) {
	at := s.position()
	p.from, p.line, p.number = max(s.from, at.Offset), at.Offset, at.Number
	if s.arc != nil || s.warmTo > 0 {
		p.head, p.tail = p.head[:0], p.tail[:0]
		return
	}
	p.head = append(p.head[:0], s.head...)
	p.tail = append(p.tail[:0], s.tail...)
}

func (p *footprint) clone() footprint {
	return footprint{bytes.Clone(p.head), bytes.Clone(p.tail), p.from, p.line, p.number}
}

// resemblance is how much of what was read a file holds.
type resemblance uint8

const (
	different resemblance = iota
	partial               // its beginning: a copy that is still being made
	same                  // all of it
)

// compare looks for the content of p in a file that begins with the same line.
func (p *footprint) compare(f io.ReaderAt, size int64) resemblance {
	head := make([]byte, min(int64(len(p.head)), size))
	if _, err := f.ReadAt(head, 0); err != nil && len(head) > 0 || !bytes.HasPrefix(p.head, head) {
		return different
	}
	if size < p.from {
		return partial
	}
	tail := make([]byte, len(p.tail))
	if _, err := f.ReadAt(tail, p.from-int64(len(tail))); len(tail) > 0 && (err != nil || !bytes.Equal(tail, p.tail)) {
		return different
	}
	return same
}
