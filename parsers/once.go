package parsers

import (
	"encoding/binary"
	"hash/maphash"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// Several lines may tell of one command. What is counted once is decided here.

// sameAnswer is how far apart the lines of one remote answer can be: a delivery
// agent writes one for each recipient when the connection is done with.
const sameAnswer = int64(10 * time.Second / time.Second)

// refusedBefore reports whether an earlier line told of the same refusal. The
// end of a message gets one answer, for all its recipients and whatever rule
// gave it; a remote server's answer to anything but RCPT concerns all
// recipients too. The answer to Postfix's probe of an address is told by the
// rejection that waits for it.
func (c *correlator) refusedBefore(rec *relaylens.Record, k *keys, f *found, now int64) bool {
	if rec.Protest || rec.Dismissal {
		return c.dismissed(rec, k, now)
	}
	if k.message == 0 || rec.Apart {
		return false
	}
	e := &rec.Event
	switch {
	case rec.Retried && strings.HasPrefix(e.Sender, "double-bounce@"):
		return true
	case e.Direction == relaylens.Inbound && e.Stage == relaylens.StageEOD:
		m := c.stateOf(k, f, now)
		was := m.refused
		m.refused = true
		return was
	case e.Direction == relaylens.Outbound && e.Stage != relaylens.StageRcpt && e.Stage != relaylens.StageNone:
		return c.answeredBefore(rec, k, f, now)
	}
	return false
}

// answeredBefore reports whether another line told of a remote server's answer.
// Exim writes it for the server by the process that asked, and then for each
// recipient by another one, which sums up.
func (c *correlator) answeredBefore(rec *relaylens.Record, k *keys, f *found, now int64) bool {
	e := &rec.Event
	m := c.stateOf(k, f, now)
	recent := now-m.answered <= sameAnswer
	m.answered = now
	if e.MTA == relaylens.Exim && rec.Retried {
		m.tried = c.answer(e, 0)
		return false
	}
	answer := c.answer(e, e.PID)
	if recent && m.answer == answer {
		return true
	}
	m.answer = answer
	if recent && m.tried != 0 && m.tried == c.answer(e, 0) {
		m.tried = 0
		return true
	}
	return false
}

// dismissed reports whether the client was thrown out for a command whose refusal
// was told just before.
func (c *correlator) dismissed(rec *relaylens.Record, k *keys, now int64) bool {
	if rec.Protest {
		c.protests.Put(k.session, now)
		return false
	}
	if c.protests.Get(k.session, now) == nil {
		return false
	}
	c.protests.Delete(k.session)
	return true
}

// answer digests which server said what to which delivery process.
func (c *correlator) answer(e *relaylens.Event, pid int32) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	h.WriteString(e.RemoteHost)
	maphash.WriteComparable(&h, e.RemoteIP)
	maphash.WriteComparable(&h, pid)
	h.WriteByte(byte(e.Stage))
	h.WriteString(e.Text)
	return h.Sum64()
}

// stateOf is what is known of a message, nothing if it is new.
func (c *correlator) stateOf(k *keys, f *found, now int64) *state {
	if f.message == nil {
		m, isNew := c.messages.Put(k.message, now)
		if isNew {
			m.reset()
		}
		f.message = m
	}
	return f.message
}

// endpoint names a client's connection where one process serves them all.
func (c *correlator) endpoint(w *writer, e *relaylens.Event) uint64 {
	a := e.ClientIP.As16()
	key := bounded.Mix(w.sessions, binary.NativeEndian.Uint64(a[:]))
	return bounded.Mix(bounded.Mix(key, binary.NativeEndian.Uint64(a[8:])), uint64(e.ClientPort))
}

// visit names what is presumed of a client: by its connection, or by its session.
func (c *correlator) visit(r *scannedRecord) uint64 {
	if r.rec.Event.ClientPort != 0 {
		return c.endpoint(r.writer, &r.rec.Event)
	}
	return r.keys.session
}

// presume keeps, replaces or withdraws what is presumed of a client. It returns
// the event that turned out to be one, now that the session is over.
func (p *Parser) presume(r *scannedRecord, now int64) *relaylens.Event {
	c, rec, e := p.memory, &r.rec, &r.rec.Event
	if c.presumed.Len() == 0 && !rec.Presumed || e.ClientPort == 0 && !r.keys.process {
		return nil
	}
	key := c.visit(r)
	switch {
	case rec.Presumed && e.Kind == relaylens.KindNone:
		c.presumed.Delete(key)
	case rec.Presumed:
		kept, isNew := c.presumed.Put(key, now)
		if !isNew && !ofCommand(kept) {
			return nil
		}
		if !p.options.NoIDs {
			e.ID = relaylens.NewID(r.line, 0)
		}
		was := *kept
		*kept = e.Clone()
		if !isNew && was.Kind != relaylens.KindNone {
			return &was
		}
	case e.Refusal(), rec.Fact == relaylens.FactSession:
		kept := c.presumed.Get(key, now)
		if kept == nil {
			return nil
		}
		was := *kept
		c.presumed.Delete(key)
		switch {
		case !ofCommand(&was):
		case !toldAtEnd(&was, rec):
			if was.Kind != relaylens.KindNone {
				return &was
			}
		case was.Kind == relaylens.KindNone:
			e.Kind = relaylens.KindNone // told by the server behind the filter
		}
		if was.RemoteHost != "" && (e.Text == "" || e.Reason == was.Reason) {
			e.Reason, e.Text, e.RemoteHost = was.Reason, was.Text, was.RemoteHost // why, and which filter
		}
	case rec.Fact == relaylens.FactSessionEnd:
		if kept := c.presumed.Get(key, now); kept != nil {
			told := *kept
			c.presumed.Delete(key)
			if told.Kind != relaylens.KindNone && (told.Stage != relaylens.StageHelo || helloRefused(e.Text)) {
				return &told
			}
		}
	}
	return nil
}

// presumedBefore reports whether a server behind the filter told of what is presumed of
// a command. Of commands that follow each other without another line nothing is presumed.
func (p *Parser) presumedBefore(r *scannedRecord, f *found, now int64) bool {
	if repeats(&r.env) > 1 {
		r.rec.Presumed = false
		return false
	}
	if !r.rec.PassedOn {
		return false
	}
	all, _ := p.passedOn(r, f, now)
	if all {
		e := &r.rec.Event
		if kept, isNew := p.memory.presumed.Put(p.memory.visit(r), now); isNew || kept.Kind == relaylens.KindNone {
			*kept = relaylens.Event{Time: e.Time, Stage: e.Stage, Code: e.Code, Text: strings.Clone(e.Text)}
		}
	}
	return all
}

// ofCommand reports whether it is presumed that one command was refused, as another
// one is on its own.
func ofCommand(e *relaylens.Event) bool {
	return e.Stage == relaylens.StageRcpt || e.Stage == relaylens.StageData
}

// toldAtEnd reports whether a filter's answer to a command became that to the end of
// the message, which has a line of its own: smtpd may ask the filter only then.
func toldAtEnd(was *relaylens.Event, rec *relaylens.Record) bool {
	e := &rec.Event
	return rec.PassedOn && e.Stage == relaylens.StageEOD && e.Time.Sub(was.Time) <= time.Duration(sameAnswer)*time.Second && (was.Code == 0 || was.Code == e.Code && strings.HasSuffix(e.Text, was.Text))
}

// helloRefused reports whether the counts of a session, "ehlo=0/1 commands=0/1",
// say that HELO or EHLO was refused.
func helloRefused(counts string) bool {
	for _, verb := range [...]string{"helo=", "ehlo="} {
		if _, after, ok := strings.Cut(counts, verb); ok {
			count, _, _ := strings.Cut(after, " ")
			if strings.IndexByte(count, '/') >= 0 {
				return true
			}
		}
	}
	return false
}

// repeated reports whether a context event was told before: Postfix's queue
// manager takes a message up again at every retry, and a client that logged in
// sends many messages.
func repeated(rec *relaylens.Record, f *found) bool {
	var told *bool
	switch {
	case rec.Event.Kind == relaylens.KindAccepted && f.message != nil:
		told = &f.message.accepted
	case rec.Event.Kind == relaylens.KindAuthOK && f.session != nil:
		told = &f.session.loggedIn
	default:
		return false
	}
	was := *told
	*told = true
	return was
}
