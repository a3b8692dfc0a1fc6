package nats

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/relaylens/relaylens"
)

// Metrics of what is shipped and received. Their labels are closed lists.
type Metrics struct {
	up, lag, backlog, lost      prometheus.Gauge
	shipped                     map[string]prometheus.Counter
	messages, bytes, duplicates prometheus.Counter
	errors                      map[failure]prometheus.Counter
	received, arrived           map[string]prometheus.Counter
	pending, active             prometheus.Gauge
	missed                      prometheus.Counter
}

// failure is why shipping does not succeed.
type failure string

const (
	failConnect failure = "connect" // no server answers, or none lets us in
	failStream  failure = "stream"  // it cannot be made, or is not as it has to be
	failPublish failure = "publish" // no acknowledgement
	failFull    failure = "full"    // the stream is at its limit
	failStore   failure = "store"   // our own
)

// What became of a message and of an event that came.
const (
	messageOK        = "ok"
	messageAgain     = "redelivered"
	messageMalformed = "malformed"
	messageSpoofed   = "spoofed"
	messageVersion   = "version"
	eventNew         = "new"
	eventAgain       = "repeated"
	eventUntimely    = "untimely"
)

// Namespace is what the names of all metrics begin with.
const namespace = "relaylens"

// NewMetrics creates the metrics of both directions in reg, at zero.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{shipped: map[string]prometheus.Counter{}, errors: map[failure]prometheus.Counter{},
		received: map[string]prometheus.Counter{}, arrived: map[string]prometheus.Counter{}}
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
		reg.MustRegister(g)
		return g
	}
	vector := func(name, help, label string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, []string{label})
		reg.MustRegister(v)
		return v
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	m.up = gauge("ship_up", "Whether the last attempt to ship to NATS succeeded; 0 where nothing is shipped.")
	m.backlog = gauge("ship_backlog_events", "Events in the store that the fleet does not have yet.")
	m.lag = gauge("ship_lag_seconds", "Age of the oldest event that the fleet does not have yet, by its own time.")
	m.lost = gauge("ship_lost_events", "Events that store.max_size deleted before they were shipped, since the store was made.")
	shipped := vector("shipped_total", "What the stream of the fleet acknowledged, by what it is.", "content")
	for _, content := range []string{"events", kindRevised, kindContext} {
		m.shipped[content] = shipped.WithLabelValues(content)
	}
	m.messages = counter("ship_messages_total", "Messages that the stream acknowledged.")
	m.bytes = counter("ship_bytes_total", "Bytes of the messages that the stream acknowledged: subjects, headers and payloads.")
	m.duplicates = counter("ship_duplicates_total", "Messages that the stream had already, as after a crash between sending and noting it.")
	failures := vector("ship_errors_total", "Attempts to ship that failed, and are made again.", "reason")
	for _, f := range []failure{failConnect, failStream, failPublish, failFull, failStore} {
		m.errors[f] = failures.WithLabelValues(string(f))
	}
	m.receive(gauge, vector, counter)
	return m
}

func (m *Metrics) receive(gauge func(name, help string) prometheus.Gauge, vector func(name, help, label string) *prometheus.CounterVec,
	counter func(name, help string) prometheus.Counter) {
	received := vector("receive_messages_total", "Messages that came from the fleet, by what became of them.", "result")
	for _, r := range []string{messageOK, messageAgain, messageMalformed, messageSpoofed, messageVersion} {
		m.received[r] = received.WithLabelValues(r)
	}
	arrived := vector("receive_events_total", "Events that came from the fleet, by what became of them.", "result")
	for _, r := range []string{eventNew, eventAgain, eventUntimely} {
		m.arrived[r] = arrived.WithLabelValues(r)
	}
	m.pending = gauge("receive_pending_messages", "Messages in the stream that this reader's consumer has not handed out yet.")
	m.active = gauge("receive_active", "Whether this reader is the one that pages; 0 for one that stands by for another of its group.")
	m.missed = counter("receive_missed_messages_total", "Messages that the stream let go before this reader's consumer read them: nats.stream.max_age was shorter than its absence.")
}

func (m *Metrics) backlogIs(b relaylens.Backlog, lag float64) {
	m.backlog.Set(float64(b.Events))
	m.lost.Set(float64(b.Lost))
	m.lag.Set(lag)
}
