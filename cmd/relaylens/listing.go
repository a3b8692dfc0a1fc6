package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/pager"
	"github.com/relaylens/relaylens/summary"
)

// screen is where a command writes what a person reads: standard output, or a
// pager where that is a terminal.
type screen struct {
	io.Writer
	Color bool
	pager *pager.Pager
}

// openScreen starts a pager if standard output is a terminal and paged says so.
// One that cannot be started is done without.
func openScreen(c *cobra.Command, paged bool) *screen {
	s := &screen{Writer: c.OutOrStdout()}
	f, ok := s.Writer.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return s
	}
	s.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if !paged {
		return s
	}
	if p, err := pager.Start(c.Context(), f, os.Stderr); err == nil && p != nil {
		s.Writer, s.pager = p, p
	}
	return s
}

// Close waits for the pager.
func (s *screen) Close() error {
	if s.pager == nil {
		return nil
	}
	return s.pager.Close()
}

// listing writes events and what stands around them.
type listing struct {
	*screen
	w      *bufio.Writer
	list   summary.Listing
	last   relaylens.Cursor
	shown  int // events or values
	buf    []byte
	quiet  bool // nothing is said where there is nothing
	cursor bool // the last line is the cursor
	failed bool // writing did, which was told
}

// openListing prepares the output. Times are local; in JSON they are the log's
// own unless UTC was asked for.
func openListing(c *cobra.Command, o *question) *listing {
	s := openScreen(c, !o.noPager && !o.follow)
	l := &listing{screen: s, w: bufio.NewWriterSize(s.Writer, 64<<10)}
	l.list = summary.Listing{Format: o.format, Location: o.location(), Color: s.Color}
	if o.format.JSON() && !o.utc {
		l.list.Location = nil
	}
	l.quiet = o.quiet || o.follow || o.field != "" || o.format.JSON()
	l.cursor = o.showCursor && o.field == ""
	return l
}

// event writes e. The first one is shown at once.
func (l *listing) event(e *relaylens.Event) error {
	l.buf = l.list.Append(l.buf[:0], e)
	l.last = relaylens.CursorOf(e)
	return l.line(l.buf)
}

// values writes the values of a field, one a line.
func (l *listing) values(values []string) error {
	for _, v := range values {
		if err := l.line(append(relaylens.AppendEscaped(l.buf[:0], v, 0), '\n')); err != nil {
			return err
		}
	}
	return nil
}

func (l *listing) line(line []byte) error {
	l.shown++
	if _, err := l.w.Write(line); err != nil {
		return l.fail(err)
	}
	if l.shown == 1 {
		return l.flush()
	}
	return nil
}

func (l *listing) flush() error {
	if err := l.w.Flush(); err != nil {
		return l.fail(err)
	}
	return nil
}

func (l *listing) fail(err error) error {
	l.failed = true
	return fmt.Errorf("write events: %w", err)
}

// close writes the end and waits for the pager. err is how listing went: after
// an error of writing there is nothing more to say.
func (l *listing) close(err error) error {
	if l.failed || errors.Is(err, syscall.EPIPE) {
		return errors.Join(err, l.Close())
	}
	if err == nil && l.shown == 0 && !l.quiet {
		fmt.Fprintln(l.w, "-- No entries --")
	}
	if l.cursor && l.shown > 0 {
		fmt.Fprintf(l.w, "-- cursor: %s\n", l.last)
	}
	return errors.Join(err, l.flush(), l.Close())
}
