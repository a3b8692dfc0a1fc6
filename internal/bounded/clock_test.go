package bounded

import (
	"fmt"
	"testing"
)

func TestClock(t *testing.T) {
	const day = 86_400
	for _, c := range []struct {
		name   string
		stamps []int64
		want   int64
		doubts int // stamps that were not believed
	}{
		{"in order", []int64{100, 101, 130}, 130, 0},
		{"out of order", []int64{100, 90, 130, 20}, 130, 0},
		{"one of the future", []int64{100, day, 101}, 101, 1},
		{"one of the future, again and again", []int64{100, day, 101, day, 102, day, 103}, 103, 3},
		{"a day without mail", []int64{100, day, day + 5}, day + 5, 1},
		{"a day without mail, and out of order", []int64{100, day, day - 5}, day, 1},
		{"mail once in a while", []int64{0, 900, 1800, 2700, 3600}, 3600, 2},
		{"further and further", []int64{0, day, 2 * day}, 2 * day, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var clock Clock
			doubts := 0
			for _, s := range c.stamps {
				if !clock.Observe(s) {
					doubts++
				}
			}
			if got := clock.Now(); got != c.want || doubts != c.doubts {
				t.Errorf("now %d, %d doubts; want %d, %d", got, doubts, c.want, c.doubts)
			}
		})
	}
}

func TestClockLimit(t *testing.T) {
	var c Clock
	c.Limit(1000)
	for range 3 {
		if c.Observe(5000) {
			t.Error("a stamp beyond the limit was believed")
		}
	}
	if !c.Observe(1000 + leap) {
		t.Error("a clock that is a little ahead was not believed")
	}
	c.Advance(3000)
	c.Advance(10)
	if got := fmt.Sprint(c.Now()); got != "3000" {
		t.Errorf("now %s", got)
	}
}
