package tailer

import (
	"bytes"
	"sync"
	"sync/atomic"

	"github.com/relaylens/relaylens"
)

const (
	blockSize  = 256 << 10
	batchLines = 512 // bounds what a block of empty lines costs: a Line is larger than they are
)

// poisonReleased makes released blocks unreadable; set by the build tag poison
// and by this package's tests.
var poisonReleased = poisonDefault

// poison is a byte that no log line of a test holds.
const poison = 0xDB

// poisoned is made when it is first needed: production has no use for it.
var poisoned = sync.OnceValue(func() []byte { return bytes.Repeat([]byte{poison}, blockSize) })

// A block is the memory of one batch: the bytes read and the lines in them.
// It belongs to whoever took it until it is freed, once.
type block struct {
	buf   []byte
	lines []relaylens.Line
	warm  bool            // the lines stand before the saved position
	batch relaylens.Batch // of the lines, where nobody else has one
	taken atomic.Bool
	// free is made once with the block so that a batch costs no closure.
	free func()
}

// freeBlocks are kept for those that take blocks next: as many as are under way when
// a file is read. A [sync.Pool] forgets them at every collection, and a new block is
// garbage of the old one's size.
const freeBlocks = 6

var blocks = make(chan *block, freeBlocks)

func newBlock() *block {
	return &block{buf: make([]byte, blockSize), lines: make([]relaylens.Line, 0, batchLines)}
}

func takeBlock() *block {
	var b *block
	select {
	case b = <-blocks:
	default:
		b = newBlock()
		b.free = func() {
			if b.taken.CompareAndSwap(true, false) {
				b.clear()
				b.keep()
			}
		}
	}
	b.taken.Store(true)
	return b
}

// keep has b taken again, unless there are enough.
func (b *block) keep() {
	select {
	case blocks <- b:
	default:
	}
}

// Forget leaves the memory that is kept for what is read next to the collector. Call
// it when nothing is.
func Forget() {
	for {
		select {
		case <-blocks:
		default:
			return
		}
	}
}

func (b *block) clear() {
	if poisonReleased {
		copy(b.buf, poisoned())
		clear(b.lines)
	}
	b.lines, b.warm, b.batch = b.lines[:0], false, relaylens.Batch{}
}
