package sleep

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestFor(t *testing.T) {
	for _, c := range []struct {
		d, ends, took time.Duration
		alive         bool
	}{
		{d: time.Second, ends: time.Minute, took: time.Second, alive: true},
		{d: time.Minute, ends: time.Second, took: time.Second},
		{d: 0, ends: time.Second, alive: true},
		{d: -time.Second, ends: time.Second, alive: true},
		{d: 0, ends: 0}, // one that has ended is not alive, however short the wait
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), c.ends)
			defer cancel()
			start := time.Now()
			if alive := For(ctx, c.d); alive != c.alive || time.Since(start) != c.took {
				t.Errorf("%v of %v: alive %v after %v", c.d, c.ends, alive, time.Since(start))
			}
		})
	}
}
