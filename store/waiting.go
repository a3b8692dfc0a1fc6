package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// waiting are the top lists of hours that are not in hourly_top yet. While a log is
// caught up with, an hour is written once, when it is over, and only what stays of
// it: a third of the rows. Which hours wait, and behind which event, is written with
// their events (hours_waiting): who reads adds those events, and a store that is
// opened after a crash writes their hours.
type waiting struct {
	hours   []*hourTops
	spare   *hourTops // one that was written, for its memory
	newest  int64     // event, in Unix seconds
	values  int       // of all hours
	events  int       // that were counted, of any hour
	unknown bool      // what waits is to be read from the database
}

const (
	// maxWaiting values may wait, which are some 4 MB, of so many events, which
	// whoever reads goes through.
	maxWaiting       = 32_000
	maxWaitingEvents = 50_000
	maxWaitingHours  = 24
	// overAfter is how long after its end, by the log, an hour is over: a refusal may
	// have been held back for a later line.
	overAfter = 600
)

// hourTops are the top lists of an hour.
type hourTops struct {
	hour   int64
	since  int64 // the events behind this one are counted here
	before int   // events that were counted before the first of this one
	noted  bool  // in hours_waiting
	idle   int   // commits since the last event
	fields [len(topFields)]topList
	key    []byte
}

type topList struct {
	places map[string]int32 // in counts
	counts []topCount
}

// topCount is how many events had a value. Its key is a byte for the kind, and the value.
type topCount struct {
	key                 string
	events, first, last int64
}

func (c *topCount) kind() relaylens.Kind { return relaylens.Kind(c.key[0]) }

func (c *topCount) value() string { return c.key[1:] }

// byValue is the order of the rows in their table.
func byValue(a, b topCount) int {
	return cmp.Or(strings.Compare(a.value(), b.value()), strings.Compare(a.kind().String(), b.kind().String()))
}

func (c *topCount) add(other *topCount) {
	if c.events == 0 {
		c.first, c.last = other.first, other.last
	}
	c.events += other.events
	c.first, c.last = min(c.first, other.first), max(c.last, other.last)
}

// add counts the event with number seq.
func (wa *waiting) add(e *relaylens.Event, seq func() int64) {
	second := e.Time.Unix()
	hour := hourOf(second)
	wa.newest = max(wa.newest, second)
	at := slices.IndexFunc(wa.hours, func(h *hourTops) bool { return h.hour == hour })
	if at < 0 {
		at = len(wa.hours)
		wa.hours = append(wa.hours, wa.begin(hour, seq()-1))
	}
	h := wa.hours[at]
	h.idle = 0
	wa.events++
	wa.values += h.add(e)
}

func (wa *waiting) begin(hour, since int64) *hourTops {
	h := wa.spare
	if wa.spare = nil; h == nil {
		h = &hourTops{}
	}
	h.hour, h.since, h.before = hour, since, wa.events
	return h
}

// add counts an event of the hour and returns how many values are new.
func (h *hourTops) add(e *relaylens.Event) (values int) {
	if !e.Kind.Refusal() {
		return 0
	}
	// What a remote server refused is no deed of the client that sent it, and the
	// recipient is not of ours: it counts under the server that refused.
	if e.Direction == relaylens.Outbound {
		return h.addText(e, fieldRemoteHost, remote(e))
	}
	if e.ClientIP.IsValid() {
		h.key = e.ClientIP.AppendTo(append(h.key[:0], byte(e.Kind)))
		values = h.count(e, fieldClientIP)
		h.key = relaylens.NetworkOf(e.ClientIP).AppendTo(append(h.key[:0], byte(e.Kind)))
		values += h.count(e, fieldNetwork)
	}
	return values + h.addText(e, fieldUser, e.User) + h.addText(e, fieldSenderDomain, e.SenderDomain()) + h.addText(e, fieldRecipientDomain, e.RecipientDomain())
}

func (h *hourTops) addText(e *relaylens.Event, field int, value string) (values int) {
	if value == "" {
		return 0
	}
	h.key = append(append(h.key[:0], byte(e.Kind)), value...)
	return h.count(e, field)
}

// count counts an event under h.key.
func (h *hourTops) count(e *relaylens.Event, field int) (values int) {
	l, at := &h.fields[field], e.Time.UnixNano()
	place, ok := l.places[string(h.key)]
	if !ok {
		if l.places == nil {
			l.places = make(map[string]int32)
		}
		place, values = int32(len(l.counts)), 1
		key := string(h.key)
		l.places[key] = place
		l.counts = append(l.counts, topCount{key: key})
	}
	l.counts[place].add(&topCount{events: 1, first: at, last: at})
	return values
}

// keep adds up all but the largest values, as trimHour does of an hour that is
// written. Of those that had as many events it keeps the ones that came first.
func (l *topList) keep(most int) {
	if len(l.counts) <= most {
		return
	}
	events := make([]int64, len(l.counts))
	for i := range l.counts {
		events[i] = l.counts[i].events
	}
	slices.Sort(events)
	least := events[len(events)-most]
	place, _ := slices.BinarySearch(events, least+1)
	equal := most - (len(events) - place) // so many of those that had least stay
	var rest [int(relaylens.KindRejected) + 1]topCount
	kept := l.counts[:0]
	for _, c := range l.counts {
		switch {
		case c.events > least:
			kept = append(kept, c)
		case c.events == least && equal > 0:
			kept = append(kept, c)
			equal--
		default:
			r := &rest[c.kind()]
			r.key = string([]byte{byte(c.kind())})
			r.add(&c)
		}
	}
	l.counts = kept
	for i := range rest {
		if rest[i].events > 0 {
			l.counts = append(l.counts, rest[i])
		}
	}
}

// write writes the hours that are due and notes which go on to wait: none where
// nothing is caught up with.
//
// The largest values of an hour that is over are what stays of it only where events come
// in order. Elsewhere others of its events may come, which are added to all it had.
func (wa *waiting) write(w *writer, st *statements, most int, behind, ordered bool) error {
	all := !behind || wa.values > maxWaiting || wa.behindOldest() > maxWaitingEvents || len(wa.hours) > maxWaitingHours
	slices.SortFunc(wa.hours, func(a, b *hourTops) int { return cmp.Compare(a.hour, b.hour) })
	left := wa.hours[:0]
	for _, h := range wa.hours {
		over := h.idle > 0 && wa.newest >= h.hour+hourSeconds+overAfter
		if !over && !all {
			if err := h.note(w); err != nil {
				return err
			}
			left = append(left, h)
			continue
		}
		if err := h.write(w, st, most, over && ordered); err != nil {
			return err
		}
		for i := range h.fields {
			wa.values -= len(h.fields[i].places)
		}
		if h.reset(); behind {
			wa.spare = h
		}
	}
	clear(wa.hours[len(left):])
	if wa.hours = left; len(left) == 0 {
		wa.events, wa.newest = 0, 0
	}
	return nil
}

// behindOldest is how many events whoever reads goes through.
func (wa *waiting) behindOldest() int {
	most := 0
	for _, h := range wa.hours {
		most = max(most, wa.events-h.before)
	}
	return most
}

// note writes down that the hour waits, and is older by a commit.
func (h *hourTops) note(w *writer) error {
	if h.idle++; h.noted {
		return nil
	}
	h.noted = true
	if _, err := w.exec("INSERT INTO hours_waiting (hour, since) VALUES (?, ?)", h.hour, h.since); err != nil {
		return fmt.Errorf("note hour: %w", err)
	}
	return nil
}

// write adds the hour to its table. What is over and not in it yet is written
// without what would not stay.
func (h *hourTops) write(w *writer, st *statements, most int, over bool) error {
	began := false
	if over {
		var err error
		if began, err = w.row(func(*sqlite.Stmt) {}, hourWritten, h.hour); err != nil {
			return fmt.Errorf("read hourly top list: %w", err)
		}
	}
	for field := range h.fields {
		l := &h.fields[field]
		if len(l.counts) == 0 {
			continue
		}
		day := dayField{dayOf(h.hour), topFields[field]}
		there, err := day.late(w, st)
		if err != nil {
			return err
		}
		if over && !began && !there { // a day's rest has a bound that an hour does not tell
			if err := h.writeList(w, st, field, most); err != nil {
				return err
			}
			continue
		}
		slices.SortFunc(l.counts, byValue)
		if err := l.write(w, st.top, h.hour, day.field); err != nil {
			return fmt.Errorf("add to hourly top list: %w", err)
		}
		if !there {
			continue
		}
		if err := l.write(w, st.daily, day.day, day.field); err != nil {
			return fmt.Errorf("add to daily top list: %w", err)
		}
	}
	if !h.noted {
		return nil
	}
	if _, err := w.exec("DELETE FROM hours_waiting WHERE hour = ?", h.hour); err != nil {
		return fmt.Errorf("note hour: %w", err)
	}
	return nil
}

// write adds to the top list of an hour or a day.
func (l *topList) write(w *writer, p *prepared, at int64, field string) error {
	for i := range l.counts {
		c := &l.counts[i]
		b := p.bind()
		b.number(at)
		b.valid(field)
		b.valid(c.value())
		b.valid(c.kind().String())
		b.number(c.events)
		b.number(c.first)
		b.number(c.last)
		if _, err := w.run(b.st); err != nil {
			return err
		}
	}
	return nil
}

// reset leaves nothing but memory.
func (h *hourTops) reset() {
	for i := range h.fields {
		l := &h.fields[i]
		clear(l.places)
		clear(l.counts[:cap(l.counts)]) // those that did not stay as well
		l.counts = l.counts[:0]
	}
	*h = hourTops{fields: h.fields, key: h.key}
}
