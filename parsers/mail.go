package parsers

import (
	"net/netip"
	"time"

	"github.com/relaylens/relaylens"
)

// mail is all that a record has of a message that went its way: a client brought it, it was
// taken, or it was delivered.
type mail struct {
	line    *relaylens.Line
	writer  *writer
	id      string
	address string     // of the sender, or of the recipient
	peer    netip.Addr // the client, or the server that took it
	name    string     // of the peer
	login   string     // or the enhanced status code
	method  string     // or what the server said
	time    time.Time
	pid     int32
	port    uint16
	digits  uint8
	null    bool // sender
	mta     relaylens.MTA
}

// mail is the next one, which n is of.
func (s *Scanned) mail(n *note, kind noteKind) *mail {
	i := len(s.mails)
	if i == cap(s.mails) {
		s.mails = append(s.mails, mail{})[:i]
	}
	s.mails = s.mails[:i+1]
	n.kind, n.of = kind, int32(i)
	return &s.mails[i]
}

// set has m be what a short line told.
func (m *mail) set(kind noteKind, e *relaylens.Event) {
	m.id = e.QueueID
	switch kind {
	case noteActive:
		m.address, m.null = e.Sender, e.NullSender
	case noteSent:
		m.address, m.peer, m.name, m.login, m.method = e.Recipient, e.RemoteIP, e.RemoteHost, e.Enhanced, e.Text
	default:
		m.peer, m.name, m.port, m.login, m.method = e.ClientIP, e.ClientName, e.ClientPort, e.User, e.AuthMethod
	}
}

// tell has e be what m tells.
func (m *mail) tell(kind noteKind, e *relaylens.Event) {
	e.QueueID = m.id
	switch kind {
	case noteActive:
		e.Kind, e.Sender, e.NullSender = relaylens.KindAccepted, m.address, m.null
	case noteSent:
		e.Kind, e.Recipient = relaylens.KindDelivered, m.address
		e.RemoteIP, e.RemoteHost, e.Enhanced, e.Text = m.peer, m.name, m.login, m.method
	default:
		e.ClientIP, e.ClientName, e.ClientPort, e.User, e.AuthMethod = m.peer, m.name, m.port, m.login, m.method
		if m.login != "" {
			e.Kind = relaylens.KindAuthOK
		}
	}
}

// record is what m was noted of.
func (m *mail) record(n *note, r *scannedRecord) {
	r.begin(m.line, m.writer, m.time, m.digits, m.pid)
	r.mta, r.keys.message = m.mta, n.key
	if m.tell(n.kind, &r.rec.Event); n.kind != noteSent {
		r.rec.Fact = relaylens.FactMessage
	}
}

// mailed takes in that a message went its way, where nobody waits for what it tells, as
// correlate does; false where there may be more to it.
func (p *Parser) mailed(m *mail, n *note, now int64) bool {
	c := p.memory
	if !c.held.empty() || n.kind == noteBorn && m.login != "" {
		return false
	}
	var f found
	switch n.kind {
	case noteBorn:
		f.message, _ = c.messages.Put(n.key, now)
		c.messages.beginClient(f.message, m.peer, m.port, m.name)
		f.session = c.sessions.Get(m.writer.session(m.pid), now)
		c.inherit(&f)
	case noteActive:
		s, isNew := c.messages.Put(n.key, now)
		if isNew {
			s.reset()
		}
		c.messages.learnSender(s, m.address, m.null)
		if f.message = s; !s.accepted {
			s.accepted = true
			p.told(m, n, s)
		}
	case noteSent:
		f.message = c.messages.Get(n.key, now)
		p.told(m, n, f.message)
	}
	c.trim(&f)
	return true
}

// told emits what m tells, with what is known of its message.
func (p *Parser) told(m *mail, n *note, known *state) {
	e := &p.mail
	*e = relaylens.Event{}
	m.tell(n.kind, e)
	e.MTA, e.Time, e.TimeDigits, e.PID = m.mta, m.time, m.digits, m.pid
	e.Host, e.Service = m.writer.host, m.writer.service
	if p.place(e, m.line); known != nil {
		known.fillClient(e)
		known.fillUser(e)
		known.fillSender(e)
	}
	if p.options.ContextIDs {
		e.ID = relaylens.NewID(m.line, 0)
	}
	p.emit(e)
}
