package tailer

import (
	"os"
	"syscall"
	"time"

	"github.com/relaylens/relaylens"
)

// decide finds out whether s holds what was read before, under another name or
// as a copy, and goes on from there. It is false while s is empty, and as long as
// that other file is still followed: then s waits.
func (f *follower) decide(s *stream) bool {
	fi, err := s.f.Stat()
	if err != nil {
		f.failed("read", err)
		return false
	}
	if fi.Size() != s.size {
		s.grew = time.Now()
	}
	s.size, s.atEnd = fi.Size(), true
	if s.size == 0 {
		return false
	}
	if packed, more := compressed(s.f); packed || more {
		// gzip had just created it when it was opened.
		if f.packed = packed; packed && f.glob == nil {
			f.failed("open", errCompressed)
		}
		return false
	}
	s.atEnd = false
	if p, at := f.previous(s); p != nil && p.compare(s.f, fi.Size()) == same && f.Claims.take(s.id, f) {
		f.adopt(s, p)
		s.stale = append(s.stale, at)
		return true
	}
	if f.glob != nil && f.copyOfFollowed(s, fi.Size()) || !f.Claims.take(s.id, f) {
		return false
	}
	s.undecided = false
	if !f.adoptPast(s, fi.Size()) {
		f.superseded(s, fi.Size())
	}
	return true
}

// adoptPast goes on where somebody has ended who followed the same content, and
// reports whether there was one.
func (f *follower) adoptPast(s *stream, size int64) bool {
	for _, p := range f.Claims.past() {
		known := p.id == s.id || p.from >= printSize && rotatedName(p.source, s.source)
		if known && p.compare(s.f, size) == same {
			f.adopt(s, &p)
			return true
		}
	}
	return false
}

// previous is what the path named before s, if s may be a rewritten copy of
// it: editors and rsync write a copy and rename it into place. A short file
// proves nothing as long as the old one has another name.
func (f *follower) previous(s *stream) (*footprint, relaylens.Position) {
	for i := 1; i < len(f.streams); i++ {
		if f.streams[i] != s {
			continue
		}
		old := f.streams[i-1]
		fi, err := old.f.Stat()
		if err != nil || old.from == 0 {
			return nil, relaylens.Position{}
		}
		if old.from < printSize && !unlinked(fi) {
			break
		}
		p := old.footprint()
		return &p, old.position()
	}
	return nil, relaylens.Position{}
}

// copyOfFollowed reports whether another follower reads the same content: the
// path is a copy of it (copytruncate).
func (f *follower) copyOfFollowed(s *stream, size int64) bool {
	for _, other := range f.followers {
		if other == f {
			continue
		}
		for _, o := range other.streams {
			if o.undecided || o.id == s.id || o.from < printSize || !rotatedName(other.path, f.path) {
				continue
			}
			if p := o.footprint(); p.compare(s.f, size) != different {
				return true
			}
		}
	}
	return false
}

func (f *follower) adopt(s *stream, p *footprint) {
	s.undecided = false
	s.kept = s.kept || p.source == s.source && p.id == s.id
	err := s.seek(p.line, p.number)
	if err == nil && p.from > p.line {
		s.from = p.from
		err = s.loadTail()
	}
	if err != nil {
		s.reset()
	}
}

// unlinked reports whether the file has no name any more.
func (s *stream) unlinked() bool {
	fi, err := s.f.Stat()
	return err != nil || unlinked(fi)
}

func unlinked(fi os.FileInfo) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 0
}
