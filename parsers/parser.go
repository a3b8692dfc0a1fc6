package parsers

import (
	"fmt"
	"hash/maphash"
	"time"

	"github.com/relaylens/relaylens"
)

// Options say how lines are to be read. The zero value reads everything that
// the program's names and framings tell.
type Options struct {
	// MTA is the server whose logs all sources are, unless SetSourceMTA says
	// otherwise; MTANone finds it out by program name and by the lines themselves.
	MTA relaylens.MTA
	// Texts are the site's own words for a relay denial or a failed verification.
	Texts map[relaylens.MTA]relaylens.Texts
	// Location is the zone of stamps that have none; nil is time.Local.
	Location *time.Location
	// Raw puts the line into every event.
	Raw bool
	// ContextIDs gives events that are no refusals an id as well. They are many,
	// and a digest costs more than reading the line.
	ContextIDs bool
	// NoIDs gives no event an id, for those who only count.
	NoIDs bool
	// Brief leaves out that a client came, and that one left who was refused nothing:
	// no cause is told by it. Of each program one such event a minute says what time it is.
	Brief bool
	// Limits bound the correlator's memory; the zero value is DefaultLimits.
	Limits Limits
	// OnMalformed is given every line that should have been understood and was
	// not, during Feed.
	OnMalformed func(*relaylens.Line)
}

// Parser reads the lines of any number of sources, in two steps: Scan reads what
// a line says by itself, Take what it says beside earlier lines. Feed does both.
// It is used by one goroutine, or by one that scans and one that takes.
type Parser struct {
	options Options
	scanner *scanner
	scanned Scanned // of Feed
	memory  *correlator
	sources map[string]*source
	emit    func(*relaylens.Event) // takes the events of what is fed
	out     func(*relaylens.Event) // takes what was held back, be it of another source
	feeds   uint64
	warm    bool             // what is fed is read again
	login   relaylens.Record // of the message in hand
	noted   scannedRecord    // of the note in hand, where it takes one
	event   relaylens.Event  // of the note in hand, where it takes no record
}

// source is what is known of one log.
type source struct {
	counts Counts
	last   time.Time
	second int64 // of last
}

// New makes a parser of the grammars of every MTA.
func New(o Options) (*Parser, error) {
	switch {
	case o.Limits == Limits{}:
		o.Limits = DefaultLimits()
	case o.Limits.Sessions < 1 || o.Limits.Messages < 1 || o.Limits.Held < 1 || o.Limits.Bytes < 1:
		return nil, fmt.Errorf("make parser: limits %+v: each must be at least 1", o.Limits)
	}
	seed := maphash.MakeSeed()
	return &Parser{options: o, scanner: newScanner(o, seed), memory: newCorrelator(o.Limits, seed), sources: make(map[string]*source)}, nil
}

// SetTexts changes the site's own words. It is not called while lines are scanned.
func (p *Parser) SetTexts(texts map[relaylens.MTA]relaylens.Texts) {
	p.options.Texts = texts
	p.scanner.setTexts(texts)
}

// SetSourceMTA says whose log a source is, for sources whose configuration does.
// It is not called while lines are scanned.
func (p *Parser) SetSourceMTA(name string, mta relaylens.MTA) { p.scanner.log(name).mta = mta }

// Counts tells what became of the lines of a source.
func (p *Parser) Counts(name string) Counts { return p.source(name).counts }

// Total tells what became of the lines of all sources.
func (p *Parser) Total() Counts {
	var total Counts
	for _, s := range p.sources {
		for r, n := range s.counts {
			total[r] += n
		}
	}
	return total
}

// LastTime is the event time of the last line of a source; zero before the first.
func (p *Parser) LastTime(name string) time.Time { return p.source(name).last }

func (p *Parser) source(name string) *source {
	s := p.sources[name]
	if s == nil {
		s = &source{}
		p.sources[name] = s
	}
	return s
}

// Feed reads a batch and hands on every event that its lines complete. An event
// is valid during the call only. Of a warm batch no event is handed on and no
// line is counted.
func (p *Parser) Feed(b *relaylens.Batch, emit func(*relaylens.Event)) {
	p.Scan(b, &p.scanned)
	p.Take(&p.scanned, emit)
}

// Scan is the first half of Feed. What it scanned is valid as long as the batch,
// and is to be taken in the order of the batches.
func (p *Parser) Scan(b *relaylens.Batch, into *Scanned) { p.scanner.scan(b, into) }

// Take is the second half of Feed.
func (p *Parser) Take(s *Scanned, emit func(*relaylens.Event)) {
	p.feeds++
	if s.source == "" {
		return
	}
	p.emit, p.out, p.warm, p.memory.held.warm = emit, emit, s.warm, s.warm
	if s.warm {
		p.emit = func(*relaylens.Event) {}
	}
	p.take(s)
}

func (p *Parser) take(s *Scanned) {
	src := p.source(s.source)
	if !p.warm {
		for r, n := range s.counts {
			src.counts[r] += n
		}
		src.counts[ResultIgnored] -= uint64(s.joined)
	}
	notes := s.notes
	for i := range s.records {
		for ; len(notes) > 0 && int(notes[0].before) <= i; notes = notes[1:] {
			p.note(src, s, &notes[0])
		}
		r := &s.records[i]
		if r.second != src.second && !r.env.Time.IsZero() {
			p.tick(src, s.source, &r.env.Time, r.second)
		}
		result := ResultMalformed
		if r.verdict == relaylens.Parsed {
			result = p.correlate(r)
		}
		if !p.warm {
			p.count(src, r.line, result)
		}
	}
	for i := range notes {
		p.note(src, s, &notes[i])
	}
	if last := s.last(); !last.IsZero() {
		src.last = last
	}
}

// Feeds is how often Feed was called.
func (p *Parser) Feeds() uint64 { return p.feeds }

// OldestHeld is the number of the feed whose event is the oldest that is held
// back; ok is false when none is. A source must not be resumed behind it.
func (p *Parser) OldestHeld() (feed uint64, ok bool) {
	h := &p.memory.held
	if h.empty() {
		return 0, false
	}
	return h.queue[h.first].feed, true
}

func (p *Parser) count(s *source, line *relaylens.Line, result Result) {
	s.counts[result]++
	if result == ResultMalformed && p.options.OnMalformed != nil {
		p.options.OnMalformed(line)
	}
}

// Advance says that no line came until now: split records and refusals that
// waited too long for their sender come out.
func (p *Parser) Advance(now time.Time, emit func(*relaylens.Event)) {
	p.begin(emit)
	p.flushDecoders()
	p.memory.held.flushIf(func(w *heldEvent) bool { return now.Sub(w.event.Time) > holdTime }, emit)
}

// Expire lets out what was held back by feeds up to one, for sources that have
// fallen silent while others have not.
func (p *Parser) Expire(feed uint64, emit func(*relaylens.Event)) {
	p.begin(emit)
	p.memory.held.flushIf(func(w *heldEvent) bool { return w.feed <= feed }, emit)
}

// begin takes emit for what is not read again.
func (p *Parser) begin(emit func(*relaylens.Event)) {
	p.emit, p.out, p.warm, p.memory.held.warm = emit, emit, false, false
}

// Flush says that no line will come: everything that waits comes out.
func (p *Parser) Flush(emit func(*relaylens.Event)) {
	p.begin(emit)
	p.flushDecoders()
	p.memory.held.flush(emit)
}

// FlushSources is Flush for the sources that chosen says; the others may go on.
func (p *Parser) FlushSources(chosen func(source string) bool, emit func(*relaylens.Event)) {
	p.begin(emit)
	p.flushDecoders()
	p.memory.held.flushIf(func(w *heldEvent) bool { return chosen(w.event.Source) }, emit)
}

func (p *Parser) flushDecoders() {
	for name := range p.scanner.logs {
		p.scanner.flush(name, &p.scanned)
		p.take(&p.scanned)
	}
}

// tick says that a source has come to a time, of which second is the Unix time.
func (p *Parser) tick(s *source, name string, now *time.Time, second int64) {
	if second == s.second {
		return
	}
	if s.second = second; !p.memory.held.empty() {
		p.memory.held.expire(name, *now, p.out)
	}
}
