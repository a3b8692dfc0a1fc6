package spool

import (
	"bufio"
	"cmp"
	"container/heap"
	"errors"
	"io"
	"iter"

	"github.com/relaylens/relaylens"
)

// Events gives back what was added. An event is valid until the next is asked for.
func (s *Spool) Events() iter.Seq2[*relaylens.Event, error] {
	return func(yield func(*relaylens.Event, error) bool) {
		var at moment
		seen := map[relaylens.ID]struct{}{} // of that time
		for h := s.merge(); len(h.runs) > 0; {
			r := h.runs[0]
			if !r.begun { // its first event is on top
				if err := r.step(); err != nil {
					yield(nil, err)
					return
				}
			}
			if r.moment != at {
				at = r.moment
				if len(seen) > 64 { // to clear a map takes as long as it once was
					seen = map[relaylens.ID]struct{}{}
				}
				clear(seen)
			}
			if _, ok := seen[r.head.ID]; !ok {
				if !r.head.ID.IsZero() {
					seen[r.head.ID] = struct{}{}
				}
				if !yield(&r.head, nil) {
					return
				}
			}
			switch err := r.step(); {
			case errors.Is(err, io.EOF):
				heap.Pop(h)
			case err != nil:
				yield(nil, err)
				return
			default:
				heap.Fix(h, 0)
			}
		}
	}
}

// run is a sorted list, in the file or in memory. What is written as a log goes
// on is of one time after the other, so that few runs are read at once.
type run struct {
	moment      // of head
	number int  // in the order in which runs were made
	begun  bool // head was read; before, only its time is known
	head   relaylens.Event
	next   func(*run) error // puts the following event into head; io.EOF at the end
}

func (r *run) step() error {
	r.begun = true
	return r.next(r)
}

// runs have the one whose head is next on top.
type runs struct {
	runs    []*run
	reverse bool
}

func (h *runs) Len() int { return len(h.runs) }
func (h *runs) Less(i, j int) bool {
	a, b := h.runs[i], h.runs[j]
	if h.reverse {
		a, b = b, a
	}
	return cmp.Or(a.compare(b.moment), cmp.Compare(a.number, b.number)) < 0
}
func (h *runs) Swap(i, j int) { h.runs[i], h.runs[j] = h.runs[j], h.runs[i] }
func (h *runs) Push(r any)    { h.runs = append(h.runs, r.(*run)) }
func (h *runs) Pop() any {
	last := h.runs[len(h.runs)-1]
	h.runs = h.runs[:len(h.runs)-1]
	return last
}

// merge puts every run at its beginning.
func (s *Spool) merge() *runs {
	s.sort()
	h := &runs{reverse: s.reverse}
	buffers := new([]*bufio.Reader)
	for i, part := range s.runs {
		h.runs = append(h.runs, &run{moment: part.first, number: i, next: s.nextOf(part, buffers)})
	}
	if len(s.places) > 0 {
		h.runs = append(h.runs, &run{moment: s.places[0].moment, number: len(s.runs), next: s.next()})
	}
	heap.Init(h)
	return h
}
