package parsers

import (
	"net/netip"

	"github.com/relaylens/relaylens"
)

// mail is what a short line tells of a message that went its way: a client brought it, it
// was taken, or it was delivered.
type mail struct {
	spot
	id             string
	address        string     // of the sender, or of the recipient
	peer           netip.Addr // the client, or the server that took it
	name           string     // of the peer
	login, method  string     // of the client
	enhanced, text string     // of the server's answer
	port           uint16
	null           bool // sender
}

// mail is the next one, which n is of.
func (s *Scanned) mail(n *note, kind noteKind, at spot) *mail {
	i := len(s.mails)
	if i == cap(s.mails) {
		s.mails = append(s.mails, mail{})[:i]
	}
	s.mails = s.mails[:i+1]
	m := &s.mails[i]
	*m = mail{spot: at}
	n.kind, n.of = kind, int32(i)
	return m
}

// set has m be what e tells.
func (m *mail) set(kind noteKind, e *relaylens.Event) {
	switch m.id = e.QueueID; kind {
	case noteSent:
		m.address, m.peer, m.name, m.enhanced, m.text = e.Recipient, e.RemoteIP, e.RemoteHost, e.Enhanced, e.Text
	case noteActive:
		m.address, m.null = e.Sender, e.NullSender
	default:
		m.peer, m.name, m.port, m.login, m.method = e.ClientIP, e.ClientName, e.ClientPort, e.User, e.AuthMethod
	}
}

// tell has e be what m tells.
func (m *mail) tell(kind noteKind, e *relaylens.Event) {
	switch e.QueueID = m.id; kind {
	case noteSent:
		e.Kind, e.Recipient = relaylens.KindDelivered, m.address
		e.RemoteIP, e.RemoteHost, e.Enhanced, e.Text = m.peer, m.name, m.enhanced, m.text
	case noteActive:
		e.Kind, e.Sender, e.NullSender = relaylens.KindAccepted, m.address, m.null
	default:
		e.ClientIP, e.ClientName, e.ClientPort, e.User, e.AuthMethod = m.peer, m.name, m.port, m.login, m.method
		if m.login != "" {
			e.Kind = relaylens.KindAuthOK
		}
	}
}

// record is what m was noted of.
func (m *mail) record(n *note, r *scannedRecord) {
	r.begin(&m.spot)
	r.keys.message = n.key
	if m.tell(n.kind, &r.rec.Event); n.kind != noteSent {
		r.rec.Fact = relaylens.FactMessage
	}
}

// mailed takes in that a message went its way, as correlate does; false where there may be
// more to it.
func (p *Parser) mailed(m *mail, n *note, now int64) bool {
	c := p.memory
	if !c.held.empty() || m.login != "" {
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
		e := p.eventAt(&m.spot)
		m.tell(n.kind, e)
		f.message = c.learn(c.messages, n.key, e, now)
		c.fill(e, relaylens.FactMessage, &f)
		if !f.message.accepted {
			f.message.accepted = true
			p.emit(e)
		}
	case noteSent:
		e := p.eventAt(&m.spot)
		m.tell(n.kind, e)
		f.message = c.messages.Get(n.key, now)
		c.fill(e, relaylens.FactNone, &f)
		p.emit(e)
	}
	c.trim(&f)
	return true
}
