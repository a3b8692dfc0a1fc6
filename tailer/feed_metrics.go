package tailer

import "github.com/prometheus/client_golang/prometheus"

// feedMetrics are the counters of sources that are no files.
type feedMetrics struct {
	dropped  *prometheus.CounterVec
	restarts *prometheus.CounterVec
}

func newFeedMetrics(counter func(name, help string, labels ...string) *prometheus.CounterVec) feedMetrics {
	return feedMetrics{
		dropped:  counter("dropped_total", "Lines that came over a socket and were lost: there was no room for them, or they were incomplete."),
		restarts: counter("restarts_total", "Times that journalctl ended and was started again."),
	}
}

// droppedOf and restartsOf are made at 0.
func (f *feedMetrics) droppedOf(source string) prometheus.Counter {
	return f.dropped.WithLabelValues(label(source))
}

func (f *feedMetrics) restartsOf(source string) prometheus.Counter {
	return f.restarts.WithLabelValues(label(source))
}
