package tailer

import (
	"bytes"
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/relaylens/relaylens"
)

// inboxBlocks bound what waits for the consumer: 8 MiB, or some 16,000 lines.
const inboxBlocks = 32

// An inbox takes lines from many connections and hands them on in batches.
type inbox struct {
	source string
	prefix string // of cursors
	m      *gauges

	mu     sync.Mutex
	room   sync.Cond // of mu: a block was taken, or the inbox closed
	blocks []*block  // oldest first; the last is being filled
	used   int       // bytes of the last
	count  uint64    // lines taken in
	closed bool

	news chan struct{} // holds a token while there is something to hand on
}

// newInbox makes the inbox of a listener that began at a time. A line that came
// over a socket cannot be read again, so that an id has to tell it from all
// others and no more: its cursor is that time and the line's number.
func newInbox(source string, began time.Time, m *gauges) *inbox {
	in := &inbox{source: source, prefix: "listen=" + strconv.FormatInt(began.UnixNano(), 36) + ";line=", m: m, news: make(chan struct{}, 1)}
	in.room.L = &in.mu
	return in
}

// put adds a line and reports whether it could. When the inbox is full it waits,
// if it may and the inbox is not closed.
func (in *inbox) put(text []byte, cut, wait bool) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	b := in.take(len(text))
	for b == nil && wait && !in.closed {
		in.room.Wait()
		b = in.take(len(text))
	}
	if b == nil {
		return false
	}
	in.count++
	start := in.used
	buf := append(b.buf[start:start], in.prefix...)
	buf = strconv.AppendUint(buf, in.count, 10)
	cursor := len(buf)
	buf = append(buf, text...)
	in.used += len(buf)
	b.lines = append(b.lines, relaylens.Line{Text: alias(buf[cursor:]), Source: in.source, Cursor: alias(buf[:cursor]), Cut: cut})
	in.m.bytes.Add(float64(len(text)))
	if cut {
		in.m.cut.Inc()
	}
	in.m.behindSince.CompareAndSwap(0, time.Now().UnixNano())
	in.m.lagBytes.Add(float64(len(text)))
	select {
	case in.news <- struct{}{}:
	default:
	}
	return true
}

// maxCursor is what a cursor takes at most.
const maxCursor = 64

// take is the block with room for a text, nil when there is none.
func (in *inbox) take(size int) *block {
	if n := len(in.blocks); n > 0 {
		if b := in.blocks[n-1]; len(b.lines) < batchLines && len(b.buf)-in.used >= size+maxCursor {
			return b
		}
		if n >= inboxBlocks {
			return nil
		}
	}
	b := takeBlock()
	in.blocks, in.used = append(in.blocks, b), 0
	return b
}

// first takes the oldest block, nil when there is none.
func (in *inbox) first() *block {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.blocks) == 0 {
		return nil
	}
	b := in.blocks[0]
	in.blocks[0] = nil
	in.blocks = in.blocks[1:]
	in.room.Broadcast()
	return b
}

// close has nobody wait any more.
func (in *inbox) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	in.room.Broadcast()
}

// send hands blocks on as they come, until ctx ends. It returns one that it
// could not hand on.
func (in *inbox) send(ctx context.Context, out chan<- relaylens.Batch) (left *block) {
	for {
		select {
		case <-in.news:
		case <-ctx.Done():
			return nil
		}
		for b := in.first(); b != nil; b = in.first() {
			if !in.sendBlock(ctx, out, b) {
				return b
			}
		}
		in.m.behindSince.Store(0)
	}
}

func (in *inbox) sendBlock(ctx context.Context, out chan<- relaylens.Batch, b *block) bool {
	size := 0
	for i := range b.lines {
		size += len(b.lines[i].Text)
	}
	select {
	case out <- relaylens.Batch{Lines: b.lines, Reference: time.Now(), Release: b.free}:
		in.m.lagBytes.Sub(float64(size))
		return true
	case <-ctx.Done():
		return false
	}
}

// drain hands on b, which may be nil, and what came after it until ctx ends, and
// returns how many lines it could not.
func (in *inbox) drain(ctx context.Context, out chan<- relaylens.Batch, b *block) (lost int) {
	if b == nil {
		b = in.first()
	}
	for ; b != nil; b = in.first() {
		if !in.sendBlock(ctx, out, b) {
			lost += len(b.lines)
			b.free()
		}
	}
	in.m.lagBytes.Set(0)
	in.m.behindSince.Store(0)
	return lost
}

// firstLine is what a datagram says: its first line, without what ends it.
func firstLine(text []byte) []byte {
	text, _, _ = bytes.Cut(bytes.TrimLeft(text, "\n"), []byte("\n"))
	return bytes.TrimRight(text, "\r\x00")
}
