package syslog

import (
	"math/bits"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/swar"
)

// Beginning is what stands before the text of a line that begins as lines before it did.
type Beginning struct {
	Tag     uint32 // as in [relaylens.Envelope]; 0 where the line does not begin like that
	PID     int32
	Text    string
	heading *heading
}

// Begin reads the beginning of a line on the day of the last stamp, with a heading
// that is known. So begin most lines of a busy log, and this is done for each, so that
// it calls and copies as little as can be. Where there may be more to a line than that, its
// Tag is 0, and [Decoder.Decode] has to be asked. Otherwise it takes the
// place of Decode, and Fill gives the envelope. Begin is used after Keep only; reference is
// the Unix time of Decode's.
func (d *Decoder) Begin(s string, reference int64) (b Beginning) {
	c := &d.clock
	if len(s) < shortest || len(s) > maxRecord || s[len(s)-1] < ' ' || endsEscaped(s) || len(d.export.entry)+len(d.groups) > 0 || !d.keeps {
		return b
	}
	same := swar.At(s, 0) == c.bsdKey[0] && swar.At(s, bsdLength-8) == c.bsdKey[1] && s[bsdLength] == ' ' && reference == c.bsdRef
	var known *heading
	var pid int32
	var text string
	if d.yearless = same || c.bsdOfDay(s, reference); d.yearless {
		known, pid, text = d.headings.begin(s[bsdLength+1:])
	} else if n := c.isoAgain(s); n > 0 && len(s)-n >= shortest-bsdLength && !wrapped(s[n+1:]) {
		known, pid, text = d.headings.begin(s[n+1:])
	}
	if known == nil || text == "" || text[0] == ' ' || !ordinary(text) || known.inPieces && mayHaveMark(text) {
		return b
	}
	t := &d.previous.tags[known.tag%uint32(len(d.previous.tags))]
	if t.tag != known.tag {
		if d.previous.at(known.host) == nil {
			return b
		}
		t.tag, t.at = known.tag, d.previous.cur
	}
	p := &d.previous.hosts[t.at]
	p.program, p.text, p.pid, p.kept, p.known = known.program, text, pid, false, true
	d.last = *d.stamp()
	return Beginning{known.tag, pid, text, known}
}

// begin reads "host tag[pid]: " or "host tag: " in front of s, which is as long as a heading
// and shortestText; nil where that is not remembered.
func (h *headings) begin(s string) (known *heading, pid int32, text string) {
	if known = h.guesses.guess(s); known == nil {
		if known = h.search(s); known == nil {
			return nil, 0, ""
		}
	}
	end := len(known.text)
	if !known.numbered {
		if s[end] != ' ' {
			return nil, 0, ""
		}
		return known, 0, s[end+1:]
	}
	pid, digits := numberInBrackets(swar.At(s, end))
	const behind = ']' | ':'<<8 | ' '<<16
	if end += digits; digits == 0 || swar.At(s, end-5)>>40 != behind {
		return nil, 0, ""
	}
	return known, pid, s[end+len("]: "):]
}

// search finds the heading that s begins with by its end, and has it guessed.
func (h *headings) search(s string) (known *heading) {
	head := s[:min(len(s)-shortestText, maxHeading)]
	if end := strings.IndexByte(head, '[') + 1; end > minHeading {
		known = h.at(s[:end])
	}
	if known == nil {
		if end := strings.IndexByte(head, ':') + 1; end > minHeading {
			known = h.at(s[:end])
		}
	}
	if known != nil && known.own+8 <= len(s) && len(known.text) <= longestGuess {
		h.guesses.learn(s, known)
	}
	return known
}

// guesses are headings by how they begin, and how their programs do.
type guesses struct {
	at   int // where the names of most programs stand
	lead int // so many more had it there than elsewhere
	list [1 << guessBits]*heading
}

// guess finds the heading that s begins with by the first eight bytes of its program, if
// that stands where most do.
func (g *guesses) guess(s string) *heading {
	if g.at > len(s)-8 {
		return nil
	}
	known := g.list[guessOf(swar.At(s, 0), swar.At(s, g.at))]
	if known == nil || len(s)-shortestText < len(known.text) || !known.words.begin(s) {
		return nil
	}
	g.lead++
	return known
}

// learn has what s begins with guessed from now on.
func (g *guesses) learn(s string, known *heading) {
	if known.own != g.at {
		if g.lead = min(g.lead, maxLead) - 1; g.lead >= 0 {
			return
		}
		g.at, g.lead = known.own, 0
	}
	g.list[guessOf(swar.At(s, 0), swar.At(s, g.at))] = known
}

const (
	guessBits    = 6
	maxLead      = 1 << 8
	longestGuess = 32
)

// guessOf numbers a heading by its first word, and the first one of its program up to
// the bracket or colon behind it.
func guessOf(first, program uint64) uint64 {
	bracket, colon := program^'['*swar.Each, program^':'*swar.Each
	ends := ((bracket-swar.Each)&^bracket | (colon-swar.Each)&^colon) & swar.High
	program &= (ends - 1) &^ ends
	return (first ^ bits.RotateLeft64(program, 29)) * 0x9e3779b97f4a7c15 >> (64 - guessBits)
}

// words are a text of eight to longestGuess bytes.
type words struct {
	first, second, third, last uint64
	secondAt, thirdAt, lastAt  int
}

func wordsOf(text string) (w words) {
	w.lastAt = len(text) - 8
	w.secondAt, w.thirdAt = min(8, w.lastAt), max(0, w.lastAt-8)
	w.first, w.second, w.third, w.last = swar.At(text, 0), swar.At(text, w.secondAt), swar.At(text, w.thirdAt), swar.At(text, w.lastAt)
	return w
}

// begin reports whether they are what s, which is as long, begins with.
func (w *words) begin(s string) bool {
	return swar.At(s, 0)^w.first|swar.At(s, w.secondAt)^w.second|swar.At(s, w.thirdAt)^w.third|swar.At(s, w.lastAt)^w.last == 0
}

// Fill makes env that of a line of which Begin has just read the beginning.
func (d *Decoder) Fill(b *Beginning, env *relaylens.Envelope) {
	// One by one: a whole Envelope would be made on the stack and copied from there.
	env.Time, env.TimeDigits = d.last, d.digits()
	env.Host, env.Program, env.Text = b.heading.host, b.heading.program, b.Text
	env.PID, env.Tag, env.Repeat = b.PID, b.Tag, 0
	env.Native, env.Stderr, env.Continuation = false, false, false
}

// Time is that of a line of which Begin or BeginNative has just read the beginning, with the
// decimals of a second that it shows, if Begin did.
func (d *Decoder) Time() (t *time.Time, digits uint8) { return &d.last, d.digits() }

// stamp is the time of a line of which Begin has just read the beginning.
func (d *Decoder) stamp() *time.Time {
	if d.yearless {
		return &d.clock.bsdTime
	}
	return &d.clock.isoTime
}

func (d *Decoder) digits() uint8 {
	if d.yearless {
		return 0
	}
	return d.clock.isoForm.digits
}

// wrapped reports whether what stands behind a complete stamp may be another one's, or a
// container's.
func wrapped(s string) bool { return s[4] == '-' && digit(s[0]) || strings.HasPrefix(s, "std") }

const (
	// shortestText is what stands behind a heading, so that a word can be read: "1]: text".
	shortestText = 12
	shortest     = bsdLength + 1 + minHeading + shortestText
)

// numberInBrackets is the number that a word begins with, in so many digits; none when it
// does not, or when no closing bracket stands behind it.
func numberInBrackets(x uint64) (number int32, digits int) {
	other := x ^ ']'*swar.Each
	n := bits.TrailingZeros64((other-swar.Each)&^other&swar.High) &^ 7
	number, ok := numberAtEnd(x<<(64-n), n)
	if n&63 == 0 || !ok {
		return 0, 0
	}
	return number, n / 8
}

// numberAtEnd is the number that the last n bits of a word are, if they are digits.
func numberAtEnd(x uint64, n int) (number int32, ok bool) {
	w := (x ^ '0'*swar.Each) >> (64 - n) << (64 - n) // zeros in front
	const pair = 0x000000ff000000ff
	tens := w*10 + w>>8
	tens = tens&pair*(100+1000000<<32) + tens>>16&pair*(1+10000<<32)
	return int32(tens >> 32), (w|(w+(0x80-10)*swar.Each))&swar.High == 0
}
