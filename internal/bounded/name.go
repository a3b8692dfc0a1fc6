package bounded

import (
	"encoding/binary"
	"unsafe"
)

// Name makes one hash of another one, with a seed that nobody knows, and of a name
// that no client chooses, such as a queue id: it is quicker for short names than
// what withstands those who choose them.
func Name(seed uint64, name string) uint64 {
	b := unsafe.StringData(name)
	seed += uint64(len(name))
	last := len(name) - 8
	if last < 0 {
		var short [8]byte
		copy(short[:], name)
		return Mix(seed, binary.LittleEndian.Uint64(short[:]))
	}
	for i := 0; i < last; i += 8 {
		seed = Mix(seed, eight(b, i))
	}
	return Mix(seed, eight(b, last))
}

// eight is eight bytes from the one at on that stands behind first. There are as many.
func eight(first *byte, at int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(first), at))[:])
}
