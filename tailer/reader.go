package tailer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/relaylens/relaylens"
)

// stdinName is the path that means standard input.
const stdinName = "-"

// archiveBuffer spares decoders that read byte by byte a system call each.
const archiveBuffer = 64 << 10

// maxEmptyReads bounds how often a broken io.Reader may return nothing.
const maxEmptyReads = 100

// Reader reads one log from beginning to end, in constant memory, compressed
// or not: the first bytes tell. It is for one goroutine, except BytesRead.
type Reader struct {
	cursor
	raw  counter   // what is on disk
	src  io.Reader // what is in it
	kind *archiver
	file *os.File // to be closed; nil when the stream is not ours

	own    bool // each batch keeps its memory until it is released
	b      *block
	lo, hi int   // the bytes of b.buf that are no lines yet
	over   int64 // how far the line at lo goes beyond MaxLine; its head alone is kept
	err    error // why there is nothing more to read

	size  int64
	batch relaylens.Batch
}

type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// OpenReader opens the log at path; "-" is standard input. Its errors are of
// type [*Error].
func OpenReader(path string) (*Reader, error) {
	if path == stdinName {
		r := NewReader(stdinName, os.Stdin, time.Now())
		if fi, err := os.Stdin.Stat(); err == nil && fi.Mode().IsRegular() {
			r.size, r.batch.Reference = fi.Size(), fi.ModTime()
		}
		return r, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, openError(path, err)
	}
	fi, err := f.Stat()
	if err == nil && fi.IsDir() {
		err = errDirectory
	}
	if err == nil && fi.Mode().IsRegular() && fi.Size() == 0 && archiveName(path) {
		err = errEmpty
	}
	if err != nil {
		f.Close()
		return nil, openError(path, err)
	}
	r := NewReader(path, f, reference(path, fi, time.Now()))
	r.file = f
	if fi.Mode().IsRegular() {
		r.size = fi.Size()
	}
	return r, nil
}

// NewReader reads r, which it does not close. Name becomes Line.Source.
// Reference becomes Batch.Reference unless the stream itself tells a time.
func NewReader(name string, r io.Reader, reference time.Time) *Reader {
	rd := &Reader{cursor: cursor{source: name}, b: newBlock()}
	rd.raw.r = r
	rd.batch.Reference = reference
	return rd
}

// Size is the number of bytes of the file on disk, 0 if unknown.
func (r *Reader) Size() int64 { return r.size }

// BytesRead is how many of them have been read. It may be called from any goroutine.
func (r *Reader) BytesRead() int64 { return r.raw.n.Load() }

// Close ends reading. The last batch stays valid.
func (r *Reader) Close() error {
	if c, ok := r.src.(io.Closer); ok {
		c.Close()
	}
	r.err = os.ErrClosed
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return f.Close()
}

// Own has every batch keep its memory, and itself, until its Release is called, from any
// goroutine, so that it may be worked on while the next one is read. It is called
// before the first Next.
func (r *Reader) Own() { r.own, r.b = true, takeBlock() }

// ownRead is how much is read at once for a batch with memory of its own: about
// its lines and no more, as what is left over has to be copied to the next.
const ownRead = 32 << 10

// Next returns the next batch, whose memory is reused by the next call unless
// Own was called; at the end io.EOF. A last line without newline is a line, except where an archive is
// cut off or cannot be read further: then the error, a [*Error], comes after
// the lines before it. Lines are handed out as they arrive.
func (r *Reader) Next() (*relaylens.Batch, error) {
	r.recycle()
	for {
		r.lines()
		if len(r.b.lines) > 0 {
			break
		}
		if errors.Is(r.err, io.EOF) && r.hi > r.lo {
			r.add(r.b, r.b.buf[r.lo:r.hi], int64(r.hi-r.lo)+r.over, r.over > 0)
			r.lo, r.over = r.hi, 0
			break
		}
		if r.err != nil {
			return nil, r.err
		}
		r.fill()
	}
	last := &r.b.lines[len(r.b.lines)-1]
	r.batch.Lines = r.b.lines
	r.batch.Position = relaylens.Position{Source: r.source, Origin: r.origin, Offset: last.End, Number: last.Number}
	if !r.own {
		return &r.batch, nil
	}
	old := r.b
	old.batch = r.batch
	old.batch.Release = old.free
	r.b = takeBlock()
	r.lo, r.hi = 0, copy(r.b.buf, old.buf[r.lo:r.hi])
	return &old.batch, nil
}

// recycle makes the lines of the last batch invalid.
func (r *Reader) recycle() {
	if r.own {
		return
	}
	if poisonReleased {
		old := r.b
		r.b = newBlock()
		copy(r.b.buf[r.lo:r.hi], old.buf[r.lo:r.hi])
		old.clear()
	}
	r.b.lines = r.b.lines[:0]
}

// lines takes the complete lines from what was read, and drops what an
// unfinished line has beyond MaxLine.
func (r *Reader) lines() {
	const keep = relaylens.MaxLine
	if r.over > 0 {
		rest := r.b.buf[r.lo+keep : r.hi]
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			r.over += int64(len(rest))
			r.hi = r.lo + keep
			return
		}
		r.add(r.b, r.b.buf[r.lo:r.lo+keep], keep+r.over+int64(end)+1, true)
		r.lo, r.over = r.lo+keep+end+1, 0
	}
	r.lo += r.lead(r.b.buf[r.lo:r.hi])
	r.lo += r.scan(r.b, r.b.buf[r.lo:r.hi])
	if len(r.b.lines) == 0 && r.hi-r.lo > keep {
		r.over = int64(r.hi - r.lo - keep)
		r.hi = r.lo + keep
	}
}

// fill reads once behind the unfinished line. Only Next without lines of its
// own may call it: it moves memory.
func (r *Reader) fill() {
	if r.src == nil && !r.open() {
		return
	}
	copy(r.b.buf, r.b.buf[r.lo:r.hi])
	r.lo, r.hi = 0, r.hi-r.lo
	for range maxEmptyReads {
		room := r.b.buf[r.hi:]
		if r.own && len(room) > ownRead {
			room = room[:ownRead]
		}
		n, err := r.src.Read(room)
		r.hi += n
		if err != nil && !errors.Is(err, io.EOF) {
			err = readError(r.source, r.kind, err)
		}
		r.err = err
		if n > 0 || err != nil {
			return
		}
	}
	r.err = readError(r.source, r.kind, io.ErrNoProgress)
}

// open looks at the first bytes, no more of them than arrive at once unless
// they leave it open what the stream is, and reports whether r.src is set.
func (r *Reader) open() bool {
	head := make([]byte, 0, longestMagic)
	for empty := 0; empty < maxEmptyReads; {
		n, err := r.raw.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		kind, more := sniff(head)
		if err != nil && !errors.Is(err, io.EOF) {
			r.err = readError(r.source, nil, err)
			return false
		}
		if more && err == nil {
			if n == 0 {
				empty++
			}
			continue
		}
		stream := io.MultiReader(bytes.NewReader(head), &r.raw)
		r.kind, r.src = kind, stream
		if kind == nil {
			return true
		}
		return r.openArchive(stream)
	}
	r.err = readError(r.source, nil, io.ErrNoProgress)
	return false
}

func (r *Reader) openArchive(stream io.Reader) bool {
	plain, mtime, err := r.kind.open(bufio.NewReaderSize(stream, archiveBuffer))
	if err != nil {
		r.src, r.err = nil, readError(r.source, r.kind, err)
		return false
	}
	if !mtime.IsZero() && mtime.Unix() > 0 {
		r.batch.Reference = mtime
	}
	r.src = plain
	if r.file != nil {
		r.src = newAhead(plain)
	}
	return true
}
