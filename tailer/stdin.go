package tailer

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/relaylens/relaylens"
)

// NewStdin reads r, which is standard input or a named pipe ([OpenPipe]), until
// it ends; then Run returns nil. Archives are told by their first bytes.
//
// When ctx ends Run returns at once. A read that blocks is given up: where r
// has read deadlines it is interrupted, otherwise its goroutine stays until r
// is closed, and what it reads then is lost. Run is for one call. Batches have
// no position: what was read cannot be read again.
func NewStdin(name string, r io.Reader) relaylens.Source { return &stdin{name, r} }

type stdin struct {
	name string
	r    io.Reader
}

func (s *stdin) Name() string { return s.name }

func (s *stdin) Run(ctx context.Context, out chan<- relaylens.Batch) error {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.pump(ctx, out) }()
	defer cancel()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	if d, ok := s.r.(interface{ SetReadDeadline(time.Time) error }); ok && d.SetReadDeadline(time.Now()) == nil {
		return endOfContext(<-done)
	}
	return nil
}

// endOfContext is what Run returns when its context has ended: a read that the
// deadline cut short is no failure.
func endOfContext(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// pump copies batches into blocks of their own: the reader goes on reading
// while the consumer still has them.
func (s *stdin) pump(ctx context.Context, out chan<- relaylens.Batch) error {
	rd := NewReader(s.name, s.r, time.Time{})
	defer rd.Close()
	for {
		batch, err := rd.Next()
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		b := takeBlock()
		b.copyLines(batch.Lines)
		sent := relaylens.Batch{Lines: b.lines, Reference: batch.Reference, Release: b.free}
		if sent.Reference.IsZero() {
			sent.Reference = time.Now()
		}
		select {
		case out <- sent:
		case <-ctx.Done():
			b.free()
			return nil
		}
	}
}

// copyLines fills b with copies of the lines of another block.
func (b *block) copyLines(lines []relaylens.Line) {
	used := 0
	for _, l := range lines {
		n := copy(b.buf[used:], l.Text)
		l.Text = alias(b.buf[used : used+n])
		used += n
		b.lines = append(b.lines, l)
	}
}

// OpenPipe opens a named pipe so that it does not end when its writers come
// and go, and so that reading can be interrupted.
func OpenPipe(path string) (*os.File, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, openError(path, err)
	}
	if fi.Mode().Type() != os.ModeNamedPipe {
		return nil, &Error{Op: "open", Path: path, Err: errNotPipe, Remedy: "follow it as a file, or make it with mkfifo"}
	}
	// Open for writing as well: a pipe with a writer has no end.
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, openError(path, err)
	}
	return f, nil
}
