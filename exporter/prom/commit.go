package prom

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Commits are the metrics of what is written to the event store.
type Commits struct {
	duration prometheus.Histogram
	stored   prometheus.Counter
	failures map[string]prometheus.Counter
	up       prometheus.Gauge
}

// Commits creates the metrics of the event store, with a counter for each of
// the reasons a commit can fail for. It may be called once.
func (x *Exporter) Commits(reasons []string) *Commits {
	c := &Commits{failures: map[string]prometheus.Counter{}}
	c.duration = prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: "commit_duration_seconds",
		Help:    "Time that a transaction of events and positions took.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}})
	c.stored = prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: "stored_events_total",
		Help: "Events written to the event store that were not there yet."})
	c.up = prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "store_up",
		Help: "Whether the last attempt to write to the event store succeeded. While it is 0 the logs wait on disk."})
	failures := x.counter("commit_failures_total", "Attempts to write to the event store that failed, and were made again.", "reason")
	for _, r := range reasons {
		c.failures[r] = failures.WithLabelValues(r)
	}
	x.registry.MustRegister(c.duration, c.stored, c.up)
	c.up.Set(1)
	return c
}

// Done records a commit and how many of its events were new.
func (c *Commits) Done(took time.Duration, stored int) {
	c.duration.Observe(took.Seconds())
	c.stored.Add(float64(stored))
	c.up.Set(1)
}

// Failed records an attempt that failed for one of the reasons given before.
func (c *Commits) Failed(reason string) {
	if counter := c.failures[reason]; counter != nil {
		counter.Inc()
	}
	c.up.Set(0)
}
