package tailer

import (
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// decide finds out what the file of s holds, and where to go on in it. It is
// false while there is no whole line, and as long as somebody else reads the same.
func (f *follower) decide(s *stream) bool {
	fi, err := s.f.Stat()
	if err != nil {
		f.failed("read", err)
		return false
	}
	if fi.Size() != s.size {
		s.grew = time.Now()
	}
	s.size, s.atEnd, s.waits = fi.Size(), true, false
	if s.size == 0 {
		return false
	}
	if f.isArchive(s) {
		return false
	}
	origin, err := originOf(s.f)
	if err != nil {
		f.unreadable(s, err)
		return false
	}
	if origin.IsZero() {
		return false
	}
	turn := f.Claims.enter(s, origin, s.size, f.seen)
	if turn == turnWait {
		s.waits = true
		return false
	}
	s.atEnd = false
	if err := f.place(s, turn); err != nil {
		// It was rewritten meanwhile.
		f.log.Info("file changed while it was opened", zap.String("path", f.path), zap.Error(err))
		f.giveBack(s)
		f.news = true
		return false
	}
	f.Claims.place(s)
	if turn == turnFresh {
		// What it held before may have been copied and truncated, and comes first.
		f.news = f.walk()
	}
	return !f.news
}

// isArchive reports whether s is one after all, or may be: gzip had just created it
// when it was opened.
func (f *follower) isArchive(s *stream) bool {
	packed, more := compressed(s.f)
	s.waits = packed
	if f.packed = packed && s == f.last(); f.packed && f.glob == nil {
		f.failed("open", errCompressed)
	}
	return packed || more
}

// place has s go on where its content was read to.
func (f *follower) place(s *stream, turn turn) error {
	t := s.content
	switch {
	case turn == turnFresh && s.startAt+s.startFrom == 0:
		return nil
	case turn == turnFresh:
		return s.seek(t.key.Origin, s.startAt, s.startFrom, 0)
	case t.cold && (s == f.last() || s.size > t.line): // else nothing is to come that has to be understood
		return s.resumeAt(&relaylens.Position{Origin: t.key.Origin, Offset: t.line, Number: t.number}, f.WarmUp)
	}
	return s.seek(t.key.Origin, t.line, t.from, t.number)
}

// giveBack has s know nothing of its file any more.
func (f *follower) giveBack(s *stream) {
	f.Claims.release(s)
	s.reset()
}
