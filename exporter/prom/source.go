package prom

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// maxSources bounds the source label against globs whose files keep changing
// their names. Further sources share one that is called other.
const maxSources = 1024

// Source counts what became of the lines of one source.
type Source struct {
	exporter *Exporter
	label    string
	results  []prometheus.Counter
	failures prometheus.Counter
}

// Source gives the counters of the source called name, creating its series at
// zero. Calling it again gives the same.
func (x *Exporter) Source(name string) *Source {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s := x.sources[name]; s != nil {
		return s
	}
	label := strings.ToValidUTF8(strings.Clone(name), "\uFFFD")
	if len(x.sources) >= maxSources {
		name, label = OtherHost, OtherHost
		if s := x.sources[name]; s != nil {
			return s
		}
	}
	s := &Source{exporter: x, label: label, failures: x.failures.WithLabelValues(label)}
	for _, r := range x.options.Results {
		s.results = append(s.results, x.lines.WithLabelValues(label, r))
	}
	x.sources[strings.Clone(name)] = s
	return s
}

// DropSource takes the series of a source away that is not followed any more.
func (x *Exporter) DropSource(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s := x.sources[name]
	if s == nil {
		return
	}
	delete(x.sources, name)
	labels := prometheus.Labels{"source": s.label}
	x.lines.DeletePartialMatch(labels)
	x.failures.DeletePartialMatch(labels)
	x.lastLine.DeletePartialMatch(labels)
}

// Add counts n lines with the result of index i in Options.Results.
func (s *Source) Add(i int, n uint64) { s.results[i].Add(float64(n)) }

// LastLine records the time that the source's last line bears. The zero time,
// of a source whose lines had none, is left out.
func (s *Source) LastLine(t time.Time) {
	if !t.IsZero() {
		s.exporter.lastLine.WithLabelValues(s.label).Set(seconds(t))
	}
}

// Failed counts one failure of the source.
func (s *Source) Failed() { s.failures.Inc() }
