package tailer

import (
	"bytes"

	"github.com/relaylens/relaylens"
)

// defaultWarmUp holds some minutes of a busy server's log.
const defaultWarmUp = 256 << 10

// resumeAt goes on at a saved position, after reading again what stands in the
// warm bytes before it.
func (s *stream) resumeAt(p *relaylens.Position, warm int64) error {
	if p.Offset > 0 && warm > 0 {
		if start := s.warmStart(p, warm); start < p.Offset {
			s.warmTo, s.warmNumber = p.Offset, p.Number
			if err := s.seek(p.Origin, start, start, 0); err != nil {
				return err
			}
			return s.loadHead(p.Origin, p.Offset)
		}
	}
	return s.seek(p.Origin, p.Offset, p.Offset, p.Number)
}

// warmStart is where the first line begins that stands within warm bytes before
// p; p itself where lines cannot be told.
func (s *stream) warmStart(p *relaylens.Position, warm int64) int64 {
	b := takeBlock()
	defer b.free()
	if n, _ := s.f.ReadAt(b.buf[:1], p.Offset-1); n == 0 || b.buf[0] != '\n' {
		return p.Offset
	}
	// The byte before shows whether a line begins just there.
	from := max(0, p.Offset-warm-1)
	n, _ := s.f.ReadAt(b.buf[:min(blockSize, p.Offset-from)], from)
	skip := bytes.IndexByte(b.buf[:n], '\n') + 1
	if from == 0 { // a hole at the beginning belongs to no line
		skip = n - len(bytes.TrimLeft(b.buf[:n], "\x00"))
	}
	if from > 0 && skip == 0 || skip == n {
		return p.Offset
	}
	return from + int64(skip)
}

// warmed marks b as read before, and notes when the saved position is reached.
func (s *stream) warmed(b *block) {
	b.warm = s.warmTo > 0
	if b.warm && s.offset >= s.warmTo {
		s.warmTo, s.number = 0, s.warmNumber
	}
}
