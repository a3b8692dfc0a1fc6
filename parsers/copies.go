package parsers

import (
	"hash/maphash"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// copies tells the second writing of a line from a second event. Exim writes a
// rejection to mainlog and rejectlog, or to syslog at two priorities
// (syslog_duplication, on by default), and the two are the same to the letter;
// but a client that tries the same twice within a second gives the same two
// lines too. So occurrences are counted: per file, the nth in one is the nth in
// the other; in one syslog stream of one process, every second one is a copy,
// unless that process's lines have been seen to come alone.
type copies struct {
	seed    maphash.Seed
	lines   *bounded.Table[occurrences]
	streams *bounded.Table[stream]
	last    *bounded.Table[uint64] // of a process: the line whose copy should come next
}

const (
	maxCopies = 8 << 10
	// copyTTL is how far apart two copies can be in event time: they are written
	// one after the other, but rejectlog may be read before or after mainlog as a
	// whole, which has the same times.
	copyTTL = 60
)

// occurrences counts one line by where it stood.
type occurrences struct {
	told    uint32
	sources [4]struct {
		key   uint64
		count uint32
	}
}

// stream is what was learned of one program on one host.
type stream struct{ paired, single uint32 }

func newCopies() *copies {
	return &copies{
		seed:    maphash.MakeSeed(),
		lines:   bounded.NewTable[occurrences](maxCopies, copyTTL, nil),
		streams: bounded.NewTable[stream](256, sessionTTL, nil),
		last:    bounded.NewTable[uint64](maxCopies, copyTTL, nil),
	}
}

// isCopy reports whether this line was told before. source is where it stands.
func (c *copies) isCopy(env *relaylens.Envelope, source string, now int64) bool {
	var h maphash.Hash
	h.SetSeed(c.seed)
	h.WriteString(env.Host)
	h.WriteByte(0)
	maphash.WriteComparable(&h, env.PID)
	if env.PID == 0 || env.Native {
		maphash.WriteComparable(&h, env.Time.UnixNano())
	}
	h.WriteString(env.Text)
	key := h.Sum64()
	sourceKey := maphash.String(c.seed, source)

	o, isNew := c.lines.Put(key, now)
	if isNew {
		*o = occurrences{}
	}
	count := o.add(sourceKey)
	if !env.Native && env.PID != 0 && c.paired(env, key, now) {
		count = (count + 1) / 2
	}
	if count <= o.told {
		return true
	}
	o.told = count
	return false
}

// add counts an occurrence in one source. A fifth source shares the last count.
func (o *occurrences) add(source uint64) uint32 {
	for i := range o.sources {
		s := &o.sources[i]
		if s.count == 0 || s.key == source || i == len(o.sources)-1 {
			s.key = source
			s.count++
			return s.count
		}
	}
	return 0
}

// paired reports whether the lines of this program come in twos, from what its
// processes did so far: a line followed by another one of the same process
// without having come twice is evidence that they do not.
func (c *copies) paired(env *relaylens.Envelope, key uint64, now int64) bool {
	var h maphash.Hash
	h.SetSeed(c.seed)
	h.WriteString(env.Host)
	h.WriteByte(0)
	h.WriteString(env.Program)
	s, isNew := c.streams.Put(h.Sum64(), now)
	if isNew {
		*s = stream{}
	}
	maphash.WriteComparable(&h, env.PID)
	waiting, isNew := c.last.Put(h.Sum64(), now)
	if isNew {
		*waiting = 0
	}
	switch *waiting {
	case key:
		s.paired++
		*waiting = 0
	case 0:
		*waiting = key
	default:
		s.single++
		*waiting = key
	}
	return s.single <= s.paired
}
