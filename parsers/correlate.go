package parsers

import (
	"github.com/relaylens/relaylens"
)

// correlate completes what the grammar read with what earlier lines told, and
// hands on the events.
func (p *Parser) correlate(r *scannedRecord) Result {
	c, now := p.memory, r.second
	if r.rec.Copied {
		n := c.copies.news(&r.env, r.writer, r.line.Source, now)
		if n == 0 {
			return ResultIgnored
		}
		r.env.Repeat = min(r.env.Repeat, n)
	}
	k, f := &r.keys, new(found)
	if r.rec.Event.Kind == relaylens.KindNone && r.rec.Fact == relaylens.FactMessageEnd {
		c.after(&r.rec, k, f, now)
		return ResultContext
	}
	c.noteFilter(r, now)
	c.troubles.forget(r)
	c.troubles.note(r, now)
	c.before(r, f, now)
	if p.untold(r, f, now) {
		c.after(&r.rec, k, f, now)
		return ResultContext
	}
	c.enrich(&r.rec, k, f, now)
	c.troubles.explain(r, now)
	p.release(&r.rec, k, f, now)
	result := p.events(r, f, now)
	c.after(&r.rec, k, f, now)
	return result
}

// withdraws reports whether a record says that nothing is presumed of a connection any
// more, and nothing else: one that passed postscreen does.
func (r *scannedRecord) withdraws() bool {
	return r.rec.Presumed && r.rec.Event.Kind == relaylens.KindNone && r.rec.Fact == relaylens.FactNone && r.rec.Event.ClientPort != 0 && r.keys.message == 0
}

// untold reports whether there is nothing to tell of a record, and nobody who waits
// for what it tells of its message.
func (p *Parser) untold(r *scannedRecord, f *found, now int64) bool {
	switch rec := &r.rec; {
	case rec.Event.Kind == relaylens.KindNone:
		return rec.Fact == relaylens.FactMessage && p.memory.held.empty()
	case rec.Event.Kind == relaylens.KindConnection:
		return p.options.Brief && p.plainVisit(r, f, now)
	}
	return false
}

// plainVisit reports whether a client came, or one left who was refused nothing, and
// the time was told lately.
func (p *Parser) plainVisit(r *scannedRecord, f *found, now int64) bool {
	if s := f.session; s == nil || !s.plain || f.troubled || r.keys.message != 0 || s.clientPort != r.rec.Event.ClientPort {
		return false
	}
	if !r.writer.toldLately(now) {
		r.writer.told = now
		return false
	}
	if told := p.presume(r, now); told != nil {
		p.emit(told)
		return false
	}
	return true
}

// visitsEvery is how often, in seconds, a plain visit is told of all the same, as it
// shows that the server is there.
const visitsEvery = 60

// events hands on what a completed record reports.
func (p *Parser) events(r *scannedRecord, f *found, now int64) Result {
	rec, env, line, k := &r.rec, &r.env, r.line, &r.keys
	e := &rec.Event
	if e.Kind != relaylens.KindNone {
		p.complete(e, r.mta, line, env)
	}
	if rec.Presumed && ofCommand(e) && p.presumedBefore(r, f, now) {
		return ResultContext
	}
	if told := p.presume(r, now); told != nil {
		p.emit(told)
	}
	if e.Kind == relaylens.KindNone || rec.Fact == relaylens.FactDetail {
		return ResultContext
	}
	if e.Kind == relaylens.KindAuthFailed && e.Reason == relaylens.ReasonBackend && !e.ClientIP.IsValid() {
		// A process that died of its auth backend before it had a client refused nobody.
		e.Kind, e.Reason, e.Direction, e.ID = relaylens.KindBackendError, relaylens.ReasonNone, relaylens.DirectionNone, relaylens.ID{}
	}
	switch {
	case rec.Presumed:
		return ResultContext
	case e.Refusal():
		return p.refusal(r, f, now)
	case e.Kind.Refusal():
		p.tell(e, line, repeats(env), 0)
		return ResultWarned
	}
	p.context(rec, k, f, line, now)
	return ResultContext
}

// refusal hands on a refusal, unless it was told before, or keeps it until a later
// line tells what it lacks.
func (p *Parser) refusal(r *scannedRecord, f *found, now int64) Result {
	rec, k, c := &r.rec, &r.keys, p.memory
	e := &rec.Event
	if f.session != nil {
		f.session.plain = false
	}
	if rec.Submitted && f.message == nil || c.refusedBefore(rec, k, f, now) {
		return ResultContext
	}
	all, hold := p.passedOn(r, f, now)
	if all {
		return ResultContext
	}
	if key := c.serverOnly(rec, k); key != 0 {
		hold = key
	}
	if rec.Hold && k.message != 0 && !(e.HasSender() && e.ClientIP.IsValid()) {
		c.learnClient(e, k, f, now)
		hold = k.message
	}
	p.tell(e, r.line, repeats(&r.env), hold)
	return ResultRefusal
}

// release hands on the refusals that waited for what rec tells of their message:
// its sender, or at the session's end at least the client.
func (p *Parser) release(rec *relaylens.Record, k *keys, f *found, now int64) {
	c := p.memory
	if k.message == 0 || c.held.empty() {
		return
	}
	end := true
	switch e := &rec.Event; rec.Fact {
	case relaylens.FactSessionEnd:
		if !e.ClientIP.IsValid() {
			return
		}
		f.message = c.learn(c.messages, k.message, e, now)
	case relaylens.FactMessage:
		end = e.HasSender() || e.Proto != "" // else it only names the client
	default:
		return
	}
	if f.message != nil {
		c.held.release(k.message, f.message, end, p.out)
	}
}

// learnClient remembers whose message it is that e is held for: other refusals of
// it may not tell, and the line that does may come too late.
func (c *correlator) learnClient(e *relaylens.Event, k *keys, f *found, now int64) {
	if e.ClientIP.IsValid() && (f.message == nil || !f.message.client.known) {
		client := relaylens.Event{ClientIP: e.ClientIP, ClientName: e.ClientName, ClientPort: e.ClientPort}
		f.message = c.learn(c.messages, k.message, &client, now)
	}
}

// maxRepeat is the most events that one line stands for. No syslogd suppresses
// as many lines before it says so; who writes more lies.
const maxRepeat = 100_000

// repeats is how many events a line stands for.
func repeats(env *relaylens.Envelope) int { return min(max(1, env.Repeat), maxRepeat) }

// complete adds what the envelope and the source tell.
func (p *Parser) complete(e *relaylens.Event, mta relaylens.MTA, line *relaylens.Line, env *relaylens.Envelope) {
	e.MTA, e.Time, e.TimeDigits, e.Host = mta, env.Time, env.TimeDigits, env.Host
	if env.PID != 0 {
		e.PID = env.PID
	}
	fill(&e.Service, env.Program)
	p.place(e, line)
}

// place adds where an event stood.
func (p *Parser) place(e *relaylens.Event, line *relaylens.Line) {
	e.Source, e.Line, e.Offset = line.Source, line.Number, line.Offset
	if p.options.Raw {
		e.Raw = line.Text
	}
}

// tell emits e n times, each with its own id, or keeps it under a key, if hold is
// one, until what it lacks is known.
func (p *Parser) tell(e *relaylens.Event, line *relaylens.Line, n int, hold uint64) {
	for ordinal := range n {
		if (ordinal > 0 || e.ID.IsZero()) && !p.options.NoIDs {
			e.ID = relaylens.NewID(line, ordinal)
		}
		if hold != 0 {
			p.memory.held.hold(hold, p.feeds, e, p.out)
		} else {
			p.emit(e)
		}
	}
}

// context emits an event that is no refusal. A message that was taken from a
// user who logged in proves the login, where no line of its own does.
func (p *Parser) context(rec *relaylens.Record, k *keys, f *found, line *relaylens.Line, now int64) {
	e := &rec.Event
	if repeated(rec, f) {
		return
	}
	if p.options.ContextIDs {
		e.ID = relaylens.NewID(line, 0)
	}
	if rec.Fact == relaylens.FactSessionEnd && k.message != 0 {
		p.memory.stateOf(k, f, now).refused = true // what is said of the message now answers no command
	}
	p.emit(e)
	if e.Kind != relaylens.KindAccepted || e.User == "" || e.MTA != relaylens.Exim {
		return
	}
	login := &p.login
	*login = *rec
	login.Event.Kind = relaylens.KindAuthOK
	if p.options.ContextIDs {
		login.Event.ID = relaylens.NewID(line, 1)
	}
	if k.process {
		f.session = p.memory.learn(p.memory.sessions, k.session, &login.Event, now)
	}
	if !repeated(login, f) {
		p.emit(&login.Event)
	}
}
