package parsers

import (
	"time"

	"github.com/relaylens/relaylens"
)

// holdTime is how long a refusal waits for its sender, in event time. Sendmail
// writes from= when the transaction ends; a client that dawdles longer loses
// the sender, not the event, nor the client if a line of the message named it.
const holdTime = 30 * time.Second

// heldEvents are refusals whose sender a later line of the same message tells,
// oldest first. Live or replayed, an event leaves by the time of the log.
type heldEvents struct {
	max   int
	queue []heldEvent
	first int // queue[:first] have left
	spare []*kept
	warm  bool // what comes now an earlier run has told of

	// messages tells what is known of a message by now, nil for nothing.
	messages func(message uint64, now int64) *state
}

// heldEvent is small, as all are looked at when a line tells of a message.
type heldEvent struct {
	message uint64
	feed    uint64 // in which it came
	event   *kept  // nil when it has left
	warm    bool
}

// kept is an event with the memory of its texts.
type kept struct {
	relaylens.Event
	memory []byte
}

// maxKeptMemory is what the memory of an event that is forgotten may be, to be used
// again.
const maxKeptMemory = 1 << 10

func (k *kept) forget() {
	if k.Event = (relaylens.Event{}); cap(k.memory) > maxKeptMemory {
		k.memory = nil
	}
}

func (h *heldEvents) empty() bool { return h.first == len(h.queue) }

// give emits the event, unless an earlier run did.
func (h *heldEvents) give(w *heldEvent, emit func(*relaylens.Event)) {
	if e := &w.event.Event; !e.ClientIP.IsValid() && h.messages != nil {
		if s := h.messages(w.message, e.Time.Unix()); s != nil {
			s.fillClient(e)
			s.fillUser(e)
		}
	}
	if !w.warm {
		emit(&w.event.Event)
	}
	if len(h.spare) < maxSpare {
		h.spare = append(h.spare, w.event)
	}
	w.event = nil
}

// maxSpare is how many copies are kept for those that come next.
const maxSpare = 64

// hold keeps a copy of e until its message is told of, and emits the oldest one
// when there is no room.
func (h *heldEvents) hold(message, feed uint64, e *relaylens.Event, emit func(*relaylens.Event)) {
	if len(h.queue)-h.first >= h.max {
		h.pop(emit)
	}
	if h.first > 64 && h.first*2 > len(h.queue) {
		n := copy(h.queue, h.queue[h.first:])
		clear(h.queue[n:])
		h.queue, h.first = h.queue[:n], 0
	}
	var k *kept
	if n := len(h.spare); n > 0 {
		k, h.spare = h.spare[n-1], h.spare[:n-1]
	} else {
		k = new(kept)
	}
	k.Event, k.memory = e.CloneInto(k.memory)
	h.queue = append(h.queue, heldEvent{message, feed, k, h.warm})
}

// release emits the events of one message with what its state tells. Before the
// end of its transaction only logins go, which have no sender.
func (h *heldEvents) release(message uint64, s *state, end bool, emit func(*relaylens.Event)) {
	for i := h.first; i < len(h.queue); i++ {
		w := &h.queue[i]
		if w.message != message || w.event == nil || !end && w.event.Kind != relaylens.KindAuthFailed {
			continue
		}
		s.fillClient(&w.event.Event)
		s.fillUser(&w.event.Event)
		s.fillSender(&w.event.Event)
		h.give(w, emit)
	}
	h.skipGone()
}

// name emits n events that wait under a key as refusals of the client that e names:
// those of e's recipient first, as other clients may be told the same.
func (h *heldEvents) name(key uint64, n int, e *relaylens.Event, emit func(*relaylens.Event)) {
	for _, same := range [...]bool{true, false} {
		for i := h.first; i < len(h.queue) && n > 0; i++ {
			w := &h.queue[i]
			if w.message != key || w.event == nil || same && w.event.Recipient != e.Recipient || w.event.ofAnother(e) {
				continue
			}
			w.event.setClient(e)
			h.give(w, emit)
			n--
		}
	}
	h.skipGone()
}

// drop forgets the last event that waits under a key.
func (h *heldEvents) drop(key uint64) {
	for i := len(h.queue) - 1; i >= h.first; i-- {
		if w := &h.queue[i]; w.message == key && w.event != nil {
			w.event = nil
			h.skipGone()
			return
		}
	}
}

// ofAnother reports whether the event cannot be what e tells of: its sender is another
// one, or its recipient where it is the recipient who was refused.
func (k *kept) ofAnother(e *relaylens.Event) bool {
	return e.HasSender() && k.HasSender() && k.Sender != e.Sender ||
		e.Stage == relaylens.StageRcpt && e.Recipient != "" && k.Recipient != "" && k.Recipient != e.Recipient
}

// setClient makes the event one of the client of e, if that is known.
func (k *kept) setClient(e *relaylens.Event) {
	if e.ClientIP.IsValid() {
		k.ClientIP, k.ClientName, k.ClientPort = e.ClientIP, e.ClientName, e.ClientPort
		k.Helo, k.Proto, k.User, k.AuthMethod = e.Helo, e.Proto, e.User, e.AuthMethod
	}
}

// expire emits what has waited too long by now, the time that its own source has
// come to: others may be a day ahead of it.
func (h *heldEvents) expire(source string, now time.Time, emit func(*relaylens.Event)) {
	h.flushIf(func(w *heldEvent) bool { return w.event.Source == source && now.Sub(w.event.Time) > holdTime }, emit)
}

// flush emits everything.
func (h *heldEvents) flush(emit func(*relaylens.Event)) {
	for !h.empty() {
		h.pop(emit)
	}
}

// flushIf emits what chosen says, and keeps the rest.
func (h *heldEvents) flushIf(chosen func(*heldEvent) bool, emit func(*relaylens.Event)) {
	for i := h.first; i < len(h.queue); i++ {
		if w := &h.queue[i]; w.event != nil && chosen(w) {
			h.give(w, emit)
		}
	}
	h.skipGone()
}

func (h *heldEvents) pop(emit func(*relaylens.Event)) {
	h.give(&h.queue[h.first], emit)
	h.skipGone()
}

func (h *heldEvents) skipGone() {
	for h.first < len(h.queue) && h.queue[h.first].event == nil {
		h.first++
	}
	if h.empty() {
		h.queue, h.first = h.queue[:0], 0
	}
}
