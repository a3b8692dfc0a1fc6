package parsers

import (
	"fmt"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/exim"
	"github.com/relaylens/relaylens/parsers/postfix"
	"github.com/relaylens/relaylens/parsers/sendmail"
	"github.com/relaylens/relaylens/parsers/syslog"
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
	// Limits bound the correlator's memory; the zero value is DefaultLimits.
	Limits Limits
	// OnMalformed is given every line that should have been understood and was
	// not, during Feed.
	OnMalformed func(*relaylens.Line)
}

// Parser reads the lines of any number of sources. It is used by one goroutine.
type Parser struct {
	options  Options
	grammars [4]relaylens.Grammar // by MTA
	router   *router
	memory   *correlator
	sources  map[string]*source
	rec      relaylens.Record
	emit     func(*relaylens.Event) // takes the events of what is fed
	out      func(*relaylens.Event) // takes what was held back, be it of another source
	feeds    uint64
	warm     bool // what is fed is read again
}

// source is what is known of one log.
type source struct {
	decoder *syslog.Decoder
	mta     relaylens.MTA
	counts  Counts
	last    time.Time
}

// New makes a parser of the grammars of every MTA.
func New(o Options) (*Parser, error) {
	switch {
	case o.Limits == Limits{}:
		o.Limits = DefaultLimits()
	case o.Limits.Sessions < 1 || o.Limits.Messages < 1 || o.Limits.Held < 1 || o.Limits.Bytes < 1:
		return nil, fmt.Errorf("make parser: limits %+v: each must be at least 1", o.Limits)
	}
	return &Parser{
		options: o,
		grammars: [4]relaylens.Grammar{
			relaylens.Postfix:  postfix.New(o.Texts[relaylens.Postfix]),
			relaylens.Exim:     exim.New(o.Texts[relaylens.Exim]),
			relaylens.Sendmail: sendmail.New(o.Texts[relaylens.Sendmail]),
		},
		router:  newRouter(),
		memory:  newCorrelator(o.Limits),
		sources: make(map[string]*source),
	}, nil
}

// SetSourceMTA says whose log a source is, for sources whose configuration does.
func (p *Parser) SetSourceMTA(name string, mta relaylens.MTA) { p.source(name).mta = mta }

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
		s = &source{decoder: syslog.NewDecoder(syslog.Options{Location: p.options.Location}), mta: p.options.MTA}
		p.sources[name] = s
	}
	return s
}

// Feed reads a batch and hands on every event that its lines complete. An event
// is valid during the call only. Of a warm batch no event is handed on and no
// line is counted.
func (p *Parser) Feed(b *relaylens.Batch, emit func(*relaylens.Event)) {
	p.feeds++
	if len(b.Lines) == 0 {
		return
	}
	p.emit, p.out, p.warm, p.memory.held.warm = emit, emit, b.Warm, b.Warm
	if b.Warm {
		p.emit = func(*relaylens.Event) {}
	}
	var env relaylens.Envelope
	s := p.source(b.Lines[0].Source)
	for i := range b.Lines {
		line := &b.Lines[i]
		status := s.decoder.Decode(line, b.Reference, &env)
		if s.decoder.Joined() {
			p.popJoined(s)
		}
		result := ResultIgnored
		switch status {
		case syslog.Ready:
			result = p.record(s, line, &env)
		case syslog.Malformed:
			result = ResultMalformed
		}
		p.count(s, line, result)
	}
}

// popJoined reads the split records that the last line showed to be complete.
// Their last pieces were counted as ignored when they came.
func (p *Parser) popJoined(s *source) {
	var env relaylens.Envelope
	var line relaylens.Line
	for s.decoder.Pop(&env, &line) {
		if result := p.record(s, &line, &env); result != ResultIgnored && !p.warm {
			s.counts[ResultIgnored]--
			p.count(s, &line, result)
		}
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
	if p.warm {
		return
	}
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
	for _, s := range p.sources {
		s.decoder.Flush()
		p.popJoined(s)
	}
}

// record reads one complete record.
func (p *Parser) record(s *source, line *relaylens.Line, env *relaylens.Envelope) Result {
	if !env.Time.IsZero() {
		newSecond := env.Time.Unix() != s.last.Unix()
		s.last = env.Time
		if newSecond && !p.memory.held.empty() {
			p.memory.held.expire(line.Source, env.Time, p.out)
		}
	}
	if env.Continuation {
		return ResultIgnored
	}
	mta, verdict, sure := p.parse(s, env)
	switch verdict {
	case relaylens.Ignored, relaylens.Malformed:
		if !sure {
			return ResultForeign
		}
		if verdict == relaylens.Malformed {
			return ResultMalformed
		}
		return ResultIgnored
	}
	result := p.correlate(mta, line, env)
	p.rec = relaylens.Record{}
	return result
}

// parse finds the grammar and lets it read env into p.rec. sure is false when
// neither configuration nor name nor content proved whose line it is.
func (p *Parser) parse(s *source, env *relaylens.Envelope) (mta relaylens.MTA, v relaylens.Verdict, sure bool) {
	if env.Native {
		if s.mta != relaylens.MTANone && s.mta != relaylens.Exim {
			return 0, relaylens.Ignored, false
		}
		return relaylens.Exim, p.grammars[relaylens.Exim].Parse(env, &p.rec), true
	}
	rt := p.router.find(env.Program)
	switch {
	case rt.mta != relaylens.MTANone:
		if s.mta != relaylens.MTANone && s.mta != rt.mta {
			return 0, relaylens.Ignored, false
		}
		return rt.mta, p.grammars[rt.mta].Parse(env, &p.rec), rt.sure
	case s.mta != relaylens.MTANone:
		v = p.grammars[s.mta].Parse(env, &p.rec)
		return s.mta, v, v == relaylens.Parsed
	case rt.tries == 0 || env.Program == "":
		return 0, relaylens.Ignored, false
	}
	rt.tries--
	for _, mta := range relaylens.MTAs() {
		if v = p.grammars[mta].Parse(env, &p.rec); v == relaylens.Parsed {
			rt.mta = mta
			return mta, v, true
		}
	}
	return 0, relaylens.Ignored, false
}
