package summary

import (
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

func TestCopyOf(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	moments := func(first, n int, times ...time.Duration) (list []Moment) {
		for i := range n {
			list = append(list, Moment{ID: relaylens.ID{byte(first + i)}, Time: at.Add(times[min(i, len(times)-1)])})
		}
		return list
	}
	for name, tt := range map[string]struct {
		a, b Holding
		want bool
	}{
		"the same events":          {Holding{Host: "mx1", Latest: moments(1, 3, 0)}, Holding{Host: "mx1", Latest: moments(1, 3, 0)}, true},
		"some of the same":         {Holding{Host: "mx1", Latest: moments(1, 3, 0)}, Holding{Host: "mx1", Latest: moments(3, 3, 0)}, true},
		"another host":             {Holding{Host: "mx1", Latest: moments(1, 3, 0)}, Holding{Host: "mx2", Latest: moments(1, 3, 0)}, false},
		"others of the same times": {Holding{Host: "mx1", Latest: moments(1, 3, 2, 1, 0)}, Holding{Host: "mx1", Latest: moments(9, 3, 2, 1, 0)}, false},
		"one is behind":            {Holding{Host: "mx1", Latest: moments(1, 2, 9, 8)}, Holding{Host: "mx1", Latest: moments(9, 2, 2, 1)}, true},
		"nothing is known of one":  {Holding{Host: "mx1", Latest: moments(1, 2, 9, 8)}, Holding{Host: "mx1"}, true},
		"no name":                  {Holding{Latest: moments(1, 2, 9, 8)}, Holding{}, false},
		// A flood in one second: more of it than either tells of.
		"others of one second": {Holding{Host: "mx1", Latest: moments(1, 32, 0)}, Holding{Host: "mx1", Latest: moments(100, 32, 0)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if ab, ba := tt.a.CopyOf(&tt.b), tt.b.CopyOf(&tt.a); ab != tt.want || ba != tt.want {
				t.Errorf("copies: %t and, the other way round, %t; want %t", ab, ba, tt.want)
			}
		})
	}
}
