package ask

import (
	"iter"
	"slices"

	"github.com/relaylens/relaylens"
)

// fromCursor leaves out what stands before an event, as the store does.
type fromCursor struct {
	cursor  *relaylens.Cursor // nil leaves out nothing
	after   bool              // the event itself, too
	reverse bool              // the latest event comes first
}

// cut hands on the events, which are sorted by time, from the cursor on. Where
// the cursor's event is not among them, all of its time are handed on. An event is
// valid until the next is asked for.
func (f fromCursor) cut(events iter.Seq2[*relaylens.Event, error]) iter.Seq2[*relaylens.Event, error] {
	if f.cursor == nil {
		return events
	}
	return func(yield func(*relaylens.Event, error) bool) {
		var same []relaylens.Event // those of the cursor's time, until a later one comes
		for e, err := range events {
			if err != nil {
				yield(e, err)
				return
			}
			order := e.Time.Compare(f.cursor.Time)
			if f.reverse {
				order = -order
			}
			switch {
			case order < 0:
				continue
			case order == 0:
				same = append(same, e.Clone())
				continue
			}
			if !f.yieldAll(same, yield) || !yield(e, nil) {
				return
			}
			same = nil
		}
		f.yieldAll(same, yield)
	}
}

func (f fromCursor) yieldAll(same []relaylens.Event, yield func(*relaylens.Event, error) bool) bool {
	if i := slices.IndexFunc(same, func(e relaylens.Event) bool { return e.ID == f.cursor.ID }); i >= 0 {
		if f.after {
			i++
		}
		same = same[i:]
	}
	for i := range same {
		if !yield(&same[i], nil) {
			return false
		}
	}
	return true
}
