package relaylens

import (
	"net/netip"
	"strings"
	"time"
	"unsafe"

	"github.com/relaylens/relaylens/internal/swar"
)

// Event is one thing the log says about one SMTP command. Strings that came
// from the log alias its line; Clone before keeping one longer than the batch.
//
// A string field is empty, a number 0 and an address invalid when the log does
// not tell. Text of the client's choosing is verbatim: whoever shows it escapes it.
type Event struct {
	ID         ID
	Time       time.Time // of the line, in the log's own zone
	TimeDigits uint8     // decimals of a second that the log shows

	Host    string
	MTA     MTA
	Service string // "smtpd", "submission/smtpd", "sm-mta"
	PID     int32
	QueueID string // empty for NOQUEUE

	Kind      Kind
	Direction Direction
	Stage     Stage
	Reason    Reason
	Cause     Cause
	Given     Cause // by another relaylens, that read the log; CauseNone where this one did
	Action    Action
	Class     Class // set where Code is not logged, as in Exim; see ReplyClass

	// The peer of this server. For outbound events the client that submitted
	// the message, where the log tells.
	ClientIP   netip.Addr
	ClientName string // verified by the server; empty when unknown
	ClientPort uint16
	Helo       string
	Proto      string // "SMTP", "ESMTP", "esmtpsa", as logged

	User       string // the SASL login: for KindAuthFailed the attempted one
	AuthMethod string // mechanism, or Exim's driver name

	// Envelope addresses without angle brackets, as the client typed them: the
	// log's own escapes undone, RFC 5321 quoting kept.
	Sender     string
	NullSender bool // the log says <>; Sender is then empty
	Recipient  string

	Code     uint16 // SMTP reply code, 0 when not logged
	Enhanced string // RFC 3463, "5.7.1"
	Text     string // the reply's text, without codes and without the address it begins with

	RemoteHost string // the other server, for outbound events and callouts; see also HelperOf
	RemoteIP   netip.Addr

	Source string
	Line   int64 // 1-based number of the line that completed the event
	Offset int64
	Raw    string // the line, where it was asked for
}

// ReplyClass is the class of Code, or what the log says in its place.
func (e *Event) ReplyClass() Class {
	switch e.Code / 100 {
	case 4:
		return Class4xx
	case 5:
		return Class5xx
	}
	return e.Class
}

// Refusal reports whether a command was answered 4xx or 5xx.
func (e *Event) Refusal() bool { return e.Kind.Refusal() && e.Action == ActionRefuse }

// SetSender sets the envelope sender from what stood between angle brackets.
func (e *Event) SetSender(address string) {
	e.Sender, e.NullSender = address, address == ""
}

// HasSender reports whether the log tells the sender, be it the null sender.
func (e *Event) HasSender() bool { return e.NullSender || e.Sender != "" }

// SenderDomain is the domain of the sender; see [Domain].
func (e *Event) SenderDomain() string { return Domain(e.Sender) }

// RecipientDomain is the domain of the recipient; see [Domain].
func (e *Event) RecipientDomain() string { return Domain(e.Recipient) }

// Domain is what follows the last @ of address that is not quoted, in lower
// case, without a trailing dot; U-labels stay. Empty when there is none.
func Domain(address string) string {
	at := swar.LastIndexByte(address, '@')
	if at < 0 || strings.HasSuffix(address, `"`) {
		return ""
	}
	return Lower(strings.TrimSuffix(address[at+1:], "."))
}

// Clone is a deep copy that aliases no batch. Its texts are one piece of memory.
func (e *Event) Clone() Event {
	size := 0
	for _, s := range e.texts() {
		size += len(*s)
	}
	c, _ := e.CloneInto(make([]byte, 0, size))
	return c
}

// CloneInto is Clone with its texts in memory, from its beginning on, or in more
// where it is too small: what it took is returned, and is not to be changed as long
// as the copy is used.
func (e *Event) CloneInto(memory []byte) (Event, []byte) {
	memory = memory[:0]
	for _, s := range e.texts() {
		memory = append(memory, *s...)
	}
	c := *e
	all := unsafe.String(unsafe.SliceData(memory), len(memory))
	for _, s := range c.texts() {
		*s, all = all[:len(*s)], all[len(*s):]
	}
	c.ClientIP, c.RemoteIP = cloneAddr(c.ClientIP), cloneAddr(c.RemoteIP)
	return c, memory
}

func (e *Event) texts() [15]*string {
	return [...]*string{&e.Host, &e.Service, &e.QueueID, &e.ClientName, &e.Helo, &e.Proto, &e.User, &e.AuthMethod,
		&e.Sender, &e.Recipient, &e.Enhanced, &e.Text, &e.RemoteHost, &e.Source, &e.Raw}
}

// cloneAddr drops the zone, whose text aliases the line and which names an
// interface of the logging machine, not a client.
func cloneAddr(a netip.Addr) netip.Addr { return a.WithZone("") }
