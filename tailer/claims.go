package tailer

import (
	"cmp"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/relaylens/relaylens"
)

// Claims say of every content how far it was read, and by whom; see the
// package documentation. A file that several paths name is so read once: links,
// bind mounts, patterns that overlap or match rotated files. Claims are shared
// by the sources of one process and safe for concurrent use.
type Claims struct {
	mu       sync.Mutex
	contents map[relaylens.Origin][]*content // those of one origin in the order they were begun
}

// A content is what a file holds from its creation on, or from a truncation. It
// may be renamed, copied and compressed, and stays what it is.
type content struct {
	key   relaylens.Position   // what it is saved as; how far it was read says the footprint
	stale []relaylens.Position // what it was saved as before
	saved bool                 // a position of it was handed out, or saved by an earlier run
	cold  bool                 // nothing of it was read by this process
	arc   bool                 // it was read from an archive last
	id    fileID               // the file that it was read from last
	footprint

	owner  *stream   // who reads it; nil: nobody
	busy   bool      // the owner is reading just now
	missed time.Time // since when no file is known that holds it
}

// NewClaims returns Claims that know nothing.
func NewClaims() *Claims { return &Claims{contents: map[relaylens.Origin][]*content{}} }

// load enters saved positions. Of what is known already, the process knows more
// than they do.
func (c *Claims) load(positions []relaylens.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := map[relaylens.Origin][]*content{}
	for _, p := range positions {
		if p.Origin.IsZero() || len(c.contents[p.Origin]) > 0 {
			continue
		}
		fresh[p.Origin] = append(fresh[p.Origin], &content{
			key: p, saved: true, cold: true, id: fileID{p.Device, p.Inode},
			footprint: footprint{from: p.Offset, line: p.Offset, number: p.Number},
		})
	}
	for origin, all := range fresh {
		slices.SortStableFunc(all, func(a, b *content) int { return a.key.Saved.Compare(b.key.Saved) })
		c.contents[origin] = all
	}
}

// furthest are the contents of an origin, what was read most of first, and what was
// skipped last, of which nothing was read. Where that is little, logs may begin
// alike, and what was read from id comes first.
func (c *Claims) furthest(origin relaylens.Origin, id fileID) []*content {
	all := slices.Clone(c.contents[origin])
	slices.SortStableFunc(all, func(a, b *content) int {
		return cmp.Or(cmp.Compare(a.skipped(), b.skipped()), cmp.Compare(b.line, a.line))
	})
	if len(all) > 0 && all[0].line < printSize {
		if i := slices.IndexFunc(all, func(t *content) bool { return t.id == id }); i > 0 {
			all[0], all[i] = all[i], all[0]
		}
	}
	return all
}

// skipped is 1 for what is not to be read.
func (t *content) skipped() int {
	if t.key.State == relaylens.PositionSkipped {
		return 1
	}
	return 0
}

// wants reports whether a rotated file holds something that was not read and
// that nobody reads.
func (c *Claims) wants(file *sibling) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.furthest(file.origin, file.id)
	if len(all) == 0 {
		return true
	}
	t := all[0]
	switch {
	case slices.ContainsFunc(all, func(t *content) bool { return t.owner != nil && (file.packed || t.id == file.id) }):
		return false
	case t.owner != nil, t.key.State == relaylens.PositionSkipped:
		return false
	case t.key.State == relaylens.PositionEnded:
		return !file.packed && file.size > t.line
	}
	return true
}

// knows reports whether anything is known of what begins with origin; if source is
// not empty, whether it was read from there.
func (c *Claims) knows(origin relaylens.Origin, source string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.contents[origin], func(t *content) bool { return source == "" || t.key.Source == source })
}

// A turn is what a stream may do with what its file holds.
type turn uint8

const (
	turnFresh turn = iota // begin it: nobody knows it
	turnKnown             // go on with it
	turnWait              // leave it to somebody else, or until there is more of it
)

// enter makes s the reader of what its file holds, if it may be. Beside are the
// files of its folder.
func (c *Claims) enter(s *stream, origin relaylens.Origin, size int64, beside map[fileID]sibling) turn {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.furthest(origin, s.id)
	if slices.ContainsFunc(all, func(t *content) bool { return t.id == s.id && t.owner != nil && t.owner != s }) {
		return turnWait
	}
	for _, t := range all {
		is := t.compare(s.f, size)
		switch {
		case t.id == s.id && is == same:
			c.pass(t, s, false)
			return turnKnown
		case t.id == s.id, is == different, !s.copyOf && (t.skipped() > 0 || !c.moved(t, is, beside)):
			continue // rewritten; something else; a log that begins with the same words, or a copy of which was skipped
		case is == partial:
			return turnWait
		case t.owner == nil:
			c.pass(t, s, false)
			return turnKnown
		}
		alive, unlinked := t.outdone(size)
		switch {
		case !alive:
			return turnWait
		case unlinked: // an editor's copy took the place, and the writer may not know
			c.add(s, origin, t.clone(), false)
			return turnKnown
		}
		c.pass(t, s, false)
		return turnKnown
	}
	c.add(s, origin, footprint{}, false)
	return turnFresh
}

// enterPacked is enter for an archive.
func (c *Claims) enterPacked(s *stream, origin relaylens.Origin) turn {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.furthest(origin, s.id)
	switch {
	case slices.ContainsFunc(all, func(t *content) bool { return t.owner != nil }):
		return turnWait
	case len(all) == 0:
		c.add(s, origin, footprint{}, true)
		return turnFresh
	}
	c.pass(all[0], s, true)
	return turnKnown
}

// add enters what s begins, at p.
func (c *Claims) add(s *stream, origin relaylens.Origin, p footprint, packed bool) {
	t := &content{footprint: p}
	t.key.Origin = origin
	c.contents[origin] = append(c.contents[origin], t)
	c.pass(t, s, packed)
}

// pass gives t to s. It is saved under the name of the file that it is read from
// by now; that of the former may be another's soon, which has the same inode.
func (c *Claims) pass(t *content, s *stream, packed bool) {
	key := relaylens.Position{Source: s.source, Device: s.id.device, Inode: s.id.inode, Origin: t.key.Origin}
	isKey := func(p relaylens.Position) bool { return sameFile(&p, &key) }
	if !isKey(t.key) {
		if t.saved {
			t.stale = append(t.stale, t.key)
		}
		key.State = t.key.State
		t.key, t.saved = key, false
	}
	c.contents[key.Origin] = slices.DeleteFunc(c.contents[key.Origin], func(o *content) bool {
		o.stale = slices.DeleteFunc(o.stale, isKey)
		return o != t && isKey(o.key)
	})
	t.owner, t.id, t.arc, t.busy, t.missed = s, s.id, packed, false, time.Time{}
	s.content = t
}

// moved reports whether a file that the path itself names, and that has another
// inode than t, is t all the same: an editor's or rsync's copy, or what was
// restored. Few bytes prove it only where t is the last of its kind and gone.
func (c *Claims) moved(t *content, is resemblance, beside map[fileID]sibling) bool {
	if t.from >= printSize && (is == same || len(t.head) > 0) || t.arc && is == same {
		return true
	}
	all := c.contents[t.key.Origin]
	if is != same || all[len(all)-1] != t {
		return false
	}
	if t.owner != nil {
		return t.owner.unlinked()
	}
	_, there := beside[t.id]
	return !there
}

// outdone reports whether the file of t's owner is whole, read to its end and
// shorter than size; a file that was truncated is not whole.
func (t *content) outdone(size int64) (yes, unlinked bool) {
	fi, err := t.owner.f.Stat()
	if err != nil || t.busy || t.owner.arc != nil || fi.Size() >= size || fi.Size() > t.from {
		return false, false
	}
	return t.compare(t.owner.f, fi.Size()) == same, isUnlinked(fi)
}

// begin is called before s reads. It is false when somebody else has its content
// by now.
func (c *Claims) begin(s *stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.content == nil || s.content.owner != s {
		return false
	}
	s.content.busy = true
	return true
}

// end is called after s has read.
func (c *Claims) end(s *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := s.content; t != nil && t.owner == s {
		t.busy = false
	}
}

// progress notes how far s has come, and what the file was saved as that is
// needless by now.
func (c *Claims) progress(s *stream, p *relaylens.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := s.content
	t.key.State, t.saved, t.cold, t.stale = p.State, true, false, nil
	s.imprint(&t.footprint)
}

// place notes where s begins or goes on.
func (c *Claims) place(s *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.imprint(&s.content.footprint)
}

// release lets others have what s reads.
func (c *Claims) release(s *stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := s.content; t != nil && t.owner == s {
		t.owner, t.busy = nil, false
	}
	s.content = nil
}

// A loss is a content that no file holds any more.
type loss struct {
	key  relaylens.Position
	line int64
}

// miss looks for contents of source that nobody reads and that no file holds as
// far as there tells. What is missing since before is forgotten: gone are its
// positions. New are those that were not yet missing, and not read to their end.
func (c *Claims) miss(source string, there func(relaylens.Origin) bool, now, before time.Time) (gone []relaylens.Position, news []loss, missing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for origin, all := range c.contents {
		owned := slices.ContainsFunc(all, func(t *content) bool { return t.owner != nil })
		all = slices.DeleteFunc(all, func(t *content) bool {
			switch {
			case t.key.Source != source:
				return false
			case owned || there(origin):
				t.missed = time.Time{}
				return false
			case t.missed.IsZero():
				t.missed = now
				further := slices.ContainsFunc(all, func(o *content) bool { return o != t && o.line >= t.line })
				if t.cold && t.key.State == relaylens.PositionOpen && !further {
					news = append(news, loss{t.key, t.line})
				}
			}
			if t.missed.After(before) {
				missing = true
				return false
			}
			if t.saved {
				gone = append(gone, t.key)
			}
			gone = append(gone, t.stale...)
			return true
		})
		if c.contents[origin] = all; len(all) == 0 {
			delete(c.contents, origin)
		}
	}
	return gone, news, missing
}

// unlinked reports whether the file has no name any more.
func (s *stream) unlinked() bool {
	fi, err := s.f.Stat()
	return err != nil || isUnlinked(fi)
}

func isUnlinked(fi os.FileInfo) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	return ok && st.Nlink == 0
}
