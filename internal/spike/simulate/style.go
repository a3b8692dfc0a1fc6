package simulate

import (
	"math"
	"net/netip"
	"time"

	"github.com/relaylens/relaylens"
)

// Style is what a world's background has beside bursts of a few refusals.
type Style string

const (
	Plain    Style = ""
	Sessions Style = "sessions" // single clients that try far more often, within two minutes
	Nets     Style = "nets"     // the same from ten addresses of a /24 or a /64
)

// A session comes so often a week. Its size is Pareto's, from least to most.
const (
	sessionsPerWeek = 10
	leastSession    = 15
	mostSession     = 80
	sessionTail     = 1.5
	sessionPanes    = 8
)

// session begins one now and then, of a cause that attackers have.
func (w *World) session() {
	if w.Style == Plain || w.sessions.Float64() > sessionsPerWeek*float64(Pane)/float64(7*24*time.Hour) {
		return
	}
	s := &w.Streams[w.sessions.IntN(4)]
	size := min(leastSession*math.Pow(1-w.sessions.Float64(), -1/sessionTail), mostSession)
	from, neighbours := w.stranger(), 1
	if w.Style == Nets {
		neighbours = 10
	}
	for range int(size) {
		pane := w.at + int64(w.sessions.IntN(sessionPanes))
		g := Group{N: 1, Event: relaylens.Event{Time: time.Unix(pane*paneSeconds, 0).UTC(), Kind: s.Kind, Cause: s.Cause, Direction: relaylens.Inbound,
			Action: relaylens.ActionRefuse, ClientIP: neighbour(from, w.sessions.IntN(neighbours))}}
		slot := pane % int64(len(w.queue))
		w.queue[slot] = append(w.queue[slot], g)
	}
}

// stranger is the first address of a network that nobody knows.
func (w *World) stranger() netip.Addr {
	a, b, c := byte(w.sessions.IntN(256)), byte(w.sessions.IntN(256)), byte(w.sessions.IntN(256))
	if w.sessions.IntN(4) == 0 {
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, a, b, c})
	}
	return netip.AddrFrom4([4]byte{100, a, b, c &^ 15})
}

func neighbour(a netip.Addr, n int) netip.Addr {
	if a.Is4() {
		b := a.As4()
		b[3] += byte(n)
		return netip.AddrFrom4(b)
	}
	b := a.As16()
	b[15] += byte(n)
	return netip.AddrFrom16(b)
}
