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
// literal. So the address is the right one even where a literal stands before it.
func cutHost(s string) (h host, rest string, ok bool) {
	if s == "" {
		return h, s, false
	}
	if s[0] != '(' && s[0] != '[' {
		i := 0
		for i < len(s) && hostChar(s[i]) {
			i++
		}
		if i == 0 || i+1 >= len(s) || s[i] != ' ' {
			return h, s, false
		}
		h.name, s = s[:i], s[i+1:]
	}
	if s[0] == '(' {
		n := heloLength(s[1:])
		if n < 0 || len(s) < n+4 || s[n+1] != ')' || s[n+2] != ' ' {
			return h, s, false
		}
		h.helo, s = s[1:n+1], s[n+3:]
	}
	rest, ok = h.cutAddr(s)
	return h, rest, ok
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

func hostChar(c byte) bool {
	switch c {
	case '(', ')', '[', ']', '<', '>', '"', '=', 0x7f:
		return false
	}
	return c > ' '
}

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
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ')':
			return i
		case c == '(' || c == '[' || c == ']' || c <= ' ':
			return -1
		}
	}
	return -1
}

// tokens are the fields after the host string: an open set of KEY=value and a
// few flags.
type tokens struct {
	auth    string // A=, driver and id
	proto   string // P=
	ident   bool   // U=, DN= or SNI= is there: text of the client's, before what we look for
	doubted bool   // one of those has quotes that could be the end of it
}

// cutTokens reads the fields from s on and stops before one that is none of
// them. s begins with a space.
func cutTokens(s string) (t tokens, rest string) {
	for len(s) > 3 && s[0] == ' ' {
		end := strings.IndexByte(s[1:], ' ')
		if end < 0 {
			end = len(s) - 1
		}
		word := s[1 : end+1]
		eq := keyLength(word)
		switch {
		case eq < 0 && !flag(word), eq >= 0 && word[:eq] == "F", eq >= 0 && word[:eq] == "S" && digits(word[2:]):
			return t, s
		case eq >= 0 && eq+1 < len(word) && word[eq+1] == '"' && word[:eq] != "U":
			n, sure := quotedLength(s[eq+2:])
			if n < 0 {
				t.doubted = true
				return t, s
			}
			t.ident, t.doubted = true, t.doubted || !sure
			s = s[eq+2+n:]
			continue
		case eq < 0:
		case word[:eq] == "A":
			end = fieldLength(s[1:])
			t.doubted = t.doubted || t.auth != ""
			t.auth = s[3 : end+1]
		case word[:eq] == "P":
			// A login is told after the protocol.
			t.doubted = t.doubted || t.proto != "" || t.auth != ""
			t.proto = word[2:]
		case word[:eq] == "U":
			end = fieldLength(s[1:])
			t.ident = true
		case word[:eq] == "SNI", word[:eq] == "DN":
			t.ident = true
		}
		s = s[end+1:]
	}
	return t, s
}

// fieldLength is the length of a field whose value may have spaces in it, a
// login or an ident answer: it ends before the next field.
func fieldLength(s string) int {
	for n := 0; ; {
		end := strings.IndexByte(s[n:], ' ')
		if end < 0 {
			return len(s)
		}
		n += end
		next := s[n+1:]
		if i := strings.IndexByte(next, ' '); i >= 0 {
			next = next[:i]
		}
		if keyLength(next) > 0 || flag(next) || next == "rejected" || next == "temporarily" {
			return n
		}
		n++
	}
}

// keyLength is the length of K in "K=value", or -1.
func keyLength(word string) int {
	for i := 0; i < len(word) && i < 5; i++ {
		c := word[i]
		if c == '=' {
			if i == 0 {
				return -1
			}
			return i
		}
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return -1
		}
	}
	return -1
}

// flag reports the fields that are words: DNSSEC, pipelining, TCP fast open,
// PRDR, chunking.
func flag(word string) bool {
	switch word {
	case "DS", "L", "L*", "L.", "L-", "L.-", "TFO", "TFO*", "PRDR", "K":
		return true
	}
	return false
}

// quotedLength is the length of a quoted value. Inner quotes may not be escaped,
// so its end is known by what follows it; sure is false when that is found again.
func quotedLength(s string) (n int, sure bool) {
	n = -1
	for i := 1; i < len(s); i++ {
		if s[i] != '"' || !fieldBegins(s[i+1:]) {
			continue
		}
		if n >= 0 {
			return n, false
		}
		n = i + 1
	}
	return n, true
}

func fieldBegins(s string) bool {
	return s == "" || s[0] == ' ' && hasAnyPrefix(s, " F=<", " rejected ", " temporarily rejected ", " SNI=", " A=", " S=", " K ",
		" PRDR ", " PRX=", " dropped by ", " RCPT ", " Ci=", " DN=", " C=")
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
