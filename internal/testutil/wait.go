package testutil

import (
	"testing"
	"time"
)

// Patience is how long something may take on a busy machine that surely comes.
const Patience = 3 * time.Minute

// pause is between two looks.
const pause = 50 * time.Millisecond

// WaitFor polls what other programs do, of which nobody tells, and returns how
// long it took. The test ends when try still fails after Patience.
func WaitFor(t testing.TB, what string, try func() error) time.Duration {
	t.Helper()
	return WaitWithin(t, Patience, what, try)
}

// WaitWithin is WaitFor for what may take more or less time.
func WaitWithin(t testing.TB, within time.Duration, what string, try func() error) time.Duration {
	t.Helper()
	for begun := time.Now(); ; {
		err := try()
		took := time.Since(begun)
		switch {
		case err == nil:
			return took
		case took > within:
			t.Fatalf("waited %s in vain for %s: %v", within, what, err)
		}
		time.Sleep(pause) //nolint:forbidigo // between two looks at another process
	}
}
