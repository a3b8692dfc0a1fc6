package parsers

import (
	"net/netip"
	"unsafe"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// state is what is remembered of a session or a message. Its texts stand in one
// buffer, of [buffers]. There are many, and most are looked for when they have long left the
// processor's caches, so that each is as small as can be.
type state struct {
	// What most lines ask for stands first, beside the key.
	buf        []byte           // every text
	ends       [numTexts]uint16 // of each text in buf, which begins where the one before ends
	waiting    uint16           // recipients that it was not delivered to yet; 0 is not known
	nullSender bool
	accepted   bool // a KindAccepted was reported
	client     address
	user       address // the client that logged in as the user
	clientPort uint16
	refused    bool // the end of the message was refused
	loggedIn   bool // a KindAuthOK was reported for the user
	plain      bool // a session whose beginning is known, and nothing was refused since
	answer     uint64
	tried      uint64 // the answer of a server, if no recipient's line told it yet
	answered   int64  // when the last of them was told, event time
}

// address is an address, or none, without what [netip.Addr] needs for its zone.
type address struct {
	bytes [16]byte
	known bool
}

func addressOf(a netip.Addr) address { return address{a.As16(), a.IsValid()} }

// addr is a as grammars give it: IPv4 is never mapped.
func (a *address) addr() netip.Addr {
	if !a.known {
		return netip.Addr{}
	}
	if [12]byte(a.bytes[:12]) == mapped {
		return netip.AddrFrom4([4]byte(a.bytes[12:]))
	}
	return netip.AddrFrom16(a.bytes)
}

// mapped is what stands before an IPv4 address.
var mapped = [12]byte{10: 0xff, 11: 0xff}

// The texts of a state.
const (
	textClientName = iota
	textHelo
	textProto
	textUser
	textMethod
	textSender
	numTexts
)

// text is one of them, valid until the next line.
func (s *state) text(i int) string {
	begin := uint16(0)
	if i > 0 {
		begin = s.ends[i-1]
	}
	return view(s.buf[begin:s.ends[i]])
}

// maxText bounds one remembered text. Addresses and names that are longer than
// RFC 5321 allows are worth nothing as identity.
const maxText = 512

// states are those of sessions, or of messages.
type states struct {
	*bounded.Table[state]
	buffers buffers
	bytes   int64  // of texts beyond what is ordinary
	used    *state // by the line in hand
}

func newStates(entries int, ttl int64) *states {
	t := new(states)
	t.Table = bounded.NewTable(entries, ttl, func(s *state) {
		t.bytes -= s.extra()
		t.buffers.give(s.buf)
		s.buf = nil
	})
	t.Spare = func(s *state) bool { return s == t.used }
	return t
}

// begin has s be what e tells, and nothing else.
func (t *states) begin(s *state, e *relaylens.Event) {
	if e.Helo == "" && e.Proto == "" && e.User == "" && e.AuthMethod == "" && !e.HasSender() {
		t.beginClient(s, e.ClientIP, e.ClientPort, e.ClientName)
		return
	}
	t.bytes -= s.extra()
	*s = state{buf: s.buf, nullSender: e.NullSender}
	s.identity(e)
	values, size := texts(e), 0
	for i := range values {
		if len(values[i]) > maxText {
			values[i] = ""
		}
		size += len(values[i])
	}
	t.write(s, &values, size)
}

// learn has s take over every field that e tells.
func (t *states) learn(s *state, e *relaylens.Event) {
	if s.identity(e); e.ClientName == "" && e.Helo == "" && e.Proto == "" && e.User == "" && e.AuthMethod == "" {
		t.learnSender(s, e.Sender, e.NullSender)
		return
	}
	s.learnNull(e.Sender, e.NullSender)
	t.setTexts(s, texts(e))
}

// learnSender has s take over the sender, where one is told.
func (t *states) learnSender(s *state, sender string, null bool) {
	s.learnNull(sender, null)
	t.setSender(s, sender)
}

func (s *state) learnNull(sender string, null bool) {
	if null || sender != "" {
		s.nullSender = null
	}
	if null { // the last of the texts
		s.ends[textSender] = s.ends[textSender-1]
	}
}

// setSender is setTexts of the last text alone.
func (t *states) setSender(s *state, sender string) {
	if sender == "" || len(sender) > maxText || sender == s.text(textSender) {
		return
	}
	t.bytes -= s.extra()
	before := s.buf[:s.ends[textSender-1]]
	buf := append(append(t.buffers.take(len(before)+len(sender)), before...), sender...)
	s.ends[textSender] = uint16(len(buf))
	t.buffers.give(s.buf)
	s.buf = buf
	t.bytes += s.extra()
}

// beginClient is begin of a client alone.
func (t *states) beginClient(s *state, addr netip.Addr, port uint16, name string) {
	t.bytes -= s.extra()
	*s = state{buf: s.buf}
	if addr.IsValid() {
		s.client, s.clientPort = addressOf(addr), port
	}
	if len(name) > maxText {
		name = ""
	}
	buf := append(t.buffers.take(len(name)), name...)
	n := uint16(len(buf))
	s.ends = [numTexts]uint16{n, n, n, n, n, n}
	t.buffers.give(s.buf)
	s.buf = buf
	t.bytes += s.extra()
}

// setTexts replaces the texts that values has; the others stay.
func (t *states) setTexts(s *state, values [numTexts]string) {
	changed, size := false, 0
	for i, v := range values {
		if was := s.text(i); v == "" || len(v) > maxText {
			values[i] = was
		} else if v != was {
			changed = true
		}
		size += len(values[i])
	}
	if !changed {
		return
	}
	t.bytes -= s.extra()
	t.write(s, &values, size)
}

// write has s have these texts, of that many bytes. Some of them may be of its buffer,
// and of what the line in hand tells.
func (t *states) write(s *state, values *[numTexts]string, size int) {
	buf := t.buffers.take(size)
	for i, v := range values {
		buf = append(buf, v...)
		s.ends[i] = uint16(len(buf))
	}
	t.buffers.give(s.buf)
	s.buf = buf
	t.bytes += s.extra()
}

// reset has s be nothing.
func (s *state) reset() {
	buf := s.buf[:0]
	*s = state{buf: buf}
}

// extra is the memory that s holds beyond what is ordinary.
func (s *state) extra() int64 { return int64(max(0, cap(s.buf)-ordinaryRoom)) }

// texts lists the fields of an event in the order of state.ends.
func texts(e *relaylens.Event) [numTexts]string {
	return [numTexts]string{e.ClientName, e.Helo, e.Proto, e.User, e.AuthMethod, e.Sender}
}

// identity takes over who e says the client is, and that it is the user's.
func (s *state) identity(e *relaylens.Event) {
	if e.ClientIP.IsValid() {
		s.client, s.clientPort = addressOf(e.ClientIP), e.ClientPort
	}
	if e.User != "" {
		s.user = s.client
	}
}

// view is b as a string without a copy. The events that it reaches are valid
// only until the next line, and b is not written before that.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// behind reports whether e names this machine in place of the client of s, as it
// does behind a filter that told the client with XFORWARD. It takes the filter's
// name and HELO out of e, so that the client's come in.
func (s *state) behind(e *relaylens.Event) bool {
	if !e.ClientIP.IsLoopback() || !s.client.known || e.ClientIP.As16() == s.client.bytes || e.Direction != relaylens.Inbound {
		return false
	}
	e.ClientIP, e.ClientName, e.ClientPort, e.Helo, e.Proto = netip.Addr{}, "", 0, "", ""
	return true
}

// fillClient gives e the client of s, if e has none or the same one.
func (s *state) fillClient(e *relaylens.Event) {
	if !s.client.known || e.ClientIP.IsValid() && e.ClientIP.As16() != s.client.bytes {
		return
	}
	if !e.ClientIP.IsValid() {
		e.ClientIP = s.client.addr()
	}
	if e.ClientPort == 0 {
		e.ClientPort = s.clientPort
	}
	if e.ClientName == "" {
		e.ClientName = s.text(textClientName)
	}
	if s.ends[textProto] == s.ends[textClientName] {
		return // neither is known
	}
	if e.Helo == "" {
		e.Helo = s.text(textHelo)
	}
	if e.Proto == "" {
		e.Proto = s.text(textProto)
	}
}

// fillUser gives e the login of s. A failed login has its own user or none.
func (s *state) fillUser(e *relaylens.Event) {
	if e.Kind == relaylens.KindAuthFailed || e.User != "" {
		return
	}
	if e.Direction != relaylens.Outbound && e.ClientIP.IsValid() && (!s.user.known || s.user != addressOf(e.ClientIP)) {
		return
	}
	e.User = s.text(textUser)
	fill(&e.AuthMethod, s.text(textMethod))
}

func (s *state) fillSender(e *relaylens.Event) {
	if !e.HasSender() {
		e.Sender, e.NullSender = s.text(textSender), s.nullSender
	}
}
