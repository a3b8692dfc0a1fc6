package parsers

import (
	"math"

	"github.com/relaylens/relaylens"
)

// delivered has a message forgotten that nobody waits for any more, where the log does
// not say so itself.
func (c *correlator) delivered(rec *relaylens.Record, k *keys, f *found, now int64) {
	m := f.message
	switch n := rec.Recipients; {
	case m == nil || k.message == 0:
	case rec.Fact == relaylens.FactSessionEnd:
		if m.waiting == 0 {
			c.finish(k.message, now)
		}
	case n == 0 || rec.Fact == relaylens.FactChild:
	case rec.Fact == relaylens.FactMessage:
		if m.waiting = awaited(n); n == relaylens.Nobody {
			c.finish(k.message, now)
		}
	case m.waiting == 0:
	case rec.Subject != "" && rec.Subject != m.text(textSender):
		m.waiting = 0
	case n < int(m.waiting):
		m.waiting -= uint16(n)
	default:
		m.waiting = 0
		c.finish(k.message, now)
	}
}

// awaited is what is remembered of a number of recipients; 0 is not known.
func awaited(recipients int) uint16 {
	if recipients < 0 || recipients > math.MaxUint16 {
		return 0
	}
	return uint16(recipients)
}

// finished are messages that nobody waits for, in the order of their ends.
type finished struct {
	queue []ending
	first int // queue[:first] are forgotten
}

type ending struct {
	message uint64
	at      int64 // event time, in Unix seconds
}

const (
	// afterwards is for how long a message is remembered that nobody waits for: its
	// bounce is written of at once, but to those that an alias added it may still be
	// on its way.
	afterwards  = 5 * 60
	maxFinished = 8 << 10
)

// finish has a message forgotten after a while, and those whose time has come.
func (c *correlator) finish(message uint64, now int64) {
	q := &c.finished
	if q.first > 64 && q.first*2 > len(q.queue) {
		q.queue, q.first = q.queue[:copy(q.queue, q.queue[q.first:])], 0
	}
	q.queue = append(q.queue, ending{message, now})
	for e := q.queue[q.first]; now-e.at > afterwards || len(q.queue)-q.first > maxFinished; e = q.queue[q.first] {
		q.first++
		if m := c.messages.Get(e.message, now); m != nil && m.waiting == 0 {
			c.messages.Delete(e.message)
		}
	}
}
