package app

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// What the service manager is told; sd_notify(3).
const (
	stateReady     = daemon.SdNotifyReady
	stateReloading = daemon.SdNotifyReloading
	stateStopping  = daemon.SdNotifyStopping
	stateWatchdog  = daemon.SdNotifyWatchdog
)

func sdNotify(state string) error {
	_, err := daemon.SdNotify(false, state)
	return err
}

// sdWatchdog is within what time the service manager wants to hear of us; 0 is never.
func sdWatchdog() (time.Duration, error) {
	d, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return 0, fmt.Errorf("read WATCHDOG_USEC: %w", err)
	}
	return d, nil
}

func (a *App) tell(state string) {
	if err := a.options.notify(state); err != nil {
		a.logger.Warn("notify service manager", zap.Error(err))
	}
}

// stuck is how long the pipeline may take for one batch until it is thought to
// hang. It gives a sign of life each second, and after each batch.
const stuck = 10 * time.Second

// startWatchdog tells the service manager that all is well as long as the
// pipeline moves, so that one that hangs gets the daemon restarted.
func (a *App) startWatchdog() {
	every := a.options.watchdog
	if every <= 0 {
		return
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every / 3)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				if a.pipeline.silent() < max(stuck, every) {
					a.tell(stateWatchdog)
				}
			}
		}
	}()
	a.cleanup.push("stop watchdog", func(ctx context.Context) error {
		close(quit)
		return wait(ctx, done)
	})
}
