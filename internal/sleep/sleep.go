// Package sleep waits without outstaying a context.
package sleep

import (
	"context"
	"time"
)

// For waits for d, or until ctx ends, and reports whether ctx is still alive.
func For(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
