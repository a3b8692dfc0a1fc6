// Command sample plays mail servers at work: it writes their logs live, has
// relaylens follow them, and shows what comes out. `make run` starts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/relaylens/relaylens/internal/demo"
	"github.com/relaylens/relaylens/internal/sleep"
)

func main() {
	s := sample{out: os.Stdout}
	flag.StringVar(&s.program, "relaylens", "bin/relaylens", "the program to show")
	flag.StringVar(&s.sessions, "sessions", "testdata/sample", "directory of the sessions to play")
	flag.DurationVar(&s.pace, "pace", 700*time.Millisecond, "mean time between two sessions")
	demo.Main("sample", s.run)
}

// sample is one show.
type sample struct {
	program, sessions string
	pace              time.Duration
	out               io.Writer

	dir string // temporary: the logs, the daemon's data
	url string
}

func (s *sample) run(ctx context.Context) (err error) {
	logs, err := load(s.sessions)
	if err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "relaylens-run-"); err != nil {
		return fmt.Errorf("make a place for the logs: %w", err)
	}
	defer os.RemoveAll(s.dir)

	var paths []string
	for i := range logs {
		if err := logs[i].create(s.dir); err != nil {
			return err
		}
		defer logs[i].file.Close()
		paths = append(paths, logs[i].file.Name())
	}
	daemon, err := s.serve(ctx, paths)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end(daemon)) }()
	fmt.Fprintf(s.out, "look at   %[1]s/\nmetrics   %[1]s/metrics\nsummary   bin/relaylens summary --data-dir %[2]s\nlogs      %[3]s\nend with  ctrl-c\n\n", s.url, filepath.Join(s.dir, "data"), s.dir)
	return s.play(ctx, logs)
}

// serve starts the daemon on a free port and waits until it is ready.
func (s *sample) serve(ctx context.Context, paths []string) (*exec.Cmd, error) {
	addresses, err := demo.FreeAddresses(ctx, 1)
	if err != nil {
		return nil, err
	}
	address := addresses[0]
	s.url = "http://" + address
	logPath := filepath.Join(s.dir, "relaylens.log")
	log, err := os.Create(logPath)
	if err != nil {
		return nil, fmt.Errorf("create the daemon's log: %w", err)
	}
	defer log.Close()
	args := append([]string{"serve", "--listen", address, "--data-dir", filepath.Join(s.dir, "data")}, paths...)
	daemon := s.command(args...)
	daemon.Stdout, daemon.Stderr = log, log
	if err := daemon.Start(); err != nil {
		return nil, fmt.Errorf("start the daemon: %w", err)
	}
	for range 600 {
		if _, err := demo.Get(ctx, s.url+"/-/ready"); err == nil {
			return daemon, nil
		}
		if !sleep.For(ctx, 50*time.Millisecond) {
			break
		}
	}
	err = end(daemon)
	said, _ := os.ReadFile(logPath)
	return nil, errors.Join(fmt.Errorf("start the daemon: it does not answer on %s\n%s", s.url, said), err)
}

// command prepares the program in a process group of its own: ctrl-c on the
// terminal is for us to pass on.
func (s *sample) command(args ...string) *exec.Cmd {
	// Not bound to the context: the program is told to end, not killed.
	cmd := exec.Command(s.program, args...) //nolint:noctx // see above
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// play writes one session after the other until ctx ends. What it writes it
// also hands to `relaylens parse`, whose events go to the terminal.
func (s *sample) play(ctx context.Context, logs []playlist) error {
	parse := s.command("parse", "-o", "short", "-")
	stdin, err := parse.StdinPipe()
	if err != nil {
		return fmt.Errorf("connect to relaylens parse: %w", err)
	}
	parse.Stdout = s.out
	if err := parse.Start(); err != nil {
		return fmt.Errorf("start relaylens parse: %w", err)
	}
	began, told := time.Now(), time.Now()
	for sleep.For(ctx, time.Duration(rand.Float64()*2*float64(s.pace))) {
		if err := logs[rand.IntN(len(logs))].session(ctx, stdin); err != nil {
			return err
		}
		if time.Since(told) > 20*time.Second {
			s.summarize(ctx, time.Since(began))
			told = time.Now()
		}
	}
	stdin.Close()
	err = parse.Wait()
	// ctx is over; the last figures are asked for all the same.
	s.summarize(context.WithoutCancel(ctx), time.Since(began))
	return err
}

// end asks the daemon to stop and waits for it.
func end(daemon *exec.Cmd) error {
	if err := daemon.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the daemon: %w", err)
	}
	if err := daemon.Wait(); err != nil {
		return fmt.Errorf("stop the daemon: %w", err)
	}
	return nil
}
