package tailer

import (
	"errors"
	"io"
	"math"
	"os"
	"time"

	"github.com/relaylens/relaylens"
)

// packed reads a rotated file that was compressed before its lines were all
// handed out.
type packed struct {
	r     *Reader
	p     relaylens.Position // where to go on; zero: the beginning
	warm  int64              // how much before p is read again
	lines []relaylens.Line   // read and not handed out, of r's last batch
	ref   time.Time
	skip  int64 // lines before p so far
	since func(*relaylens.Line, time.Time) bool
	over  bool  // nothing is to come
	err   error // why it ended before its end
}

// newPacked makes s read an archive. At is how far it was read already, zero for
// one that was never read.
func (s *stream) newPacked(path string, fi os.FileInfo, at relaylens.Position, warm int64) {
	r := NewReader(path, io.NewSectionReader(s.f, 0, math.MaxInt64), reference(path, fi, time.Now()))
	s.arc = &packed{r: r, p: at, warm: warm}
	s.size, s.began, s.grew = fi.Size(), time.Now(), time.Now()
	s.offset, s.number = at.Offset, at.Number
}

// readPacked hands lines to b; none at the end.
func (s *stream) readPacked(b *block, now time.Time) error {
	a := s.arc
	for len(a.lines) == 0 {
		if a.over {
			s.atEnd = true
			return nil
		}
		batch, err := a.r.Next()
		if err != nil {
			a.over = true
			if !errors.Is(err, io.EOF) {
				a.err = err
			}
			continue
		}
		a.lines, a.ref, s.grew = a.wanted(batch), batch.Reference, now
	}
	n := 0
	for n < len(a.lines) && a.isWarm(&a.lines[n]) == a.isWarm(&a.lines[0]) {
		n++
	}
	b.copyLines(a.lines[:n])
	a.lines = a.lines[n:]
	b.warm = a.isWarm(&b.lines[0])
	for i := range b.lines {
		l := &b.lines[i]
		l.Source = s.source
		if l.Number += a.p.Number - a.skip; b.warm {
			l.Number = 0
		}
	}
	if !b.warm {
		last := &b.lines[n-1]
		s.origin, s.offset, s.number = last.Origin, last.End, last.Number
	}
	return nil
}

func (a *packed) isWarm(l *relaylens.Line) bool { return l.Offset < a.p.Offset }

// wanted leaves out what was read before the warm-up, and what is too old.
func (a *packed) wanted(batch *relaylens.Batch) []relaylens.Line {
	lines := batch.Lines
	for i := range lines {
		if lines[i].Offset < a.p.Offset {
			a.skip++
		}
	}
	for len(lines) > 0 && lines[0].Offset < a.p.Offset-a.warm {
		lines = lines[1:]
	}
	for a.since != nil && len(lines) > 0 {
		if a.since(&lines[0], batch.Reference) {
			a.since = nil
			break
		}
		lines = lines[1:]
	}
	return lines
}
