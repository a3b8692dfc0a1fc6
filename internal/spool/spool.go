// Package spool sorts events by time in bounded memory: what is too much is
// written to temporary files and merged.
package spool

import (
	"bufio"
	"cmp"
	"container/heap"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/relaylens/relaylens"
)

// DefaultMemory is the most bytes of events that are held in memory.
const DefaultMemory = 64 << 20

const (
	// placeSize is what an event takes besides its record.
	placeSize = 40
	// chunkSize is how much memory is taken at once for records.
	chunkSize = 1 << 20
)

// Spool takes events in any order and gives them back by time, those of the
// same time in the order in which they came. An id is given back once.
type Spool struct {
	reverse bool
	memory  int64
	chunks  [][]byte // of records, which take less than events and are nothing to collect
	places  []place
	size    int64
	count   int
	runs    []*os.File
	record  []byte
}

// place is where the record of an event stands in memory, and what it is sorted
// by.
type place struct {
	seconds     int64
	nanoseconds int32
	chunk       int32
	begin, end  int32
	seq         int
}

type entry struct {
	relaylens.Event
	seq int // order of arrival
}

// New makes an empty spool that holds about that many bytes in memory. A
// reverse one gives the latest first.
func New(memory int64, reverse bool) *Spool { return &Spool{memory: memory, reverse: reverse} }

// Add copies e.
func (s *Spool) Add(e *relaylens.Event) error {
	s.record = appendEntry(s.record[:0], &entry{*e, s.count})
	last := len(s.chunks) - 1
	if last < 0 || cap(s.chunks[last])-len(s.chunks[last]) < len(s.record) {
		s.chunks = append(s.chunks, make([]byte, 0, max(chunkSize, len(s.record))))
		last++
	}
	begin := len(s.chunks[last])
	s.chunks[last] = append(s.chunks[last], s.record...)
	s.places = append(s.places, place{e.Time.Unix(), int32(e.Time.Nanosecond()), int32(last), int32(begin), int32(begin + len(s.record)), s.count})
	s.count++
	s.size += placeSize + int64(len(s.record))
	if s.size < s.memory {
		return nil
	}
	return s.spill()
}

// at is the record of an event in memory.
func (s *Spool) at(p *place) []byte { return s.chunks[p.chunk][p.begin:p.end] }

// Close forgets everything.
func (s *Spool) Close() error {
	var errs []error
	for _, f := range s.runs {
		errs = append(errs, f.Close())
	}
	s.runs, s.chunks, s.places = nil, nil, nil
	return errors.Join(errs...)
}

func (s *Spool) compare(a, b *entry) int {
	c := cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.seq, b.seq))
	if s.reverse {
		return -c
	}
	return c
}

func (s *Spool) sort() {
	slices.SortFunc(s.places, func(a, b place) int {
		c := cmp.Or(cmp.Compare(a.seconds, b.seconds), cmp.Compare(a.nanoseconds, b.nanoseconds), cmp.Compare(a.seq, b.seq))
		if s.reverse {
			return -c
		}
		return c
	})
}

// spill writes what is in memory, sorted, to a file that nobody else sees.
func (s *Spool) spill() error {
	s.sort()
	f, err := os.CreateTemp("", "relaylens-*.events")
	if err != nil {
		return fmt.Errorf("make temporary file for events: %w", err)
	}
	s.runs = append(s.runs, f)
	if err := os.Remove(f.Name()); err != nil {
		return fmt.Errorf("unlink temporary file: %w", err)
	}
	w := bufio.NewWriterSize(f, 256<<10)
	for i := range s.places {
		if _, err := w.Write(s.at(&s.places[i])); err != nil {
			return fmt.Errorf("write temporary file for events: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write temporary file for events: %w", err)
	}
	s.chunks, s.places, s.size = nil, s.places[:0], 0
	return nil
}

// Events gives back what was added. The event is the receiver's to keep.
func (s *Spool) Events() iter.Seq2[relaylens.Event, error] {
	return func(yield func(relaylens.Event, error) bool) {
		h, err := s.merge()
		if err != nil {
			yield(relaylens.Event{}, err)
			return
		}
		var at time.Time
		seen := map[relaylens.ID]struct{}{} // of that time
		for len(h.runs) > 0 {
			r := h.runs[0]
			e := r.head.Event
			if err := r.next(); errors.Is(err, io.EOF) {
				heap.Pop(h)
			} else if err != nil {
				yield(relaylens.Event{}, err)
				return
			} else {
				heap.Fix(h, 0)
			}
			if !at.Equal(e.Time) {
				at = e.Time
				if len(seen) > 64 { // to clear a map takes as long as it once was
					seen = map[relaylens.ID]struct{}{}
				}
				clear(seen)
			}
			if _, ok := seen[e.ID]; ok {
				continue
			}
			seen[e.ID] = struct{}{}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// run is a sorted list, in a file or in memory.
type run struct {
	head entry
	next func() error // puts the following event into head; io.EOF at the end
}

type runs struct {
	runs []*run
	less func(a, b *entry) bool
}

func (h *runs) Len() int           { return len(h.runs) }
func (h *runs) Less(i, j int) bool { return h.less(&h.runs[i].head, &h.runs[j].head) }
func (h *runs) Swap(i, j int)      { h.runs[i], h.runs[j] = h.runs[j], h.runs[i] }
func (h *runs) Push(r any)         { h.runs = append(h.runs, r.(*run)) }
func (h *runs) Pop() any {
	last := h.runs[len(h.runs)-1]
	h.runs = h.runs[:len(h.runs)-1]
	return last
}

// merge puts every run at its beginning.
func (s *Spool) merge() (*runs, error) {
	s.sort()
	h := &runs{less: func(a, b *entry) bool { return s.compare(a, b) < 0 }}
	for _, f := range s.runs {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, fmt.Errorf("read temporary file for events: %w", err)
		}
		r := new(run)
		br := bufio.NewReaderSize(f, 64<<10)
		r.next = func() error { return readEntry(br, &r.head) }
		h.runs = append(h.runs, r)
	}
	memory, i := new(run), 0
	memory.next = func() error {
		if i == len(s.places) {
			return io.EOF
		}
		i++
		return readRecord(s.at(&s.places[i-1])[lengthSize:], &memory.head)
	}
	h.runs = append(h.runs, memory)
	alive := h.runs[:0]
	for _, r := range h.runs {
		if err := r.next(); errors.Is(err, io.EOF) {
			continue
		} else if err != nil {
			return nil, err
		}
		alive = append(alive, r)
	}
	h.runs = alive
	heap.Init(h)
	return h, nil
}
