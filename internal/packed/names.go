package packed

import (
	"hash/maphash"
	"strings"
	"time"
)

// Packing is what the events of a log have in common, and is not written with each.
// The zero value has seen none. What it wrote nothing else can read. It is used by
// one goroutine.
type Packing struct {
	names   []string
	numbers map[string]uint64
	last    [numNames]uint64 // the numbers of the names of the last event
	texts   int              // how many of names are texts
	seed    maphash.Seed
	once    [256]uint64 // hashes of texts that were seen lately

	seconds  int // of zone
	location *time.Location
}

// maxNames of at most maxName bytes are told by number, no more than maxTexts of them
// what servers said; others are written out.
const maxNames, maxTexts, maxName = 1 << 12, 1 << 8, 256

// numNames is how many names an event has, and its text.
const numNames = 7

// number of a name; 0 is none, of which the name itself is written.
func (p *Packing) number(which int, name string) uint64 {
	if n := p.last[which]; n > 0 && p.names[n-1] == name {
		return n
	}
	n, known := p.numbers[name]
	switch {
	case known:
	case len(p.names) == maxNames || len(name) > maxName:
		return 0
	case p.numbers == nil:
		p.numbers = make(map[string]uint64)
		fallthrough
	default:
		name = strings.Clone(name)
		p.names = append(p.names, name)
		n = uint64(len(p.names))
		p.numbers[name] = n
	}
	p.last[which] = n
	return n
}

// zone is that of the last event, as a rule: a log seldom has another.
func (p *Packing) zone(seconds int) *time.Location {
	switch {
	case seconds == 0:
		return time.UTC
	case p.location == nil || p.seconds != seconds:
		p.seconds, p.location = seconds, time.FixedZone("", seconds)
	}
	return p.location
}

// said is the number of what a server said, which most events have in common with
// others, though not all: what names somebody comes once. So a text has none when it
// comes for the first time.
func (p *Packing) said(text string) uint64 {
	const which = numNames - 1
	if n := p.last[which]; n > 0 && p.names[n-1] == text {
		return n
	}
	if n, known := p.numbers[text]; known {
		p.last[which] = n
		return n
	}
	if p.texts == maxTexts || len(text) > maxName {
		return 0
	}
	if p.seed == (maphash.Seed{}) {
		p.seed = maphash.MakeSeed()
	}
	hash := maphash.String(p.seed, text)
	if once := &p.once[hash%uint64(len(p.once))]; *once != hash {
		*once = hash
		return 0
	}
	p.texts++
	return p.number(which, text)
}
