package parsers

import (
	"net/netip"

	"github.com/relaylens/relaylens"
)

// mail is all that a record has of a message that went its way: a client brought it, it was
// taken, or it was delivered.
type mail struct {
	spot
	id          string
	address     string     // of the sender, or of the recipient
	peer        netip.Addr // the client, or the server that took it
	name        string     // of the peer
	login       string     // or the enhanced status code
	method      string     // or what the server said
	helo, proto string     // of the client
	subject     string
	recipients  int
	port        uint16
	null        bool // sender
}

// mail is the next one, which n is of.
func (s *Scanned) mail(n *note, kind noteKind, at spot) *mail {
	i := len(s.mails)
	if i == cap(s.mails) {
		s.mails = append(s.mails, mail{})[:i]
	}
	s.mails = s.mails[:i+1]
	m := &s.mails[i]
	*m = mail{}
	m.spot = at
	n.kind, n.of = kind, int32(i)
	return m
}

// set has m be what e tells.
func (m *mail) set(kind noteKind, e *relaylens.Event) {
	if m.id = e.QueueID; kind == noteSent {
		m.address, m.peer, m.name, m.login, m.method = e.Recipient, e.RemoteIP, e.RemoteHost, e.Enhanced, e.Text
		return
	}
	m.peer, m.name, m.port, m.login, m.method = e.ClientIP, e.ClientName, e.ClientPort, e.User, e.AuthMethod
	m.address, m.null, m.helo, m.proto = e.Sender, e.NullSender, e.Helo, e.Proto
}

// setShort is set for an event of a short line, of which no other fields are valid.
func (m *mail) setShort(kind noteKind, e *relaylens.Event) {
	switch m.id = e.QueueID; kind {
	case noteSent:
		m.set(kind, e)
	case noteActive:
		m.address, m.null = e.Sender, e.NullSender
	default:
		m.peer, m.name, m.port, m.login, m.method = e.ClientIP, e.ClientName, e.ClientPort, e.User, e.AuthMethod
	}
}

// tell has e be what m tells.
func (m *mail) tell(kind noteKind, e *relaylens.Event) {
	if e.QueueID = m.id; kind == noteSent {
		e.Kind, e.Recipient = relaylens.KindDelivered, m.address
		e.RemoteIP, e.RemoteHost, e.Enhanced, e.Text = m.peer, m.name, m.login, m.method
		return
	}
	e.ClientIP, e.ClientName, e.ClientPort, e.User, e.AuthMethod = m.peer, m.name, m.port, m.login, m.method
	e.Sender, e.NullSender, e.Helo, e.Proto = m.address, m.null, m.helo, m.proto
	if kind == noteActive {
		e.Kind = relaylens.KindAccepted
	} else if m.login != "" {
		e.Kind = relaylens.KindAuthOK
	}
}

// record is what m was noted of.
func (m *mail) record(n *note, r *scannedRecord) {
	r.begin(&m.spot)
	r.keys.message = n.key
	r.rec.Recipients, r.rec.Subject = m.recipients, m.subject
	if m.tell(n.kind, &r.rec.Event); n.kind != noteSent {
		r.rec.Fact = relaylens.FactMessage
	}
}

// mailed reports what kind of mail a record tells of, if that is all it tells.
func (r *scannedRecord) mailed() (kind noteKind, ok bool) {
	rec := &r.rec
	switch e := &rec.Event; e.Kind {
	case relaylens.KindDelivered:
		kind = noteSent
		ok = rec.Fact == relaylens.FactNone && !e.ClientIP.IsValid() && e.ClientName == "" && e.ClientPort == 0 && e.Helo == "" && e.Proto == "" && e.User == "" && e.AuthMethod == "" && !e.HasSender()
	case relaylens.KindAccepted:
		kind = noteActive
		ok = rec.Fact == relaylens.FactMessage && rec.Subject == "" && e.Recipient == "" && !e.RemoteIP.IsValid() && e.RemoteHost == "" && e.Enhanced == "" && e.Text == ""
	}
	return kind, ok && r.keys.message != 0 && r.env.Repeat == 0 && rec.Event.Service == r.writer.service && ordinary(rec)
}

// ordinary reports whether a record tells nothing but of a message or session.
func ordinary(rec *relaylens.Record) bool {
	e := &rec.Event
	return rec.Child == "" && rec.Helper == relaylens.HelperNone &&
		!(rec.Hold || rec.Explained || rec.Presumed || rec.Retried || rec.PassedOn || rec.Apart || rec.Protest || rec.Dismissal || rec.Tainted) &&
		e.Code == 0 && e.Class == 0 && e.Reason == 0 && e.Direction == 0 && e.Stage == 0 && e.Action == 0
}

// mailed takes in that a message went its way, as correlate does; false where there may be
// more to it.
func (p *Parser) mailed(m *mail, n *note, now int64) bool {
	c := p.memory
	if !c.held.empty() || m.maySayMore(n.kind) {
		return false
	}
	var f found
	if n.kind == noteBorn {
		f.message, _ = c.messages.Put(n.key, now)
		c.messages.beginClient(f.message, m.peer, m.port, m.name)
		f.session = c.sessions.Get(m.writer.session(m.pid), now)
		c.inherit(&f)
		c.trim(&f)
		return true
	}
	e, fact := p.eventAt(&m.spot), relaylens.FactNone
	m.tell(n.kind, e)
	if m.pid != 0 && m.mta != relaylens.Postfix { // whose queue manager and delivery agents have no sessions
		f.session = c.sessions.Get(m.writer.session(m.pid), now)
	}
	told := false
	if n.kind == noteActive {
		fact = relaylens.FactMessage
		c.ofMessage(e, n.key, &f, now)
		c.inherit(&f)
		told, f.message.accepted = f.message.accepted, true
	} else {
		f.message = c.messages.Get(n.key, now)
	}
	if c.fill(e, fact, &f); !told {
		p.emit(e)
	}
	c.delivered(fact, m.recipients, m.subject, n.key, f.message, now)
	c.trim(&f)
	return true
}

// maySayMore reports whether a login may be told of with m.
func (m *mail) maySayMore(kind noteKind) bool {
	switch {
	case kind == noteSent:
		return false
	case kind == noteActive && m.mta == relaylens.Exim && (m.pid != 0 || !m.peer.IsValid()):
		return true // the login of what is known of its message or session
	}
	return m.login != ""
}
