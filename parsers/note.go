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
	line       *relaylens.Line
	writer     *writer
	client     netip.Addr
	name, text string
	time       time.Time
	pid        int32
	port       uint16
	digits     uint8
	left       bool
	silent     bool // no event tells of it
	mta        relaylens.MTA
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
	kind, mailed := r.mailed()
	switch e := &rec.Event; {
	case mailed:
		m := s.mail(&n, kind, r.line, r.writer, r.mta, r.env.PID)
		m.time, m.digits, m.recipients, m.subject = r.env.Time, r.env.TimeDigits, rec.Recipients, rec.Subject
		m.set(kind, e)
		n.key = r.keys.message
	case brief && r.visits():
		v := s.visit(&n)
		v.line, v.writer, v.mta, v.pid = r.line, r.writer, r.mta, r.env.PID
		v.left, v.silent = rec.Fact == relaylens.FactSessionEnd, e.Kind == relaylens.KindNone
		v.time, v.digits = r.env.Time, r.env.TimeDigits
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

// visits reports whether a record is that of a visit, and nothing else.
func (r *scannedRecord) visits() bool {
	rec := &r.rec
	e := &rec.Event
	came := rec.Fact == relaylens.FactSession && (e.Kind == relaylens.KindConnection || e.Kind == relaylens.KindNone)
	left := rec.Fact == relaylens.FactSessionEnd && e.Kind == relaylens.KindConnection
	return (came || left) && r.keys.process && r.keys.message == 0 && r.env.Repeat == 0 && e.Service == r.writer.service &&
		!rec.Presumed && !rec.Explained && e.Helo == "" && e.Proto == "" && e.User == "" && e.AuthMethod == "" && !e.HasSender()
}

// record is what v was noted of.
func (v *visit) record(r *scannedRecord) {
	r.begin(v.line, v.writer, v.time, v.digits, v.pid)
	r.mta = v.mta
	e := &r.rec.Event
	if e.Text = v.text; !v.silent {
		e.Kind = relaylens.KindConnection
	}
	e.ClientIP, e.ClientName, e.ClientPort = v.client, v.name, v.port
	if r.rec.Fact = relaylens.FactSession; v.left {
		r.rec.Fact = relaylens.FactSessionEnd
	}
}

// begin has r be a record that tells nothing yet.
func (r *scannedRecord) begin(line *relaylens.Line, w *writer, t time.Time, digits uint8, pid int32) {
	*r = scannedRecord{}
	r.line, r.writer, r.verdict, r.second = line, w, relaylens.Parsed, t.Unix()
	if pid != 0 {
		r.keys.session, r.keys.process = w.session(pid), true
	}
	r.env.Time, r.env.TimeDigits, r.env.PID = t, digits, pid
	r.env.Host, r.env.Program = w.host, w.program
	r.rec.Event.Service = w.service
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

// visited takes in that a client came or left of whom there is nothing to tell, as correlate
// does; false where there may be.
func (p *Parser) visited(v *visit, session uint64, now int64) bool {
	c := p.memory
	if !v.silent && !v.writer.toldLately(now) || c.presumed.Len() > 0 && (v.port != 0 || c.presumed.Get(session, now) != nil) {
		return false
	}
	if v.left {
		if s := c.sessions.Get(session, now); s == nil || !s.plain || s.clientPort != v.port {
			return false
		}
		c.left(session)
	} else {
		s, isNew := c.sessions.Put(session, now)
		if !isNew && !s.plain && !v.silent {
			return false
		}
		c.sessions.beginClient(s, v.client, v.port, v.name)
		s.plain = true
		c.trim(&found{session: s})
	}
	c.troubles.Delete(session)
	return true
}
