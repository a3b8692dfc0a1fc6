package parsers

// buffers are memory for the texts of states. Each is of the size that its texts
// need, and is used again by others of that size, so that remembering costs no
// allocation once there are as many states as there will be.
type buffers [ordinaryRoom/roomStep + 1][][]byte

const (
	// ordinaryRoom is what most texts of a state fit in; it counts as part of it.
	ordinaryRoom = 256
	// roomStep is by how much sizes differ: as Go's allocator has them.
	roomStep = 16
	// maxSpareBuffers are kept of each size.
	maxSpareBuffers = 256
)

// room is the size of a buffer for n bytes.
func room(n int) int {
	if n > ordinaryRoom {
		return n
	}
	return (n + roomStep - 1) / roomStep * roomStep
}

// take is an empty buffer for n bytes.
func (b *buffers) take(n int) []byte {
	size := room(n)
	if size > ordinaryRoom {
		return make([]byte, 0, size)
	}
	spare := &b[size/roomStep]
	last := len(*spare) - 1
	if last < 0 {
		return make([]byte, 0, size)
	}
	buf := (*spare)[last]
	*spare = (*spare)[:last]
	return buf
}

// give takes a buffer back. What is in it stays until it is taken again.
func (b *buffers) give(buf []byte) {
	size := cap(buf)
	if size == 0 || size > ordinaryRoom {
		return
	}
	if spare := &b[size/roomStep]; len(*spare) < maxSpareBuffers {
		*spare = append(*spare, buf[:0])
	}
}
