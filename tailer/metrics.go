package tailer

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// How a file was replaced: label values of relaylens_source_rotations_total.
const (
	rotationRenamed   = "renamed"
	rotationTruncated = "truncated"
)

// Metrics are the counters of all sources of one process.
type Metrics struct {
	up        *prometheus.GaugeVec
	lagBytes  *prometheus.GaugeVec
	rotations *prometheus.CounterVec
	bytes     *prometheus.CounterVec
	cut       *prometheus.CounterVec
	errors    *prometheus.CounterVec
	feedMetrics

	lagSeconds *prometheus.Desc
	mu         sync.Mutex
	gauges     map[string]*gauges
}

// NewMetrics registers the metrics with reg; nil registers them nowhere.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	source := []string{"source"}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "relaylens", Subsystem: "source", Name: name, Help: help}, source)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "relaylens", Subsystem: "source", Name: name, Help: help}, append(source, labels...))
	}
	m := &Metrics{
		up:        gauge("up", "Whether the source can be read: 0 while it is missing or unreadable."),
		lagBytes:  gauge("lag_bytes", "Bytes the source holds that were not read yet."),
		rotations: counter("rotations_total", "Rotations seen, by what happened to the file: renamed (or recreated) or truncated.", "style"),
		bytes:     counter("read_bytes_total", "Bytes of complete lines read from the source."),
		cut:       counter("cut_lines_total", "Lines longer than 64 KiB, of which only the head was read."),
		errors:    counter("errors_total", "Failed attempts to open or read the source."),
		lagSeconds: prometheus.NewDesc("relaylens_source_lag_seconds",
			"Time for which the source has held something unread.", source, nil),
		feedMetrics: newFeedMetrics(counter),
		gauges:      map[string]*gauges{},
	}
	if reg != nil {
		reg.MustRegister(m.up, m.lagBytes, m.rotations, m.bytes, m.cut, m.errors, m.dropped, m.restarts, lagCollector{m})
	}
	return m
}

// Delete removes the series of a source that was taken out of the configuration.
func (m *Metrics) Delete(source string) {
	source = label(source)
	m.mu.Lock()
	delete(m.gauges, source)
	m.mu.Unlock()
	series := prometheus.Labels{"source": source}
	for _, v := range []interface {
		DeletePartialMatch(prometheus.Labels) int
	}{m.up, m.lagBytes, m.rotations, m.bytes, m.cut, m.errors, m.dropped, m.restarts} {
		v.DeletePartialMatch(series)
	}
}

// gauges are the metrics of one source; made at 0.
type gauges struct {
	up, lagBytes                           prometheus.Gauge
	renamed, truncated, bytes, cut, errors prometheus.Counter
	behindSince                            atomic.Int64 // Unix nanoseconds; 0 when caught up
}

func (m *Metrics) source(name string) *gauges {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = label(name)
	if g, ok := m.gauges[name]; ok {
		return g
	}
	g := &gauges{
		up: m.up.WithLabelValues(name), lagBytes: m.lagBytes.WithLabelValues(name),
		renamed: m.rotations.WithLabelValues(name, rotationRenamed), truncated: m.rotations.WithLabelValues(name, rotationTruncated),
		bytes: m.bytes.WithLabelValues(name), cut: m.cut.WithLabelValues(name), errors: m.errors.WithLabelValues(name),
	}
	m.gauges[name] = g
	return g
}

// label is the name of a source as the value of a label: a file name may be any
// bytes, a label may not.
func label(source string) string { return strings.ToValidUTF8(source, "\ufffd") }

// lag notes how many bytes are unread.
func (g *gauges) lag(n int64, now time.Time) {
	g.lagBytes.Set(float64(n))
	if n == 0 {
		g.behindSince.Store(0)
	} else {
		g.behindSince.CompareAndSwap(0, now.UnixNano())
	}
}

// lagCollector computes ages when they are asked for: a blocked source cannot
// update them.
type lagCollector struct{ m *Metrics }

func (c lagCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.m.lagSeconds }

func (c lagCollector) Collect(ch chan<- prometheus.Metric) {
	now := time.Now()
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	for name, g := range c.m.gauges {
		age := 0.0
		if since := g.behindSince.Load(); since != 0 {
			age = max(0, now.Sub(time.Unix(0, since)).Seconds())
		}
		ch <- prometheus.MustNewConstMetric(c.m.lagSeconds, prometheus.GaugeValue, age, name)
	}
}
