package prom

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
)

// OtherKey is the key label of what is not among the largest.
const OtherKey = "other"

// maxLabel is how many bytes of a client's text become a label.
const maxLabel = aggregate.MaxKey

// top collects the lists of the windows, anew at every scrape: a series is there
// as long as its value is among the largest. These are the only labels that a
// client can choose, and so there are few of them, escaped and cut.
type top struct {
	snapshot             func() *aggregate.Snapshot
	top, bound, distinct *prometheus.Desc
}

// Top exports the lists that snapshot gives, which is called at each scrape and
// may give nil. It may be called once.
func (x *Exporter) Top(snapshot func() *aggregate.Snapshot) {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	x.registry.MustRegister(&top{
		snapshot: snapshot,
		top: desc("top_refusals", "Refusals in the window, of the clients, networks, users and domains with the most, and of all others together. Never too high.",
			"kind", "by", "key", "window"),
		bound: desc("top_refusals_error", "Refusals in the window that a value can have had beyond what top_refusals shows, and a value that it does not show. 0 while it is exact.",
			"kind", "by", "window"),
		distinct: desc("distinct", "Distinct clients, networks, users and domains that were refused in the window, with a standard error of 2.3 %.",
			"kind", "by", "window"),
	})
}

// Describe implements [prometheus.Collector].
func (t *top) Describe(c chan<- *prometheus.Desc) {
	c <- t.top
	c <- t.bound
	c <- t.distinct
}

// Collect implements [prometheus.Collector].
func (t *top) Collect(c chan<- prometheus.Metric) {
	s := t.snapshot()
	if s == nil {
		return
	}
	for i := range s.Lists {
		t.list(c, &s.Lists[i])
	}
}

func (t *top) list(c chan<- prometheus.Metric, l *aggregate.List) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	kind, by, window := l.Kind.String(), l.By.String(), windowLabel(l.Window)
	gauge(t.distinct, float64(l.Distinct), kind, by, window)
	gauge(t.bound, float64(l.Error), kind, by, window)
	other := l.Other
	shown := make(map[string]bool, len(l.Top))
	for _, v := range l.Top {
		key := relaylens.Escaped(v.Key, maxLabel)
		// Escaping can make two texts one, and a client can call itself other.
		if key == OtherKey || shown[key] {
			other += v.Count
			continue
		}
		shown[key] = true
		gauge(t.top, float64(v.Count), kind, by, key, window)
	}
	if l.Total > 0 {
		gauge(t.top, float64(other), kind, by, OtherKey, window)
	}
}

// windowLabel writes 5m and 24h, as queries have it.
func windowLabel(d time.Duration) string {
	if d%time.Hour == 0 {
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return strconv.Itoa(int(d/time.Minute)) + "m"
}
