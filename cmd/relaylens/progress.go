package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/relaylens/relaylens"
)

// progress is a line on a terminal that says how far a big file was read. Where
// standard error is no terminal it does nothing. It may be used by several
// goroutines.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	since time.Time
	last  time.Time
	shown bool
}

const (
	// progressDelay keeps short runs quiet.
	progressDelay = time.Second
	progressEvery = 200 * time.Millisecond
)

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{w: w, since: time.Now()}
}

// show says that read of size bytes of a file were read; size 0 is not known.
func (p *progress) show(name string, read, size int64) {
	if p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.since) < progressDelay || now.Sub(p.last) < progressEvery {
		return
	}
	p.last, p.shown = now, true
	const mib = 1 << 20
	text := fmt.Sprintf("%d MiB", read/mib)
	if size > 0 {
		text = fmt.Sprintf("%d of %d MiB, %d %%", read/mib, size/mib, read*100/size)
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s: %s", relaylens.Escaped(name, 60), text)
}

// done takes the line away.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
