package tailer

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/relaylens/relaylens"
)

// printSize is how many bytes at the head of a file, and before the read
// offset, tell whether it is still the file that was read. Two of a log's
// lines never have that much in common.
const printSize = 256

// errRewritten says that the file no longer holds what was read from it.
var errRewritten = errors.New("rewritten")

type fileID struct{ device, inode uint64 }

func idOf(fi os.FileInfo) fileID {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return fileID{uint64(st.Dev), st.Ino} //nolint:unconvert // Dev is 32 bits wide elsewhere
	}
	return fileID{}
}

// A stream is one open file that is read in order while it grows. Nothing of
// the file is kept in memory between two reads: an unfinished line is read again.
type stream struct {
	cursor
	f    handle
	id   fileID
	arc  *packed // f is an archive, read once
	from int64   // what to read next: offset, or beyond it inside an overlong line
	full int     // bytes of the lines of the last block that was full of lines; 0 before the first

	head []byte // the file's first bytes, at most printSize of those before from
	tail []byte // the bytes before from, likewise

	size  int64 // as last seen
	mtime time.Time
	atEnd bool // everything up to size was looked at

	warmTo     int64 // the saved position, while what stands before it is read again
	warmNumber int64 // of the last line before it

	content *content // what it holds; nil: not decided, or somebody else reads that
	copyOf  bool     // it may be a copy: the path itself does not name it, or a pattern does
	first   bool     // following begins with it
	// Where to begin with what nobody has read of: at startAt, where a line begins,
	// or beyond it inside an overlong one.
	startAt, startFrom int64
	waits              bool      // there is nothing to do while others read what it holds
	over               bool      // there is nothing more to come from it
	began              time.Time // when the first bytes were seen; zero while there are none
	grew               time.Time // when the last bytes were seen
}

func newStream(source string, f handle, fi os.FileInfo) *stream {
	return &stream{cursor: cursor{source: source}, f: f, id: idOf(fi), mtime: fi.ModTime()}
}

// read hands complete lines to b; none when the end is reached. After
// errRewritten the caller resets the stream.
func (s *stream) read(b *block, now time.Time) error {
	if s.arc != nil {
		return s.readPacked(b, now)
	}
	fi, err := s.f.Stat()
	if err != nil {
		return err
	}
	if s.atEnd && fi.Size() == s.size && fi.ModTime().Equal(s.mtime) {
		return nil
	}
	if fi.Size() != s.size {
		s.grew = now
	}
	if s.began.IsZero() && fi.Size() > 0 {
		s.began = now
	}
	s.size, s.mtime, s.atEnd = fi.Size(), fi.ModTime(), false
	return s.next(b)
}

// next reads one block. It begins before from, so that one system call tells
// both what is new and that it follows what was read.
func (s *stream) next(b *block) error {
	if s.size < max(s.from, s.warmTo) || !s.sameHead(b.buf) {
		return errRewritten
	}
	before := len(s.tail)
	buf := b.buf[:min(before+s.ahead(), len(b.buf))]
	n, err := s.f.ReadAt(buf, s.from-int64(before))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if n < before || !bytes.Equal(b.buf[:before], s.tail) {
		return errRewritten
	}
	if s.from == 0 && n > 0 {
		s.head = bytes.Clone(b.buf[:min(n, printSize)])
	}
	if !s.headStands() { // truncated while it was read
		return errRewritten
	}
	if s.warmTo > 0 {
		n = min(n, before+int(s.warmTo-s.from))
	}
	data := b.buf[before:n]
	if s.from > s.offset {
		end := bytes.IndexByte(data, '\n') + 1
		if end > 0 {
			s.moveTo(b.buf[:before+end], end)
			return s.addLong(b)
		}
		s.moveTo(b.buf[:n], len(data))
	} else {
		used := s.lead(data)
		used += s.scan(b, data[used:])
		if len(b.lines) == 0 && len(data)-used > relaylens.MaxLine {
			used = len(data)
		}
		if s.full = 0; len(b.lines) == batchLines {
			s.full = used
		}
		s.moveTo(b.buf[:before+used], used)
	}
	if s.content != nil && !s.origin.IsZero() && s.origin != s.content.key.Origin {
		return errRewritten
	}
	s.atEnd = s.warmTo == 0 && n < len(buf) && len(b.lines) < batchLines
	s.warmed(b)
	return nil
}

// ahead is how much to read: what the lines of a block take, by the last one, and a
// little more. What they leave is read again with the next block.
func (s *stream) ahead() int {
	if s.full == 0 {
		return blockSize
	}
	const overlong = relaylens.MaxLine + 1 // so much shows that a line is
	return max(s.full+s.full/8, overlong)
}

// moveTo advances from by n bytes, the last of read.
func (s *stream) moveTo(read []byte, n int) {
	if len(s.head) < printSize && s.from == int64(len(read)-n) {
		s.head = append(s.head[:0], read[:min(len(read), printSize)]...)
	}
	s.from += int64(n)
	s.tail = append(s.tail[:0], read[max(0, len(read)-printSize):]...)
}

// addLong adds the line from offset to from, which no block could hold.
func (s *stream) addLong(b *block) error {
	head := b.buf[:relaylens.MaxLine]
	if _, err := s.f.ReadAt(head, s.offset); err != nil {
		return errRewritten
	}
	s.add(b, head, s.from-s.offset, true)
	return nil
}

// sameHead compares the head of the file with what it was.
func (s *stream) sameHead(buf []byte) bool {
	want := buf[:max(int64(len(s.head)), min(printSize, s.from))]
	if n, _ := s.f.ReadAt(want, 0); n < len(want) || !bytes.HasPrefix(want, s.head) {
		return false
	}
	if len(s.head) < len(want) {
		s.head = bytes.Clone(want)
	}
	return true
}

// headStands reports whether the file begins as it did when it was read.
func (s *stream) headStands() bool {
	var head [printSize]byte
	n, _ := s.f.ReadAt(head[:len(s.head)], 0)
	return n == len(s.head) && bytes.Equal(head[:n], s.head)
}

// finish adds what stands after the last newline, once the file is known to
// grow no more.
func (s *stream) finish(b *block) {
	rest := s.size - s.offset
	text := b.buf[:min(rest, relaylens.MaxLine)]
	if n, _ := s.f.ReadAt(text, s.offset); rest <= 0 || n < len(text) {
		return
	}
	s.add(b, text, rest, rest > relaylens.MaxLine)
	s.from = s.offset
}

// reset begins at the beginning again, of whatever the file holds by then.
func (s *stream) reset() {
	s.cursor = cursor{source: s.source}
	s.from, s.head, s.tail = 0, nil, nil
	s.atEnd, s.began, s.warmTo = false, time.Time{}, 0
	s.startAt, s.startFrom = 0, 0
}

// seek goes on at offset, where a line begins and number lines were before, or
// at from inside of it.
func (s *stream) seek(origin relaylens.Origin, offset, from, number int64) error {
	s.offset, s.from, s.number, s.begun, s.origin = offset, from, number, offset > 0, origin
	if offset == 0 {
		s.origin = relaylens.Origin{}
	}
	if err := s.loadHead(origin, from); err != nil {
		return err
	}
	return s.loadTail()
}

// loadHead is called right away: the file may be truncated before it is read.
func (s *stream) loadHead(origin relaylens.Origin, offset int64) error {
	s.head = make([]byte, min(printSize, offset))
	if n, _ := s.f.ReadAt(s.head, 0); n < len(s.head) {
		return errRewritten
	}
	if is, err := originOf(s.f); err != nil || is != origin {
		return errors.Join(err, errRewritten)
	}
	return nil
}

func (s *stream) loadTail() error {
	s.tail = make([]byte, min(printSize, s.from))
	_, err := s.f.ReadAt(s.tail, s.from-int64(len(s.tail)))
	if errors.Is(err, io.EOF) {
		return errRewritten
	}
	return err
}

// startAtEnd has s begin where the last line begins that is not finished.
func (s *stream) startAtEnd(size int64) error {
	start, err := lastLine(s.f, size)
	if err != nil {
		return err
	}
	s.startAt, s.startFrom = start, start
	if size-start > relaylens.MaxLine {
		s.startFrom = size
	}
	return nil
}

// lastLine is the offset after the last newline before size.
func lastLine(f io.ReaderAt, size int64) (int64, error) {
	b := takeBlock()
	defer b.free()
	for end := size; end > 0; {
		start := max(0, end-blockSize)
		chunk := b.buf[:end-start]
		if _, err := f.ReadAt(chunk, start); err != nil {
			return 0, err
		}
		if n := bytes.LastIndexByte(chunk, '\n'); n >= 0 {
			return start + int64(n) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// originOf is the origin of what f holds, zero while its first line is unfinished.
func originOf(f io.ReaderAt) (relaylens.Origin, error) {
	b := takeBlock()
	defer b.free()
	for at := int64(0); ; {
		n, err := f.ReadAt(b.buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return relaylens.Origin{}, err
		}
		text := bytes.TrimLeft(b.buf[:n], "\x00")
		line, _, whole := bytes.Cut(text, []byte("\n"))
		switch {
		case whole || len(line) > relaylens.MaxLine:
			return relaylens.NewOrigin(string(line[:min(len(line), relaylens.MaxLine)])), nil
		case n < len(b.buf):
			return relaylens.Origin{}, nil
		}
		at += int64(n - len(text))
	}
}

// position resumes the stream after the last line that was handed out.
func (s *stream) position() relaylens.Position {
	p := relaylens.Position{
		Source: s.source, Device: s.content.key.Device, Inode: s.content.key.Inode,
		Origin: s.content.key.Origin, Offset: s.offset, Number: s.number,
	}
	if s.warmTo > 0 {
		p.Offset, p.Number = s.warmTo, s.warmNumber
	}
	return p
}

// reference is the clock for a file that is being written; one that has been
// left alone for a day is of its own time.
func (s *stream) reference(now time.Time) time.Time {
	if now.Sub(s.mtime) > 24*time.Hour {
		return s.mtime
	}
	return now
}

// unread is how many bytes of the file were not handed out.
func (s *stream) unread() int64 {
	switch {
	case s.waits, s.over:
		return 0
	case s.arc != nil:
		return s.size - s.arc.r.BytesRead()
	}
	return max(0, s.size-s.offset)
}
