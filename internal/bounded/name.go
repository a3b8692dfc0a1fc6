package bounded

import (
	"encoding/binary"
	"unsafe"
)

// Name makes one hash of another one, with a seed that nobody knows, and of a name
// that no client chooses, such as a queue id: it is quicker for short names than
// what withstands those who choose them.
func Name(seed uint64, name string) uint64 {
	b := unsafe.Slice(unsafe.StringData(name), len(name))
	seed += uint64(len(b))
	if len(b) < 8 {
		var short [8]byte
		copy(short[:], b)
		return Mix(seed, binary.LittleEndian.Uint64(short[:]))
	}
	for i := 0; i+8 < len(b); i += 8 {
		seed = Mix(seed, binary.LittleEndian.Uint64(b[i:]))
	}
	return Mix(seed, binary.LittleEndian.Uint64(b[len(b)-8:]))
}
