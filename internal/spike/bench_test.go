package spike

import (
	"net/netip"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike/simulate"
)

// BenchmarkLook is a look every 15 seconds, with as many clients as are remembered,
// and what is learned every hour.
func BenchmarkLook(b *testing.B) {
	d := New(Settings{})
	w := simulate.New(5, monday)
	look := func() {
		at, groups, _ := w.Next()
		for i := range groups {
			d.AddN(&groups[i].Event, groups[i].N)
		}
		d.Advance(at.Add(simulate.Pane))
	}
	for range 2 * 24 * 240 {
		look()
	}
	e := relaylens.Event{Time: monday.Add(48 * time.Hour), Kind: relaylens.KindRejected, Cause: relaylens.CausePolicy}
	for i := range 8192 {
		e.ClientIP = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		d.Add(&e)
	}
	for b.Loop() {
		look()
	}
}
