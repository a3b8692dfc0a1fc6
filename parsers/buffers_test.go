package parsers

import (
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

// Whatever is taken fits, is nobody else's, and takes no memory that was given back for
// another size.
func TestBuffers(t *testing.T) {
	var b buffers
	r := rand.New(rand.NewPCG(3, 4))
	inUse := map[*byte]bool{}
	var taken [][]byte
	for range 20_000 {
		if n := r.IntN(2*ordinaryRoom) + 1; len(taken) < 500 && r.IntN(2) == 0 {
			buf := b.take(n)
			if len(buf) != 0 || cap(buf) < n || cap(buf) >= n+roomStep {
				t.Fatalf("a buffer for %d bytes has %d of %d", n, len(buf), cap(buf))
			}
			if first := &buf[:1][0]; inUse[first] {
				t.Fatal("a buffer was taken twice")
			} else {
				inUse[first] = true
			}
			taken = append(taken, buf[:n])
		} else if last := len(taken) - 1; last >= 0 {
			delete(inUse, &taken[last][0])
			b.give(taken[last])
			taken = taken[:last]
		}
	}
	if buf := b.take(0); len(buf) != 0 {
		t.Errorf("a buffer for nothing has %d bytes", len(buf))
	}
	for range 10 * maxSpareBuffers {
		b.give(make([]byte, ordinaryRoom))
	}
	b.give(make([]byte, ordinaryRoom+1))
	for i, spare := range b {
		if len(spare) > maxSpareBuffers {
			t.Errorf("%d buffers of %d bytes are kept", len(spare), i*roomStep)
		}
	}
}

// Remembering costs no allocation once there are as many states as there will be.
func TestStatesUseTheirMemoryAgain(t *testing.T) {
	c := newCorrelator(DefaultLimits(), maphash.MakeSeed())
	turn := uint64(0)
	remember := func() {
		turn++
		key := turn*0x9e3779b97f4a7c15 + 1
		long := strings.Repeat("x", int(turn%100))
		s := begun(c.sessions, key, &relaylens.Event{ClientName: long, Helo: "mx"}, 0)
		c.sessions.learn(s, &relaylens.Event{User: "joe", Sender: long + "@example.com"})
		if s.text(textClientName) != long || s.text(textUser) != "joe" || s.text(textHelo) != "mx" {
			t.Fatalf("turn %d: client %q, user %q", turn, s.text(textClientName), s.text(textUser))
		}
		c.sessions.Delete(key)
	}
	for range 200 {
		remember()
	}
	if n := testing.AllocsPerRun(1000, remember); n > 1 { // of the test's own
		t.Errorf("%v allocations to remember a session", n)
	}
}
