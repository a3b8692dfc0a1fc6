package tailer

import (
	"cmp"
	"os"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// resumeAttempts is how often the folder is read anew when files change their
// names while they are being opened.
const resumeAttempts = 10

// begin places s, the file that the path named at start, and opens what is to
// be read before it.
func (f *follower) begin(s *stream, fi os.FileInfo) {
	size := fi.Size()
	if !f.Claims.take(s.id, f) {
		return // somebody else reads it; decide waits
	}
	saved := f.saved()
	if len(saved) > 0 {
		f.resume(saved, s, fi)
		return
	}
	s.undecided = size == 0
	err := error(nil)
	switch {
	case f.superseded(s, size):
	case f.adoptPast(s, size):
		s.undecided = false
	case !f.Since.IsZero():
		err = f.beginSince(s, fi)
	case f.Start == StartEnd:
		err = s.seekEnd(size)
	}
	f.placed(s, err)
	if err == nil && s.stale == nil && f.Start == StartEnd {
		f.begun = s
	}
}

// placed deals with a file that was cut while it was opened.
func (f *follower) placed(s *stream, err error) {
	if err != nil {
		f.log.Warn("file changed while it was opened, reading it from the beginning", zap.String("path", f.path), zap.Error(err))
		s.reset()
	}
}

// announce has the place saved where following began, so that a run that ends
// before the first line comes is none that never was.
func (f *follower) announce(s *stream) {
	p := s.position()
	if !f.send(relaylens.Batch{Position: p}) {
		return
	}
	if p.Origin.IsZero() {
		s.stale = append(s.stale, p)
	} else {
		s.kept = true
	}
}

// beginMissing looks for the files of saved positions while the path names
// nothing. It is true when there are such positions and nothing was found:
// then the file may come back as it was.
func (f *follower) beginMissing() bool {
	saved := f.saved()
	if len(saved) == 0 {
		return false
	}
	f.resume(saved, nil, nil)
	return len(f.streams) == 0
}

// saved are the positions of this path.
func (f *follower) saved() []*relaylens.Position {
	var all []*relaylens.Position
	for i := range f.Positions {
		if f.Positions[i].Source == f.path && f.Positions[i].Cursor == "" {
			all = append(all, &f.Positions[i])
		}
	}
	return all
}

// superseded goes on where the file was read under another path, and reports
// whether it was.
func (f *follower) superseded(s *stream, size int64) bool {
	c := sibling{id: s.id, size: size}
	c.origin, _ = originOf(s.f)
	for i := range f.Positions {
		p := &f.Positions[i]
		if c.fits(p) < fitsInode || s.resumeAt(p, f.WarmUp) != nil {
			continue
		}
		s.key, s.kept, s.undecided = s.id, false, false
		s.stale = append(s.stale, *p)
		return true
	}
	return false
}

// How well a file fits a position.
const (
	fitsNot    = iota
	fitsPacked // it holds the same in compressed form, or begins alike
	fitsCopy   // it holds what was read
	fitsInode  // and is the very file
)

func (c *sibling) fits(p *relaylens.Position) int {
	inode := c.id == fileID{p.Device, p.Inode}
	switch {
	case p.Origin.IsZero():
		if inode && !c.packed && c.size >= p.Offset {
			return fitsInode
		}
		return fitsNot
	case c.origin != p.Origin:
		return fitsNot
	case c.packed:
		return fitsPacked
	case c.size < p.Offset:
		return fitsNot
	case inode:
		return fitsInode
	}
	return fitsCopy
}

// A plan says what to read of the files beside a path, oldest first.
type plan struct {
	files []sibling
	at    map[fileID]*relaylens.Position // where to go on, of those that were read
	lost  []*relaylens.Position          // their files were not found
	taken []*relaylens.Position          // somebody else reads their files
	blind bool                           // a file could not be looked at
	moved bool                           // a file had another name when it was looked at
	first int                            // of files
}

// plan finds the files of saved positions, and those that came since. S and cur
// are what the path names, if anything; it comes last.
func (f *follower) plan(saved []*relaylens.Position, s *stream, cur *sibling) plan {
	ids := make([]fileID, len(saved))
	for i, p := range saved {
		ids[i] = fileID{p.Device, p.Inode}
	}
	all, err := f.folders.siblings(f.path, ids, func(c *sibling) bool { return cur == nil || c.id != cur.id })
	if err != nil {
		f.log.Warn("folder cannot be read, rotated files are not found", zap.String("path", f.path), zap.Error(err))
	}
	p := plan{at: map[fileID]*relaylens.Position{}}
	for i := range all {
		read, there := f.identify(&all[i])
		p.blind = p.blind || there && !read
		p.moved = p.moved || !there
		if !read {
			all[i].size = -1
		}
	}
	all = slices.DeleteFunc(all, func(c sibling) bool { return c.size < 0 })
	byAge(all)
	if cur != nil {
		// It may have grown since it was opened, and have been compressed.
		cur.origin, cur.size = s.firstLine(), s.growth()
		all = append(all, *cur)
	}
	p.files, p.first = all, len(all)
	for fit := fitsInode; fit > fitsNot; fit-- {
		for _, pos := range saved {
			f.match(&p, pos, fit)
		}
	}
	for _, pos := range saved {
		if !p.found(pos) {
			p.lost = append(p.lost, pos)
			// A copy that is still being made.
			p.moved = p.moved || slices.ContainsFunc(p.files, func(c sibling) bool { return c.origin == pos.Origin && !c.origin.IsZero() })
		}
	}
	f.prune(&p, cur != nil)
	return p
}

const (
	// identifyTries is how often a rotated file is looked at that cannot be read:
	// passing over it would lose what it holds.
	identifyTries = 5
	identifyPause = 100 * time.Millisecond
)

// identify finds out what a rotated file holds, with patience for a disk or a
// network that fails for a moment.
func (f *follower) identify(c *sibling) (read, there bool) {
	for try := 1; ; try++ {
		if c.identify(f.openFile) {
			return true, true
		}
		if _, err := os.Stat(c.path); isMissing(err) {
			return false, false
		}
		if try == identifyTries {
			f.log.Error("rotated file cannot be read or is still being compressed; it is passed over until the next start", zap.String("path", c.path))
			return false, true
		}
		time.Sleep(identifyPause) //nolint:forbidigo // nothing announces that a disk has recovered
	}
}

// match gives pos the youngest file that fits so well, if it has none.
func (f *follower) match(p *plan, pos *relaylens.Position, fit int) {
	if p.found(pos) {
		return
	}
	for i := len(p.files) - 1; i >= 0; i-- {
		c := &p.files[i]
		if p.at[c.id] != nil || c.fits(pos) != fit {
			continue
		}
		if !f.Claims.free(c.id, f) {
			p.taken = append(p.taken, pos)
			return
		}
		p.at[c.id] = pos
		p.first = min(p.first, i)
		return
	}
}

// found reports whether pos has a file, or one that goes further than pos and
// has the same content: an editor's copy that took the place.
func (p *plan) found(pos *relaylens.Position) bool {
	for _, other := range p.at {
		if other == pos || other.Origin == pos.Origin && other.Offset >= pos.Offset {
			return true
		}
	}
	return slices.Contains(p.taken, pos)
}

// doubt is how long before a position was saved a file that it does not know may
// have been written last and still be read: clocks step, and what was read
// already is recognised by its events' ids.
const doubt = 5 * time.Minute

// prune leaves in p what was read in part and what came later. Where no saved
// position has a file any more, the time at which it was saved tells.
func (f *follower) prune(p *plan, current bool) {
	var last time.Time
	for _, pos := range p.lost {
		if saved := cmp.Or(pos.Saved, pos.Time); saved.After(last) {
			last = saved
		}
	}
	var keep []sibling
	for i, c := range p.files {
		isCurrent := current && i == len(p.files)-1
		switch {
		case isCurrent, p.at[c.id] != nil:
		case f.known(p, &c):
			continue
		case p.first < len(p.files):
			if i < p.first {
				continue
			}
		case last.IsZero() || c.mtime.Before(last.Add(-doubt)):
			continue
		}
		keep = append(keep, c)
	}
	p.files = keep
}

// known reports whether c is another copy of something in p, or was read under
// another path.
func (f *follower) known(p *plan, c *sibling) bool {
	for i := range f.Positions {
		if c.fits(&f.Positions[i]) >= fitsInode || c.packed && c.origin == f.Positions[i].Origin {
			return true
		}
	}
	for _, o := range p.files {
		if o.id == c.id || o.origin != c.origin || o.origin.IsZero() {
			continue
		}
		// What the path named when it was opened may be compressed by now.
		if p.at[o.id] != nil || c.packed && !o.packed && (o.path == f.path || stem(o.path) == stem(c.path)) {
			return true
		}
	}
	return false
}

// resume opens the files of a plan; cur is what the path names, or nil.
func (f *follower) resume(saved []*relaylens.Position, cur *stream, fi os.FileInfo) {
	var current *sibling
	if cur != nil {
		c := newSibling(f.path, "", fi)
		current = &c
	}
	var p plan
	for attempt := range resumeAttempts {
		p = f.plan(saved, cur, current)
		if cur == nil && len(p.at) == 0 && !p.moved {
			return
		}
		if f.openPlan(&p, current) && !p.moved && (len(p.lost) == 0 || attempt > 0) || attempt == resumeAttempts-1 {
			break
		}
		for _, s := range f.streams {
			f.leave(s)
		}
		f.streams = nil
	}
	for _, pos := range p.lost {
		f.log.Warn("file was not found again, lines may be lost", zap.String("path", f.path), zap.Int64("offset", pos.Offset), zap.Time("after", pos.Time))
		if !p.blind { // else it may be the one that could not be looked at
			f.drained = append(f.drained, drained{Position: *pos})
		}
	}
	if cur == nil {
		return
	}
	pos := p.at[cur.id]
	switch {
	case pos != nil:
		cur.undecided = false
		if pos.Origin.IsZero() && !current.origin.IsZero() {
			cur.stale = append(cur.stale, *pos)
		}
		f.placed(cur, cur.resumeAt(pos, f.WarmUp))
	case f.superseded(cur, cur.growth()):
	}
}

// openPlan is false when a file is not where it was a moment ago.
func (f *follower) openPlan(p *plan, current *sibling) bool {
	for i := range p.files {
		c := &p.files[i]
		if current != nil && c.id == current.id || !f.Claims.take(c.id, f) {
			continue
		}
		s, err := f.openSibling(c, p.at[c.id])
		if err != nil {
			f.Claims.drop(c.id, f)
			f.log.Warn("rotated file cannot be read", zap.String("path", c.path), zap.Error(err))
			return false
		}
		f.log.Info("reading a rotated file", zap.String("path", c.path), zap.Int64("offset", s.offset))
		f.streams = append(f.streams, s)
	}
	return true
}

// openSibling opens c at p, or at its beginning.
func (f *follower) openSibling(c *sibling, p *relaylens.Position) (*stream, error) {
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
	switch {
	case c.packed:
		s.newPacked(c.path, fi, p, f.WarmUp)
	case p != nil:
		err = s.resumeAt(p, f.WarmUp)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}
