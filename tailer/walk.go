package tailer

import (
	"errors"
	"slices"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// recently is when an unfinished line must have been written for its end to be
// waited for. No clock decides more than that: what it gets wrong comes with the
// next look.
const recently = 10 * time.Minute

// savedBefore reports whether an earlier run followed the path.
func (f *follower) savedBefore() (yes bool) {
	for _, p := range f.Positions {
		if p.Source != f.path || p.State == relaylens.PositionSkipped {
			continue
		}
		yes = true
		f.ids = append(f.ids, fileID{p.Device, p.Inode})
		if p.Origin.IsZero() {
			f.needles = append(f.needles, p)
		}
	}
	return yes
}

// walkDue reports whether it is time for another look at the folder.
func (f *follower) walkDue(now time.Time) bool { return !f.again.IsZero() && !now.Before(f.again) }

// walk looks at the files beside the path and opens those that hold what was not
// read. It reports whether there are any.
func (f *follower) walk() bool {
	first := !f.walked && !f.resumed
	f.walked, f.again = true, time.Time{}
	all, err := f.folders.siblings(f.path, f.ids, func(c *sibling) bool { return !f.reads(c.id) })
	if err != nil {
		if f.seen = nil; !isMissing(err) {
			f.log.Warn("folder cannot be read, rotated files are not found", zap.String("path", f.path), zap.Error(err))
			f.lookAgain()
		}
		return false
	}
	unclear := f.identifyAll(all)
	all = slices.DeleteFunc(all, func(c sibling) bool { return c.origin.IsZero() })
	var fresh []sibling
	for i := range all {
		c := &all[i]
		switch {
		case c.suffix == "" && !f.Claims.knows(c.origin, f.path):
			// Another log, which has got the inode of one of ours.
		case c.failed, c.packed && holdsPlain(all, c.origin):
		case first && f.history(c):
			f.mark(c)
		case f.Claims.wants(c):
			fresh = append(fresh, *c)
		}
	}
	byAge(fresh)
	opened := false
	for i := range fresh {
		if f.openRotated(&fresh[i], first) {
			opened = true
		} else {
			unclear = true
		}
	}
	if unclear {
		f.lookAgain()
	} else {
		f.patient = 0
		f.forget(time.Now())
	}
	return opened
}

// lookAgain has the folder looked at again, later each time.
func (f *follower) lookAgain() {
	f.patient = min(max(2*f.patient, f.timing.poll), maxBackoff)
	f.again = time.Now().Add(f.patient)
}

// reads reports whether id is one of the files that are open, or the one that is
// just being opened.
func (f *follower) reads(id fileID) bool {
	return slices.ContainsFunc(f.streams, func(s *stream) bool { return s.id == id })
}

// identifyAll finds out what the files hold, and reports whether that has to be
// tried again for some.
func (f *follower) identifyAll(all []sibling) (unclear bool) {
	seen := map[fileID]sibling{}
	for i := range all {
		c := &all[i]
		old, known := f.seen[c.id]
		switch {
		case known && c.alike(&old) && !old.origin.IsZero():
			c.origin, c.packed, c.failed = old.origin, old.packed, old.failed
		case !c.identify(f.openFile):
			unclear = true
			f.tellUnclear(c)
		case c.origin.IsZero() && time.Since(c.mtime) < recently:
			unclear = true
		}
		seen[c.id] = *c
	}
	f.seen = seen
	return unclear
}

// tellUnclear says once that a file cannot be read, if that lasts.
func (f *follower) tellUnclear(c *sibling) {
	if f.patient < f.timing.beat || f.told[c.id] {
		return
	}
	if f.told == nil {
		f.told = map[fileID]bool{}
	}
	f.told[c.id] = true
	f.log.Error("rotated file cannot be read or is still being compressed, trying again", zap.String("path", c.path))
}

// holdsPlain reports whether one of the files holds the same and is not
// compressed: an archive of it may be unfinished.
func holdsPlain(all []sibling, origin relaylens.Origin) bool {
	return slices.ContainsFunc(all, func(c sibling) bool { return !c.packed && c.origin == origin })
}

// history reports whether c was there before following began, and is not asked for.
func (f *follower) history(c *sibling) bool {
	switch {
	case f.Claims.knows(c.origin, ""):
		return false
	case f.late:
		// A path that came later; what was rotated away before it was seen is news.
		return c.mtime.Before(f.glob.since())
	case f.ownPath(c):
		return false
	}
	return f.Since.IsZero() || c.mtime.Before(f.Since)
}

// mark notes that c is not to be read, now or later.
func (f *follower) mark(c *sibling) {
	p := relaylens.Position{Source: f.path, Device: c.id.device, Inode: c.id.inode, Origin: c.origin, Offset: c.size, State: relaylens.PositionSkipped}
	f.Claims.load([]relaylens.Position{p})
	f.marks = append(f.marks, p)
}

// saveMarks comes before any line, and before it is saved that following began.
func (f *follower) saveMarks() {
	for len(f.marks) > 0 && f.send(relaylens.Batch{Position: f.marks[0]}) {
		f.marks = f.marks[1:]
	}
}

// saveBegin has it saved that the path is followed, so that a run that ends
// before the first line comes is none that never was.
func (f *follower) saveBegin() {
	if f.began || f.resumed || !f.walked || f.ctx.Err() != nil {
		return
	}
	if f.glob != nil && !slices.ContainsFunc(f.streams, func(s *stream) bool { return s.first }) {
		return
	}
	p := relaylens.Position{Source: f.path}
	if f.began = f.send(relaylens.Batch{Position: p}); f.began {
		f.needles = append(f.needles, p)
	}
}

// announce has the place saved where following begins.
func (f *follower) announce(s *stream) bool {
	s.first = false
	return f.save(s, relaylens.Batch{Position: s.position()})
}

// openRotated is false when c is not where it was a moment ago, or cannot be read.
func (f *follower) openRotated(c *sibling, first bool) bool {
	s, err := f.openSibling(c)
	if err == nil && first && !f.Since.IsZero() {
		err = f.beginSince(s, c.path, c.mtime, c.size)
	}
	if err != nil {
		if s != nil {
			f.leave(s)
		}
		delete(f.seen, c.id)
		return false
	}
	if s.over { // somebody else was quicker
		f.leave(s)
		return true
	}
	if f.walked && !first {
		f.m.renamed.Inc()
	}
	f.log.Info("reading a rotated file", zap.String("path", c.path))
	// What the path names comes last.
	f.streams = slices.Insert(f.streams, max(0, len(f.streams)-1), s)
	return true
}

// openSibling opens c. What a plain file holds is decided when it is read.
func (f *follower) openSibling(c *sibling) (*stream, error) {
	file, err := f.openFile(c.path)
	if err != nil {
		return nil, err
	}
	fi, err := file.Stat()
	if err == nil && idOf(fi) != c.id {
		err = errRewritten
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	s := newStream(f.path, file, fi)
	s.copyOf = true
	if !c.packed {
		return s, nil
	}
	if f.Claims.enterPacked(s, c.origin) == turnWait {
		s.over = true
		return s, nil
	}
	t := s.content
	at := relaylens.Position{Origin: t.key.Origin, Offset: t.line, Number: t.number}
	warm := f.WarmUp
	if !t.cold {
		warm = 0
	}
	s.newPacked(c.path, fi, at, warm)
	return s, nil
}

// forget drops the positions of files that are gone, and says which of them were
// not read to their end. It waits for a while: names move.
func (f *follower) forget(now time.Time) {
	s := f.last()
	if !f.ok || s == nil || s.content == nil {
		return
	}
	gone, lost, missing := f.Claims.miss(f.path, f.holds, now, now.Add(-f.timing.lost))
	f.lapsed = append(f.lapsed, gone...)
	for _, l := range lost {
		f.log.Warn("file was not found again, lines may be lost", zap.String("path", f.path), zap.Int64("offset", l.line), zap.Time("after", l.key.Time))
	}
	if missing {
		f.again = now.Add(f.timing.lost)
	}
}

// holds reports whether one of the files that are known holds what begins with
// origin.
func (r *run) holds(origin relaylens.Origin) bool {
	for _, f := range r.followers {
		for _, c := range f.seen {
			if c.origin == origin {
				return true
			}
		}
	}
	return false
}

// cut notes that an archive ended before its end: it is being written, or it is
// damaged. It is read on when it has changed.
func (f *follower) cut(s *stream) {
	f.log.Warn("rotated file cannot be read to its end for now", zap.String("path", f.path), zap.Int64("offset", s.offset), zap.Error(s.arc.err))
	if c, ok := f.seen[s.id]; ok {
		c.size = s.size
		c.failed = !errors.As(s.arc.err, new(syscall.Errno))
		f.seen[s.id] = c
	}
	f.lookAgain()
}
