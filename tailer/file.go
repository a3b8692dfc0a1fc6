package tailer

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// Start says where a file begins that is there when following starts and has
// no saved position. Files that appear later are read from their beginning.
type Start uint8

const (
	StartEnd   Start = iota // only what is written from now on
	StartBegin              // all it holds
)

// FileOptions configure NewFile. Path alone is required.
type FileOptions struct {
	Path  string // a file, or a pattern as in path/filepath.Match
	Start Start
	// Since begins with the first line that is not older, in place of Start; the
	// rotated files beside the path are read as far as they go back. TimeOf tells
	// when a line was written, false if it does not say; reference is a time near
	// to the line and not before it. Without TimeOf whole files are read, those
	// that were written to since.
	Since  time.Time
	TimeOf func(line *relaylens.Line, reference time.Time) (time.Time, bool)
	// Positions are saved ones, of this source or of others; they win over
	// Start and Since. A file that was renamed, copied or compressed since is
	// found in its folder by what it holds, and read to its end; so is every
	// rotated file of which no position tells.
	Positions []relaylens.Position
	// WarmUp is how many bytes before a saved position are read again, as
	// batches with Warm set; 0 means 256 KiB, a negative number none.
	WarmUp int64
	Claims *Claims // shared with other sources, which may have the same files; nil: none
	// Drain is for how long a file that was rotated away must be quiet, after
	// its writer has begun a newer one, before it is closed; 0 means 5 s.
	Drain   time.Duration
	Logger  *zap.Logger // nil: no log
	Metrics *Metrics    // nil: none
}

// defaultDrain outlasts a writer that is told to reopen its log a while after
// the rename, and then finishes a queue.
const defaultDrain = 5 * time.Second

// timing are the clocks of following, shorter in tests.
type timing struct {
	poll time.Duration // between looks where nothing announces news
	beat time.Duration // between looks all the same: inotify may lose events, or be deaf on network file systems
	lost time.Duration // until a pattern forgets a path that is gone
}

var defaultTiming = timing{poll: 250 * time.Millisecond, beat: 5 * time.Second, lost: time.Minute}

type file struct {
	FileOptions
	timing timing
	waker  waker
	looked func() // called when everything was looked at, before waiting; for tests
	opened chan struct{}
	open   func() // closes opened, once

	openFile func(path string) (handle, error)
}

// NewFile follows one path, or every file that a pattern matches.
//
// Run fails only on a malformed pattern. What cannot be read is logged once, shows as
// relaylens_source_up 0 and is tried again. When ctx ends Run stops promptly
// and holds nothing back: a batch that was read but not yet taken is offered
// once more, and otherwise is as if it had not been read. Lines that stand in
// the file by then are for the next run, which Positions tells where to begin.
//
// Batches must be released; their memory is reused after that.
func NewFile(o FileOptions) relaylens.Source {
	if o.Drain == 0 {
		o.Drain = defaultDrain
	}
	switch {
	case o.WarmUp == 0:
		o.WarmUp = defaultWarmUp
	case o.WarmUp < 0:
		o.WarmUp = 0
	}
	if o.Claims == nil {
		o.Claims = NewClaims()
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	opened := make(chan struct{})
	return &file{FileOptions: o, timing: defaultTiming, waker: inotify, looked: func() {}, openFile: openHandle,
		opened: opened, open: sync.OnceFunc(func() { close(opened) })}
}

// Opened is closed when everything that is there was looked at for the first
// time: what is written from then on is read, wherever the source begins.
func (f *file) Opened() <-chan struct{} { return f.opened }

// Name is the path or pattern; lines tell the path.
func (f *file) Name() string { return f.Path }

func (f *file) Run(ctx context.Context, out chan<- relaylens.Batch) error {
	f.Claims.load(f.Positions)
	r := &run{file: f, ctx: ctx, out: out, log: f.Logger.Named("tailer"), folders: folders{}, wakes: wakeSet{ch: make(chan struct{}, 1)}}
	defer r.close()
	if isPattern(f.Path) {
		if _, err := filepath.Match(f.Path, ""); err != nil {
			return &Error{Op: "follow", Path: f.Path, Err: err, Remedy: "close the bracket, or escape it with a backslash"}
		}
		r.glob = newGlob(r)
		r.glob.scan()
	} else {
		r.follow(f.Path, true)
	}
	r.started = true
	for ctx.Err() == nil {
		busy := r.round()
		f.open()
		if !busy {
			r.looked()
			r.wait()
		}
	}
	return nil
}

func isPattern(path string) bool { return strings.ContainsAny(path, `*?[\`) }

// A run is one execution of Run. One goroutine does all the work, so that
// order and memory need no locks: only wakes are shared.
type run struct {
	*file
	ctx     context.Context
	out     chan<- relaylens.Batch
	log     *zap.Logger
	glob    *glob // nil for a single path
	started bool  // past the first look: what appears now is new

	followers []*follower
	folders   folders
	wakes     wakeSet
	nextDue   time.Time // not after the first due of all followers
}

func (r *run) follow(path string, initial bool) {
	f := &follower{run: r, path: path, initial: initial, late: !initial, m: r.Metrics.source(path), news: true, heard: true}
	f.resumed = f.savedBefore()
	f.listen()
	f.due = time.Now()
	r.nextDue = f.due
	r.followers = append(r.followers, f)
}

func (r *run) close() {
	for _, f := range r.followers {
		f.close()
	}
	if r.glob != nil {
		r.glob.close()
	}
}

// round looks at every follower that was woken or is due, and reports whether
// one of them has more to read at once.
func (r *run) round() (busy bool) {
	now := time.Now()
	if r.glob != nil {
		r.glob.round(now)
	}
	for _, f := range r.wakes.take() {
		f.woken()
	}
	timeUp := !now.Before(r.nextDue)
	if timeUp {
		r.nextDue = now.Add(r.timing.beat)
	}
	for _, f := range r.followers {
		if r.ctx.Err() != nil {
			return false
		}
		if f.news || timeUp && !now.Before(f.due) {
			f.look()
			busy = busy || f.news
		}
		if f.due.Before(r.nextDue) {
			r.nextDue = f.due
		}
	}
	return busy
}

// wait sleeps until somebody is woken or due.
func (r *run) wait() {
	due := r.nextDue
	if r.glob != nil && r.glob.due.Before(due) {
		due = r.glob.due
	}
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-r.ctx.Done():
	case <-r.wakes.ch:
	case <-r.glob.events():
		r.glob.noted()
	case <-timer.C:
	}
}

// send hands batch on, or frees it when ctx ends first. While the consumer blocks
// it opens the files that rotations bring, lest they are gone when it goes on.
func (r *run) send(batch relaylens.Batch) bool {
	for {
		select {
		case r.out <- batch:
			return true
		default:
		}
		select {
		case r.out <- batch:
			return true
		case <-r.ctx.Done():
			select {
			case r.out <- batch:
				return true
			default:
				if batch.Release != nil {
					batch.Release()
				}
				return false
			}
		case <-r.wakes.ch:
			for _, f := range r.wakes.take() {
				f.woken()
				f.checkPath(time.Now())
			}
		case <-r.glob.events():
			r.glob.noted()
			r.glob.scan()
		}
	}
}

// wakeSet collects the followers that something happened to.
type wakeSet struct {
	mu    sync.Mutex
	dirty map[*follower]struct{}
	ch    chan struct{} // holds one token while dirty is not empty
}

func (w *wakeSet) mark(f *follower) {
	w.mu.Lock()
	if w.dirty == nil {
		w.dirty = map[*follower]struct{}{}
	}
	w.dirty[f] = struct{}{}
	w.mu.Unlock()
	select {
	case w.ch <- struct{}{}:
	default:
	}
}

func (w *wakeSet) take() []*follower {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.dirty) == 0 {
		return nil
	}
	all := make([]*follower, 0, len(w.dirty))
	for f := range w.dirty {
		all = append(all, f)
	}
	clear(w.dirty)
	return all
}
