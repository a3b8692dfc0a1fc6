package tailer

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// tickSlack is how much a file's time may lag: the kernel's clock for files
// ticks, and a folder that is read while names move may not show one of them.
const tickSlack = 2 * time.Second

// recently is when a rotated file must have been written to for its writer to
// be thought late. An inode that was quiet for longer and is written to belongs
// to another file by now.
const recently = 24 * time.Hour

// snapshot notes what lies beside the path, so that it is not taken for new.
func (f *follower) snapshot() {
	f.seen = map[fileID]sibling{}
	all, err := f.folders.siblings(f.path, nil, func(*sibling) bool { return true })
	if err != nil {
		return // the folder is missing: all is new that will be in it
	}
	now := time.Now()
	for _, c := range all {
		if now.Sub(c.mtime) < recently {
			c.identify(f.openFile)
		}
		f.seen[c.id] = c
	}
}

// maxRewalks is how often the folder is looked at again for a file that could
// not be read, because it is just being compressed or renamed.
const maxRewalks = 40

// findBetween opens the files that the path named between two looks, and that
// were rotated away before the second. Next is what it names by now, nil for nothing.
func (f *follower) findBetween(next *stream) {
	last := f.last()
	if last == nil {
		return
	}
	if f.rewalks == 0 {
		f.walkSince = last.mtime.Add(-tickSlack)
	}
	all, err := f.folders.siblings(f.path, nil, func(c *sibling) bool { return next == nil || c.id != next.id })
	if err != nil {
		return
	}
	seen := map[fileID]sibling{}
	var fresh []sibling
	missed := false
	for _, c := range all {
		switch f.judge(&c, next) {
		case siblingNew:
			fresh = append(fresh, c)
		case siblingUnclear:
			missed = true
			continue
		}
		seen[c.id] = c
	}
	f.seen = seen
	byAge(fresh)
	for i := range fresh {
		missed = !f.openBetween(&fresh[i], fresh) || missed
	}
	switch {
	case !missed:
		f.rewalks = 0
	case f.rewalks == 0:
		f.rewalks = maxRewalks
	default:
		f.rewalks--
	}
}

const (
	siblingOld     = iota
	siblingNew     // came between two looks
	siblingUnclear // cannot be read at the moment
)

// judge finds out whether c is to be read.
func (f *follower) judge(c *sibling, next *stream) int {
	if i := slices.IndexFunc(f.streams, func(s *stream) bool { return s.id == c.id }); i >= 0 {
		c.origin = f.streams[i].origin
		return siblingOld
	}
	old, known := f.seen[c.id]
	if known && old.size == c.size && old.mtime.Equal(c.mtime) {
		c.origin = old.origin
		return siblingOld
	}
	if c.mtime.Before(f.walkSince) {
		return siblingOld
	}
	switch {
	case !c.identify(f.openFile), c.origin.IsZero():
		return siblingUnclear
	case f.copying(c):
		return siblingUnclear
	case known && !old.origin.IsZero() && old.origin == c.origin, f.readAlready(c, next):
		// An inode of a file that was deleted may be another's by now.
		return siblingOld
	}
	return siblingNew
}

// openBetween is false when c is not where it was a moment ago.
func (f *follower) openBetween(c *sibling, fresh []sibling) bool {
	if c.packed && slices.ContainsFunc(fresh, func(o sibling) bool { return !o.packed && stem(o.path) == stem(c.path) }) || !f.Claims.take(c.id, f) {
		return true
	}
	s, err := f.openSibling(c, nil)
	if err != nil {
		f.Claims.drop(c.id, f)
		delete(f.seen, c.id)
		return false
	}
	f.m.renamed.Inc()
	f.log.Info("reading a file that was rotated away meanwhile", zap.String("path", c.path))
	f.streams = append(f.streams, s)
	return true
}

// readAlready reports whether c holds what another file does that was read or is
// about to be: it is a copy of it, or was compressed.
func (f *follower) readAlready(c *sibling, next *stream) bool {
	if c.packed {
		for _, old := range f.seen {
			if old.origin == c.origin {
				return true
			}
		}
	}
	if next != nil && next.holdsToo(f, c) {
		return true
	}
	for _, o := range f.followers {
		if slices.ContainsFunc(o.streams, func(s *stream) bool { return s.holdsToo(f, c) }) {
			return true
		}
	}
	return slices.ContainsFunc(f.Claims.past(), func(p footprint) bool { return f.holds(c, &p) })
}

// holdsToo reports whether c holds what s was read of, or is about to be.
func (s *stream) holdsToo(f *follower, c *sibling) bool {
	if c.packed && c.origin == s.firstLine() {
		return true
	}
	p := s.footprint()
	return f.holds(c, &p)
}

// copying reports whether c is a copy of what the path names and nothing was
// read of. If that is truncated in a moment, only c will have it.
func (f *follower) copying(c *sibling) bool {
	s := f.last()
	return s.arc == nil && s.origin.IsZero() && c.origin == s.firstLine()
}

// firstLine is the origin of s, whether its first line was read or not.
func (s *stream) firstLine() relaylens.Origin {
	if !s.origin.IsZero() || s.arc != nil {
		return s.origin
	}
	origin, err := originOf(s.f)
	if err != nil {
		return relaylens.Origin{}
	}
	return origin
}

// holds reports whether c is a copy of what p is of.
func (f *follower) holds(c *sibling, p *footprint) bool {
	if c.packed {
		return p.origin == c.origin && !c.origin.IsZero()
	}
	if c.origin != p.origin || len(p.head) == 0 {
		return false
	}
	file, err := f.openFile(c.path)
	if err != nil {
		return true // gone again: it has another name by now, and its turn comes
	}
	defer file.Close()
	return p.compare(file, c.size) != different
}

// recover opens the copy of a file that was truncated before it was read to
// its end.
func (f *follower) recover(s *stream) {
	if !s.kept {
		return
	}
	p, at := s.footprint(), s.position()
	for range resumeAttempts {
		all, err := f.folders.siblings(f.path, nil, func(c *sibling) bool { return c.id != s.id })
		if err != nil {
			return
		}
		moved := false
		for i := range all {
			c := &all[i]
			switch {
			case !c.identify(f.openFile):
				moved = true
			case c.origin != s.origin || !c.packed && c.size <= at.Offset:
			case f.openCopy(s, c, &p, &at):
				return
			default:
				moved = true
			}
		}
		if !moved {
			return
		}
	}
}

func (f *follower) openCopy(s *stream, c *sibling, p *footprint, at *relaylens.Position) bool {
	if !f.Claims.take(c.id, f) {
		return false
	}
	rest, err := f.openSibling(c, at)
	if err == nil && rest.arc == nil && p.compare(rest.f, c.size) != same {
		rest.f.Close()
		err = errRewritten
	}
	if err != nil {
		f.Claims.drop(c.id, f)
		return false
	}
	rest.warmTo = 0
	if rest.arc != nil {
		rest.arc.warm = 0
	} else {
		f.adopt(rest, p)
		rest.key, rest.kept = s.key, true
	}
	f.log.Info("reading the rest of the truncated file from its copy", zap.String("path", c.path), zap.Int64("offset", at.Offset))
	f.streams = slices.Insert(f.streams, max(0, slices.Index(f.streams, s)), rest)
	f.forgotten([]relaylens.Position{*at})
	return true
}

// copiesUnread looks for what was written to a file and truncated before anybody
// looked: the file itself does not tell. Its copy was made before we read, and
// comes first.
func (f *follower) copiesUnread() bool {
	n := len(f.streams)
	f.findBetween(nil)
	return len(f.streams) > n
}

// growth is the size of the file by now.
func (s *stream) growth() int64 {
	fi, err := s.f.Stat()
	if err != nil {
		return s.size
	}
	return fi.Size()
}
