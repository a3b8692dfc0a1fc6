// Package spool sorts events by time in bounded memory: what is too much is written to
// a temporary file, packed, and merged when the events are read. Who makes a [Spool]
// closes it, which removes the file.
package spool

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/packed"
)

// DefaultMemory is the most bytes of events that are held in memory.
const DefaultMemory = 4 << 20

const (
	// placeSize is what an event takes besides its record.
	placeSize = 16
	// chunkSize is how much memory is taken at once for records.
	chunkSize = 1 << chunkBits
	chunkBits = 16
	// bufferSize is for what is written to the file, and for each run that is read.
	bufferSize = 32 << 10
)

// Spool takes events in any order and gives them back by time, those of the
// same time in the order in which they came. An id is given back once; events without
// one are all different.
type Spool struct {
	reverse bool
	memory  int64
	chunks  [][]byte // of records, which take less than events and are nothing to collect
	current int      // the chunk that is written
	places  []place
	size    int64
	file    *os.File // nil until memory is full
	end     int64    // of what is in the file
	runs    []stretch
	record  []byte
	packing packed.Packing
	out     *bufio.Writer
}

// place is where the record of an event stands in memory, which is the order in
// which events came, and the time that it is sorted by.
type place struct {
	moment
	at uint32 // number of the chunk << chunkBits + the beginning in it
}

// moment is a time.
type moment struct {
	seconds     int64
	nanoseconds int32
}

func momentOf(e *relaylens.Event) moment { return moment{e.Time.Unix(), int32(e.Time.Nanosecond())} }

func (m moment) compare(o moment) int {
	return cmp.Or(cmp.Compare(m.seconds, o.seconds), cmp.Compare(m.nanoseconds, o.nanoseconds))
}

// stretch is a sorted part of the file.
type stretch struct {
	begin, end int64
	first      moment
}

// New makes an empty spool that holds about that many bytes in memory. A
// reverse one gives the latest first.
func New(memory int64, reverse bool) *Spool { return &Spool{memory: memory, reverse: reverse} }

// Add copies e.
func (s *Spool) Add(e *relaylens.Event) error {
	s.record = s.appendRecord(s.record[:0], e)
	chunk := s.room(len(s.record))
	s.places = append(s.places, place{momentOf(e), uint32(s.current)<<chunkBits + uint32(len(*chunk))})
	*chunk = append(*chunk, s.record...)
	s.size += placeSize + int64(len(s.record))
	if s.size < s.memory && s.current < 1<<(32-chunkBits)-1 {
		return nil
	}
	return s.spill()
}

// room is the chunk that a record of n bytes goes to. A record begins in the first
// chunkSize bytes, whatever the size of the chunk.
func (s *Spool) room(n int) *[]byte {
	if s.current < len(s.chunks) {
		if c := s.chunks[s.current]; len(c) >= chunkSize || len(c)+n > cap(c) {
			s.current++
		}
	}
	switch {
	case s.current == len(s.chunks):
		s.chunks = append(s.chunks, make([]byte, 0, max(chunkSize, n)))
	case cap(s.chunks[s.current]) < n: // one of those that are empty again
		s.chunks[s.current] = make([]byte, 0, n)
	}
	return &s.chunks[s.current]
}

// at is the record of an event in memory, with its length.
func (s *Spool) at(p *place) []byte {
	rest := s.chunks[p.at>>chunkBits][p.at&(chunkSize-1):]
	return rest[:lengthSize+lengthOf(rest)]
}

// Close forgets everything.
func (s *Spool) Close() error {
	f := s.file
	*s = Spool{memory: s.memory, reverse: s.reverse}
	if f == nil {
		return nil
	}
	return f.Close()
}

func (s *Spool) sort() {
	slices.SortFunc(s.places, func(a, b place) int {
		c := cmp.Or(a.compare(b.moment), cmp.Compare(a.at, b.at))
		if s.reverse {
			return -c
		}
		return c
	})
}

// spill writes what is in memory, sorted, to a file that nobody else sees.
func (s *Spool) spill() error {
	if err := s.open(); err != nil {
		return err
	}
	s.sort()
	run := stretch{begin: s.end, end: s.end, first: s.places[0].moment}
	s.out.Reset(io.NewOffsetWriter(s.file, s.end))
	for i := range s.places {
		n, err := s.out.Write(s.at(&s.places[i]))
		if err != nil {
			return fmt.Errorf("write temporary file for events: %w", err)
		}
		run.end += int64(n)
	}
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("write temporary file for events: %w", err)
	}
	s.runs, s.end = append(s.runs, run), run.end
	for i := range s.chunks {
		s.chunks[i] = s.chunks[i][:0]
	}
	s.current, s.places, s.size = 0, s.places[:0], 0
	return nil
}

// open makes the file, if there is none.
func (s *Spool) open() error {
	if s.file != nil {
		return nil
	}
	f, err := os.CreateTemp("", "relaylens-*.events")
	if err != nil {
		return fmt.Errorf("make temporary file for events: %w", err)
	}
	s.file, s.out = f, bufio.NewWriterSize(nil, bufferSize)
	if err := os.Remove(f.Name()); err != nil {
		return fmt.Errorf("unlink temporary file: %w", err)
	}
	return nil
}

// next is what is read of a run in memory.
func (s *Spool) next() func(*run) error {
	i := 0
	return func(r *run) error {
		if i == len(s.places) {
			return io.EOF
		}
		i++
		r.moment = s.places[i-1].moment
		return s.readRecord(s.at(&s.places[i-1])[lengthSize:], &r.head)
	}
}

// nextOf is what is read of a run in the file.
func (s *Spool) nextOf(part stretch, buffers *[]*bufio.Reader) func(*run) error {
	var in *bufio.Reader
	var buf []byte
	left := part.end - part.begin
	return func(r *run) error {
		if in == nil {
			in = borrow(buffers, io.NewSectionReader(s.file, part.begin, left))
		}
		if left == 0 {
			*buffers = append(*buffers, in)
			return io.EOF
		}
		size, err := in.Peek(lengthSize)
		if err != nil {
			return fmt.Errorf("read temporary file for events: %w", noEOF(err))
		}
		n := lengthSize + min(lengthOf(size), int(left))
		record, err := in.Peek(n) // mostly where it stands; it stays there until the next is asked for
		if errors.Is(err, bufio.ErrBufferFull) {
			buf = slices.Grow(buf[:0], n)[:n]
			record = buf
			_, err = io.ReadFull(in, buf)
		} else if err == nil {
			_, err = in.Discard(n)
		}
		if err != nil {
			return fmt.Errorf("read temporary file for events: %w", noEOF(err))
		}
		left -= int64(n)
		if err := s.readRecord(record[lengthSize:], &r.head); err != nil {
			return err
		}
		r.moment = momentOf(&r.head)
		return nil
	}
}

// borrow is a buffer of a run that is at its end, or a new one.
func borrow(buffers *[]*bufio.Reader, of io.Reader) *bufio.Reader {
	n := len(*buffers)
	if n == 0 {
		return bufio.NewReaderSize(of, bufferSize)
	}
	in := (*buffers)[n-1]
	*buffers = (*buffers)[:n-1]
	in.Reset(of)
	return in
}

// noEOF is err, where the end of the file is none of the run's.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
