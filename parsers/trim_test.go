package parsers

import (
	"fmt"
	"hash/maphash"
	"net/netip"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

// Long texts make room for others, but what the line in hand told of is there for
// the next one.
func TestTrimKeepsTheLatest(t *testing.T) {
	limits := DefaultLimits()
	limits.Bytes = 4 << 10
	c := newCorrelator(limits, maphash.MakeSeed())
	client := netip.MustParseAddr("192.0.2.1")
	for i := range uint64(2000) {
		key := i*0x9e3779b97f4a7c15 + 1
		e := &relaylens.Event{ClientIP: client, ClientName: fmt.Sprint(i), Helo: strings.Repeat("h", 400), Sender: strings.Repeat("s", 500)}
		f := new(found)
		if f.session = begun(c.sessions, key, e, int64(i)); i%3 == 0 {
			f.message = begun(c.messages, key, e, int64(i))
		}
		c.trim(f)
		s, m := c.sessions.Get(key, int64(i)), c.messages.Get(key, int64(i))
		if s == nil || s.text(textClientName) != e.ClientName || i%3 == 0 && (m == nil || m.text(textHelo) != e.Helo) {
			t.Fatalf("line %d: what it told is gone: session %t, message %t", i, s == nil, m == nil)
		}
		if total := c.sessions.bytes + c.messages.bytes; total > limits.Bytes {
			t.Fatalf("line %d: %d bytes, where %d are allowed", i, total, limits.Bytes)
		}
	}
}

// One text that is larger than all of them may be has to go.
func TestTrimKeepsTheBound(t *testing.T) {
	limits := DefaultLimits()
	limits.Bytes = 100
	c := newCorrelator(limits, maphash.MakeSeed())
	f := &found{session: begun(c.sessions, 1, &relaylens.Event{Helo: strings.Repeat("h", 500)}, 0)}
	c.trim(f)
	if n := c.sessions.bytes; n > limits.Bytes || c.sessions.Len() != 0 {
		t.Errorf("%d bytes of %d sessions", n, c.sessions.Len())
	}
}

// begun is a state of which e told first.
func begun(t *states, key uint64, e *relaylens.Event, now int64) *state {
	s, _ := t.Put(key, now)
	t.begin(s, e)
	return s
}
