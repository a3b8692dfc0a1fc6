package tailer

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// begin places s, the file that the path named at start.
func (f *follower) begin(s *stream, size int64) {
	s.undecided = size == 0
	err := error(nil)
	p := f.saved()
	switch {
	case p != nil && isAt(s.f, s.id, size, p):
		err = s.seek(p.Offset, p.Number)
	case p != nil:
		// Everything in it came after what was read.
		f.findRotated()
	case f.Start == StartEnd:
		err = s.seekEnd(size)
	}
	if err != nil {
		f.log.Warn("file changed while it was opened, reading it from the beginning", zap.String("path", f.path), zap.Error(err))
		s.reset()
	}
}

// saved is the position of this path, nil if there is none.
func (f *follower) saved() *relaylens.Position {
	for i := range f.Positions {
		if f.Positions[i].Source == f.path {
			return &f.Positions[i]
		}
	}
	return nil
}

// isAt reports whether file holds what was read up to p.
func isAt(file *os.File, id fileID, size int64, p *relaylens.Position) bool {
	if size < p.Offset {
		return false
	}
	if p.Origin.IsZero() {
		return id == fileID{p.Device, p.Inode}
	}
	origin, err := originOf(file)
	return err == nil && origin == p.Origin
}

// findRotated opens the file with the saved position under the name that a
// rotation gave it.
func (f *follower) findRotated() {
	p := f.saved()
	if p == nil {
		return
	}
	entries, err := os.ReadDir(filepath.Dir(f.path))
	if err != nil {
		return
	}
	for _, e := range entries {
		path := filepath.Join(filepath.Dir(f.path), e.Name())
		if !e.Type().IsRegular() || filepath.Base(path) == filepath.Base(f.path) {
			continue
		}
		fi, err := e.Info()
		if err != nil || idOf(fi) != (fileID{p.Device, p.Inode}) && !rotatedName(f.path, path) {
			continue
		}
		if s := openAt(path, f.path, p); s != nil {
			f.log.Info("reading the rest of a rotated file", zap.String("path", path), zap.Int64("offset", p.Offset))
			f.streams = append(f.streams, s)
			return
		}
	}
}

// openAt opens path at p, nil if it does not hold what was read.
func openAt(path, source string, p *relaylens.Position) *stream {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	fi, err := file.Stat()
	if err == nil && isAt(file, idOf(fi), fi.Size(), p) {
		s := newStream(source, file, fi)
		if s.seek(p.Offset, p.Number) == nil {
			return s
		}
	}
	file.Close()
	return nil
}

// rotatedName reports whether a rotation of path may be called name: mail.log.1,
// mail.log-20261121, mail-20261121.log.
func rotatedName(path, name string) bool {
	base, other := filepath.Base(path), filepath.Base(name)
	if filepath.Dir(path) != filepath.Dir(name) || len(other) <= len(base) {
		return false
	}
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	rest, ok := strings.CutPrefix(other, base)
	if !ok {
		rest, ok = strings.CutPrefix(strings.TrimSuffix(other, ext), stem)
		ok = ok && strings.HasSuffix(other, ext)
	}
	return ok && strings.ContainsRune("-._", rune(rest[0]))
}

// decide finds out whether s holds what was read before, under another name or
// as a copy, and goes on from there. It is false while s is empty, and as long as
// that other file is still followed: then s waits.
func (f *follower) decide(s *stream) bool {
	fi, err := s.f.Stat()
	if err != nil {
		f.failed("read", err)
		return false
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
	if p, ok := f.previous(s); ok && p.compare(s.f, fi.Size()) == same {
		f.adopt(s, p)
		return true
	}
	if f.glob != nil && f.followedElsewhere(s, fi.Size()) {
		return false
	}
	s.undecided = false
	for i := len(f.retired) - 1; i >= 0; i-- {
		p := &f.retired[i]
		known := p.id == s.id || f.glob != nil && p.from >= printSize && rotatedName(p.source, s.source)
		if known && p.compare(s.f, fi.Size()) == same {
			f.adopt(s, p)
			break
		}
	}
	return true
}

// previous is what the path named before s, if s may be a rewritten copy of
// it: editors and rsync write a copy and rename it into place. A short file
// proves nothing as long as the old one has another name.
func (f *follower) previous(s *stream) (*footprint, bool) {
	for i := 1; i < len(f.streams); i++ {
		if f.streams[i] != s {
			continue
		}
		old := f.streams[i-1]
		fi, err := old.f.Stat()
		if err != nil || old.from == 0 {
			return nil, false
		}
		st, ok := fi.Sys().(*syscall.Stat_t)
		p := old.footprint()
		return &p, old.from >= printSize || ok && st.Nlink == 0
	}
	return nil, false
}

// followedElsewhere reports whether another follower reads the same content: the
// path is its new name (same inode) or a copy of it (copytruncate).
func (f *follower) followedElsewhere(s *stream, size int64) bool {
	for _, other := range f.followers {
		if other == f {
			continue
		}
		for _, o := range other.streams {
			if o.undecided {
				continue
			}
			if o.id == s.id {
				return true
			}
			if o.from < printSize || !rotatedName(other.path, f.path) {
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
	err := s.seek(p.line, p.number)
	if err == nil && p.from > p.line {
		s.from = p.from
		err = s.loadTail()
	}
	if err != nil {
		s.reset()
	}
}
