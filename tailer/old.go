package tailer

import (
	"errors"
	"slices"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// closeOld closes the files that their writer has left, oldest first; see the
// package documentation. The order matters: what lies between two saved
// positions was never read.
func (f *follower) closeOld(now time.Time) {
	for i := 0; i < len(f.streams); i++ {
		s := f.streams[i]
		switch {
		case s.arc != nil && s.atEnd:
		case i < len(f.streams)-1 && s.atEnd && f.left(i, now):
		case len(f.streams) > maxStreams:
			continue
		default:
			i = len(f.streams)
			continue
		}
		f.finish(s)
		f.streams = append(f.streams[:i:i], f.streams[i+1:]...)
		i--
	}
	if slices.ContainsFunc(f.streams, func(s *stream) bool { return s.kept }) {
		f.sendDrained()
	}
}

func (f *follower) sendDrained() {
	if ripe := f.ripe(); len(ripe) > 0 && f.send(relaylens.Batch{Drained: ripe}) {
		f.forgotten(ripe)
	}
}

// A drained position is of no use any more. It is forgotten after those of
// older files: what lies between two saved positions was never read.
type drained struct {
	relaylens.Position
	older []*stream
}

// drop notes that positions of s are needless.
func (f *follower) drop(s *stream, all ...relaylens.Position) {
	older := slices.Clone(f.streams[:max(0, slices.Index(f.streams, s))])
	for i := range all {
		f.drained = append(f.drained, drained{all[i], older})
	}
}

// ripe are the positions that may be forgotten now.
func (f *follower) ripe() []relaylens.Position {
	var all []relaylens.Position
	for i := range f.drained {
		if !slices.ContainsFunc(f.drained[i].older, func(s *stream) bool { return slices.Contains(f.streams, s) }) {
			all = append(all, f.drained[i].Position)
		}
	}
	return all
}

func (f *follower) forgotten(all []relaylens.Position) {
	f.drained = slices.DeleteFunc(f.drained, func(d drained) bool {
		return slices.ContainsFunc(all, func(p relaylens.Position) bool { return sameFile(&p, &d.Position) })
	})
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

// finish hands out what has no newline, and closes s.
func (f *follower) finish(s *stream) {
	if s.arc != nil {
		if s.arc.err != nil {
			f.log.Error("rotated file cannot be read to its end, lines may be lost", zap.String("path", f.path), zap.Int64("offset", s.offset), zap.Error(s.arc.err))
		}
	} else if !s.undecided {
		b := takeBlock()
		s.finish(b)
		if len(b.lines) == 0 {
			b.free()
		} else if !f.hand(s, b) {
			f.leave(s)
			return
		}
	}
	f.leave(s)
	f.drop(s, s.stale...)
	if s.kept {
		f.drop(s, s.position())
	}
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

// leave closes s and lets others have its file.
func (f *follower) leave(s *stream) {
	p := s.footprint()
	f.Claims.retire(&p)
	f.Claims.drop(s.id, f)
	if s.arc != nil {
		s.arc.r.Close()
	}
	s.f.Close()
}

// outdated are the positions that lines of s make needless.
func (f *follower) outdated(s *stream) []relaylens.Position {
	live := s.position()
	all := slices.Concat(f.ripe(), s.stale)
	return slices.DeleteFunc(all, func(p relaylens.Position) bool { return sameFile(&p, &live) })
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
