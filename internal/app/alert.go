package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/exporter/alertmanager"
	"github.com/relaylens/relaylens/internal/watch"
)

// saveTimeout bounds the writing of the state of the alerts. A page does not wait
// for a disk that hangs.
const saveTimeout = 5 * time.Second

// alerter hands on what the watch finds: to the store, so that the next start
// goes on with the same alerts, and then to the Alertmanagers. Of what comes
// faster than that it hands on the newest.
type alerter struct {
	store  alertStore
	logger *zap.Logger
	news   chan alertNews // holds at most one
	quit   chan struct{}  // closed by stop
	done   chan struct{}

	saidAt time.Time // event time of the last news; the pipeline's

	mu     sync.Mutex
	sender *alertmanager.Sender
	end    func() // ends the sender
	alerts []relaylens.Alert
	silent bool // another reader of the fleet tells

	speakers int // that were given the say; the last has it
}

// alertStore is where the state of the alerts is kept.
type alertStore interface {
	SaveAlerts(ctx context.Context, state []byte) error
}

// alertNews are the alerts at a moment.
type alertNews struct {
	alerts []relaylens.Alert
	state  []byte
	quiet  bool // nobody is to be told: the moment is long gone
}

func newAlerter(s alertStore, l *zap.Logger) *alerter {
	return &alerter{store: s, logger: l, news: make(chan alertNews, 1), quit: make(chan struct{}), done: make(chan struct{}), end: func() {}}
}

// newSender makes what sends by a configuration; the error tells what is wrong
// with it.
func newSender(c *config.Alerting, m *alertmanager.Metrics, l *zap.Logger) (*alertmanager.Sender, error) {
	return alertmanager.New(alertmanager.Options{Targets: targetsOf(c), Metrics: m, Logger: l, Describe: Describer(c)})
}

func targetsOf(c *config.Alerting) (all []alertmanager.Target) {
	for _, t := range c.Alertmanagers {
		all = append(all, alertmanager.Target{URL: t.URL, Username: t.Username, PasswordFile: t.PasswordFile,
			CredentialsFile: t.CredentialsFile, CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile, ServerName: t.ServerName})
	}
	return all
}

// openAlerts prepares what tells of alerts; it registers the metrics.
func (a *App) openAlerts(first *state) {
	a.alerted.Register(a.exporter.Registry())
	a.alerts = newAlerter(a.store, a.logger.Named("alert"))
	a.alerts.sender = first.sender
	a.alerts.silent = grouped(first.sources) // until it is known whose turn it is
	a.pipeline.alerts = a.alerts
}

// startAlerts has the watch remember the past, and begins to tell.
func (a *App) startAlerts(ctx context.Context) error {
	minEvents := a.config.Alerting.MinEvents // which no reload changes
	if err := remember(ctx, a.pipeline.watch, a.store, minEvents, a.alerts.logger); err != nil {
		return fmt.Errorf("learn from event store: %w", err)
	}
	a.pipeline.watch.Recall(func() { a.recall(minEvents) })
	a.pipeline.tempo.hear(a.pipeline.watch.Now(), time.Now())
	a.alerts.sender.Expect(a.pipeline.watch.Alerts())
	a.alerts.start(a.alerts.sender)
	a.cleanup.push("end alerts", a.alerts.stop)
	return nil
}

// Describer puts alerts into words by a configuration.
func Describer(c *config.Alerting) *alertmanager.Describer {
	return &alertmanager.Describer{Labels: c.LabelSet(), External: c.ExternalURL, Dashboard: c.DashboardURL, Runbook: c.RunbookURL}
}

// use puts another sender in place of the present one, which ends.
func (a *alerter) use(next *alertmanager.Sender) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	a.mu.Lock()
	before, end := a.sender, a.end
	a.sender, a.end = next, func() { cancel(); <-ended }
	next.StandBy(a.silent)
	next.Set(a.alerts)
	a.mu.Unlock()
	go func() {
		defer close(ended)
		next.Run(ctx)
	}()
	end()
	if before != nil {
		before.Forget(next)
	}
}

// speaker gives somebody the say whether it is for this daemon to tell, or another
// reader of its group does. Nobody who had it before is heard any more: a source that
// is late to end may still ask.
func (a *alerter) speaker() func(mine bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.speakers++
	me := a.speakers
	return func(mine bool) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.speakers == me {
			a.silent = !mine
			a.sender.StandBy(!mine)
		}
	}
}

// sayEvery is how often alerts that last are told again, with the numbers of now.
const sayEvery = time.Minute

// stepped hears what the watch found. It never waits.
func (a *alerter) stepped(s *watch.Step, w *watch.Watch, quiet bool) {
	if a.saidAt.IsZero() || s.Changed || s.Time.Sub(a.saidAt) >= sayEvery {
		a.saidAt = s.Time
		a.tell(w, quiet)
	}
}

// remember tells of the alerts of an earlier run, once, where event time does not go
// on: Alertmanager would take them for over.
func (a *alerter) remember(w *watch.Watch, now time.Time) {
	if event := w.Now(); a.saidAt.IsZero() && !event.IsZero() && len(w.Alerts()) > 0 {
		a.saidAt = event
		a.tell(w, now.Sub(event) > longGone)
	}
}

func (a *alerter) tell(w *watch.Watch, quiet bool) {
	state, err := w.State()
	if err != nil {
		a.logger.Error("alerts cannot be kept", zap.Error(err))
	}
	select {
	case <-a.news: // older ones
	default:
	}
	select {
	case a.news <- alertNews{w.Alerts(), state, quiet}:
	case <-a.quit:
	}
}

func (a *alerter) start(s *alertmanager.Sender) {
	a.use(s)
	go a.run()
}

func (a *alerter) run() {
	defer close(a.done)
	kept := "[]"
	for {
		select {
		case n := <-a.news:
			a.hand(&n, &kept)
		case <-a.quit:
			select {
			case n := <-a.news:
				a.hand(&n, &kept)
			default:
			}
			return
		}
	}
}

// hand keeps what is new, before it is told: a page that was told of and then
// forgotten would come twice. What cannot be kept is told all the same.
func (a *alerter) hand(n *alertNews, kept *string) {
	if n.state != nil && string(n.state) != *kept {
		ctx, cancel := context.WithTimeout(context.Background(), saveTimeout)
		defer cancel()
		if err := a.store.SaveAlerts(ctx, n.state); err != nil {
			a.logger.Error("alerts cannot be kept; a restart may tell of them again", zap.Error(err))
		} else {
			*kept = string(n.state)
		}
	}
	if !n.quiet {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.alerts = n.alerts
		a.sender.Set(n.alerts)
	}
}

// stop hands on what is left; what is told later is lost.
func (a *alerter) stop(ctx context.Context) error {
	close(a.quit)
	err := wait(ctx, a.done)
	a.mu.Lock()
	end := a.end
	a.mu.Unlock()
	end()
	return err
}
