package resident

import (
	"runtime/debug"
	"testing"
)

func TestPercent(t *testing.T) {
	const MiB = 1 << 20
	for _, c := range []struct {
		name        string
		before, now heap
		want        int
	}{
		{"nothing in use", heap{}, heap{}, most},
		{"little in use", heap{}, heap{MiB, MiB}, most},
		{"half of small", heap{}, heap{small / 2, small}, 100},
		{"as much as small, for the first time", heap{}, heap{small, 2 * small}, garbage},
		{"all was garbage", heap{100 * MiB, 200 * MiB}, heap{100 * MiB, 205 * MiB}, garbage},
		{"half was garbage", heap{100 * MiB, 200 * MiB}, heap{105 * MiB, 210 * MiB}, 2 * garbage},
		{"a tenth was garbage", heap{100 * MiB, 200 * MiB}, heap{109 * MiB, 210 * MiB}, more},
		{"nothing was garbage", heap{100 * MiB, 200 * MiB}, heap{110 * MiB, 210 * MiB}, more},
		{"what was in use is garbage", heap{100 * MiB, 200 * MiB}, heap{50 * MiB, 210 * MiB}, garbage},
		{"nothing was made", heap{100 * MiB, 200 * MiB}, heap{100 * MiB, 200 * MiB}, garbage},
		{"a little in use, little garbage", heap{5 * MiB, 5 * MiB}, heap{10 * MiB, 10 * MiB}, more},
		{"no such heap", heap{}, heap{1<<63 + 1<<62, 1}, garbage},
	} {
		if got := percent(c.before, c.now); got != c.want {
			t.Errorf("%s: may grow by %d %%, want %d", c.name, got, c.want)
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
