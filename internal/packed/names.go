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
	numbers map[string]uint16
	recent  [numNames][recentNames]numbered // that were told lately, by the look of the name
	texts   int                             // how many of names are texts
	seed    maphash.Seed
	once    [256]uint64 // hashes of texts that were seen lately

	seconds  int // of zone
	location *time.Location
}

// maxNames of at most maxName bytes are told by number, no more than maxTexts of them
// what servers said; others are written out.
const maxNames, maxTexts, maxName = 1 << 12, 1 << 8, 256

// numNames is how many names an event has. What the server said is the last of them.
const numNames, textName = 7, 6

// numbered is a name with its number.
type numbered struct {
	name   string
	number uint16
}

const recentNames = 8

// noNumber is that of a name which has none, and is written itself. That of the empty
// name is 0.
const noNumber = 0xffff

// number of a name, which is not empty.
func (p *Packing) number(which int, name string) uint16 {
	r := &p.recent[which][uint(len(name)+int(name[len(name)-1]))%recentNames]
	if r.name == name {
		return r.number
	}
	return p.find(r, which, name)
}

// find is number of a name that is not r, which it takes the place of.
func (p *Packing) find(r *numbered, which int, name string) uint16 {
	n := p.numbers[name]
	if n == 0 && (which != textName || p.again(name)) {
		n = p.take(name)
	}
	if n == 0 {
		return noNumber
	}
	*r = numbered{p.names[n-1], n}
	return n
}

// take gives a name its number, if it gets one.
func (p *Packing) take(name string) uint16 {
	if len(p.names) == maxNames || len(name) > maxName {
		return 0
	}
	if p.numbers == nil {
		p.numbers = make(map[string]uint16)
	}
	name = strings.Clone(name)
	p.names = append(p.names, name)
	p.numbers[name] = uint16(len(p.names))
	return uint16(len(p.names))
}

// again reports whether what a server said gets a number: most events have it in common
// with others, though not all, as what names somebody comes once. So a text has none
// when it comes for the first time.
func (p *Packing) again(text string) bool {
	if p.texts == maxTexts || len(text) > maxName {
		return false
	}
	if p.seed == (maphash.Seed{}) {
		p.seed = maphash.MakeSeed()
	}
	hash := maphash.String(p.seed, text)
	if once := &p.once[hash%uint64(len(p.once))]; *once != hash {
		*once = hash
		return false
	}
	p.texts++
	return true
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
