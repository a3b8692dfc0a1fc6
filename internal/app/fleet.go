package app

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/exporter/nats"
)

// fleetOptions are how the servers of the fleet are reached.
func (a *App) fleetOptions(n *config.NATS) nats.Options {
	return nats.Options{
		URLs: n.URLs, Fleet: n.Fleet, Host: cmp.Or(n.Host, a.options.hostname), Logger: a.logger.Named("fleet"),
		CredentialsFile: n.CredentialsFile, NKeyFile: n.NKeyFile, User: n.User, PasswordFile: n.PasswordFile,
		CAFile: n.CAFile, CertFile: n.CertFile, KeyFile: n.KeyFile,
		Stream: nats.StreamOptions{Replicas: n.Stream.Replicas, MaxAge: n.Stream.MaxAge.Duration(), MaxBytes: int64(n.Stream.MaxSize),
			Duplicates: n.Stream.Duplicates.Duration()},
	}
}

// startShipping begins to ship what is in the store, where there is a fleet that
// wants it, and forgets what was left to ship where there is none any more. The
// pipeline must not run yet.
func (a *App) startShipping(ctx context.Context) error {
	if !a.config.Ships() {
		if err := a.store.CloseOutbox(ctx); err != nil {
			return fmt.Errorf("end shipping: %w", err)
		}
		return nil
	}
	outbox, err := a.store.Outbox(ctx)
	if err != nil {
		return fmt.Errorf("begin shipping: %w", err)
	}
	shipper, err := nats.NewShipper(a.fleetOptions(&a.config.NATS), outbox, a.config.NATS.Delay.Duration(), a.fleet)
	if err != nil {
		return fmt.Errorf("begin shipping: %w", err)
	}
	a.pipeline.ledger.tallies.on = true
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		shipper.Run(ctx)
	}()
	a.cleanup.push("end shipping", func(ctx context.Context) error {
		cancel()
		return wait(ctx, done)
	})
	return nil
}

// readerOptions are those of the source of what the fleet ships.
func (a *App) readerOptions(s config.Source) nats.SourceOptions {
	o := a.fleetOptions(&a.config.NATS)
	return nats.SourceOptions{Options: o, Consumer: cmp.Or(s.Consumer, nats.Token(o.Host)), Hosts: s.Hosts, Metrics: a.fleet,
		Group: s.Group, Turn: a.alerts.speaker(), Late: a.pipeline.still.Store}
}

// grouped reports whether this daemon shares the telling of alerts with other
// readers.
func grouped(sources []config.Source) bool {
	return slices.ContainsFunc(sources, func(s config.Source) bool { return s.Group != "" })
}

// keepFleet puts back what of the fleet a running daemon cannot change.
func (a *App) keepFleet(next *config.Config) {
	if !reflect.DeepEqual(a.config.NATS, next.NATS) {
		a.logger.Warn("changed key needs a restart", zap.String("key", "nats"))
		next.NATS = a.config.NATS
	}
	if a.config.Ships() != next.Ships() {
		a.logger.Warn("shipping begins or ends with a restart", zap.Bool("ships", a.config.Ships()))
	}
}
