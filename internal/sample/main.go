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
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	s := sample{out: os.Stdout}
	flag.StringVar(&s.program, "relaylens", "bin/relaylens", "the program to show")
	flag.StringVar(&s.sessions, "sessions", "testdata/sample", "directory of the sessions to play")
	flag.DurationVar(&s.pace, "pace", 700*time.Millisecond, "mean time between two sessions")
	flag.DurationVar(&s.limit, "for", 0, "end after this time; 0 waits for ctrl-c")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if s.limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, s.limit)
		defer cancel()
	}
	if err := s.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "sample:", err)
		os.Exit(1)
	}
}

// sample is one show.
type sample struct {
	program, sessions string
	pace, limit       time.Duration
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
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	address := listener.Addr().String()
	listener.Close()

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
	for range 100 {
		if s.ready(ctx) {
			return daemon, nil
		}
		if !pause(ctx, 50*time.Millisecond) {
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

func (s *sample) ready(ctx context.Context) bool {
	body, err := s.get(ctx, "/-/ready")
	return err == nil && body != nil
}

// get asks the daemon for path; what is not answered 200 is an error.
func (s *sample) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", path, response.Status)
	}
	return io.ReadAll(response.Body)
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
	for pause(ctx, time.Duration(rand.Float64()*2*float64(s.pace))) {
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

// pause waits for d; false when ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
