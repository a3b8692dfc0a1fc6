package resident

import (
	"runtime/debug"
	"testing"
)

func TestPercent(t *testing.T) {
	for live, want := range map[uint64]int{
		0:             most,
		1 << 20:       most,
		6 << 20:       100,
		8 << 20:       50,
		small:         least,
		100 << 20:     least,
		1<<63 + 1<<62: least,
	} {
		if got := percent(live); got != want {
			t.Errorf("%d bytes may grow by %d %%, want %d", live, got, want)
		}
	}
}

func TestCollect(t *testing.T) {
	before := debug.SetGCPercent(7)
	defer debug.SetGCPercent(before)
	t.Setenv("GOGC", "7")
	if Collect(); debug.SetGCPercent(7) != 7 {
		t.Error("what was set was not kept")
	}
	t.Setenv("GOGC", "")
	if Collect(); debug.SetGCPercent(7) == 7 {
		t.Error("nothing was said to the collector")
	}
}
