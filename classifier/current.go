package classifier

import (
	"hash/maphash"
	"net/netip"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// current is what was found of the event in hand. One event has one client, one
// server and one recipient, and much is asked of each.
type current struct {
	address netip.Addr
	key     uint64
	client  *client // nil where it was not looked for, or is not known
	at      int64   // the time it was looked for

	server       *server // nil where it was not looked for
	host         *host   // nil where it was not looked for, or is not known
	list         blocklist
	sender, user uint64 // 0 where they were not looked for
	recipient    domain
	from         domain // of the sender
	settled      bool   // nothing that may come later changes the cause, though more was asked than the event
}

// domain is a domain with its key; both are empty where there is none.
type domain struct {
	name  string
	key   uint64
	known bool // it was looked for
}

// turn forgets what was found of the event before, but for the key of its client, who
// may have the next one as well.
func (h *history) turn() { h.current = current{address: h.current.address, key: h.current.key} }

// server is one program at one host, with the keys that are made of their names.
type server struct {
	host, service []byte
	name          uint64 // of the host
	writer        uint64 // of the program at the host
	known         bounded.Held[host]
	peer          bounded.Held[peer]
}

// servers remembers some of them. An event is mostly of one that was met before.
type servers [64]server

// at is where a server has its place.
func (s *servers) at(host, service string) *server {
	n := uint(len(host)) + 3*uint(len(service))
	if host != "" {
		n += 5 * uint(host[len(host)-1])
	}
	if service != "" {
		n += 7*uint(service[0]) + uint(service[len(service)-1])
	}
	return &s[n%uint(len(s))]
}

// server is the one that wrote of e.
func (h *history) server(e *relaylens.Event) *server {
	if s := h.current.server; s != nil {
		return s
	}
	return h.findServer(e)
}

func (h *history) findServer(e *relaylens.Event) *server {
	s := h.servers.at(e.Host, e.Service)
	if string(s.host) != e.Host || string(s.service) != e.Service || s.name == 0 {
		*s = server{host: append(s.host[:0], e.Host...), service: append(s.service[:0], e.Service...), name: h.name(e.Host)}
		s.writer = bounded.Mix(maphash.String(h.seed, e.Host), maphash.String(h.seed, e.Service))
	}
	h.current.server = s
	return s
}

// host is the key of the host that e is of.
func (h *history) host(e *relaylens.Event) uint64 { return h.server(e).name }

// known is what is known of the host that e is of; nil when nothing is.
func (h *history) known(e *relaylens.Event, now int64) *host {
	if host := h.current.host; host != nil {
		return host
	}
	return h.findHost(e, now)
}

func (h *history) findHost(e *relaylens.Event, now int64) *host {
	s := h.server(e)
	h.current.host = s.known.Get(h.hosts, s.name, now)
	return h.current.host
}

// hostEntry is known for a host of which something is to be remembered.
func (h *history) hostEntry(e *relaylens.Event, now int64) *host {
	if known := h.known(e, now); known != nil {
		return known
	}
	h.current.host = entry(h.hosts, h.host(e), now)
	return h.current.host
}

// blocklist is the list that a server says a client is on; its zone is 0 where it names none.
type blocklist struct {
	zone  uint64
	said  string // by the list, as a rule
	known bool   // it was looked for
}

// blocklist is the one that e's text names.
func (h *history) blocklist(e *relaylens.Event) blocklist {
	if l := &h.current.list; !l.known {
		l.known = true
		if zone, said := relaylens.Blocklist(e); zone != "" {
			l.zone, l.said = h.name(zone), said
		}
	}
	return h.current.list
}

// sender is the key of e's sender.
func (h *history) sender(e *relaylens.Event) uint64 {
	if h.current.sender == 0 {
		h.current.sender = h.name(e.Sender)
	}
	return h.current.sender
}

// user is the key of the login in e.
func (h *history) user(e *relaylens.Event) uint64 {
	if h.current.user == 0 {
		h.current.user = h.name(e.User)
	}
	return h.current.user
}

// recipient is the domain of e's recipient.
func (h *history) recipient(e *relaylens.Event) domain {
	if d := &h.current.recipient; !d.known {
		*d = h.domain(e.RecipientDomain())
	}
	return h.current.recipient
}

// from is the domain of e's sender.
func (h *history) from(e *relaylens.Event) domain {
	if d := &h.current.from; !d.known {
		*d = h.domain(e.SenderDomain())
	}
	return h.current.from
}

// domain is a domain of an event, which is in small letters already.
func (h *history) domain(name string) domain {
	if name == "" {
		return domain{known: true}
	}
	return domain{name, h.lowered(name), true}
}
