package sendmail

import (
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens/internal/swar"
)

// recent are the peers that were read last: most lines of a session name the same one,
// and it is not read again. It changes nothing of what is read, and is used by one goroutine.
type recent [256]struct { // by some characters of the text
	text     [80]byte // the whole value of macro $_
	n        uint8
	at, name uint8 // where the name begins in it, and how long it is
	ip       netip.Addr
}

// relay is [parseRelay] of a value that may have been read lately.
func (g *Grammar) relay(s string) (relay, bool) {
	const enough = len(" [1.2.3.4]")
	if g.recent == nil || len(s) < enough || len(s) > len(g.recent[0].text) {
		return parseRelay(s)
	}
	some := swar.First(s) + 3*swar.First(s[len(s)/2-4:]) + 5*swar.First(s[len(s)-len("]")-8:])
	p := &g.recent[some*0x9e3779b97f4a7c15>>56]
	if s == string(p.text[:p.n]) {
		return relay{p.ip, s[p.at : p.at+p.name]}, true
	}
	r, ok := parseRelay(s)
	if ok && r.ip.IsValid() {
		p.n, p.ip, p.at, p.name = uint8(copy(p.text[:], s)), r.ip, 0, uint8(len(r.name))
		if r.name != "" {
			p.at = uint8(strings.LastIndexByte(s, '[') - len(" ") - len(r.name))
		}
	}
	return r, ok
}

// relayOfCut is [parseCut] of a value that may have been read lately.
func (g *Grammar) relayOfCut(s string) (relay, bool) {
	if len(s) >= maxCut {
		return relay{}, false
	}
	return g.relay(s)
}
