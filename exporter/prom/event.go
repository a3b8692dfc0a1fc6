package prom

import (
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/relaylens/relaylens"
)

// OtherHost is the host label of events whose host has no series of its own.
const OtherHost = "other"

// none is how a value without a name shows, as an empty label would mean that
// the label is missing.
const none = "none"

// Sizes of the tables below: one more than the last value of each list.
const (
	numMTAs       = relaylens.Sendmail + 1
	numDirections = relaylens.Outbound + 1
	numReasons    = relaylens.ReasonOther + 1
	numClasses    = relaylens.Class5xx + 1
	numCauses     = relaylens.CauseUnknown + 1
)

type (
	status uint8 // of a message
	login  uint8 // the result of one
)

const (
	accepted status = iota
	delivered
	numStatuses
)

const (
	loginOK login = iota
	loginFailed
	numLogins
)

var (
	statusNames = [numStatuses]string{"accepted", "delivered"}
	loginNames  = [numLogins]string{"ok", "failed"}
)

// hostCounters holds the counters of one host by their labels, so that counting
// an event hashes no label. A reason has one kind, which therefore needs no
// index; the slots of zero values stay nil.
type hostCounters struct {
	refusals [numMTAs][numDirections][numReasons][numClasses]prometheus.Counter
	causes   [numMTAs][numCauses]prometheus.Counter
	messages [numMTAs][numStatuses]prometheus.Counter
	logins   [numMTAs][numLogins]prometheus.Counter
}

// Count counts one event. A value that the event lacks is filled by rule, so
// that no refusal goes uncounted:
//
//   - direction: inbound
//   - reason, where it is not one of the kind: unverified, credentials or other
//   - class, where neither code nor class was logged: 4xx for what a server
//     says for the time being (see temporary), else 5xx
//   - cause: unknown
//
// Only an event without an MTA, which no parser makes, is not counted.
func (x *Exporter) Count(ev *relaylens.Event) { x.CountN(ev, 1) }

// CountN is Count for n events that are alike.
func (x *Exporter) CountN(ev *relaylens.Event, n float64) {
	if ev.MTA == relaylens.MTANone || ev.MTA >= numMTAs {
		return
	}
	switch {
	case ev.Refusal():
		x.countRefusal(ev, n)
	case ev.Kind == relaylens.KindAccepted:
		x.host(ev.Host).messages[ev.MTA][accepted].Add(n)
	case ev.Kind == relaylens.KindDelivered:
		x.host(ev.Host).messages[ev.MTA][delivered].Add(n)
	case ev.Kind == relaylens.KindAuthOK && ev.Direction != relaylens.Outbound:
		x.host(ev.Host).logins[ev.MTA][loginOK].Add(n)
	}
}

func (x *Exporter) countRefusal(ev *relaylens.Event, n float64) {
	h := x.host(ev.Host)
	direction, reason, cause := ev.Direction, ev.Reason, ev.Cause
	if direction != relaylens.Outbound {
		direction = relaylens.Inbound
	}
	if !belongs(reason, ev.Kind) {
		reason = ev.Kind.AnyReason()
	}
	class := ev.ReplyClass()
	if class != relaylens.Class4xx && class != relaylens.Class5xx {
		class = fallbackClass(reason)
	}
	if cause == relaylens.CauseNone || cause >= numCauses {
		cause = relaylens.CauseUnknown
	}
	h.refusals[ev.MTA][direction][reason][class].Add(n)
	h.causes[ev.MTA][cause].Add(n)
	if ev.Kind == relaylens.KindAuthFailed && direction == relaylens.Inbound {
		h.logins[ev.MTA][loginFailed].Add(n)
	}
}

func belongs(r relaylens.Reason, k relaylens.Kind) bool {
	if k == relaylens.KindRelayDenied {
		return r == relaylens.ReasonNone
	}
	return r.Kind() == k
}

func fallbackClass(r relaylens.Reason) relaylens.Class {
	if temporary(r) {
		return relaylens.Class4xx
	}
	return relaylens.Class5xx
}

// temporary tells the reasons for which a server answers 4xx unless its owner
// says otherwise.
func temporary(r relaylens.Reason) bool {
	switch r {
	case relaylens.ReasonDomainTempfail, relaylens.ReasonCalloutTempfail, relaylens.ReasonCalloutNoConnection,
		relaylens.ReasonBackend, relaylens.ReasonGreylist, relaylens.ReasonRateLimit, relaylens.ReasonResources:
		return true
	}
	return false
}

// SetMaxHosts changes Options.MaxHosts. Hosts that have series keep them.
func (x *Exporter) SetMaxHosts(n int) { x.maxHosts.Store(int64(max(n, 1))) }

// host finds the counters of the host called name, which may alias a batch.
func (x *Exporter) host(name string) *hostCounters {
	if name == "" {
		name = x.options.Host
	}
	hosts := *x.hosts.Load()
	if h := hosts[name]; h != nil {
		return h
	}
	if h := x.other.Load(); h != nil && int64(len(hosts)) >= x.maxHosts.Load() {
		return h
	}
	return x.newHost(name)
}

func (x *Exporter) newHost(name string) *hostCounters {
	x.mu.Lock()
	defer x.mu.Unlock()
	hosts := *x.hosts.Load()
	if h := hosts[name]; h != nil {
		return h
	}
	if int64(len(hosts)) >= x.maxHosts.Load() || !plausibleHost(name) && name != x.options.Host {
		return x.otherHost()
	}
	name = strings.Clone(name)
	h := x.hostCounters(strings.ToValidUTF8(name, "\uFFFD"))
	next := maps.Clone(hosts)
	next[name] = h
	x.hosts.Store(&next)
	return h
}

// otherHost is called with mu held. A host that calls itself other shares its series.
func (x *Exporter) otherHost() *hostCounters {
	if h := x.other.Load(); h != nil {
		return h
	}
	h := x.hostCounters(OtherHost)
	x.other.Store(h)
	return h
}

// plausibleHost keeps garbage in the place of a host name from taking one of
// the few labels.
func plausibleHost(name string) bool {
	return len(name) <= 255 && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' })
}

// hostCounters creates every series of a host, at zero.
func (x *Exporter) hostCounters(host string) *hostCounters {
	h := &hostCounters{}
	for _, m := range relaylens.MTAs() {
		for _, k := range relaylens.RefusalKinds() {
			for _, r := range k.Reasons() {
				for _, d := range relaylens.Directions() {
					for _, c := range relaylens.Classes() {
						h.refusals[m][d][r][c] = x.refusals.WithLabelValues(host, m.String(), k.String(), d.String(),
							label(r.String()), c.String())
					}
				}
			}
		}
		for _, c := range relaylens.Causes() {
			h.causes[m][c] = x.causes.WithLabelValues(host, m.String(), c.String(), label(c.Fault().String()))
		}
		for i, name := range statusNames {
			h.messages[m][i] = x.messages.WithLabelValues(host, m.String(), name)
		}
		for i, name := range loginNames {
			h.logins[m][i] = x.logins.WithLabelValues(host, m.String(), name)
		}
	}
	return h
}

func label(name string) string {
	if name == "" {
		return none
	}
	return name
}
