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
	sessions *states
	messages *states
	details  *bounded.Table[detail]
	presumed *bounded.Table[relaylens.Event]
	protests *bounded.Table[struct{}] // sessions that broke the rules last
	// dismissals are sessions that ended for breaking them, the last time not told.
	dismissals *bounded.Table[struct{}]
	hungUp     *bounded.Table[int64]    // when servers did after they refused a recipient
	passed     *bounded.Table[uint32]   // answers that a filter may hand on
	filters    *bounded.Table[struct{}] // hosts that have one before the queue
	text       []byte                   // of the event in hand
	spare      []byte                   // for the next of details
	copies     *copies
	troubles   troubles
	held       heldEvents
	finished   finished
}

func newCorrelator(limits Limits, seed maphash.Seed) *correlator {
	c := &correlator{seed: seed, limits: limits}
	c.sessions = newStates(limits.Sessions, sessionTTL)
	c.messages = newStates(limits.Messages, messageTTL)
	forget := func(e *relaylens.Event) { *e = relaylens.Event{} }
	c.details = bounded.NewTable(limits.Sessions/4+1, detailTTL, func(d *detail) { d.forget(); d.helper = relaylens.HelperNone })
	c.presumed = bounded.NewTable(limits.Sessions/4+1, sessionTTL, forget)
	c.protests = bounded.NewTable[struct{}](limits.Sessions/4+1, 1, nil)
	c.dismissals = bounded.NewTable[struct{}](limits.Sessions/4+1, 1, nil)
	c.hungUp = bounded.NewTable[int64](maxHungUp, sameAnswer, nil)
	c.passed = bounded.NewTable[uint32](maxPassed, passedTTL, nil)
	c.filters = bounded.NewTable[struct{}](maxFilters, messageTTL, nil)
	c.copies = newCopies()
	c.troubles = newTroubles()
	c.held.max, c.held.messages = limits.Held, c.messages.Get
	return c
}

const maxHungUp = 1 << 10

// detail is what a line told of a refusal that a later line of its session tells.
type detail struct {
	kept
	helper relaylens.Helper // for the want of which it was
}

// found is what is known of the session and the message of a line, nil where
// nothing is; see recall. It is looked for once a line, and valid until another
// one is put into the tables.
type found struct {
	session, message *state
	recalled         bool // both were looked for
	begun            bool // the message is known from this line alone
	behind           bool // the line names a filter of this machine for the message's client
	troubled         bool // the process had another session, in which something may have been refused
}

// before takes in what rec tells that is true of its own event already.
func (c *correlator) before(r *scannedRecord, f *found, now int64) {
	rec, e, k := &r.rec, &r.rec.Event, &r.keys
	switch rec.Fact {
	case relaylens.FactSession:
		if k.process {
			c.came(k, f, e, now)
		}
	case relaylens.FactMessage:
		c.message(rec, k, f, now)
	case relaylens.FactChild:
		c.child(r, k, now)
	}
	if k.process && e.Kind == relaylens.KindAuthOK && e.User != "" {
		f.session = c.learn(c.sessions, k.session, e, now)
	}
	c.recall(k, f, now)
}

// recall finds what is known of the session and the message, where before did not.
func (c *correlator) recall(k *keys, f *found, now int64) {
	if f.recalled {
		return
	}
	f.recalled = true
	if f.session == nil && k.process {
		f.session = c.sessions.Get(k.session, now)
	}
	if f.message == nil && k.message != 0 {
		f.message = c.messages.Get(k.message, now)
	}
}

// message remembers what rec tells of its queue id. A line that names the
// client is the birth of the id: whatever had the same id before is gone. Without
// an id it tells of the session.
func (c *correlator) message(rec *relaylens.Record, k *keys, f *found, now int64) {
	e := &rec.Event
	if k.message == 0 {
		if k.process && e.ClientIP.IsValid() {
			f.session = c.learn(c.sessions, k.session, e, now)
		}
		return
	}
	if !e.ClientIP.IsValid() && e.Service != "pickup" {
		f.message = c.learn(c.messages, k.message, e, now)
	} else {
		// Sendmail names the sender at the end of the transaction, be it refused.
		m, isNew := c.messages.Put(k.message, now)
		refused := !isNew && m.refused && e.HasSender()
		c.messages.begin(m, e)
		m.refused, f.message, f.begun = refused, m, true
	}
	c.recall(k, f, now)
	c.inherit(f)
}

// inherit has a message be of the user who logged in where its client is the session's.
func (c *correlator) inherit(f *found) {
	m, s := f.message, f.session
	if s != nil && s.user.known && s.user == m.client && m.text(textUser) == "" {
		c.messages.setTexts(m, [numTexts]string{textUser: s.text(textUser), textMethod: s.text(textMethod)})
		m.user = m.client
	}
}

// child links a message to the one it was made from: it came about by the same
// client and user. Of one that is not known the line itself may name the client.
func (c *correlator) child(r *scannedRecord, k *keys, now int64) {
	e, parent := &r.rec.Event, c.messages.Get(k.message, now)
	if parent == nil && !e.ClientIP.IsValid() || r.rec.Child == "" {
		return
	}
	from := relaylens.Event{ClientIP: e.ClientIP, ClientPort: e.ClientPort, ClientName: e.ClientName}
	if parent != nil {
		from = relaylens.Event{ClientIP: parent.client.addr(), ClientPort: parent.clientPort,
			ClientName: parent.text(textClientName), User: parent.text(textUser), AuthMethod: parent.text(textMethod)}
	}
	m := c.learn(c.messages, r.writer.message(r.mta, r.rec.Child), &from, now)
	m.waiting = awaited(r.rec.Recipients)
}

// after forgets what rec ends, once its own event has been told of it.
func (c *correlator) after(rec *relaylens.Record, k *keys, f *found, now int64) {
	switch rec.Fact {
	case relaylens.FactSessionEnd:
		if k.process {
			c.left(k.session)
		}
	case relaylens.FactMessageEnd:
		c.messages.Delete(k.message)
	case relaylens.FactDetail:
		if k.session != 0 {
			d, isNew := c.details.Put(k.session, now)
			if isNew || rec.Event.Reason != relaylens.ReasonNone || d.Reason == relaylens.ReasonNone {
				// What the line tells may be of what was kept.
				old := d.memory
				d.Event, d.memory = rec.Event.CloneInto(c.spare)
				d.helper = rec.Helper
				c.spare = old
			}
		}
	}
	c.delivered(rec, k, f, now)
	c.trim(f)
}

// left forgets a session.
func (c *correlator) left(session uint64) {
	c.sessions.Delete(session)
	c.details.Delete(session)
}

// came begins a session.
func (c *correlator) came(k *keys, f *found, e *relaylens.Event, now int64) {
	s, isNew := c.sessions.Put(k.session, now)
	f.session, f.troubled = s, !isNew && !s.plain
	c.sessions.begin(s, e)
	s.plain = true
}

// learn adds e to what is known of key. Another client in a session's process is
// another session.
func (c *correlator) learn(t *states, key uint64, e *relaylens.Event, now int64) *state {
	s, isNew := t.Put(key, now)
	if isNew || t == c.sessions && e.ClientIP.IsValid() && s.client.known && s.client != addressOf(e.ClientIP) {
		t.begin(s, e)
	} else {
		t.learn(s, e)
	}
	return s
}

// trim keeps the texts within their bound, those of the line in hand as long as
// others can go.
func (c *correlator) trim(f *found) {
	if c.sessions.bytes+c.messages.bytes <= c.limits.Bytes {
		return
	}
	c.sessions.used, c.messages.used = f.session, f.message
	for c.sessions.bytes+c.messages.bytes > c.limits.Bytes {
		t := c.messages
		if c.sessions.bytes > t.bytes {
			t = c.sessions
		}
		if !t.DropOldest() {
			return
		}
	}
}

// enrich gives rec's event what earlier lines told.
func (c *correlator) enrich(rec *relaylens.Record, k *keys, f *found, now int64) {
	c.fill(&rec.Event, rec.Fact, f)
	if rec.Explained {
		c.explain(rec, k, now)
	}
}

// fill gives e what is known of its message and its session.
func (c *correlator) fill(e *relaylens.Event, fact relaylens.Fact, f *found) {
	if m := f.message; m != nil && !f.begun {
		f.behind = m.behind(e)
		m.fillClient(e)
		m.fillUser(e)
		m.fillSender(e)
	}
	if s := f.session; s != nil && fact != relaylens.FactSession && e.Direction != relaylens.Outbound {
		s.fillClient(e)
		s.fillUser(e)
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
	case d.Reason == relaylens.ReasonNone || saysWhy(e.Reason):
	case e.Kind == d.Reason.Kind():
		e.Reason = d.Reason
	case e.Kind == relaylens.KindRejected && e.Reason == relaylens.ReasonOther:
		e.Kind, e.Reason = d.Reason.Kind(), d.Reason
	default:
		return
	}
	if d.helper != relaylens.HelperNone {
		rec.Helper = d.helper
	}
	if d.Text != "" {
		e.Text = c.joinText(e.Text, d.Text)
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

// saysWhy reports whether a failed login was refused for a reason that no detail
// can narrow.
func saysWhy(r relaylens.Reason) bool {
	switch r {
	case relaylens.ReasonMechanism, relaylens.ReasonMalformed, relaylens.ReasonCancelled, relaylens.ReasonAuthPolicy:
		return true
	}
	return false
}

// joinText puts the explanation behind what the refusal itself says. It is valid until
// the next line.
func (c *correlator) joinText(said, detail string) string {
	switch {
	case said == "":
		return detail
	case strings.HasSuffix(said, detail):
		return said
	}
	c.text = append(append(append(c.text[:0], said...), ": "...), detail...)
	return view(c.text)
}
