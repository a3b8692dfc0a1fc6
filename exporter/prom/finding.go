package prom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/relaylens/relaylens"
)

// Findings are the gauges of open findings, one for each cause, at 0 from the
// start.
type Findings struct {
	gauges map[relaylens.Cause]prometheus.Gauge
}

// Findings creates the gauges. It may be called once.
func (x *Exporter) Findings() *Findings {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "findings",
		Help: "Problems of the last hour that refusals point to, by cause and whose fault it is."}, []string{"cause", "fault"})
	x.registry.MustRegister(v)
	f := &Findings{gauges: map[relaylens.Cause]prometheus.Gauge{}}
	for _, c := range relaylens.Causes() {
		if c != relaylens.CausePolicy && c != relaylens.CauseUnknown {
			f.gauges[c] = v.WithLabelValues(c.String(), c.Fault().String())
		}
		if c == relaylens.CausePolicy { // the server's own helpers fail
			f.gauges[c] = v.WithLabelValues(c.String(), relaylens.FaultServer.String())
		}
	}
	return f
}

// Set says which findings are open.
func (f *Findings) Set(open []relaylens.Finding) {
	count := map[relaylens.Cause]int{}
	for i := range open {
		count[open[i].Cause]++
	}
	for c, g := range f.gauges {
		g.Set(float64(count[c]))
	}
}
