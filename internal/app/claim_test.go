package app

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// Two daemons would page and ship twice, and put aside each other's store.
func TestOneDaemonToADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	synctest.Test(t, func(t *testing.T) {
		var one, two App
		if err := one.claimData(dir); err != nil {
			t.Fatal(err)
		}
		want := dir + ` is in use by another relaylens; stop that one, or set another directory with data_dir or --data-dir`
		if err := two.claimData(dir); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		// One that was killed leaves in a moment.
		time.AfterFunc(time.Second, func() {
			if err := one.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		if err := two.claimData(dir); err != nil {
			t.Errorf("when the first one has ended: %v", err)
		}
		if err := two.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
