package tailer

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

const (
	// turnBlocks is how many blocks one file is read before others have their turn.
	turnBlocks = 16
	// maxStreams bounds the old files of one path whose writers have fallen
	// silent; those still being written to are kept however many they are.
	maxStreams = 8
	maxBackoff = 30 * time.Second
)

// A follower reads what one path names, one file after the other.
type follower struct {
	*run
	path    string
	m       *gauges
	streams []*stream // oldest first; the last one is what the path named last
	initial bool      // nothing was opened yet that was there at start
	late    bool      // the path came after the start
	news    bool      // to be looked at before anything is waited for

	walked  bool                 // the folder was looked at
	resumed bool                 // an earlier run followed the path
	seen    map[fileID]sibling   // the files beside the path, as they were at the last look
	again   time.Time            // when to look again; zero: when something happens
	patient time.Duration        // between two looks for what cannot be read yet
	told    map[fileID]bool      // what cannot be read, and that was said
	marks   []relaylens.Position // to be saved: what is not to be read
	began   bool                 // it was saved that following began
	needles []relaylens.Position // saved, and needless when there is a position of a line
	lapsed  []relaylens.Position // saved, and of files that are no more
	ids     []fileID             // of files that an earlier run read, whatever they are called by now

	cancels map[string]func() // what is listened to: the path, and what it links to
	heard   bool              // an event came since the last look
	deaf    bool              // a look found news that no event announced

	ok      bool // the last look found nothing wrong
	packed  bool // the path has come to name an archive
	closed  bool
	missing time.Time // since when the path names nothing
	fault   string    // the error that was logged last
	backoff time.Duration
	due     time.Time // when to look although nothing was heard
}

func (f *follower) woken() { f.news, f.heard, f.deaf = true, true, false }

func (f *follower) last() *stream {
	if len(f.streams) == 0 {
		return nil
	}
	return f.streams[len(f.streams)-1]
}

// look reads what there is, older files first.
func (f *follower) look() {
	f.news = false
	found := f.checkPath(time.Now())
	f.news = false
	f.saveMarks()
	for _, s := range slices.Clone(f.streams) {
		if f.news || f.ctx.Err() != nil {
			break
		}
		if s.over {
			continue
		}
		lines := f.drain(s)
		found = found || lines && s == f.last()
	}
	f.saveBegin()
	if f.ctx.Err() != nil {
		return
	}
	if f.ok {
		f.present()
	}
	now := time.Now()
	f.closeOld(now)
	f.measure(now)
	if found && !f.heard {
		f.deaf = true
	}
	if !f.news {
		f.heard = false
	}
	f.schedule(now)
}

// drain reads s to its end, or as far as its turn goes; then f.news is set. It
// reports whether there were lines.
func (f *follower) drain(s *stream) (found bool) {
	if s.content != nil && !f.Claims.begin(s) {
		f.giveBack(s)
	}
	defer f.Claims.end(s)
	for range turnBlocks {
		if s.over {
			return found
		}
		if s.content == nil && (!f.decide(s) || !f.Claims.begin(s)) || f.news {
			return found
		}
		if s.first && !f.announce(s) {
			return found
		}
		b := takeBlock()
		err := s.read(b, time.Now())
		switch {
		case errors.Is(err, errRewritten):
			b.free()
			f.truncated(s)
			return found
		case err != nil:
			b.free()
			f.unreadable(s, err)
			return found
		case len(b.lines) == 0:
			b.free()
		case !f.hand(s, b):
			return true
		default:
			found = true
		}
		if s.atEnd {
			return found
		}
	}
	f.news = true
	return found
}

// hand sends the lines of b, which s has read.
func (f *follower) hand(s *stream, b *block) bool {
	batch := relaylens.Batch{Lines: b.lines, Reference: s.reference(time.Now()), Position: s.position(), Warm: b.warm, Release: b.free}
	if b.warm {
		return f.send(batch)
	}
	f.count(b)
	return f.save(s, batch)
}

// save sends a batch with a position of s, which makes others needless.
func (f *follower) save(s *stream, batch relaylens.Batch) bool {
	needles := len(f.needles)
	batch.Drained = slices.DeleteFunc(slices.Concat(f.needles, s.content.stale), func(p relaylens.Position) bool {
		return sameFile(&p, &batch.Position)
	})
	if !f.send(batch) {
		return false
	}
	f.began, f.needles = true, f.needles[needles:]
	f.Claims.progress(s, &batch.Position)
	return true
}

func (f *follower) count(b *block) {
	f.m.bytes.Add(float64(b.lines[len(b.lines)-1].End - b.lines[0].Offset))
	for i := range b.lines {
		if b.lines[i].Cut {
			f.m.cut.Inc()
		}
	}
}

// truncated begins s anew. What it held and was not read may be in a copy, which
// comes first.
func (f *follower) truncated(s *stream) {
	f.log.Info("file was truncated, reading it from the beginning", zap.String("path", f.path), zap.Int64("offset", s.offset))
	f.m.truncated.Inc()
	f.giveBack(s)
	f.walk()
	f.news = true
}

// checkPath opens what the path names by now, and reports whether that is
// another file than before.
func (f *follower) checkPath(now time.Time) bool {
	if f.closed {
		return false
	}
	if len(f.cancels) == 0 {
		f.listen()
	}
	fi, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		f.gone(now)
		return false
	}
	f.missing = time.Time{}
	if err == nil {
		err = followable(fi)
	}
	if err != nil {
		f.failed("open", err)
		return false
	}
	f.ok = true
	if f.reorder(idOf(fi)) {
		if f.walkDue(now) || f.heard && fi.Size() == 0 {
			f.walk()
		}
		return false
	}
	s, fi, err := f.open()
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			f.gone(now)
		} else {
			f.failed("open", err)
		}
		return false
	}
	f.join(s, fi)
	return true
}

func followable(fi os.FileInfo) error {
	switch {
	case fi.IsDir():
		return errDirectory
	case !fi.Mode().IsRegular():
		return errNotRegular
	}
	return nil
}

// reorder makes the stream with id the last one, if there is one: a file that
// was moved away may come back.
func (f *follower) reorder(id fileID) bool {
	for i, s := range f.streams {
		if s.id == id {
			f.streams = append(append(f.streams[:i:i], f.streams[i+1:]...), s)
			return true
		}
	}
	return false
}

func (f *follower) open() (*stream, os.FileInfo, error) {
	file, err := f.openFile(f.path)
	if err != nil {
		return nil, nil, err
	}
	fi, err := file.Stat()
	if err == nil {
		err = followable(fi)
	}
	if err == nil {
		if packed, _ := compressed(file); packed {
			err = errCompressed
		}
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return newStream(f.path, file, fi), fi, nil
}

// compressed reports whether file is an archive; more is true when it is too
// short to tell.
func compressed(file io.ReaderAt) (yes, more bool) {
	head := make([]byte, longestMagic)
	n, _ := file.ReadAt(head, 0)
	kind, more := sniff(head[:n])
	return kind != nil, more
}

// join appends a file that the path has come to name.
func (f *follower) join(s *stream, fi os.FileInfo) {
	f.listen()
	there := f.glob.wasThere(s.id, fi.Size())
	if !f.resumed && (there || f.initial && f.glob == nil) {
		f.begin(s, fi)
	}
	f.initial = false
	s.copyOf = f.glob != nil
	if len(f.streams) > 0 {
		f.m.renamed.Inc()
		f.log.Info("following a new file", zap.String("path", f.path))
	}
	f.streams = append(f.streams, s)
	f.walk()
}

// begin has s, which was there at start, begin as it is configured.
func (f *follower) begin(s *stream, fi os.FileInfo) {
	err := error(nil)
	switch {
	case !f.Since.IsZero():
		err = f.beginSince(s, f.path, fi.ModTime(), fi.Size())
	case f.Start == StartEnd:
		err = s.startAtEnd(fi.Size())
	}
	if s.first = true; err != nil {
		f.log.Warn("file changed while it was opened, reading it from the beginning", zap.String("path", f.path), zap.Error(err))
		s.reset()
	}
}

// listen subscribes to the path and, where it is a link, to what it links to.
func (f *follower) listen() {
	want := []string{f.path}
	if target, err := filepath.EvalSymlinks(f.path); err == nil && target != filepath.Clean(f.path) {
		want = append(want, target)
	}
	old := f.cancels
	f.cancels = map[string]func(){}
	for _, path := range want {
		if cancel, ok := old[path]; ok {
			f.cancels[path] = cancel
			delete(old, path)
		} else if cancel, err := f.waker.subscribe(path, func() { f.wakes.mark(f) }); err == nil {
			f.cancels[path] = cancel
		}
	}
	for _, cancel := range old {
		cancel()
	}
}

func (f *follower) close() {
	f.closed = true
	for _, cancel := range f.cancels {
		cancel()
	}
	for _, s := range f.streams {
		f.leave(s)
	}
}
