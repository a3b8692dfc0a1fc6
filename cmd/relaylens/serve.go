package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/internal/app"
)

const serveLong = `serve follows mail logs, counts every refusal with its cause, and serves the
counts to Prometheus on http://127.0.0.1:9725/metrics.

FILEs take the place of the sources in the configuration: each is followed from
its end, through every rotation, as tail -F does; - is standard input, read to
its end. Without FILEs and without sources in the configuration the usual logs
are looked for; where there is none, the journal is read. The daemon says which
it took.

It asks the runtime to stay near 75 MiB of memory, and more where the limits of
correlator are higher; GOMEMLIMIT in the environment overrides that.

EXAMPLES
  relaylens serve
  relaylens serve --listen :9725 --web.config.file /etc/relaylens/web.yml
  relaylens serve --data-dir /tmp/try --listen 127.0.0.1:9799 /var/log/mail.log

SIGNALS
  HUP        read the configuration again; a wrong one leaves the former as is
  TERM, INT  stop reading, count what was read, end; another one, a second
             later or more, ends at once

EXIT STATUS
  0  stopped by a signal
  1  an error
  2  the command line is wrong`

// drainTimeout bounds the end of the daemon. It is shorter than TimeoutStopSec of
// the systemd unit, so that the daemon says itself what it had to leave.
const drainTimeout = 20 * time.Second

func newServeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve [flags] [FILE...]",
		Short: "Follow mail logs and export metrics: the daemon",
		Long:  serveLong,
		RunE:  runServe,
	}
	config.Flags(c.Flags())
	registerCompletions(c)
	return c
}

func runServe(c *cobra.Command, files []string) error {
	hangup := make(chan os.Signal, 1) // two at once are one reload
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	load := func() (*config.Config, error) {
		return config.Load(config.LoadOptions{Flags: c.Flags(), Files: files})
	}
	cfg, err := load()
	if err != nil {
		return err
	}
	logger, level, err := newLogger(cfg.Log, c.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { _ = logger.Sync() }() // standard error cannot be synced everywhere

	limitMemory(cfg)
	limitFiles()
	version, revision := build()
	a, err := app.New(c.Context(), app.Options{
		Config:   cfg,
		Load:     load,
		Logger:   logger,
		Level:    level,
		Stdin:    c.InOrStdin(),
		Version:  version,
		Revision: revision,
	})
	if err != nil {
		if errors.Is(err, context.Canceled) { // a signal came before
			logger.Info("stopped")
			return nil
		}
		return err
	}
	return serve(c.Context(), a, hangup, logger)
}

// limitMemory keeps garbage from taking as much as what is remembered: a flood
// of new clients would else double the memory for a while. The limit is a wish,
// and above what the tables take when a flood has filled those that it reaches.
func limitMemory(cfg *config.Config) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	const (
		base     = 36 << 20
		perEntry = 600
	)
	debug.SetMemoryLimit(base + int64(cfg.Correlator.MaxBytes) + perEntry*int64(cfg.Correlator.MaxEntries))
}

// limitFiles keeps what the daemon writes, which is personal, from users who are
// not in its group, whatever umask it was started with.
func limitFiles() {
	const others = 0o027
	syscall.Umask(syscall.Umask(others) | others)
}

// serve runs a until ctx ends or a fails, and stops it.
func serve(ctx context.Context, a *app.App, hangup <-chan os.Signal, logger *zap.Logger) error {
	err := a.Start(ctx)
	if errors.Is(err, context.Canceled) { // a signal came before
		err = nil
	}
	for running := err == nil; running; {
		select {
		case <-ctx.Done():
			running = false
		case err = <-a.Failed():
			running = false
		case <-hangup:
			_ = a.Reload() // has logged what is wrong
		}
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(again)
	go hurry(drain, again, cancel)
	err = errors.Join(err, a.Stop(drain))
	if err == nil {
		logger.Info("stopped")
	}
	return err
}

// together is within what time signals are one: a terminal sends them to all of a
// group of processes, and some of those pass them on.
const together = time.Second

// hurry calls cancel when somebody asks again for the end.
func hurry(ctx context.Context, again <-chan os.Signal, cancel func()) {
	for began := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-again:
			if time.Since(began) >= together {
				cancel()
				return
			}
		}
	}
}
