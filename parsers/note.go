package parsers

import (
	"net/netip"
	"time"

	"github.com/relaylens/relaylens"
)

// note is a line that tells one thing, or nothing, so that it needs no record. Most
// lines do, and a record is more than ten times as much to write, and to
// fetch from where another processor wrote it.
type note struct {
	key    uint64
	before int32 // the record that came next
	of     int32 // the number of the time, the visit or the mail
	kind   noteKind
}

type noteKind uint8

const (
	noteTime   noteKind = iota // time went on
	noteEnd                    // the message key is done with
	notePlain                  // nothing is presumed any more of the connection key
	noteVisit                  // a client came to or left the process key
	noteBorn                   // a client brought the message key
	noteActive                 // the message key was taken
	noteSent                   // the message key was delivered
)

// visit is all that a record has of a client that came or left.
type visit struct {
	spot
	client     netip.Addr
	name, text string
	port       uint16
	left       bool
}

// spot is where a line stood.
type spot struct {
	line   *relaylens.Line
	writer *writer
	time   time.Time
	pid    int32
	digits uint8
	mta    relaylens.MTA
}

// spot is where r stood.
func (r *scannedRecord) spot() spot {
	return spot{r.line, r.writer, r.env.Time, r.env.PID, r.env.TimeDigits, r.mta}
}

// set has v be of the client of e.
func (v *visit) set(e *relaylens.Event) {
	v.client, v.name, v.port, v.text = e.ClientIP, e.ClientName, e.ClientPort, e.Text
}

// visit is the next one, which n is of.
func (s *Scanned) visit(n *note) *visit {
	i := len(s.visits)
	if i == cap(s.visits) {
		s.visits = append(s.visits, visit{})[:i]
	}
	s.visits = s.visits[:i+1]
	n.kind, n.of = noteVisit, int32(i)
	return &s.visits[i]
}

// note takes in a record that is no more than a note, and reports whether it is. Where visits
// are told of, they are records.
func (s *Scanned) note(f *framing, r *scannedRecord, brief bool) bool {
	rec := &r.rec
	if rec.Copied || r.env.Time.IsZero() {
		return false
	}
	n := note{before: int32(len(s.records))}
	switch e := &rec.Event; {
	case e.Kind == relaylens.KindConnection && brief && r.visits():
		v := s.visit(&n)
		v.spot, v.left = r.spot(), rec.Fact == relaylens.FactSessionEnd
		v.set(e)
		n.key = r.keys.session
	case e.Kind != relaylens.KindNone:
		return false
	case rec.Fact == relaylens.FactMessageEnd:
		n.kind, n.key = noteEnd, r.keys.message
	case r.withdraws():
		n.kind, n.key = notePlain, endpoint(r.writer, e)
	default:
		return false
	}
	f.passed(&r.env.Time, s)
	s.notes = append(s.notes, n)
	s.clean = len(s.records)
	return true
}

// visits reports whether a record of a connection is that of a visit, and nothing else.
func (r *scannedRecord) visits() bool {
	rec := &r.rec
	e := &rec.Event
	return (rec.Fact == relaylens.FactSession || rec.Fact == relaylens.FactSessionEnd) && r.keys.process && r.keys.message == 0 && r.env.Repeat == 0 && e.Service == r.writer.service &&
		!rec.Presumed && !rec.Explained && e.Helo == "" && e.Proto == "" && e.User == "" && e.AuthMethod == "" && !e.HasSender()
}

// tell has e be what v tells.
func (v *visit) tell(e *relaylens.Event) {
	e.Kind, e.Text = relaylens.KindConnection, v.text
	e.ClientIP, e.ClientName, e.ClientPort = v.client, v.name, v.port
}

// record is what v was noted of.
func (v *visit) record(r *scannedRecord) {
	r.begin(&v.spot)
	v.tell(&r.rec.Event)
	if r.rec.Fact = relaylens.FactSession; v.left {
		r.rec.Fact = relaylens.FactSessionEnd
	}
}

// begin has r be a record that tells nothing yet.
func (r *scannedRecord) begin(at *spot) {
	*r = scannedRecord{}
	r.line, r.writer, r.mta, r.verdict, r.second = at.line, at.writer, at.mta, relaylens.Parsed, at.time.Unix()
	if at.pid != 0 {
		r.keys.session, r.keys.process = at.writer.session(at.pid), true
	}
	r.env.Time, r.env.TimeDigits, r.env.PID = at.time, at.digits, at.pid
	r.env.Host, r.env.Program = at.writer.host, at.writer.program
	r.rec.Event.Service = at.writer.service
}

// eventAt is an event that tells nothing yet but where its line stood. It is valid until the
// next.
func (p *Parser) eventAt(at *spot) *relaylens.Event {
	e := &p.event
	*e = relaylens.Event{}
	e.MTA, e.Time, e.TimeDigits, e.PID = at.mta, at.time, at.digits, at.pid
	e.Host, e.Service = at.writer.host, at.writer.service
	p.place(e, at.line)
	if p.options.ContextIDs {
		e.ID = relaylens.NewID(at.line, 0)
	}
	return e
}

// note takes what was noted.
func (p *Parser) note(src *source, s *Scanned, n *note) {
	result := ResultContext
	switch n.kind {
	case noteTime:
		now := &s.times[n.of]
		p.tick(src, s.source, now, now.Unix())
		return
	case noteEnd:
		p.memory.messages.Delete(n.key)
	case notePlain:
		p.memory.presumed.Delete(n.key)
	case noteVisit:
		if v := &s.visits[n.of]; !p.visited(v, n.key, src.second) {
			v.record(&p.noted)
			result = p.correlate(&p.noted)
		}
	case noteBorn, noteActive, noteSent:
		if m := &s.mails[n.of]; !p.mailed(m, n, m.time.Unix()) {
			m.record(n, &p.noted)
			result = p.correlate(&p.noted)
		}
	}
	if !p.warm {
		src.counts[result]++
	}
}

// visited takes in that a client came or left, as correlate does; false where there may be
// more to tell of it.
func (p *Parser) visited(v *visit, session uint64, now int64) bool {
	c := p.memory
	if c.presumed.Len() > 0 && (v.port != 0 || c.presumed.Get(session, now) != nil) {
		return false
	}
	lately := v.writer.toldLately(now)
	if v.left {
		s := c.sessions.Get(session, now)
		switch {
		case s == nil || s.clientPort != v.port || s.plain && !lately:
			return false
		case !s.plain:
			e := p.eventAt(&v.spot)
			v.tell(e)
			c.fill(e, relaylens.FactSessionEnd, &found{session: s})
			p.emit(e)
		}
		c.left(session)
	} else {
		if !lately {
			return false
		}
		s, isNew := c.sessions.Put(session, now)
		if !isNew && !s.plain {
			return false
		}
		c.sessions.beginClient(s, v.client, v.port, v.name)
		s.plain = true
		c.trim(&found{session: s})
	}
	c.troubles.Delete(session)
	return true
}
