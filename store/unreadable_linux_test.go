package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// asNobody gives up what root may do with files, until the test ends.
func asNobody(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	const nobody = 65534
	runtime.LockOSThread()
	if _, err := unix.SetfsuidRetUid(nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = unix.SetfsuidRetUid(0)
		runtime.UnlockOSThread()
	})
}

// Where SQLite only says that it cannot open the file, there is one thing to do.
func TestUnreadable(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *testing.T, path string)
		want  string
	}{
		"of somebody else": {func(t *testing.T, path string) {
			if err := os.Chmod(path, 0); err != nil {
				t.Fatal(err)
			}
			asNobody(t)
		}, "permission denied"},
		"not closed, nowhere to write": {func(t *testing.T, path string) {
			if err := errors.Join(os.WriteFile(path+"-wal", []byte("not empty"), 0o444), os.Chmod(path, 0o444), os.Chmod(filepath.Dir(path), 0o555)); err != nil {
				t.Fatal(err)
			}
			asNobody(t)
		}, "copy events.db and events.db-wal"},
		"empty": {func(t *testing.T, path string) {
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
		}, "there is nothing in it; is data_dir right, and did the daemon run?"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "store") //nolint:usetesting // nobody may not enter that of a test
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = errors.Join(os.Chmod(dir, 0o700), os.RemoveAll(dir)) })
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			s, err := Open(context.Background(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, FileName)
			test.spoil(t, path)
			s, err = OpenReadOnly(context.Background(), dir)
			if err == nil {
				_ = s.Close()
				t.Fatal("it was opened")
			}
			if got := err.Error(); !strings.Contains(got, test.want) || !strings.Contains(got, path) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
