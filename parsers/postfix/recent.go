package postfix

import (
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens"
)

// recent are the clients of processes that were read last: most lines of a session
// name the client once more, and it is not read again. It changes nothing of what is
// read, and is used by one goroutine.
type recent [256]struct { // by the last digits of the pid
	text [80]byte // {name}[{addr}]
	n    uint8
	name uint8 // length of the name
	addr netip.Addr
}

// client is cutClient for a line of a process.
func (g *Grammar) client(pid int32, s string, ev *relaylens.Event) (rest string, ok bool) {
	if g.recent == nil {
		return cutClient(s, ev)
	}
	r := &g.recent[uint8(pid)]
	if n := int(r.n); n > 0 && n <= len(s) && s[:n] == string(r.text[:n]) {
		ev.ClientIP = r.addr
		if name := s[:r.name]; name != "unknown" {
			ev.ClientName = name
		}
		return cutPort(s[n:], ev), true
	}
	if rest, ok = cutClient(s, ev); !ok {
		return s, false
	}
	if n := strings.IndexByte(s, ']') + 1; n <= len(r.text) {
		r.n, r.name = uint8(copy(r.text[:], s[:n])), uint8(strings.IndexByte(s[:n], '['))
		r.addr = ev.ClientIP
	}
	return rest, true
}
