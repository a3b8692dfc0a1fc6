package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/relaylens/relaylens/internal/demo"
)

// Process is one of the programs.
type Process struct {
	URL   string // of its HTTP server
	ready string
	log   string
	args  []string
	cmd   *exec.Cmd     // nil while it does not run
	ended chan struct{} // closed when it has
	err   error         // how; to be read after ended
}

const (
	// startTime is how long a program may take until it is ready, endTime until it
	// has ended.
	startTime = 30 * time.Second
	endTime   = 20 * time.Second
)

func newProcess(log, address, ready string, args ...string) *Process {
	return &Process{URL: "http://" + address, ready: ready, log: log, args: args}
}

// Start starts the program and waits until it is ready.
func (p *Process) Start(ctx context.Context) error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log of %s: %w", p.args[0], err)
	}
	defer log.Close()
	// Not bound to the context: it is told to end, not killed. In a process group
	// of its own, as ctrl-c on the terminal is for its owner to pass on.
	cmd := exec.Command(p.args[0], p.args[1:]...) //nolint:noctx // see above
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.args[0], err)
	}
	p.cmd, p.ended = cmd, make(chan struct{})
	go func() {
		defer close(p.ended)
		p.err = cmd.Wait()
	}()
	if err := p.wait(ctx); err != nil {
		said, _ := os.ReadFile(p.log)
		return errors.Join(fmt.Errorf("start %s: %w\n%s", p.args[0], err, said), p.Stop())
	}
	return nil
}

func (p *Process) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := demo.Get(ctx, p.URL+p.ready)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return errors.New("it ended")
		case <-ctx.Done():
			return err
		}
	}
}

// Stop has the program end as a service manager does, and kills it when it does
// not.
func (p *Process) Stop() error {
	if p.cmd == nil {
		return nil
	}
	cmd := p.cmd
	p.cmd = nil
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.args[0], err)
	}
	select {
	case <-p.ended:
	case <-time.After(endTime):
		err := cmd.Process.Kill()
		<-p.ended
		return errors.Join(fmt.Errorf("stop %s: it had to be killed", p.args[0]), err)
	}
	if p.err != nil {
		return fmt.Errorf("stop %s: %w", p.args[0], p.err)
	}
	return nil
}

// Kill ends the program without a word.
func (p *Process) Kill() error {
	if p.cmd == nil {
		return nil
	}
	cmd := p.cmd
	p.cmd = nil
	err := cmd.Process.Kill()
	<-p.ended
	return err
}

// Get asks the program for path.
func (p *Process) Get(ctx context.Context, path string) ([]byte, error) {
	return demo.Get(ctx, p.URL+path)
}

// Said is what the program wrote.
func (p *Process) Said() string {
	said, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(said)
}
