package app

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// Two daemons would page and ship twice, and put aside each other's store.
func TestOneDaemonToADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	synctest.Test(t, func(t *testing.T) {
		var one, two, three App
		if err := one.claimData(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		want := dir + ` is in use by another relaylens; stop that one, or set another directory with data_dir or --data-dir`
		if err := two.claimData(t.Context(), dir); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		// One that was killed leaves in a moment.
		time.AfterFunc(time.Second, func() {
			if err := one.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		if err := two.claimData(t.Context(), dir); err != nil {
			t.Errorf("when the first one has ended: %v", err)
		}
		// Who is told to end meanwhile does not wait for it.
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := three.claimData(ctx, dir); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("error %v after %v", err, time.Since(began))
		}
		if err := two.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
