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

// news is how many of the lines that this one stands for were not told before: 1
// or 0 where it is one line. source is where it stands.
func (c *copies) news(env *relaylens.Envelope, source string, now int64) int {
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
	if env.Stderr {
		sourceKey = ^sourceKey
	}
	n := uint32(repeats(env))

	o, isNew := c.lines.Put(key, now)
	if isNew {
		*o = occurrences{}
	}
	count := o.add(sourceKey, n)
	if !env.Native && env.PID != 0 && c.paired(env, key, n, now) {
		count = (count + 1) / 2
	}
	if count <= o.told {
		return 0
	}
	n = min(n, count-o.told)
	o.told = count
	return int(n)
}

// add counts n occurrences in one source. A fifth source shares the last count.
func (o *occurrences) add(source uint64, n uint32) uint32 {
	for i := range o.sources {
		s := &o.sources[i]
		if s.count == 0 || s.key == source || i == len(o.sources)-1 {
			s.key = source
			s.count += n
			return s.count
		}
	}
	return 0
}

// paired reports whether the lines of this program come in twos, from what its
// processes did so far: a line followed by another one of the same process
// without having come twice is evidence that they do not.
//
// What a line says was repeated n times is evidence only where one is left over.
func (c *copies) paired(env *relaylens.Envelope, key uint64, n uint32, now int64) bool {
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
		if n == 1 {
			s.paired++
		}
		n++
	case 0:
	default:
		s.single++
	}
	*waiting = 0
	if n%2 == 1 {
		*waiting = key
	}
	return s.single <= s.paired
}
