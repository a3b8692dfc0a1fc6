package resident

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// small is a heap that the collector need not keep any smaller.
	small = 12 << 20
	// least and most are the per cent that a heap may grow by before it is
	// collected. What is read of logs leaves next to no garbage, so that what it
	// would grow by is not needed.
	least, most = 5, 400
)

// Collect has the collector run before the heap is larger than need be, where its
// own way lets it become twice as large as what is in use. It costs little to
// commands that read much and keep little. Whoever has set GOGC has his way.
func Collect() { new(watch).collected() }

// watch is collected each time that anything is. It has a pointer, so that it does
// not share its memory with what lives on.
type watch struct{ _ *watch }

// collected says anew how much the heap may grow.
func (*watch) collected() {
	if os.Getenv("GOGC") != "" {
		return
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	debug.SetGCPercent(percent(sample[0].Value.Uint64()))
	runtime.SetFinalizer(new(watch), (*watch).collected)
}

// percent is how much a heap may grow by, of which so many bytes are in use.
func percent(live uint64) int {
	room := math.Inf(1)
	if live > 0 {
		room = 100 * (small/float64(live) - 1)
	}
	return int(min(max(room, least), most))
}
