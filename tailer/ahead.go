package tailer

import (
	"io"
	"sync"
)

const (
	// aheadBuffers are read before anybody asks for them.
	aheadBuffers = 3
	aheadSize    = 256 << 10
)

// ahead reads a stream on a goroutine of its own, so that an archive is unpacked
// on one processor while its lines are read on another.
type ahead struct {
	source io.Reader
	full   chan aheadBuffer
	empty  chan []byte
	quit   chan struct{}
	close  func()

	cur  aheadBuffer
	rest []byte // of cur that was not given out
}

type aheadBuffer struct {
	data []byte
	err  error
}

func newAhead(r io.Reader) *ahead {
	a := &ahead{source: r, full: make(chan aheadBuffer, aheadBuffers), empty: make(chan []byte, aheadBuffers), quit: make(chan struct{})}
	for range aheadBuffers {
		a.empty <- make([]byte, aheadSize)
	}
	ended := make(chan struct{})
	a.close = sync.OnceFunc(func() {
		close(a.quit)
		<-ended
	})
	go func() {
		defer close(ended)
		a.run()
	}()
	return a
}

func (a *ahead) run() {
	for {
		select {
		case buf := <-a.empty:
			n, err := a.source.Read(buf[:cap(buf)])
			a.full <- aheadBuffer{buf[:n], err} // there is room for every buffer
			if err != nil {
				return
			}
		case <-a.quit:
			return
		}
	}
}

// Read gives out what was read. An error stays.
func (a *ahead) Read(p []byte) (int, error) {
	if len(a.rest) == 0 {
		if a.cur.err != nil {
			return 0, a.cur.err
		}
		if a.cur.data != nil {
			a.empty <- a.cur.data
		}
		a.cur = <-a.full
		a.rest = a.cur.data
	}
	n := copy(p, a.rest)
	if a.rest = a.rest[n:]; len(a.rest) > 0 {
		return n, nil
	}
	return n, a.cur.err
}

// Close waits for a read that is under way, and closes the source.
func (a *ahead) Close() error {
	a.close()
	if c, ok := a.source.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
