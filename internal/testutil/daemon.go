package testutil

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"
	"testing"
)

// Daemon is a relaylens serve that runs.
type Daemon struct {
	URL string // of its web server, without a slash at the end

	t     testing.TB
	cmd   *exec.Cmd
	said  journal
	ended chan struct{} // closed when the process has
	err   error         // how; to be read after ended
}

// Serve starts relaylens serve with further arguments on a free port of the
// loopback, waits until it is ready, and kills it when the test ends.
func Serve(t testing.TB, args ...string) *Daemon {
	t.Helper()
	path, err := Program()
	if err != nil {
		t.Fatal(err)
	}
	d := &Daemon{t: t, ended: make(chan struct{})}
	d.cmd = exec.Command(path, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...) //nolint:gosec,noctx // killed below
	d.cmd.Stdout, d.cmd.Stderr = &d.said, &d.said
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(d.ended)
		d.err = d.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // no error: it may have ended
		<-d.ended
		if t.Failed() {
			t.Logf("relaylens wrote:\n%s", d.said.text())
		}
	})
	WaitFor(t, "relaylens to be ready", func() error {
		select {
		case <-d.ended:
			t.Fatalf("relaylens serve ended: %v", d.err)
		default:
		}
		address := d.said.address()
		if address == "" {
			return errors.New("it does not say that it has started")
		}
		d.URL = "http://" + address
		return nil
	})
	return d
}

// Stop sends the daemon a signal to end and waits until it has. That it ends with
// an error fails the test.
func (d *Daemon) Stop(signal syscall.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(signal); err != nil {
		d.t.Fatal(err)
	}
	WaitFor(d.t, "relaylens to end", func() error {
		select {
		case <-d.ended:
			return nil
		default:
			return fmt.Errorf("it goes on after signal %s", signal)
		}
	})
	if d.err != nil {
		d.t.Errorf("relaylens serve ended with %v", d.err)
	}
}

// A journal is what a process writes.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

func (j *journal) text() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// address is where the daemon says that it listens, empty before it is ready.
func (j *journal) address() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range bytes.Lines(j.buf.Bytes()) {
		var entry struct{ Msg, Address string }
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "started" {
			return entry.Address
		}
	}
	return ""
}
