package tailer

import (
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/relaylens/relaylens"
)

// closeOld closes the files that their writer has left; see the package
// documentation.
func (f *follower) closeOld(now time.Time) {
	var done []*stream
	for i, s := range f.streams {
		rotated := i < len(f.streams)-1
		switch {
		case s.over, s.arc != nil && s.atEnd, rotated && s.copyOf && s.waits:
			done = append(done, s)
		case rotated && s.atEnd && f.left(i, now):
			done = append(done, s)
		}
	}
	for _, s := range done {
		f.finish(s)
		f.streams = slices.DeleteFunc(f.streams, func(o *stream) bool { return o == s })
	}
	if len(f.lapsed) > 0 && f.send(relaylens.Batch{Drained: f.lapsed}) {
		f.lapsed = nil
	}
}

// left reports whether stream i has been quiet since its writer has moved on.
func (f *follower) left(i int, now time.Time) bool {
	since := f.streams[i].grew
	for _, newer := range f.streams[i+1:] {
		if newer.began.IsZero() {
			continue
		}
		if newer.began.After(since) {
			since = newer.began
		}
		break
	}
	return (len(f.streams) > maxStreams || f.hasData(i+1)) && now.Sub(since) >= f.Drain
}

func (f *follower) hasData(from int) bool {
	for _, s := range f.streams[from:] {
		if !s.began.IsZero() {
			return true
		}
	}
	return false
}

// finish hands out what has no newline, has it saved that s was read to its end,
// and closes it.
func (f *follower) finish(s *stream) {
	defer f.leave(s)
	if s.content == nil || !f.Claims.begin(s) {
		return
	}
	if s.arc != nil && s.arc.err != nil {
		f.cut(s)
		return
	}
	if s.arc == nil {
		b := takeBlock()
		if s.finish(b); len(b.lines) == 0 {
			b.free()
		} else if !f.hand(s, b) {
			return
		}
	}
	p := s.position()
	p.State = relaylens.PositionEnded
	f.save(s, relaylens.Batch{Position: p})
}

// unreadable deals with a file that cannot be read. A server that was restarted
// knows its handle no more; the file is opened again and known by what it holds.
func (f *follower) unreadable(s *stream, err error) {
	f.failed("read", err)
	if !errors.Is(err, syscall.ESTALE) {
		return
	}
	f.leave(s)
	f.streams = slices.DeleteFunc(f.streams, func(o *stream) bool { return o == s })
}

// leave closes s and lets others have its content.
func (f *follower) leave(s *stream) {
	f.Claims.release(s)
	s.over = true
	if s.arc != nil {
		s.arc.r.Close()
	}
	s.f.Close()
}

// sameFile reports whether a store keeps a and b in the same place.
func sameFile(a, b *relaylens.Position) bool {
	return a.Source == b.Source && a.Device == b.Device && a.Inode == b.Inode && a.Origin == b.Origin
}

// draining reports whether an old file was written to not long ago.
func (f *follower) draining(now time.Time) bool {
	for i := range f.streams[:max(0, len(f.streams)-1)] {
		if f.hasData(i+1) || now.Sub(f.streams[i].grew) < 2*f.Drain {
			return true
		}
	}
	return false
}
