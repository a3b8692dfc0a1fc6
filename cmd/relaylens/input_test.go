package main

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestStoreThatCannotBeAsked(t *testing.T) {
	c := newSummaryCommand()
	const want = "open event store in /data: permission denied; ask as root or as the daemon's user, sudo -u relaylens relaylens …"
	denied := &fs.PathError{Op: "stat", Path: "/data/events.db", Err: fs.ErrPermission}
	if err := remedied(c, "/data", fmt.Errorf("open event store: %w; is data_dir right?", denied)); err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
	other := errors.New("other")
	if err := remedied(c, "/data", other); !errors.Is(err, other) {
		t.Errorf("error %v", err)
	}
	if err := remedied(c, "/data", nil); err != nil {
		t.Errorf("error %v", err)
	}
}
