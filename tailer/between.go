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
	all, err := siblings(f.path, func(c *sibling) bool { return c.suffix != "" })
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

// findBetween opens the files that the path named between two looks, and that
// were rotated away before the second. Next is what it names by now.
func (f *follower) findBetween(next fileID) {
	last := f.last()
	if last == nil || f.seen == nil {
		return
	}
	since := last.mtime.Add(-tickSlack)
	all, err := siblings(f.path, func(c *sibling) bool { return c.suffix != "" && c.id != next })
	if err != nil {
		return
	}
	seen := map[fileID]sibling{}
	var fresh []sibling
	for _, c := range all {
		old, known := f.seen[c.id]
		// An inode of a file that was deleted may be another's by now.
		known = known && (old.size == c.size && old.mtime.Equal(c.mtime) || !old.origin.IsZero() && c.identify(f.openFile) && c.origin == old.origin)
		open := slices.IndexFunc(f.streams, func(s *stream) bool { return s.id == c.id })
		if open >= 0 {
			c.origin = f.streams[open].origin
		}
		if !known && open < 0 && !c.mtime.Before(since) && !f.ownPath(&c) && c.identify(f.openFile) && !f.readAlready(&c) {
			fresh = append(fresh, c)
		}
		seen[c.id] = c
	}
	f.seen = seen
	byAge(fresh)
	for i := range fresh {
		f.openBetween(&fresh[i], fresh)
	}
}

func (f *follower) openBetween(c *sibling, fresh []sibling) {
	if c.packed && slices.ContainsFunc(fresh, func(o sibling) bool { return !o.packed && stem(o.path) == stem(c.path) }) || !f.Claims.take(c.id, f) {
		return
	}
	s, err := f.openSibling(c, nil)
	if err != nil {
		f.Claims.drop(c.id, f)
		delete(f.seen, c.id)
		return
	}
	f.m.renamed.Inc()
	f.log.Info("reading a file that was rotated away meanwhile", zap.String("path", c.path))
	f.streams = append(f.streams, s)
}

// readAlready reports whether c holds what was read from another file: it is a
// copy of it, or was compressed.
func (f *follower) readAlready(c *sibling) bool {
	for _, s := range f.streams {
		if c.packed && s.origin == c.origin && !c.origin.IsZero() {
			return true
		}
		if p := s.footprint(); f.holds(c, &p) {
			return true
		}
	}
	past := f.Claims.past()
	return slices.ContainsFunc(past, func(p footprint) bool { return f.holds(c, &p) })
}

// holds reports whether c is a copy of what p is of.
func (f *follower) holds(c *sibling, p *footprint) bool {
	if c.packed {
		return p.origin == c.origin && !c.origin.IsZero()
	}
	if p.from < printSize {
		return false
	}
	file, err := f.openFile(c.path)
	if err != nil {
		return true // gone again: it has another name by now, and its turn comes
	}
	defer file.Close()
	return p.compare(file, c.size) != different
}

// ownPath reports whether c is followed under its own path: the pattern matches it.
func (f *follower) ownPath(c *sibling) bool {
	return f.glob != nil && !c.packed && f.glob.matches(c.path)
}

// recover opens the copy of a file that was truncated before it was read to
// its end, and reports whether there is one.
func (f *follower) recover(s *stream) bool {
	if !s.kept || s.from < printSize {
		return false
	}
	p, at := s.footprint(), s.position()
	all, err := siblings(f.path, func(c *sibling) bool { return c.suffix != "" && c.id != s.id })
	if err != nil {
		return false
	}
	for i := range all {
		c := &all[i]
		if f.ownPath(c) || !c.identify(f.openFile) || c.origin != s.origin || !c.packed && c.size <= s.offset {
			continue
		}
		if f.openCopy(s, c, &p, &at) {
			return true
		}
	}
	return false
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
	f.drained = slices.DeleteFunc(f.drained, func(d relaylens.Position) bool { return sameFile(&d, at) })
	return true
}
