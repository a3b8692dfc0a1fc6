package parsers

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

func TestHeldEvents(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	var out []string
	emit := func(e *relaylens.Event) { out = append(out, e.QueueID+" "+e.Sender) }
	event := func(id string, after time.Duration) *relaylens.Event {
		return &relaylens.Event{Kind: relaylens.KindRelayDenied, QueueID: id, Time: at.Add(after)}
	}
	h := heldEvents{max: 3}
	h.hold(1, 1, event("one", 0), emit)
	h.hold(2, 1, event("two", time.Second), emit)
	h.hold(1, 1, event("one again", 2*time.Second), emit)
	var s state
	s.learn(&relaylens.Event{Sender: "a@example.com"}, nil)
	h.release(1, &s, emit)
	h.expire(at.Add(31*time.Second), emit)
	if want := []string{"one a@example.com", "one again a@example.com"}; !cmp.Equal(out, want) {
		t.Fatalf("out %q, want %q: the second still has its time", out, want)
	}
	h.expire(at.Add(32*time.Second), emit)
	if got := out[len(out)-1]; got != "two " || !h.empty() {
		t.Errorf("last out %q, want the expired one without sender", got)
	}
}

func TestHeldEventsAreBounded(t *testing.T) {
	out := 0
	h := heldEvents{max: 8}
	for i := range 10_000 {
		h.hold(uint64(i), 1, &relaylens.Event{QueueID: fmt.Sprint(i), Time: time.Unix(int64(i), 0)}, func(*relaylens.Event) { out++ })
		if len(h.queue) > 256 {
			t.Fatalf("the queue grew to %d", len(h.queue))
		}
	}
	h.flush(func(*relaylens.Event) { out++ })
	if out != 10_000 {
		t.Errorf("%d events came out, want all 10000", out)
	}
}
