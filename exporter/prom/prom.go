// Package prom counts events and the program's own health for Prometheus.
//
// Every label is from a closed list or bounded by configuration. What a client
// can choose (its address, its user name, a domain) is a label of the top lists
// alone, which are as long as configuration says.
package prom

import (
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const namespace = "relaylens"

// Options are what an [Exporter] needs to know beforehand.
type Options struct {
	// Host is the local host name: events without a host are counted under it,
	// and its series exist from the start.
	Host string
	// MaxHosts is the number of host names that get series of their own, Host
	// included. Events of further hosts are counted under [OtherHost]. Below 1 is 1.
	MaxHosts int
	// Results are the values of the result label of lines_total, in the order of
	// [Source.Add]'s index.
	Results []string
	// Version and Revision of the program, for build_info.
	Version, Revision string
}

// Exporter owns a registry of its own and the metrics in it, so that several
// can live in one process. It is safe for concurrent use.
type Exporter struct {
	registry *prometheus.Registry
	options  Options

	refusals, causes, messages, logins *prometheus.CounterVec

	// hosts is copied on write: counting takes no lock.
	hosts    atomic.Pointer[map[string]*hostCounters]
	other    atomic.Pointer[hostCounters]
	maxHosts atomic.Int64

	lines, failures *prometheus.CounterVec
	lastLine        *prometheus.GaugeVec

	reloadOK, reloadTime prometheus.Gauge

	mu      sync.Mutex // held to create host counters and sources
	sources map[string]*Source
}

// New creates an exporter with all series of the local host at zero.
func New(o Options) *Exporter {
	x := &Exporter{registry: prometheus.NewRegistry(), options: o, sources: map[string]*Source{}}
	x.refusals = x.counter("refusals_total", "SMTP commands answered 4xx or 5xx.",
		"host", "mta", "kind", "direction", "reason", "class")
	x.causes = x.counter("causes_total", "Refusals by why they happened and whose fault that is, as far as each event told by itself.",
		"host", "mta", "cause", "fault")
	x.messages = x.counter("messages_total", "Messages accepted from clients and local users, and recipients delivered to.",
		"host", "mta", "status")
	x.logins = x.counter("logins_total", "SASL logins of clients at this server.",
		"host", "mta", "result")
	x.lines = x.counter("lines_total", "Log lines read, by what became of them.",
		"source", "result")
	x.failures = x.counter("source_failures_total", "Times that a source failed and was started again.",
		"source")
	x.lastLine = prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: "last_line_timestamp_seconds",
		Help: "Time that the last line of the source bears. Absent until the source has given a line with a time."},
		[]string{"source"})
	x.reloadOK = prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "config_last_reload_successful",
		Help: "Whether the last attempt to load the configuration succeeded."})
	x.reloadTime = prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "config_last_reload_success_timestamp_seconds",
		Help: "Time of the last successful load of the configuration."})
	x.registry.MustRegister(x.lastLine, x.reloadOK, x.reloadTime, buildInfo(o),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	x.maxHosts.Store(int64(max(o.MaxHosts, 1)))
	x.hosts.Store(&map[string]*hostCounters{})
	x.newHost(o.Host)
	return x
}

func (x *Exporter) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	x.registry.MustRegister(v)
	return v
}

func buildInfo(o Options) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "build_info",
		Help: "Constant 1, labelled with the build of the running program.",
		ConstLabels: prometheus.Labels{"version": o.Version, "revision": o.Revision,
			"goversion": runtime.Version(), "goos": runtime.GOOS, "goarch": runtime.GOARCH}})
	g.Set(1)
	return g
}

// Registry is where the metrics of other rooms register.
func (x *Exporter) Registry() *prometheus.Registry { return x.registry }

// Handler serves the metrics. What goes wrong while collecting is told to errors.
func (x *Exporter) Handler(errors promhttp.Logger) http.Handler {
	return promhttp.HandlerFor(x.registry, promhttp.HandlerOpts{
		ErrorLog:            errors,
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 8,
	})
}

// Reloaded records an attempt to load the configuration.
func (x *Exporter) Reloaded(ok bool, at time.Time) {
	if !ok {
		x.reloadOK.Set(0)
		return
	}
	x.reloadOK.Set(1)
	x.reloadTime.Set(seconds(at))
}

// Queue exports the length and capacity of a bounded queue. Each name may be
// given once.
func (x *Exporter) Queue(name string, capacity int, length func() int) {
	labels := prometheus.Labels{"queue": name}
	x.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: "queue_length",
			Help: "Entries waiting in the queue.", ConstLabels: labels},
			func() float64 { return float64(length()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: "queue_capacity",
			Help: "Entries that the queue can hold; full, it makes its writer wait.", ConstLabels: labels},
			func() float64 { return float64(capacity) }))
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
