package tailer

import (
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/relaylens/relaylens"
)

// timePiece is how much of a file is searched for one line that tells a time.
const timePiece = 64 << 10

// beginSince has s, which is what c tells, begin at the first line that is not
// older than f.Since.
func (f *follower) beginSince(s *stream, path string, mtime time.Time, size int64) error {
	switch {
	case s.arc != nil:
		s.arc.since = f.notOlder
		return nil
	case mtime.Before(f.Since):
		return s.startAtEnd(size)
	case f.TimeOf == nil:
		return nil
	}
	return f.seekSince(s, path, size)
}

// notOlder reports whether l says that it was written at f.Since or later.
func (f *follower) notOlder(l *relaylens.Line, reference time.Time) bool {
	if f.TimeOf == nil {
		return true
	}
	t, ok := f.TimeOf(l, reference)
	return ok && !t.Before(f.Since)
}

// seekSince goes on with the first line of s that is not older than f.Since. It
// halves the file: lines are nearly in order.
func (f *follower) seekSince(s *stream, path string, size int64) error {
	fi, err := s.f.Stat()
	if err != nil {
		return err
	}
	ref := reference(path, fi, time.Now())
	// A line begins at low; it is older, or the first one.
	low, high := int64(0), size
	for high-low > timePiece {
		mid := low + (high-low)/2
		at, older, err := f.firstTime(s, mid, ref)
		switch {
		case err != nil:
			return err
		case older:
			low = at
		default:
			high = mid
		}
	}
	offset, err := f.scanSince(s, low, size, ref)
	if err != nil {
		return err
	}
	s.startAt, s.startFrom = offset, offset
	return nil
}

// firstTime finds the first line after offset that tells its time, and reports
// where it begins and whether it is older than f.Since.
func (f *follower) firstTime(s *stream, offset int64, ref time.Time) (at int64, older bool, err error) {
	data := make([]byte, timePiece)
	n, err := s.f.ReadAt(data, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, false, err
	}
	data = data[:n]
	at = offset
	for first := true; ; first = false {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			return at, false, nil
		}
		if !first {
			l := relaylens.Line{Text: string(data[:end]), Source: s.source, Offset: at, End: at + int64(end) + 1}
			if t, ok := f.TimeOf(&l, ref); ok {
				return at, t.Before(f.Since), nil
			}
		}
		data, at = data[end+1:], at+int64(end)+1
	}
}

// scanSince is the offset of the first line from low on that is not older, or
// of the last, unfinished one.
func (f *follower) scanSince(s *stream, low, size int64, ref time.Time) (int64, error) {
	end, err := lastLine(s.f, size)
	if err != nil || end <= low {
		return end, err
	}
	r := NewReader(s.source, io.NewSectionReader(s.f, low, end-low), ref)
	r.src = &r.raw // never an archive, whatever its middle looks like
	defer r.Close()
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return 0, err
		}
		for i := range b.Lines {
			if f.notOlder(&b.Lines[i], ref) {
				return low + b.Lines[i].Offset, nil
			}
		}
	}
}

// ownPath reports whether c is followed under its own path: the pattern matches it.
func (f *follower) ownPath(c *sibling) bool {
	return f.glob != nil && !c.packed && f.glob.matches(c.path)
}
