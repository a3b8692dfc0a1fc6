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
	case e.Direction == relaylens.Inbound && (e.Stage == relaylens.StageEOD || e.RemoteHost == relaylens.Disk):
		m := c.stateOf(k, f, now)
		was := m.refused
		m.refused = true
		return was
	case e.MTA == relaylens.Sendmail && e.Direction == relaylens.Inbound && e.Stage == relaylens.StageRcpt && (rec.Filtered || e.Code == 0):
		return c.rejectedTwice(rec, k, f, now)
	case e.MTA == relaylens.Sendmail && e.Direction == relaylens.Outbound && e.Stage == relaylens.StageRcpt && e.Code == 421:
		// The server hung up, and the lines of the other recipients have its words.
		m, last := c.stateOf(k, f, now), *e
		last.Stage = relaylens.StageData
		m.answer, m.answered = c.answer(&last, e.PID), now
	case ofServer(e) && rec.Retried:
		return false // see serverOnly
	case e.MTA == relaylens.Exim && e.Direction == relaylens.Outbound && e.Stage == relaylens.StageRcpt:
		return c.refusedHostToo(rec, k, now)
	case e.Direction == relaylens.Outbound && e.Stage != relaylens.StageRcpt && e.Stage != relaylens.StageNone:
		return c.answeredBefore(rec, k, f, now)
	}
	return false
}

// refusedHostToo reports whether Exim told what a server said of a recipient: if it
// hung up then, the line of the server has the words as well as the recipient's. A
// permanent answer is the last one, a temporary one may come again at the next attempt.
//
// Source: transports/smtp.c, write_logs.
func (c *correlator) refusedHostToo(rec *relaylens.Record, k *keys, now int64) bool {
	e := &rec.Event
	key := bounded.Mix(bounded.Mix(k.message, c.answer(e, 0)), maphash.String(c.seed, e.Recipient))
	told := c.hungUp.Get(key, now)
	again := told != nil && (now-*told <= 1 || e.Code >= 500 && !rec.Retried)
	if rec.Retried && told == nil {
		told, _ = c.hungUp.Put(key, now)
	}
	if told != nil {
		*told = now
	}
	return again
}

// ofServer reports whether a server refused all that Exim has for it. The line has
// no recipient; those of the recipients repeat what the last server said.
func ofServer(e *relaylens.Event) bool {
	return e.MTA == relaylens.Exim && e.Direction == relaylens.Outbound && (e.Stage == relaylens.StageConnect || e.Stage == relaylens.StageHelo)
}

// serverOnly is the key under which a server's refusal waits for the recipients' lines
// that repeat it. One of those replaces it.
func (c *correlator) serverOnly(rec *relaylens.Record, k *keys) (hold uint64) {
	e := &rec.Event
	if !ofServer(e) || k.message == 0 {
		return 0
	}
	key := bounded.Mix(k.message, c.answer(e, 0))
	if rec.Retried {
		return key
	}
	if !c.held.empty() {
		c.held.drop(key)
	}
	return 0
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

// rejectedTwice reports whether a filter refuses a recipient that Sendmail refused
// just before: it asks filters that care to know who is not there, and one that does
// not work refuses everybody. The client is told what Sendmail said.
//
// Source: sendmail/srvrsmtp.c, the call of milter_rcpt.
func (c *correlator) rejectedTwice(rec *relaylens.Record, k *keys, f *found, now int64) bool {
	m := c.stateOf(k, f, now)
	var h maphash.Hash
	h.SetSeed(c.seed)
	for _, b := range []byte(rec.Event.Recipient) {
		h.WriteByte(b & 0x7f) // Sendmail's own refusal has lost the eighth bit
	}
	recipient := h.Sum64()
	if !rec.Filtered {
		m.answer = recipient
		return false
	}
	was := m.answer
	m.answer = 0
	return was == recipient
}

// dismissed reports whether the client was thrown out for a command whose refusal
// was told just before. The rejectlog, which has no line of that refusal, may be
// read first: then the refusal is the one that was told already.
func (c *correlator) dismissed(rec *relaylens.Record, k *keys, now int64) bool {
	told, other := c.protests, c.dismissals
	if rec.Protest {
		told, other = c.dismissals, c.protests
	}
	if told.Get(k.session, now) == nil {
		if rec.Protest || strings.HasPrefix(rec.Event.Text, "too many syntax ") {
			other.Put(k.session, now)
		}
		return false
	}
	told.Delete(k.session)
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
func endpoint(w *writer, e *relaylens.Event) uint64 {
	a := e.ClientIP.As16()
	key := bounded.Mix(w.sessions, binary.NativeEndian.Uint64(a[:]))
	return bounded.Mix(bounded.Mix(key, binary.NativeEndian.Uint64(a[8:])), uint64(e.ClientPort))
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
