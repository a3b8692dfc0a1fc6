package app

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/internal/spike"
	"github.com/relaylens/relaylens/internal/watch"
	"github.com/relaylens/relaylens/store"
)

const (
	// learnFor is how much of the past the baselines are learned from, at most.
	learnFor = 5 * 7 * 24 * time.Hour
	// warmFor is how much of it is counted again, one by one: the longest window
	// of spikes, and all that findings are made of.
	warmFor = 3 * time.Hour
	// maxWarm refusals are counted again.
	maxWarm = 20_000
)

// SpikeSettings are what a configuration says of spikes.
func SpikeSettings(c *config.Config) (spike.Settings, error) {
	zone, err := c.Location()
	return spike.Settings{FalsePagesPerMonth: float64(c.Alerting.FalsePagesPerMonth), MinEvents: c.Alerting.MinEvents, Location: zone}, err
}

// remember has the watch know what the store knows: what is usual, in all and of
// each, what came lately, and which alerts there are. When the latter cannot be
// read, it goes on without them and says so.
func remember(ctx context.Context, w *watch.Watch, s *store.Store, minEvents int, l *zap.Logger) error {
	if err := warm(ctx, w, s, minEvents); err != nil {
		return err
	}
	// A crash may have left alerts whose events were not committed yet.
	state, err := s.Alerts(ctx)
	if err != nil || state == nil {
		return err
	}
	if err := w.Restore(state); err != nil {
		l.Error("alerts of before are not known; those that last are told of again", zap.Error(err))
	}
	return nil
}

// warm has the watch know the refusals until the newest.
func warm(ctx context.Context, w *watch.Watch, s *store.Store, minEvents int) error {
	newest, err := s.Newest(ctx, 1)
	if err != nil || newest.IsZero() {
		return err
	}
	from, err := s.Newest(ctx, maxWarm)
	if err != nil {
		return err
	}
	since := newest.Add(-warmFor).Truncate(time.Hour)
	if from.After(since) {
		since = from.Truncate(time.Hour)
	} else {
		from = since
	}
	var counts []spike.Count
	for t, err := range s.Totals(ctx, store.Span{Since: since.Add(-learnFor), Until: since}) {
		if err != nil {
			return err
		}
		counts = append(counts, spike.Count{Start: t.Hour, Length: time.Hour, Kind: t.Kind, Cause: t.Cause, Events: t.Events})
	}
	w.Learn(counts)
	if err := learnEntities(ctx, w, s, since, minEvents); err != nil {
		return err
	}
	for e, err := range s.Events(ctx, store.Span{Since: from}) {
		if err != nil {
			return err
		}
		w.Warm(&e)
	}
	return nil
}

// recall has the watch know what it left out while it was far behind the present.
func (a *App) recall(minEvents int) {
	ctx, cancel := context.WithTimeout(context.Background(), stepTimeout)
	defer cancel()
	a.pipeline.handOver(handOverTime)
	defer a.store.Rest() // the next lines need it
	if err := warm(ctx, a.pipeline.watch, a.store, minEvents); err != nil {
		a.alerts.logger.Error("what is usual is not known from the event store, and is learned anew", zap.Error(err))
	}
}

// longGone is how far event time may be behind the clock for somebody to be told
// at once. While it is further behind and catches up, what is found is over.
const longGone = 30 * time.Minute

// tempo relates event time to the clock.
type tempo struct {
	event, heard time.Time // the newest event time, and when it came
	at           time.Time // of the sample that lag was taken at
	lag          time.Duration
	near         bool // what is read is of the present; not known at first
}

// gone reports whether a moment is so long gone that nobody is told of it.
func (t *tempo) gone(at, now time.Time) bool { return !t.near && now.Sub(at) > longGone }

// hear notes event time, after lines came.
func (t *tempo) hear(event, now time.Time) {
	if event.IsZero() {
		return
	}
	t.event, t.heard = event, now
	const often, steady = 30 * time.Second, 15 * time.Second
	lag := now.Sub(event)
	switch {
	case lag <= longGone:
		t.near = true
	case t.at.IsZero():
		t.near = false
	case now.Sub(t.at) < often:
		return
	default:
		// A log whose clock is wrong stays behind by as much.
		t.near = t.lag-lag <= steady
	}
	t.at, t.lag = now, lag
}

// behind is how far from the present that is which is read, as far as known.
func (t *tempo) behind(now time.Time) time.Duration {
	if t.near || t.event.IsZero() {
		return 0
	}
	return now.Sub(t.event)
}

// idle gives event time while no lines come. Then there is nothing to catch up with.
func (t *tempo) idle(now time.Time) (event time.Time, ok bool) {
	t.near = true
	return t.event.Add(now.Sub(t.heard)), !t.heard.IsZero()
}
