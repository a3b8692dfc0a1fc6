package tailer

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// A glob finds the files that match a pattern. It has a watcher of its own:
// nxadm/tail's tracker knows paths, not folders, and tells nothing of names it
// was not asked for.
type glob struct {
	*run
	w       *fsnotify.Watcher // nil: inotify is not available
	changed chan struct{}     // a name came or went in one of the folders
	done    chan struct{}
	stale   bool
	due     time.Time
	skipped map[string]fileID // archives
	began   time.Time
	present map[fileID]int64 // sizes of what was there at start
	none    bool             // nothing matches, and that was said
}

func newGlob(r *run) *glob {
	g := &glob{run: r, changed: make(chan struct{}, 1), done: make(chan struct{}), skipped: map[string]fileID{}, present: map[fileID]int64{}, began: time.Now()}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		close(g.done)
		return g
	}
	g.w = w
	go g.pump()
	return g
}

// pump passes on what concerns names; writes are the followers' business.
func (g *glob) pump() {
	defer close(g.done)
	for {
		select {
		case e, ok := <-g.w.Events:
			if !ok {
				return
			}
			if !e.Has(fsnotify.Create) && !e.Has(fsnotify.Rename) && !e.Has(fsnotify.Remove) {
				continue
			}
		case _, ok := <-g.w.Errors: // events were lost
			if !ok {
				return
			}
		}
		select {
		case g.changed <- struct{}{}:
		default:
		}
	}
}

func (g *glob) close() {
	if g.w != nil {
		g.w.Close()
	}
	<-g.done
}

// events may be called on nil.
func (g *glob) events() <-chan struct{} {
	if g == nil {
		return nil
	}
	return g.changed
}

func (g *glob) noted() { g.stale = true }

func (g *glob) round(now time.Time) {
	if !g.stale && now.Before(g.due) {
		return
	}
	g.stale = false
	g.expire(now)
	g.forget(now)
	g.scan()
	g.due = now.Add(g.timing.beat)
	if g.w == nil {
		g.due = now.Add(g.timing.poll)
	}
}

// scan follows the paths that match and are not followed yet, those that were
// written to long ago first.
func (g *glob) scan() {
	g.watch()
	paths, _ := filepath.Glob(g.Path)
	type match struct {
		path  string
		id    fileID
		size  int64
		mtime time.Time
	}
	var fresh []match
	for _, path := range paths {
		if g.follows(path) {
			continue
		}
		fi, err := os.Stat(path)
		if err != nil || followable(fi) != nil || g.archive(path, idOf(fi)) {
			continue
		}
		fresh = append(fresh, match{path, idOf(fi), fi.Size(), fi.ModTime()})
	}
	slices.SortStableFunc(fresh, func(a, b match) int { return cmp.Or(a.mtime.Compare(b.mtime), cmp.Compare(a.path, b.path)) })
	// The paths of saved positions come first: rotated files that the pattern
	// matches too may hold the rest of what was read of them.
	if !g.started {
		for _, path := range g.savedPaths() {
			g.follow(path, true)
		}
	}
	for _, m := range fresh {
		if g.started || !g.follows(m.path) {
			g.follow(m.path, !g.started)
		}
		if !g.started {
			g.present[m.id] = m.size
		}
	}
	g.tellNone()
}

// expire forgets what was there at start, when all of it must have been looked at.
func (g *glob) expire(now time.Time) {
	if now.Sub(g.began) > g.timing.lost {
		g.present = nil
	}
}

// wasThere reports whether the file was found at start, under this name or one
// that it has lost since. It may be called on nil.
func (g *glob) wasThere(id fileID, size int64) bool {
	if g == nil || g.present == nil {
		return false
	}
	found, ok := g.present[id]
	delete(g.present, id)
	return ok && size >= found
}

func (g *glob) follows(path string) bool {
	return slices.ContainsFunc(g.followers, func(f *follower) bool { return f.path == path })
}

// savedPaths are the paths of saved positions, whether there is a file or not.
func (g *glob) savedPaths() []string {
	var all []string
	for i := range g.Positions {
		if path := g.Positions[i].Source; g.matches(path) && !slices.Contains(all, path) {
			all = append(all, path)
		}
	}
	slices.Sort(all) // mail.log before mail.log.1
	return all
}

// archive reports whether path is compressed: a rotated file that was read
// before it came to that.
func (g *glob) archive(path string, id fileID) bool {
	if known, ok := g.skipped[path]; ok && known == id {
		return true
	}
	file, err := openHandle(path)
	if err != nil {
		return false
	}
	defer file.Close()
	if packed, _ := compressed(file); !packed {
		delete(g.skipped, path)
		return false
	}
	g.skipped[path] = id
	return true
}

// tellNone shows a pattern that matches nothing as a source that is down.
func (g *glob) tellNone() {
	none := len(g.followers) == 0
	switch {
	case none:
		g.Metrics.source(g.Path).up.Set(0)
	case g.none:
		g.Metrics.Delete(g.Path)
	}
	if none && !g.none {
		g.log.Warn("waiting for a file that matches", zap.String("path", g.Path))
	}
	g.none = none
}

// watch adds the folders that files can appear in; that of one that exists
// already is no error.
func (g *glob) watch() {
	if g.w == nil {
		return
	}
	dirs := []string{filepath.Dir(g.Path)}
	for isPattern(dirs[len(dirs)-1]) {
		dirs = append(dirs, filepath.Dir(dirs[len(dirs)-1]))
	}
	for _, pattern := range dirs {
		found, _ := filepath.Glob(pattern)
		for _, dir := range found {
			if err := g.w.Add(dir); errors.Is(err, fsnotify.ErrClosed) {
				return
			}
		}
	}
}

// lost reports whether the path has been gone for long, and what it named last
// has been quiet as long.
func (f *follower) lost(now time.Time) bool {
	if f.missing.IsZero() || now.Sub(f.missing) < f.timing.lost {
		return false
	}
	last := f.last()
	return last == nil || last.atEnd && now.Sub(last.grew) >= f.timing.lost
}

// since is when the pattern was first looked for; it may be called on nil.
func (g *glob) since() time.Time {
	if g == nil {
		return time.Time{}
	}
	return g.began
}

// forget drops followers whose path has been gone for long, or is an archive by
// now. The series of a path leave with it.
func (g *glob) forget(now time.Time) {
	for _, f := range slices.Clone(g.followers) {
		if !f.packed && !f.lost(now) {
			continue
		}
		for _, s := range f.streams {
			f.finish(s)
		}
		f.streams = nil
		g.drop(f)
		f.close()
		g.followers = slices.DeleteFunc(g.followers, func(o *follower) bool { return o == f })
		g.Metrics.Delete(f.path)
	}
}

// drop has the positions of a path that is gone forgotten, except where another
// name of its file is known.
func (g *glob) drop(f *follower) {
	f.seen = nil
	now := time.Now()
	_, _, _ = g.Claims.miss(f.path, g.holds, now, now)
	gone, _, _ := g.Claims.miss(f.path, g.holds, now, now)
	if gone = slices.Concat(f.lapsed, f.needles, gone); len(gone) > 0 {
		f.send(relaylens.Batch{Drained: gone})
	}
}

// matches reports whether path is one that the pattern finds.
func (g *glob) matches(path string) bool {
	ok, _ := filepath.Match(filepath.Clean(g.Path), filepath.Clean(path))
	return ok
}
