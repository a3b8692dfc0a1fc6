package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/relaylens/relaylens"
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

// remember has the watch know what the store knows: what is usual, what came
// lately, and which alerts there are.
func remember(ctx context.Context, w *watch.Watch, s *store.Store) error {
	stats, err := s.Stats(ctx)
	if err != nil || stats.Newest.IsZero() {
		return err
	}
	since := stats.Newest.Add(-warmFor).Truncate(time.Hour)
	var events []relaylens.Event
	for e, err := range s.Select(ctx, store.Query{Span: store.Span{Since: since}, Reverse: true, Limit: maxWarm}) {
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	if len(events) == maxWarm {
		since = events[maxWarm-1].Time.Truncate(time.Hour)
	}
	var counts []spike.Count
	for t, err := range s.Totals(ctx, store.Span{Since: since.Add(-learnFor), Until: since}) {
		if err != nil {
			return err
		}
		counts = append(counts, spike.Count{Start: t.Hour, Length: time.Hour, Kind: t.Kind, Cause: t.Cause, Events: t.Events})
	}
	w.Learn(counts)
	for _, e := range slices.Backward(events) {
		w.Warm(&e)
	}
	state, err := s.Alerts(ctx)
	if err != nil || state == nil {
		return err
	}
	if err := w.Restore(state); err != nil {
		return fmt.Errorf("go on with alerts: %w", err)
	}
	return nil
}

// longGone is how far event time may be behind the clock for somebody to be told
// at once. While it is further behind and catches up, what is found is over.
const longGone = 30 * time.Minute

// tempo relates event time to the clock.
type tempo struct {
	event, heard time.Time // the newest event time, and when it came
	at           time.Time // of the sample that lag was taken at
	lag          time.Duration
	far          bool
}

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
		t.far = false
	case t.at.IsZero():
		t.far = true
	case now.Sub(t.at) < often:
		return
	default:
		// A log whose clock is wrong stays behind by as much.
		t.far = t.lag-lag > steady
	}
	t.at, t.lag = now, lag
}

// idle gives event time while no lines come. Then there is nothing to catch up with.
func (t *tempo) idle(now time.Time) (event time.Time, ok bool) {
	t.far = false
	return t.event.Add(now.Sub(t.heard)), !t.heard.IsZero()
}
