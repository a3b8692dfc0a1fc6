package resident

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// small is a heap that the collector need not keep any smaller.
	small = 12 << 20
	// Garbage is to be no more than garbage per cent of what is in use. So a heap may
	// grow by as much at least, by most where nothing is in use yet, and by more in
	// between the less of what was made since the last collection it found to be
	// garbage: what is read of logs leaves little, and to collect what only grows is
	// work for nothing, with pages of the program that only the collector needs.
	garbage, more, most = 5, 25, 400
)

// Collect has the collector run before the heap is larger than need be, where its
// own way lets it become twice as large as what is in use. It costs little to
// commands that read much and keep little. Whoever has set GOGC has his way.
func Collect() { new(watch).collected() }

// watch is collected each time that anything is. It has a pointer, so that it does
// not share its memory with what lives on.
type watch struct {
	_ *watch
	heap
}

// heap is what was in use after a collection, and what had been made until then, in
// bytes.
type heap struct{ live, made uint64 }

// collected says anew how much the heap may grow.
func (w *watch) collected() {
	if os.Getenv("GOGC") != "" {
		return
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	now := heap{live: sample[0].Value.Uint64(), made: sample[1].Value.Uint64()}
	debug.SetGCPercent(percent(w.heap, now))
	trim()
	runtime.SetFinalizer(&watch{heap: now}, (*watch).collected)
}

// percent is how much a heap may grow by, by how it was after the last collection
// and the one before.
func percent(before, now heap) int {
	if now.live == 0 {
		return most
	}
	grow := float64(garbage)
	made := float64(now.made) - float64(before.made)
	if wasted := made - (float64(now.live) - float64(before.live)); before.live > 0 && wasted < made {
		grow = min(garbage*made/max(wasted, 1), more)
	}
	return int(min(max(100*(small/float64(now.live)-1), grow), most))
}
