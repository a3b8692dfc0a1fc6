package tailer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/relaylens/relaylens"
)

const (
	maxTold   = 512 // bytes of what is logged of a text that is not ours
	maxTexts  = 64  // texts remembered as logged
	minPause  = 250 * time.Millisecond
	maxPause  = time.Minute
	childLate = 5 * time.Second // until a child that was killed is left alone
)

var errEnded = errors.New("it ended without an error")

// A child is a running journalctl.
type child struct {
	cmd    *exec.Cmd
	stdout *os.File
	stderr *childLog
	stop   func() bool
}

// start runs journalctl until ctx ends. It has a process group of its own, so
// that ctrl-c on a terminal does not reach it.
func (j *journal) start(ctx context.Context, args ...string) (*child, error) {
	stdout, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	defer w.Close()
	c := &child{stdout: stdout, stderr: &childLog{journal: j}}
	c.cmd = exec.CommandContext(ctx, j.Command, args...) //nolint:gosec // program and arguments are the operator's
	c.cmd.Env = []string{"LC_ALL=C", "SYSTEMD_COLORS=0"}
	c.cmd.Stdout, c.cmd.Stderr = w, c.stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.cmd.Cancel = c.kill
	c.cmd.WaitDelay = childLate
	if err := c.cmd.Start(); err != nil {
		stdout.Close()
		return nil, &Error{Op: "run", Path: j.Command, Err: err, Remedy: "install systemd, or follow the files that the MTA or rsyslog writes"}
	}
	// A process that hangs in the kernel keeps its end of the pipe.
	c.stop = context.AfterFunc(ctx, func() { _ = stdout.SetReadDeadline(time.Now()) })
	return c, nil
}

func (c *child) kill() error { return syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }

// wait waits for a child whose output has ended, and adds to its error what it
// said last.
func (c *child) wait() error {
	c.stop()
	c.stdout.Close()
	late := time.AfterFunc(childLate, func() { _ = c.kill() })
	defer late.Stop()
	err := c.cmd.Wait()
	if said := c.stderr.end(); err != nil && said != "" {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// childLog logs what journalctl writes to its standard error, line by line.
type childLog struct {
	journal *journal
	mu      sync.Mutex
	rest    []byte
	last    string
}

func (l *childLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(p) {
		l.rest = append(l.rest, line[:min(len(line), maxTold-len(l.rest))]...)
		if line[len(line)-1] == '\n' {
			l.flush()
		}
	}
	return len(p), nil
}

func (l *childLog) flush() {
	if text := bytes.TrimSpace(l.rest); len(text) > 0 {
		l.last = relaylens.Escaped(string(text), 0)
		l.journal.complain("journalctl says", l.last)
	}
	l.rest = l.rest[:0]
}

// end is the last line.
func (l *childLog) end() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flush()
	return l.last
}

// machineID is this machine's, with which journald marks its own entries.
func machineID() string {
	b, err := os.ReadFile("/etc/machine-id")
	id := string(bytes.TrimSpace(b))
	if err != nil || len(id) != 32 {
		return ""
	}
	return id
}

// pause gives growing delays.
type pause struct{ last time.Duration }

func (p *pause) next() time.Duration {
	p.last = min(max(2*p.last, minPause), maxPause)
	return p.last
}
