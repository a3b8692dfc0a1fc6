package bounded

import (
	"math/bits"
	"unsafe"
)

// Texts keeps many short texts without a pointer or an allocation for each, so
// that they take little more than their bytes and there is nothing to collect.
// What is forgotten makes room for others of its size. The zero value is empty. It
// is not safe for concurrent use.
type Texts struct {
	blocks [][]byte
	free   [numSizes][]uint32 // where there is room, by size
	larger []uint32           // blocks of texts that are larger, empty again
}

// Text is a text of a [Texts]. The zero Text is empty, in any of them.
type Text struct{ at, len uint32 }

const (
	blockBits = 14
	blockSize = 1 << blockBits
	// Sizes are the multiples of 8 to fineSize, and four for each doubling beyond.
	fineSize = 128
	numSizes = fineSize/8 + 4*6 + 1
	// largest is the last size; a larger text has a block of its own.
	largest = fineSize << 6
)

// sizeOf is how much room is made for n bytes, n > 0 and at most largest, and the
// number of that size.
func sizeOf(n int) (number, size int) {
	if n <= fineSize {
		number = (n + 7) / 8
		return number, 8 * number
	}
	doubling := bits.Len(uint(n-1)) - 1
	step := 1 << (doubling - 2)
	steps := (n + step - 1) / step
	return fineSize/8 + 4*(doubling-7) + steps - 4, steps * step
}

// View is x as it stands in t: it is valid until x is set or forgotten.
func (t *Texts) View(x Text) string {
	if x.len == 0 {
		return ""
	}
	b := t.bytes(x)
	return unsafe.String(&b[0], len(b))
}

func (t *Texts) bytes(x Text) []byte {
	begin := x.at & (blockSize - 1)
	return t.blocks[x.at>>blockBits][begin : begin+x.len]
}

// Set makes x a copy of s, which is no view of x.
func (t *Texts) Set(x *Text, s string) {
	if !roomFor(int(x.len), len(s)) {
		t.Forget(x)
		if len(s) > 0 {
			x.at = t.take(len(s))
		}
	}
	if x.len = uint32(len(s)); x.len > 0 {
		copy(t.bytes(*x), s)
	}
}

// roomFor reports whether a text of n bytes fits where one of old bytes is, and no
// smaller place would do.
func roomFor(old, n int) bool {
	if old == 0 || n == 0 || old > largest || n > largest {
		return old == n
	}
	was, _ := sizeOf(old)
	is, _ := sizeOf(n)
	return was == is
}

// Forget makes x empty.
func (t *Texts) Forget(x *Text) {
	switch n := int(x.len); {
	case n == 0:
	case n > largest:
		block := x.at >> blockBits
		t.blocks[block] = nil
		t.larger = append(t.larger, block)
	default:
		number, _ := sizeOf(n)
		t.free[number] = append(t.free[number], x.at)
	}
	*x = Text{}
}

// take finds room for n bytes.
func (t *Texts) take(n int) uint32 {
	if n > largest {
		return t.takeBlock(n)
	}
	number, size := sizeOf(n)
	if free := t.free[number]; len(free) > 0 {
		t.free[number] = free[:len(free)-1]
		return free[len(free)-1]
	}
	last := len(t.blocks) - 1
	if last < 0 || cap(t.blocks[last]) != blockSize || len(t.blocks[last])+size > blockSize {
		t.blocks = append(t.blocks, make([]byte, 0, blockSize))
		last++
	}
	begin := len(t.blocks[last])
	t.blocks[last] = t.blocks[last][:begin+size]
	return uint32(last)<<blockBits | uint32(begin)
}

func (t *Texts) takeBlock(n int) uint32 {
	if last := len(t.larger) - 1; last >= 0 {
		block := t.larger[last]
		t.larger = t.larger[:last]
		t.blocks[block] = make([]byte, n)
		return block << blockBits
	}
	t.blocks = append(t.blocks, make([]byte, n))
	return uint32(len(t.blocks)-1) << blockBits
}
