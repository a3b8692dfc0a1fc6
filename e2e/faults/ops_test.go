//go:build e2e

package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/relaylens/relaylens/store"
)

// faults happen to the daemon while the writers write.
type faults struct {
	round   *round
	rng     *rand.Rand
	writers []*writer
}

func (f *faults) run(steps int) {
	all := []struct {
		weight int
		name   string
		do     func()
	}{
		{5, "kill", f.kill},
		{3, "kill during a commit", f.killInCommit},
		{4, "kill in a system call", f.killInCall},
		{2, "kill at start", f.killAtStart},
		{2, "kill while it ends", f.killAtEnd},
		{3, "restart", f.restart},
		{2, "reload", f.reload},
		{2, "freeze", f.freeze},
		{2, "disk full", f.diskFull},
		{2, "database locked", f.locked},
		{2, "disk errors", f.diskErrors},
		{1, "log errors", f.logErrors},
		{1, "read-only", f.readOnly},
	}
	total := 0
	for _, o := range all {
		total += o.weight
	}
	for range steps {
		pause(f.rng, 250*time.Millisecond)
		n := f.rng.IntN(total)
		for _, o := range all {
			if n -= o.weight; n < 0 {
				f.round.turn.Lock()
				f.round.trace("FAULT %s", o.name)
				f.round.guard(o.do)
				f.round.up()
				f.round.turn.Unlock()
				break
			}
		}
	}
}

// configure writes the configuration; turn changes the words that the parser knows.
func (f *faults) configure(turn int) {
	var b strings.Builder
	fmt.Fprintf(&b, "listen: 127.0.0.1:0\ndata_dir: %s\nlog: {format: json, level: debug}\n", f.round.data)
	if turn > 0 {
		fmt.Fprintf(&b, "parsers: {exim: {relay_denied: ['no such text %d']}}\n", turn)
	}
	b.WriteString("sources:\n")
	for _, w := range f.writers {
		path := w.path
		if f.rng != nil && len(f.writers) == 1 && f.round.seed%3 == 0 {
			path = filepath.Join(f.round.logs, pattern[f.round.seed/3%uint64(len(pattern))])
		}
		fmt.Fprintf(&b, "  - {path: %q, mta: %s, start: begin}\n", path, w.kind)
	}
	check(os.WriteFile(f.round.conf, []byte(b.String()), 0o600))
}

// pattern are ways to name the logs of a folder, the rotated ones too.
var pattern = []string{"*.log", "*.log*", "[a-z]*.log"}

func (f *faults) kill() {
	pause(f.rng, 60*time.Millisecond)
	f.round.down(true)
	pause(f.rng, 100*time.Millisecond)
}

// killInCommit waits until the write-ahead log grows.
func (f *faults) killInCommit() {
	wal := filepath.Join(f.round.data, store.FileName+"-wal")
	before, _ := os.Stat(wal)
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		now, err := os.Stat(wal)
		if err == nil && (before == nil || !now.ModTime().Equal(before.ModTime())) {
			break
		}
	}
	time.Sleep(time.Duration(f.rng.IntN(2000)) * time.Microsecond)
	f.round.down(true)
}

// killInCall starts the daemon anew so that a certain system call is its last.
func (f *faults) killInCall() {
	f.round.down(f.rng.IntN(2) == 0)
	call := pick(f.rng, "pwrite64", "pwrite64", "pwrite64", "fdatasync", "ftruncate", "unlink", "unlinkat", "openat", "pread64", "fcntl")
	when := 1 + f.rng.IntN(30)
	d := f.round.launch("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+call,
		"-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, when))
	select {
	case <-d.ended:
	case <-time.After(time.Duration(200+f.rng.IntN(400)) * time.Millisecond):
		d.kill()
	}
	f.round.died()
}

func (f *faults) killAtStart() {
	f.round.down(f.rng.IntN(2) == 0)
	for range 1 + f.rng.IntN(3) {
		f.round.launch()
		pause(f.rng, 80*time.Millisecond)
		f.round.down(true)
	}
}

func (f *faults) killAtEnd() {
	_ = f.round.daemon.cmd.Process.Signal(syscall.SIGTERM)
	pause(f.rng, 25*time.Millisecond)
	f.round.down(true)
}

func (f *faults) restart() {
	f.round.down(false)
	pause(f.rng, 100*time.Millisecond)
}

// reload has the configuration read again, changed or not.
func (f *faults) reload() {
	turn := f.rng.IntN(3)
	f.configure(turn)
	_ = f.round.daemon.cmd.Process.Signal(syscall.SIGHUP)
	pause(f.rng, 50*time.Millisecond)
}

// freeze lets everything happen behind the daemon's back for a while.
func (f *faults) freeze() {
	_ = f.round.daemon.cmd.Process.Signal(syscall.SIGSTOP)
	// Others may rely on a daemon that will go on, only not now.
	time.Sleep(time.Duration(f.rng.IntN(600)) * time.Millisecond)
	_ = f.round.daemon.cmd.Process.Signal(syscall.SIGCONT)
}

// diskFull fills the file system of the data directory, and may end the daemon
// meanwhile.
func (f *faults) diskFull() {
	ballast := filepath.Join(f.round.data, "ballast")
	f.round.fault(true)
	file, err := os.Create(ballast)
	check(err)
	block := make([]byte, 64<<10)
	for len(block) > 0 {
		if _, err := file.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	file.Close()
	f.endure()
	check(os.Remove(ballast))
	f.round.fault(false)
}

// endure lets a fault last, and may have the daemon stopped or killed by it.
func (f *faults) endure() {
	time.Sleep(time.Duration(f.rng.IntN(700)) * time.Millisecond)
	switch f.rng.IntN(5) {
	case 0:
		f.round.down(true)
		f.round.launch()
		time.Sleep(time.Duration(f.rng.IntN(300)) * time.Millisecond)
	case 1:
		f.round.down(false)
		f.round.launch()
		time.Sleep(time.Duration(f.rng.IntN(300)) * time.Millisecond)
	}
}

// locked holds the database locked as a careless person at a sqlite3 shell does.
func (f *faults) locked() {
	conn, err := sqlite.OpenConn(filepath.Join(f.round.data, store.FileName), sqlite.OpenReadWrite)
	check(err)
	defer conn.Close()
	conn.SetBusyTimeout(2 * time.Second)
	f.round.fault(true)
	defer func() { f.round.fault(false) }()
	if err := sqlitex.ExecuteTransient(conn, pick(f.rng, "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"), nil); err != nil {
		return // the daemon was quicker
	}
	if f.rng.IntN(8) == 0 {
		time.Sleep(2500 * time.Millisecond) // longer than the daemon waits in one attempt
	}
	f.endure()
	check(sqlitex.ExecuteTransient(conn, "ROLLBACK", nil))
}

// diskErrors makes writes of the daemon fail.
func (f *faults) diskErrors() {
	inject := pick(f.rng, "pwrite64:error=EIO", "pwrite64:error=ENOSPC", "pwrite64:error=EROFS", "fdatasync:error=EIO", "ftruncate:error=EIO")
	f.round.fault(true)
	f.inject(inject + pick(f.rng, "", ":when=1+2", ":when=2+3", ":when=5+7"))
	f.round.fault(false)
}

// logErrors makes reading fail, of the logs and of the database.
func (f *faults) logErrors() {
	f.round.fault(true)
	f.inject("pread64:error=EIO" + pick(f.rng, "", ":when=1+2", ":when=3+5"))
	f.round.fault(false)
}

func (f *faults) inject(what string) {
	call, _, _ := strings.Cut(what, ":")
	f.round.trace("inject %s", what)
	cmd := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+call, "-e", "inject="+what, "-p", fmt.Sprint(f.round.daemon.cmd.Process.Pid))
	check(cmd.Start())
	time.Sleep(time.Duration(100+f.rng.IntN(600)) * time.Millisecond)
	if f.rng.IntN(4) == 0 {
		f.round.down(f.rng.IntN(2) == 0)
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait()
}

// readOnly is a file system that came up read-only: the daemon does not start,
// and says why.
func (f *faults) readOnly() {
	f.round.down(f.rng.IntN(2) == 0)
	f.round.fault(true)
	// The files of a process that was killed under strace may be closed a moment later.
	for end := time.Now().Add(stormTime); ; time.Sleep(time.Millisecond) {
		err := unix.Mount("", f.round.data, "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
		if !errors.Is(err, unix.EBUSY) || time.Now().After(end) {
			check(err)
			break
		}
	}
	d := f.round.launch()
	select {
	case <-d.ended:
	case <-time.After(time.Duration(200+f.rng.IntN(400)) * time.Millisecond):
		f.round.down(true)
	}
	check(unix.Mount("", f.round.data, "", unix.MS_REMOUNT, "size=64m"))
	f.round.fault(false)
	if f.round.daemon != nil {
		f.round.died()
	}
}
