package tailer

import (
	"errors"
	"path/filepath"
	"sync"

	"github.com/fsnotify/fsnotify"
	"github.com/nxadm/tail/watch"
)

// Of nxadm/tail only the tracker is used: one inotify instance for the
// process, one watch a directory, an event whenever a path in it is created,
// written to, renamed or removed. Its Tail type splits lines, drops what a
// writer adds after a rename and ends the process when stat fails; its
// watchers do the latter too (util.Fatal). None of them is called here.
//
// The tracker ends the process in one case, when it is first used and inotify
// has no instance left. usable looks before it leaps: with two instances free
// a moment earlier, two others would have to be taken within microseconds.
var usable = sync.OnceValue(func() bool {
	for range 2 {
		w, err := fsnotify.NewWatcher()
		if err != nil {
			return false
		}
		defer w.Close()
	}
	return true
})

var errNoInotify = errors.New("inotify is not available")

// waker tells when something happens to a path. It is an interface so that
// tests can be deaf.
type waker interface {
	// subscribe has wake called, from any goroutine, after each event of path
	// until cancel, which is called once. It fails when path's directory
	// cannot be watched.
	subscribe(path string, wake func()) (cancel func(), err error)
}

// tracker shares nxadm/tail's tracker, which knows one listener a path.
type tracker struct {
	mu    sync.Mutex
	paths map[string]*listeners
}

var inotify = &tracker{paths: map[string]*listeners{}}

type listeners struct {
	mu    sync.Mutex // never held while the tracker is called: it may be waiting for pump
	wakes map[*func()]struct{}
	done  chan struct{}
}

func (t *tracker) subscribe(path string, wake func()) (func(), error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if !usable() {
		return nil, errNoInotify
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.paths[path]
	if l == nil {
		if err := watch.WatchCreate(path); err != nil {
			// It leaves a channel behind, on which an event would block the
			// tracker for good. RemoveWatchCreate would also count down the
			// watches of the folder, which the failure did not count up.
			_ = watch.RemoveWatch(path)
			return nil, err
		}
		l = &listeners{wakes: map[*func()]struct{}{}, done: make(chan struct{})}
		t.paths[path] = l
		go l.pump(watch.Events(path))
	}
	l.mu.Lock()
	l.wakes[&wake] = struct{}{}
	l.mu.Unlock()
	return func() { t.cancel(path, l, &wake) }, nil
}

func (t *tracker) cancel(path string, l *listeners, wake *func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.mu.Lock()
	delete(l.wakes, wake)
	left := len(l.wakes)
	l.mu.Unlock()
	if left > 0 {
		return
	}
	delete(t.paths, path)
	// The error says that the directory is gone, and its watch with it.
	_ = watch.RemoveWatchCreate(path)
	<-l.done
}

// pump takes events off the tracker at once: all paths wait for the slowest.
func (l *listeners) pump(events <-chan fsnotify.Event) {
	defer close(l.done)
	for range events {
		l.mu.Lock()
		for wake := range l.wakes {
			(*wake)()
		}
		l.mu.Unlock()
	}
}
