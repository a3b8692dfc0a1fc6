package tailer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/relaylens/relaylens"
)

// unpacked is where .ci/install puts packages that are not to be installed.
const unpacked = "../bin/debian"

// daemonPath finds a program that is installed, or was unpacked by .ci/install.
func daemonPath(t testing.TB, paths ...string) string {
	t.Helper()
	for _, path := range paths {
		for _, root := range []string{"/", unpacked} {
			if path, err := filepath.Abs(filepath.Join(root, path)); err == nil {
				if _, err := os.Stat(path); err == nil {
					return path
				}
			}
		}
	}
	t.Skipf("%s is missing: run .ci/install bin", paths[0])
	return ""
}

// libraries is the environment in which what was unpacked finds its libraries.
func libraries(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(unpacked, "usr/lib/*-linux-gnu*"))
	if err != nil {
		t.Fatal(err)
	}
	for i, dir := range dirs {
		dirs[i], _ = filepath.Abs(dir)
	}
	return append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(dirs, ":"))
}

// A remoteJournal is written by the real systemd-journal-remote.
type remoteJournal struct {
	t   testing.TB
	dir string
	cmd *exec.Cmd
	w   *bufio.Writer
	in  io.Closer
	n   int
}

// journalEpoch is the time of entry 0; entry n comes n milliseconds later.
var journalEpoch = time.Now().Truncate(time.Second).Add(-time.Hour)

func newRemoteJournal(t testing.TB) *remoteJournal {
	t.Helper()
	if _, err := exec.LookPath("journalctl"); err != nil {
		t.Skip("journalctl is missing: run .ci/install bin")
	}
	return &remoteJournal{t: t, dir: t.TempDir()}
}

// open starts a writer to the file called name.
func (j *remoteJournal) open(name string) {
	j.t.Helper()
	path := daemonPath(j.t, "lib/systemd/systemd-journal-remote", "usr/lib/systemd/systemd-journal-remote")
	j.cmd = exec.CommandContext(j.t.Context(), path, "--output="+filepath.Join(j.dir, name+".journal"), "-")
	j.cmd.Env = libraries(j.t)
	in, err := j.cmd.StdinPipe()
	if err == nil {
		err = j.cmd.Start()
	}
	if err != nil {
		j.t.Fatal(err)
	}
	j.in, j.w = in, bufio.NewWriter(in)
}

// close waits until everything is written.
func (j *remoteJournal) close() {
	j.t.Helper()
	_ = j.w.Flush()
	_ = j.in.Close()
	if err := j.cmd.Wait(); err != nil {
		j.t.Errorf("systemd-journal-remote: %v", err)
	}
}

const (
	bootA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	bootB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// entry writes the next entry, with fields in the export format besides.
func (j *remoteJournal) entry(boot, message string, fields ...string) {
	µs := journalEpoch.UnixMicro() + int64(j.n)*1000
	fmt.Fprintf(j.w, "__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%s\n_HOSTNAME=mx1\n_PID=77\nSYSLOG_IDENTIFIER=postfix/smtpd\nMESSAGE=%s\n", µs, µs%1e12, boot, message)
	for _, f := range fields {
		_, _ = j.w.WriteString(f + "\n")
	}
	_ = j.w.WriteByte('\n')
	j.n++
}

// write opens a file, writes n entries of one boot, whose messages are their
// numbers, and closes it.
func (j *remoteJournal) write(name, boot string, n int) {
	j.t.Helper()
	j.open(name)
	for range n {
		j.entry(boot, strconv.Itoa(j.n))
	}
	j.close()
}

// remove deletes the files of the journal that match.
func (j *remoteJournal) remove(pattern string) {
	j.t.Helper()
	paths, err := filepath.Glob(filepath.Join(j.dir, pattern))
	if err != nil {
		j.t.Fatal(err)
	}
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			j.t.Fatal(err)
		}
	}
}

// lastIn is the number of the last entry of one file, -1 when there is none.
func lastIn(t testing.TB, path string) int {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), "journalctl", "--file="+path, "--output=cat", "--lines=1", "--quiet").Output()
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return -1
	}
	return n
}

// A journalRun is a running source, whose batches the test takes.
type journalRun struct {
	t       testing.TB
	out     chan relaylens.Batch
	done    chan error
	cancel  context.CancelFunc
	logs    *observer.ObservedLogs
	metrics *Metrics
}

func runJournal(t testing.TB, o JournalOptions) *journalRun {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	if o.Logger == nil {
		o.Logger = zap.New(core)
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &journalRun{t: t, out: make(chan relaylens.Batch), done: make(chan error, 1), cancel: cancel, logs: logs, metrics: o.Metrics}
	s := NewJournal(o)
	go func() { r.done <- s.Run(ctx, r.out) }()
	t.Cleanup(func() {
		r.stop()
		if t.Failed() {
			for _, e := range logs.All() {
				t.Log(e.Message, e.ContextMap())
			}
		}
	})
	return r
}

func (r *journalRun) stop() {
	r.t.Helper()
	r.cancel()
	select {
	case err := <-r.done:
		r.done <- err
	case <-time.After(patience):
		r.t.Error("Run does not end")
	}
}

// next takes a batch.
func (r *journalRun) next() relaylens.Batch {
	r.t.Helper()
	select {
	case b := <-r.out:
		return b
	case err := <-r.done:
		r.done <- err
		r.t.Fatalf("Run ended: %v", err)
	case <-time.After(patience):
		r.t.Fatal("nothing comes")
	}
	return relaylens.Batch{}
}

// take takes n messages and the position after them.
func (r *journalRun) take(n int) (messages []string, p relaylens.Position) {
	r.t.Helper()
	for len(messages) < n {
		b := r.next()
		for _, l := range b.Lines {
			messages = append(messages, messageOf(r.t, l.Text))
		}
		p = b.Position
		if b.Release != nil {
			b.Release()
		}
	}
	return messages, p
}

// children lists the processes in whose arguments text is.
func children(t testing.TB, text string) (pids []int) {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		line, _ := os.ReadFile(path)
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && strings.Contains(string(line), text) && strings.Contains(string(line), "journalctl") {
			pids = append(pids, pid)
		}
	}
	return pids
}

func kill(t testing.TB, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Log(err)
		}
	}
}

// eventually waits until cond holds.
func eventually(t testing.TB, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("waited in vain")
		}
	}
}
