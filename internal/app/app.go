package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/exporter/alertmanager"
	"github.com/relaylens/relaylens/exporter/nats"
	"github.com/relaylens/relaylens/exporter/prom"
	"github.com/relaylens/relaylens/internal/api"
	"github.com/relaylens/relaylens/parsers"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/tailer"
)

// queueBatches is how many batches may wait for the pipeline. Few, as waiting
// lines are best kept in their files.
const queueBatches = 4

// lateAfter is how long a reload waits for sources that end. One of a fleet takes some
// seconds for what is on its way to the store.
const lateAfter = stepTimeout / 2

// stepTimeout bounds each step of Stop, within what its context leaves.
const stepTimeout = 10 * time.Second

// ErrNotRunning is what Reload returns before Start, and Start and Reload after Stop.
var ErrNotRunning = errors.New("the daemon is not running")

// Options are what an [App] is made of.
type Options struct {
	// Config to begin with.
	Config *config.Config
	// Load reads the configuration again, for Reload. Nil means that it cannot be.
	Load func() (*config.Config, error)
	// Logger is where the daemon writes; Level, if not nil, is set to what the
	// configuration says.
	Logger *zap.Logger
	Level  *zap.AtomicLevel
	// Stdin is what the source called - reads.
	Stdin io.Reader
	// Version and Revision of the program.
	Version, Revision string

	// What tests put something else in place of.
	hostname  string
	root      string // where the usual logs are looked for
	dataDir   string // in place of the configuration's
	newSource func(config.Source) relaylens.Source
	notify    func(state string) error
	watchdog  time.Duration // how often the service manager wants to hear of us
	lateAfter time.Duration
}

// App is one daemon.
type App struct {
	options  Options
	logger   *zap.Logger
	exporter *prom.Exporter
	tailer   *tailer.Metrics
	fleet    *nats.Metrics
	store    *store.Store
	pipeline *pipeline
	alerts   *alerter
	alerted  *alertmanager.Metrics
	follow   *followers
	listener net.Listener
	server   *http.Server
	served   chan struct{} // closed when the server has ended
	failed   chan error    // holds at most one

	api *api.API

	retention atomic.Pointer[store.Retention]
	limits    atomic.Pointer[api.Limits] // of questions

	ready    atomic.Bool
	stopping atomic.Bool

	mu        sync.Mutex // held by Start, Stop and Reload
	config    *config.Config
	sources   []config.Source // what config.FindSources found
	positions []relaylens.Position
	claims    *tailer.Claims // of the sources that are files
	started   bool
	cleanup   stack
}

// New builds a daemon and binds its address, so that Addr is true before Start.
// On error nothing is left behind, nor when ctx ends before. An App that is never
// started needs Stop, too.
func New(ctx context.Context, o Options) (*App, error) {
	a := &App{options: o, logger: o.Logger, served: make(chan struct{}), failed: make(chan error, 1), alerted: alertmanager.NewMetrics()}
	if a.logger == nil {
		a.logger = zap.NewNop()
	}
	if err := a.setup(ctx); err != nil {
		return nil, errors.Join(err, a.Stop(context.Background()))
	}
	return a, nil
}

// setup is one straight function, as each part needs those before it.
func (a *App) setup(ctx context.Context) error {
	if err := a.options.fill(); err != nil {
		return err
	}
	next, err := a.build(a.options.Config)
	if err != nil {
		return err
	}
	a.exporter = prom.New(prom.Options{Host: a.options.hostname, MaxHosts: next.config.MaxHosts, Results: resultNames(),
		Version: a.options.Version, Revision: a.options.Revision})
	a.tailer = tailer.NewMetrics(a.exporter.Registry())
	a.fleet = nats.NewMetrics(a.exporter.Registry())
	a.claims = tailer.NewClaims()
	if err := a.openStore(ctx, cmp.Or(a.options.dataDir, next.config.DataDir)); err != nil {
		return err
	}
	a.retention.Store(retentionOf(next.config))
	a.limits.Store(limitsOf(next.config))
	a.cleanup.push("close event store", func(context.Context) error { return a.store.Close() })
	commits := a.exporter.Commits(failureNames())
	a.pipeline = newPipeline(next.parser, next.spikes, a.exporter, a.store, commits, a.logger.Named("store"))
	a.openAlerts(next)
	a.pipeline.setSources(next.sources)
	a.pipeline.classifier.SetSite(next.site)
	a.pipeline.windows.SetTopK(next.config.TopK)
	a.exporter.Top(a.pipeline.snapshot)
	a.follow = newFollowers(a.pipeline.in, a.exporter, a.logger.Named("source"))
	a.exporter.Queue("batches", queueBatches, func() int { return len(a.pipeline.in) })

	if a.listener, err = listen(next.config.Listen); err != nil {
		return err
	}
	if err := a.openAPI(); err != nil {
		return err
	}
	a.server = a.newServer()
	a.server.RegisterOnShutdown(a.api.Close)
	a.cleanup.push("stop web server", a.stopServer)
	a.config, a.sources = next.config, next.sources
	a.setLevel(next.config)
	a.exporter.Reloaded(true, time.Now())
	return nil
}

// fill puts defaults in place of what is not set.
func (o *Options) fill() error {
	if o.Config == nil {
		return errors.New("build daemon: no configuration")
	}
	if o.hostname == "" {
		name, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("find host name: %w", err)
		}
		o.hostname = name
	}
	if o.root == "" {
		o.root = "/"
	}
	o.lateAfter = cmp.Or(o.lateAfter, lateAfter)
	if o.notify == nil {
		o.notify = sdNotify
		watchdog, err := sdWatchdog()
		if err != nil {
			return err
		}
		o.watchdog = watchdog
	}
	return nil
}

func listen(address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen: %s is in use by another program, perhaps another relaylens; stop that one or set another address with listen or --listen: %w", address, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listen: %s needs a privilege; choose a port above 1023 with listen or --listen: %w", address, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("listen: %s is no address of this machine; set another with listen or --listen: %w", address, err)
	case err != nil:
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

// Addr is the address that the web server listens on.
func (a *App) Addr() net.Addr { return a.listener.Addr() }

// Failed gives the error after which the daemon cannot go on. Its owner then
// calls Stop.
func (a *App) Failed() <-chan error { return a.failed }

// Start begins to follow the sources and to serve. Calling it again does nothing.
func (a *App) Start(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.stopping.Load():
		return ErrNotRunning
	case a.started:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	a.started = true
	a.warn(a.config)

	go a.serve(a.config.Web.ConfigFile)
	a.startWatchdog()
	if err := a.startAlerts(ctx); err != nil {
		return err
	}
	if err := a.startShipping(ctx); err != nil {
		return err
	}
	a.pipeline.start()
	a.cleanup.push("drain pipeline", a.stopPipeline)
	a.keepStore()
	if err := a.resume(ctx); err != nil {
		return err
	}
	var opened []<-chan struct{}
	for _, s := range a.sources {
		source := a.source(s)
		a.follow.start(s.Name(), source)
		if o, ok := source.(opener); ok {
			opened = append(opened, o.Opened())
		}
	}
	a.cleanup.push("stop sources", a.follow.stopAll)
	waitOpened(ctx, opened)
	a.ready.Store(true)
	a.cleanup.push("announce stop", a.announceStop)
	a.tell(stateReady + "\nSTATUS=following " + a.follow.summary() + ", listening on " + a.Addr().String())
	a.logger.Info("started", zap.Stringer("address", a.Addr()), zap.Strings("paths", a.follow.paths()))
	return nil
}

// opener is a source that says when it has begun.
type opener interface{ Opened() <-chan struct{} }

// openTimeout is how long the daemon is not ready for the sake of a source that
// cannot begin, on a file system that hangs.
const openTimeout = 5 * time.Second

// waitOpened waits until sources have begun, so that no line is lost that is
// written by somebody who waited for the daemon.
func waitOpened(ctx context.Context, opened []<-chan struct{}) {
	timeout := time.NewTimer(openTimeout)
	defer timeout.Stop()
	for _, o := range opened {
		select {
		case <-o:
		case <-ctx.Done():
			return
		case <-timeout.C:
			return
		}
	}
}

// Stop stops what runs, in the reverse order of its start: sources, pipeline,
// at last the web server, so that a last scrape sees every event. Ctx bounds
// the time; when it ends, what is left of the drain is skipped. The error tells
// every step that went wrong. Calling it again does nothing.
func (a *App) Stop(ctx context.Context) error {
	a.stopping.Store(true)
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cleanup.run(ctx, stepTimeout)
}

func (a *App) announceStop(context.Context) error {
	a.ready.Store(false)
	a.logger.Info("stopping")
	a.tell(stateStopping)
	return nil
}

func (a *App) stopPipeline(ctx context.Context) error {
	return a.pipeline.stop(ctx, a.follow.stopped())
}

// fail reports the first error after which the daemon cannot go on.
func (a *App) fail(err error) {
	select {
	case a.failed <- err:
	default:
	}
}

func resultNames() []string {
	var names []string
	for _, r := range parsers.Results() {
		names = append(names, r.String())
	}
	return names
}
