package alertmanager

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/relaylens/relaylens"
)

const namespace = "relaylens"

// Metrics are the metrics of every [Sender] of a process, one after the other.
type Metrics struct {
	active                         *prometheus.GaugeVec
	sent, errors, dropped          *prometheus.CounterVec
	queueLength, up, queueCapacity *prometheus.GaugeVec
	duration                       *prometheus.HistogramVec
}

// NewMetrics creates the metrics, which are not registered yet. The label
// alertmanager is the URL of one.
func NewMetrics() *Metrics {
	by := []string{"alertmanager"}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	}
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, by)
	}
	m := &Metrics{
		active:        gauge("alerts_active", "Problems that somebody is to be told of, whether or not an Alertmanager is configured.", "severity"),
		sent:          counter("alerts_sent_total", "Alerts that the Alertmanager accepted; an active one counts again each time it is sent."),
		errors:        counter("alerts_errors_total", "Requests to the Alertmanager that failed. What is still true is sent again."),
		dropped:       counter("alerts_dropped_total", "Alerts, or ends of alerts, that the Alertmanager never accepted: it refused them, or they were over before it answered."),
		queueLength:   gauge("alerts_queue_length", "Alerts whose present state the Alertmanager has not accepted yet.", by...),
		queueCapacity: gauge("alerts_queue_capacity", "Alerts that can be active at once; further ones join those of their cause.", by...),
		up:            gauge("alertmanager_up", "Whether the last request to the Alertmanager succeeded. Without alerts it is asked every minute.", by...),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: "alerts_send_duration_seconds",
			Help: "Time that a request to the Alertmanager took.", Buckets: []float64{.005, .01, .05, .1, .5, 1, 5, 10}}, by),
	}
	for _, s := range relaylens.Severities() {
		m.active.WithLabelValues(s.String())
	}
	return m
}

// Register registers the metrics, once.
func (m *Metrics) Register(r prometheus.Registerer) {
	r.MustRegister(m.active, m.sent, m.errors, m.dropped, m.queueLength, m.queueCapacity, m.up, m.duration)
}

// create makes the series of a target, at zero.
func (m *Metrics) create(target string) {
	m.sent.WithLabelValues(target)
	m.errors.WithLabelValues(target)
	m.dropped.WithLabelValues(target)
	m.queueLength.WithLabelValues(target).Set(0)
	m.queueCapacity.WithLabelValues(target).Set(MaxAlerts)
	m.up.WithLabelValues(target).Set(1)
	m.duration.WithLabelValues(target)
}

// forget removes the series of a target that is no longer configured.
func (m *Metrics) forget(target string) {
	by := prometheus.Labels{"alertmanager": target}
	for _, v := range []interface {
		DeletePartialMatch(prometheus.Labels) int
	}{m.sent, m.errors, m.dropped, m.queueLength, m.queueCapacity, m.up, m.duration} {
		v.DeletePartialMatch(by)
	}
}

func (m *Metrics) setActive(alerts []relaylens.Alert) {
	count := map[relaylens.Severity]int{}
	for i := range alerts {
		if alerts[i].EndsAt.IsZero() {
			count[alerts[i].Severity]++
		}
	}
	for _, s := range relaylens.Severities() {
		m.active.WithLabelValues(s.String()).Set(float64(count[s]))
	}
}
