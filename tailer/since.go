package tailer

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// timePiece is how much of a file is searched for one line that tells a time.
const timePiece = 64 << 10

// beginSince places cur at the first line that is not older than f.Since, and
// opens the rotated files that were written to since.
func (f *follower) beginSince(cur *stream, fi os.FileInfo) error {
	old, err := f.folders.siblings(f.path, nil, func(c *sibling) bool {
		return c.id != cur.id && !c.mtime.Before(f.Since) && !f.ownPath(c)
	})
	if err != nil {
		f.log.Warn("folder cannot be read, rotated files are not found", zap.String("path", f.path), zap.Error(err))
	}
	old = slices.DeleteFunc(old, func(c sibling) bool { return !f.Claims.free(c.id, f) })
	for i := range old {
		old[i].identify(f.openFile)
	}
	byAge(old)
	for i := range old {
		c := &old[i]
		if c.packed && slices.ContainsFunc(old, func(o sibling) bool { return !o.packed && stem(o.path) == stem(c.path) }) || !f.Claims.take(c.id, f) {
			continue
		}
		s, err := f.openSibling(c, nil)
		if err == nil && s.arc == nil {
			err = f.seekSince(s, c.path, c.size)
		}
		if err != nil {
			f.Claims.drop(c.id, f)
			f.log.Warn("rotated file cannot be read", zap.String("path", c.path), zap.Error(err))
			continue
		}
		if s.arc != nil {
			s.arc.since = f.notOlder
		}
		f.streams = append(f.streams, s)
	}
	if fi.ModTime().Before(f.Since) {
		return cur.seekEnd(fi.Size())
	}
	return f.seekSince(cur, f.path, fi.Size())
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
	if f.TimeOf == nil {
		return nil
	}
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
	return s.seek(offset, 0)
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
