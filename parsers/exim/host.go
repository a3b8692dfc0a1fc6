package exim

import (
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// host is what Exim writes of its peer: {name} ({helo}) [{ip}]:{port}, where
// all but the address may be missing.
// host.c, host_build_sender_fullhost
type host struct {
	name, helo string
	greeted    bool // a HELO is shown, which may be empty
	ip         netip.Addr
	port       uint16
}

// setClient makes h the event's client.
func (h *host) setClient(e *relaylens.Event) {
	e.Direction = relaylens.Inbound
	e.ClientIP, e.ClientName, e.ClientPort, e.Helo = h.ip, h.name, h.port, h.helo
}

// setRemote makes h the server that answered us.
func (h *host) setRemote(e *relaylens.Event) {
	e.Direction = relaylens.Outbound
	e.RemoteIP, e.RemoteHost = h.ip, h.name
}

// cutHost reads a host string whose HELO keeps the rules that Exim has by
// default (smtp_in.c, check_helo): one word without brackets, or an address
// literal. A server of that kind has one address in it, where it is read here.
func cutHost(s string) (h host, rest string, ok bool) {
	rest, ok = h.cut(s)
	return h, rest, ok
}

// cut is [cutHost] into h, which is empty.
func (h *host) cut(s string) (rest string, ok bool) {
	if s == "" {
		return s, false
	}
	if s[0] != '(' && s[0] != '[' {
		i := nameLength(s)
		if i == 0 || i+1 >= len(s) || s[i] != ' ' {
			return s, false
		}
		h.name, s = s[:i], s[i+1:]
	}
	if s[0] == '(' {
		n := heloLength(s[1:])
		if n < 0 || len(s) < n+4 || s[n+1] != ')' || s[n+2] != ' ' {
			return s, false
		}
		h.helo, h.greeted, s = s[1:n+1], true, s[n+3:]
	}
	return h.cutAddr(s)
}

// several reports that s, which follows h, may be in h's HELO.
func (h *host) several(s string) bool {
	if !h.greeted {
		return false
	}
	i := strings.IndexByte(s, ')')
	return i >= 0 && strings.Contains(s[i:], ") [")
}

// cutAddr reads [ip]:port.
func (h *host) cutAddr(s string) (rest string, ok bool) {
	if s == "" || s[0] != '[' {
		return s, false
	}
	// The longest address is IPv6 with an IPv4 tail and a zone.
	end := strings.IndexByte(s[:min(len(s), 64)], ']')
	if end < 0 {
		return s, false
	}
	if h.ip, ok = smtp.ParseIP(s[1:end]); !ok {
		return s, false
	}
	s = s[end+1:]
	if len(s) < 2 || s[0] != ':' || s[1] < '0' || s[1] > '9' {
		return s, true
	}
	i := 1
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	h.port = smtp.ParsePort(s[1:i])
	return s[i:], true
}

// nameLength is the length of the host name that s begins with. Before 4.97 that
// is whatever the DNS says, in which there is no space: the resolver library writes
// one as \032. An address or a HELO follows.
func nameLength(s string) int {
	i := smtp.PlainLength(s)
	for i < len(s) && hostChars[s[i]] {
		i++
	}
	if i == len(s) || s[i] == ' ' || i == 0 && (s[0] == '(' || s[0] == '[') {
		return i
	}
	end := strings.IndexByte(s, ' ')
	if end > 0 && end+1 < len(s) && (s[end+1] == '(' || s[end+1] == '[') {
		return end
	}
	return i
}

// hostChars are the bytes of a host name that is one.
var hostChars = func() (set [256]bool) {
	for c := ' ' + 1; c < 256; c++ {
		set[c] = c != 0x7f && !strings.ContainsRune(`()[]<>"=`, c)
	}
	return set
}()

// heloLength is the length of the HELO that s begins with, or -1.
func heloLength(s string) int {
	if s != "" && s[0] == '[' {
		end := strings.IndexByte(s[:min(len(s), 64)], ']')
		if end < 0 {
			return -1
		}
		if _, ok := smtp.ParseIP(s[1:end]); !ok {
			return -1
		}
		return end + 1
	}
	for i := smtp.PlainLength(s); i < len(s); i++ {
		switch c := s[i]; {
		case c == ')':
			return i
		case c == '(' || c == '[' || c == ']' || c <= ' ':
			return -1
		}
	}
	return -1
}

// hosts goes over the host strings that may stand at the start of s. Where any
// HELO is taken (helo_accept_junk_hosts), that is as many as there are closing
// parentheses before an address: each could end the HELO, as each could stand
// in something of the client's behind the host string.
type hosts struct {
	s      string
	helo   int // where the HELO begins, -1 when there is none
	at     int // where the next search begins
	strict bool
	seen   int
}

// maxHosts bounds the work that a hostile line makes.
const maxHosts = 32

func newHosts(s string) hosts {
	w := hosts{s: s, helo: -1}
	name := nameLength(s)
	switch {
	case strings.HasPrefix(s, "("):
		w.helo = 1
	case name > 0 && strings.HasPrefix(s[name:], " ("):
		w.helo = name + 2
	}
	w.at = w.helo
	return w
}

// next gives the next of them. The strict one has a HELO that keeps the rules,
// and can only be the first.
func (w *hosts) next() (h host, rest string, ok bool) {
	if w.helo < 0 {
		w.helo, w.at, w.strict = 0, len(w.s), true
		return cutHost(w.s)
	}
	for w.at < len(w.s) {
		i := strings.Index(w.s[w.at:], ") [")
		if i < 0 {
			break
		}
		end := w.at + i
		w.at = end + 1
		if rest, ok = h.cutAddr(w.s[end+2:]); !ok {
			continue
		}
		w.seen++
		h.helo, h.greeted = w.s[w.helo:end], true
		if w.helo > 1 {
			h.name = w.s[:w.helo-2]
		}
		w.strict = w.seen == 1 && heloLength(w.s[w.helo:]) == len(h.helo)
		return h, rest, true
	}
	w.at = len(w.s)
	return host{}, "", false
}

// oneHost reads the host string that s begins with and that is followed by what
// fits. n is how many could be it: h and rest are the first of them, and only
// when there is no other is h known to be right.
func oneHost(s string, fits func(rest string) bool) (h host, rest string, n int) {
	h, rest, strict := cutHost(s)
	if strict && !h.several(rest) {
		if fits(rest) {
			n = 1
		}
		return h, rest, n
	}
	for w := newHosts(s); n < 2; {
		th, after, ok := w.next()
		if !ok {
			break
		}
		if w.seen > maxHosts {
			return h, rest, 2
		}
		if !fits(after) {
			continue
		}
		if n++; n == 1 {
			h, rest = th, after
		}
	}
	return h, rest, n
}
