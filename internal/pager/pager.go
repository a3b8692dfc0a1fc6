// Package pager shows long output a page at a time, with the program and the
// variables that journalctl(1) takes.
package pager

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Command is the pager that the environment names, or the first of less and
// more that is there; none when output is to be shown as it is, which an empty
// variable asks for. The value may have arguments and is not given to a shell.
func Command(getenv func(string) (string, bool), look func(string) (string, error)) []string {
	for _, name := range []string{"SYSTEMD_PAGER", "PAGER"} {
		value, set := getenv(name)
		if !set {
			continue
		}
		words := strings.Fields(value)
		if len(words) == 0 || words[0] == "cat" {
			return nil
		}
		return words
	}
	for _, name := range []string{"less", "more"} {
		if _, err := look(name); err == nil {
			return []string{name}
		}
	}
	return nil
}

// Environment is what the pager is started with beside environ: how less
// behaves, and, where another user's rights are in use, that it may start no
// other program.
func Environment(environ []string, getenv func(string) string) []string {
	env := append([]string{}, environ...)
	options := getenv("SYSTEMD_LESS")
	if options == "" {
		options = "FRSXMK"
	}
	env = append(env, "LESS="+options, "LESSCHARSET=utf-8")
	if getenv("SUDO_UID") != "" {
		env = append(env, "LESSSECURE=1")
	}
	return env
}

// Pager is a running pager.
type Pager struct {
	io.Writer
	pipe io.WriteCloser
	cmd  *exec.Cmd
}

// Start starts the pager on standard output; nil when there is none to start.
func Start(ctx context.Context, stdout, stderr *os.File) (*Pager, error) {
	words := Command(os.LookupEnv, exec.LookPath)
	if words == nil {
		return nil, nil
	}
	// The pager takes ctrl-c for itself: it ends when its user says so.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), words[0], words[1:]...) //nolint:gosec // the user names the pager, as everywhere
	cmd.Env = Environment(os.Environ(), os.Getenv)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start pager: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start pager %s: %w", words[0], err)
	}
	return &Pager{Writer: pipe, pipe: pipe, cmd: cmd}, nil
}

// Close says that nothing more comes and waits until the user has read enough.
func (p *Pager) Close() error {
	if err := p.pipe.Close(); err != nil && !errors.Is(err, os.ErrClosed) && !errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("close pager: %w", err)
	}
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("wait for pager: %w", err)
	}
	return nil
}
