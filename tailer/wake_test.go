package tailer

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func awaitWake(t *testing.T, woken <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-woken:
	case <-time.After(patience):
		t.Fatalf("%s wakes nobody", what)
	}
}

func waking() (chan struct{}, func()) {
	woken := make(chan struct{}, 1)
	return woken, func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}
}

// A path that could not be watched must not block the tracker, which all share.
func TestTrackerOutlivesAFailedWatch(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	x, y := filepath.Join(dir, "x"), filepath.Join(dir, "y")
	if _, err := inotify.subscribe(x, func() {}); err == nil {
		t.Fatal("a folder that is missing was watched")
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	woken, wake := waking()
	cancel, err := inotify.subscribe(y, wake)
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	for range 3 {
		appendTo(t, x, "to nobody\n")
		appendTo(t, y, "to us\n")
		awaitWake(t, woken, "a write")
	}
	wokenX, wakeX := waking()
	cancelX, err := inotify.subscribe(x, wakeX)
	if err != nil {
		t.Fatal(err)
	}
	defer cancelX()
	appendTo(t, x, "to somebody\n")
	awaitWake(t, wokenX, "a write to the path that failed once")
}

// Two sources may have the same path: a reload starts one before the other stops.
func TestTrackerSharesAPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	first, wakeFirst := waking()
	second, wakeSecond := waking()
	cancelFirst, err := inotify.subscribe(path, wakeFirst)
	if err != nil {
		t.Fatal(err)
	}
	cancelSecond, err := inotify.subscribe(path, wakeSecond)
	if err != nil {
		t.Fatal(err)
	}
	defer cancelSecond()
	appendTo(t, path, "a\n")
	awaitWake(t, first, "a write")
	awaitWake(t, second, "a write")
	cancelFirst()
	for range 10 { // more than the wakes that may be left over
		rename(t, path, path+".1")
		awaitWake(t, second, "a rename, after the other subscriber left,")
		appendTo(t, path, "b\n")
		awaitWake(t, second, "a new file")
	}
}
