package parsers

import (
	"hash/maphash"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// copies tells the second writing of a line from a second event. Exim writes a
// rejection to mainlog and rejectlog, or to syslog at two priorities
// (syslog_duplication, on by default), and the two are the same to the letter;
// but a client that tries the same twice within a second gives the same two
// lines too. So occurrences are counted: per file, the nth in one is the nth in
// the other; in one stream that both go to, every second one is a copy, unless the
// lines of that stream have been seen to come alone.
type copies struct {
	seed    maphash.Seed
	lines   *bounded.Table[occurrences]
	streams *bounded.Table[stream]
	place   place // of the line before
}

const (
	maxCopies = 8 << 10
	// copyTTL is how far apart two copies can be in event time: they are written
	// one after the other, but rejectlog may be read before or after mainlog as a
	// whole, which has the same times.
	copyTTL = 60
	// copyDelay is how far apart two copies in one stream can be, in seconds.
	copyDelay = 1
)

// place is a source.
type place struct {
	name string
	key  uint64
	own  bool // it is called as one of Exim's logs
}

// occurrences counts one line by where it stood.
type occurrences struct {
	told    uint32
	sources [4]struct {
		key   uint64
		count uint32
	}
}

// stream is what was learned of one program on one host in one source.
type stream struct {
	newest         int64 // event time
	section        uint64
	seen           uint64
	paired, single uint32 // lines that came twice, or alone
	waiting        [16]waiting
}

// waiting is a line of a process whose copy should come next.
type waiting struct {
	process, line uint64 // 0: none
	since         int64
	order         uint64
}

func newCopies() *copies {
	return &copies{
		seed:    maphash.MakeSeed(),
		lines:   bounded.NewTable[occurrences](maxCopies, copyTTL, nil),
		streams: bounded.NewTable[stream](256, sessionTTL, nil),
	}
}

// news is how many of the lines that this one stands for were not told before: 1
// or 0 where it is one line. source is where it stands, w who wrote it.
func (c *copies) news(env *relaylens.Envelope, w *writer, source string, now int64) int {
	key := bounded.Mix(maphash.String(c.seed, env.Text), w.hostKey+uint64(uint32(env.PID)))
	if env.PID == 0 || env.Native {
		key = bounded.Mix(key, uint64(env.Time.UnixNano()))
	}
	if c.place.name != source || c.place.key == 0 {
		c.place = place{name: strings.Clone(source), key: maphash.String(c.seed, source), own: ofOneLog(source)}
	}
	sourceKey := c.place.key
	if env.Stderr {
		sourceKey = ^sourceKey
	}
	n := uint32(repeats(env))

	s := c.stream(env, w, sourceKey, now)
	o, isNew := c.lines.Put(key, now)
	if isNew {
		*o = occurrences{}
	}
	count := o.add(sourceKey+s.section, n)
	if process, both := c.mayHoldBoth(env, key); both {
		s.see(env, waiting{process: process, line: key, since: now}, n)
		if s.pairs(env) {
			count = (count + 1) / 2
		}
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

// stream finds the stream that a line belongs to. Where Exim's own lines go back in
// time, another of its files was put behind the one before.
func (c *copies) stream(env *relaylens.Envelope, w *writer, source uint64, now int64) *stream {
	s, isNew := c.streams.Put(bounded.Mix(w.sessions, source), now)
	if isNew {
		*s = stream{newest: now}
	}
	if env.Native && now < s.newest-copyDelay-1 {
		s.section++
		s.newest = now
	}
	s.newest = max(s.newest, now)
	return s
}

// mayHoldBoth reports whether both copies of a line may be in its source, and whose
// they are: the process's, where the line tells it. Exim's own files hold one.
func (c *copies) mayHoldBoth(env *relaylens.Envelope, line uint64) (process uint64, both bool) {
	process = uint64(uint32(env.PID))
	if env.PID == 0 {
		process = line
	}
	return process, env.PID != 0 && !env.Native || !c.place.own
}

// ofOneLog reports whether a file is called as one of Exim's logs: with main, reject
// or panic at the beginning of a word. log.c, open_log
func ofOneLog(source string) bool {
	name := source[strings.LastIndexByte(source, '/')+1:]
	for _, log := range [...]string{"main", "reject", "panic"} {
		if i := strings.Index(name, log); i == 0 || i > 0 && !letter(name[i-1]) {
			return true
		}
	}
	return false
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// see takes in whether lines come in twos: one that no copy follows is evidence
// that they do not. In Exim's own logs that is so when the copy of a later one came;
// processes that write to syslog overtake each other.
//
// What a line says was repeated n times is evidence only where one is left over.
func (s *stream) see(env *relaylens.Envelope, line waiting, n uint32) {
	slot := s.slot(line.process, line.since)
	switch {
	case slot.line == 0:
	case slot.process == line.process && slot.line == line.line:
		if n == 1 {
			s.paired++
		}
		n++
		if env.Native {
			s.forget(func(w *waiting) bool { return w.order < slot.order })
		}
	default:
		s.single++
	}
	slot.line = 0
	if s.seen++; n%2 == 1 {
		line.order = s.seen
		*slot = line
	}
}

// slot finds where the line of a process waits, or else where it may: in place of
// the one that waits longest, if it has to be.
func (s *stream) slot(process uint64, now int64) *waiting {
	s.forget(func(w *waiting) bool { return now-w.since > copyDelay })
	best := &s.waiting[0]
	for i := range s.waiting {
		switch w := &s.waiting[i]; {
		case w.line != 0 && w.process == process:
			return w
		case best.line != 0 && (w.line == 0 || w.order < best.order):
			best = w
		}
	}
	return best
}

// forget counts the lines whose copy will not come.
func (s *stream) forget(lost func(*waiting) bool) {
	for i := range s.waiting {
		if w := &s.waiting[i]; w.line != 0 && lost(w) {
			w.line = 0
			s.single++
		}
	}
}

// pairs reports whether the lines come in twos, from what they did so far. Lines
// that come in twos hardly ever come alone; those that come alone may be followed
// by what a client tried again. Syslog gets both unless Exim is told otherwise;
// anything else is taken for one of Exim's files until it shows.
func (s *stream) pairs(env *relaylens.Envelope) bool {
	if env.Native {
		return s.paired > 0 && 4*s.single <= s.paired
	}
	return 2*s.single <= s.paired+1
}
