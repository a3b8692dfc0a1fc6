package parsers

import (
	"hash/maphash"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// Limits bound what is remembered between lines.
type Limits struct {
	Sessions int   // SMTP sessions at a time
	Messages int   // queue ids
	Held     int   // refusals that wait for a line that names their sender
	Bytes    int64 // texts of all of these beyond 256 bytes each
}

// DefaultLimits take at most about 40 MiB when every entry is used.
func DefaultLimits() Limits {
	return Limits{Sessions: 40_000, Messages: 40_000, Held: 8 << 10, Bytes: 16 << 20}
}

const (
	// sessionTTL: Postfix's smtpd time-out is 300 s a command; Exim's and
	// Sendmail's are of the same order.
	sessionTTL = int64(time.Hour / time.Second)
	// messageTTL: a message stays five days in a queue by default, and its bounce
	// is written after that.
	messageTTL = int64(6 * 24 * time.Hour / time.Second)
	// detailTTL: an explanation and the refusal that it explains are written by
	// one process, a callout apart at most.
	detailTTL = int64(2 * time.Minute / time.Second)
)

// correlator remembers what lines told of sessions and messages and gives it to
// the events of later lines.
type correlator struct {
	seed     maphash.Seed
	limits   Limits
	sessions *bounded.Table[state]
	messages *bounded.Table[state]
	details  *bounded.Table[relaylens.Event]
	presumed *bounded.Table[relaylens.Event]
	bytes    int64
	scratch  []byte
	copies   *copies
	held     heldEvents
}

func newCorrelator(limits Limits, seed maphash.Seed) *correlator {
	c := &correlator{seed: seed, limits: limits}
	evict := func(s *state) {
		c.bytes -= s.extra()
		if s.extra() > 0 {
			s.buf = nil
		}
	}
	c.sessions = bounded.NewTable(limits.Sessions, sessionTTL, evict)
	c.messages = bounded.NewTable(limits.Messages, messageTTL, evict)
	forget := func(e *relaylens.Event) { *e = relaylens.Event{} }
	c.details = bounded.NewTable(limits.Sessions/4+1, detailTTL, forget)
	c.presumed = bounded.NewTable(limits.Sessions/4+1, sessionTTL, forget)
	c.copies = newCopies()
	c.held.max = limits.Held
	return c
}

// keys name the session and the message that a line belongs to; 0 is none.
type keys struct {
	session, message uint64
	process          bool // session is a process, not just a client's address

	// What is known of them, nil where nothing is; see recall. It is found once a
	// line, and valid until another one is put into the tables.
	sessionState, messageState *state
}

func (c *correlator) keysOf(r *scannedRecord) keys {
	var k keys
	e := &r.rec.Event
	switch {
	case r.env.PID != 0:
		k.session, k.process = r.writer.session(r.env.PID), true
	case e.ClientIP.IsValid():
		k.session = bounded.Mix(r.writer.hostKey, maphash.Comparable(c.seed, e.ClientIP))
	}
	if e.QueueID != "" {
		k.message = r.writer.message(r.mta, e.QueueID)
	}
	return k
}

// before takes in what rec tells that is true of its own event already.
func (c *correlator) before(r *scannedRecord, k *keys, now int64) {
	rec, e := &r.rec, &r.rec.Event
	switch rec.Fact {
	case relaylens.FactSession:
		if k.process {
			k.sessionState = c.fresh(c.sessions, k.session, e, now)
		}
	case relaylens.FactMessage:
		c.message(rec, k, now)
	case relaylens.FactChild:
		c.child(r, k, now)
	}
	if k.process && e.Kind == relaylens.KindAuthOK && e.User != "" {
		k.sessionState = c.learn(c.sessions, k.session, e, now)
	}
	c.recall(k, now)
}

// recall finds what is known of the session and the message, where before did not.
func (c *correlator) recall(k *keys, now int64) {
	if k.sessionState == nil && k.process {
		k.sessionState = c.sessions.Get(k.session, now)
	}
	if k.messageState == nil && k.message != 0 {
		k.messageState = c.messages.Get(k.message, now)
	}
}

// message remembers what rec tells of its queue id. A line that names the
// client is the birth of the id: whatever had the same id before is gone.
func (c *correlator) message(rec *relaylens.Record, k *keys, now int64) {
	if k.message == 0 {
		return
	}
	e := &rec.Event
	if !e.ClientIP.IsValid() && e.Service != "pickup" {
		k.messageState = c.learn(c.messages, k.message, e, now)
		return
	}
	k.messageState = c.fresh(c.messages, k.message, e, now)
	c.recall(k, now)
	m, s := k.messageState, k.sessionState
	if s != nil && m.text(textUser) == "" && s.user.known && s.user == m.client {
		before := m.extra()
		c.scratch = m.setTexts([numTexts]string{textUser: s.text(textUser), textMethod: s.text(textMethod)}, c.scratch)
		m.user = m.client
		c.bytes += m.extra() - before
	}
}

// child links a message to the one it was made from: it came about by the same
// client and user.
func (c *correlator) child(r *scannedRecord, k *keys, now int64) {
	parent := c.messages.Get(k.message, now)
	if parent == nil || r.rec.Child == "" {
		return
	}
	from := relaylens.Event{ClientIP: parent.client.addr(), ClientPort: parent.clientPort,
		ClientName: parent.text(textClientName), User: parent.text(textUser), AuthMethod: parent.text(textMethod)}
	c.learn(c.messages, r.writer.message(r.mta, r.rec.Child), &from, now)
}

// after forgets what rec ends, once its own event has been told of it.
func (c *correlator) after(rec *relaylens.Record, k *keys, now int64) {
	switch rec.Fact {
	case relaylens.FactSessionEnd:
		if k.process {
			c.sessions.Delete(k.session)
			c.details.Delete(k.session)
		}
	case relaylens.FactMessageEnd:
		c.messages.Delete(k.message)
	case relaylens.FactDetail:
		if k.session != 0 {
			d, _ := c.details.Put(k.session, now)
			*d = rec.Event.Clone()
		}
	}
	c.trim()
}

// fresh remembers e as the first that is known of key.
func (c *correlator) fresh(t *bounded.Table[state], key uint64, e *relaylens.Event, now int64) *state {
	s, _ := t.Put(key, now)
	before := s.extra()
	s.reset()
	s.begin(e)
	c.bytes += s.extra() - before
	return s
}

// learn adds e to what is known of key.
func (c *correlator) learn(t *bounded.Table[state], key uint64, e *relaylens.Event, now int64) *state {
	s, isNew := t.Put(key, now)
	before := s.extra()
	if isNew {
		s.reset()
	}
	c.scratch = s.learn(e, c.scratch)
	c.bytes += s.extra() - before
	return s
}

// trim keeps the texts within their bound.
func (c *correlator) trim() {
	for c.bytes > c.limits.Bytes {
		if !c.messages.DropOldest() && !c.sessions.DropOldest() {
			return
		}
	}
}

// enrich gives rec's event what earlier lines told.
func (c *correlator) enrich(rec *relaylens.Record, k *keys, now int64) {
	e := &rec.Event
	if m := k.messageState; m != nil {
		m.fillClient(e)
		m.fillUser(e)
		m.fillSender(e)
	}
	if s := k.sessionState; s != nil && rec.Fact != relaylens.FactSession && e.Direction != relaylens.Outbound {
		s.fillClient(e)
		s.fillUser(e)
	}
	if rec.Explained {
		c.explain(rec, k, now)
	}
}

// explain adds the reason that an earlier line of the session gave.
func (c *correlator) explain(rec *relaylens.Record, k *keys, now int64) {
	d := c.details.Get(k.session, now)
	if d == nil || k.session == 0 {
		return
	}
	e := &rec.Event
	aboutSender := d.HasSender()
	if aboutSender && (d.Sender != e.Sender || d.NullSender != e.NullSender) {
		return
	}
	switch {
	case d.Reason == relaylens.ReasonNone:
	case e.Kind == d.Reason.Kind():
		e.Reason = d.Reason
	case e.Kind == relaylens.KindRejected && e.Reason == relaylens.ReasonOther:
		e.Kind, e.Reason = d.Reason.Kind(), d.Reason
	default:
		return
	}
	if d.Text != "" {
		e.Text = joinText(e.Text, d.Text)
	}
	if e.Code == 0 && d.RemoteHost == "" && !d.RemoteIP.IsValid() { // else the code is another server's
		e.Code = d.Code
		fill(&e.Enhanced, d.Enhanced)
	}
	fill(&e.RemoteHost, d.RemoteHost)
	if !e.RemoteIP.IsValid() {
		e.RemoteIP = d.RemoteIP
	}
	if !aboutSender {
		c.details.Delete(k.session) // it explained one refusal; a sender's explains every recipient's
	}
}

// joinText puts the explanation behind what the refusal itself says.
func joinText(said, detail string) string {
	switch {
	case said == "":
		return detail
	case strings.HasSuffix(said, detail):
		return said
	}
	return said + ": " + detail
}
