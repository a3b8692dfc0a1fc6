package bounded

import (
	"encoding/binary"

	"github.com/relaylens/relaylens/internal/swar"
)

// Name makes one hash of another one, with a seed that nobody knows, and of a name
// that no client chooses, such as a queue id: it is quicker for short names than
// what withstands those who choose them.
func Name(seed uint64, name string) uint64 {
	seed += uint64(len(name))
	last := len(name) - 8
	if last < 0 {
		var short [8]byte
		copy(short[:], name)
		return Mix(seed, binary.LittleEndian.Uint64(short[:]))
	}
	for i := 0; i < last; i += 8 {
		seed = Mix(seed, swar.At(name, i))
	}
	return Mix(seed, swar.At(name, last))
}
