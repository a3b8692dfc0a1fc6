package alerting

import (
	"math"
	"net/netip"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike"
)

// profile is what most of the refusals behind a spike have in common; what they
// have not is zero.
type profile struct {
	cause relaylens.Cause
	kind  relaylens.Kind
	host  string
	mta   relaylens.MTA
	// reason is what most of those were told that there are more of than before.
	reason relaylens.Reason
	client netip.Addr
	// helper is set where most were refused for the want of a helper of the server's.
	helper bool
	// revised is set where most refusals of a cause have another by now.
	revised bool

	events   int
	clients  int // distinct, as far as counted
	domains  int // of senders, likewise
	evidence []relaylens.Event
}

// wellKnown is how much of the time before a spike has to be known to be compared.
const wellKnown = 5 * time.Minute

// maxCounted is up to how many distinct clients and domains are counted.
const maxCounted = 1000

// tally counts one spike's refusals.
type tally struct {
	events  int
	causes  map[relaylens.Cause]int
	kinds   map[relaylens.Kind]int
	hosts   map[string]int
	mtas    map[relaylens.MTA]int
	clients map[netip.Addr]int
	domains map[string]bool
	helpers int // refusals for the want of one
	reasons map[relaylens.Reason]int
	before  map[relaylens.Reason]int // the spike, as far as known
	scale   float64                  // of those, to the time that it has been on
	shown   map[what]*shown
}

// what refusals are alike in that are shown together.
type what struct {
	kind   relaylens.Kind
	reason relaylens.Reason
}

// shown are the first of some refusals, one of another client, and the last.
type shown [3]*relaylens.Event

func (p *shown) add(e *relaylens.Event) {
	switch {
	case p[0] == nil:
		p[0] = e
	case p[1] == nil && e.ClientIP != p[0].ClientIP:
		p[1] = e
	default:
		p[2] = e
	}
}

func newTally() *tally {
	return &tally{causes: map[relaylens.Cause]int{}, kinds: map[relaylens.Kind]int{}, hosts: map[string]int{}, mtas: map[relaylens.MTA]int{},
		clients: map[netip.Addr]int{}, domains: map[string]bool{}, reasons: map[relaylens.Reason]int{},
		before: map[relaylens.Reason]int{}, shown: map[what]*shown{}}
}

func (t *tally) add(e *relaylens.Event) {
	t.events++
	t.causes[e.Cause]++
	t.kinds[e.Kind]++
	t.mtas[e.MTA]++
	if len(t.hosts) < maxCounted {
		t.hosts[e.Host]++
	}
	if _, ok := t.clients[e.ClientIP]; ok || len(t.clients) < maxCounted {
		t.clients[e.ClientIP]++
	}
	if len(t.domains) < maxCounted {
		t.domains[e.SenderDomain()] = true
	}
	t.reasons[e.Reason]++
	if relaylens.HelperOf(e) != relaylens.HelperNone {
		t.helpers++
	}
	like := what{e.Kind, e.Reason}
	if t.shown[like] == nil {
		t.shown[like] = &shown{}
	}
	t.shown[like].add(e)
}

// grown is the reason of which there are most more than before, among the refusals of
// a kind, and whether it makes most of what there is more of. What was as frequent
// before explains nothing.
func (t *tally) grown(kind relaylens.Kind) (like what, explains bool) {
	largest, all := math.Inf(-1), 0.0
	for l := range t.shown {
		if l.kind != kind {
			continue
		}
		n := float64(t.reasons[l.reason]) - t.scale*float64(t.before[l.reason])
		all += max(n, 0)
		if n > largest || n == largest && l.reason < like.reason {
			like, largest = l, n
		}
	}
	return like, largest >= most*all
}

// wants reports whether most of what there is more of was refused for the want of a
// helper.
func (t *tally) wants(s *spike.Spike) bool {
	return t.helpers > 0 && float64(t.helpers)*s.Value >= most*excess(s)*float64(t.events)
}

// earlier counts a refusal from before the spike.
func (t *tally) earlier(e *relaylens.Event) { t.before[e.Reason]++ }

// profile is what t has counted, within what the series says anyway.
func (t *tally) profile(s *spike.Series) profile {
	p := profile{cause: s.Cause, kind: s.Kind, events: t.events, clients: len(t.clients), domains: len(t.domains)}
	if p.cause == relaylens.CauseNone {
		p.cause = dominant(t.causes, t.events)
	}
	if p.kind == relaylens.KindNone {
		p.kind = dominant(t.kinds, t.events)
	}
	p.host, p.mta = dominant(t.hosts, t.events), dominant(t.mtas, t.events)
	p.client = dominant(t.clients, t.events)
	kind := p.kind
	for k, n := range t.kinds { // the most frequent, where none is most of all
		if p.kind == relaylens.KindNone && (n > t.kinds[kind] || n == t.kinds[kind] && k < kind) {
			kind = k
		}
	}
	like, explains := t.grown(kind)
	if explains {
		p.reason = like.reason
	}
	if some := t.shown[like]; some != nil {
		for _, e := range some {
			if e != nil {
				p.evidence = append(p.evidence, e.Clone())
			}
		}
	}
	return p
}

// dominant is the value that most of all have, or zero.
func dominant[K comparable](counts map[K]int, all int) (zero K) {
	for value, n := range counts {
		if float64(n) >= most*float64(all) {
			return value
		}
	}
	return zero
}

// profiles tells what the refusals of each spike are.
func profiles(open []spike.Spike, in *Input) []profile {
	tallies := make([]*tally, len(open))
	for i := range tallies {
		tallies[i] = newTally()
		if past := open[i].Start.Sub(in.Since); !in.Since.IsZero() && past >= wellKnown {
			tallies[i].scale = in.Now.Sub(open[i].Start).Seconds() / past.Seconds()
		}
	}
	for e := range in.Refusals {
		for i := range open {
			if !matches(&open[i].Series, e) {
				continue
			}
			if e.Time.Before(open[i].Start) {
				tallies[i].earlier(e)
			} else {
				tallies[i].add(e)
			}
		}
	}
	list := make([]profile, len(open))
	for i := range list {
		list[i] = tallies[i].profile(&open[i].Series)
		list[i].helper = list[i].cause == relaylens.CausePolicy && tallies[i].wants(&open[i])
		if s := &open[i]; s.Series.By == spike.PerCause && !in.Since.IsZero() && !s.Start.Before(in.Since) {
			list[i].revised = float64(tallies[i].events) < (1-most)*s.Value
		} else if s.Series.Cause == relaylens.CauseNone && s.Start.Before(in.Since) && float64(tallies[i].events) < (1-most)*s.Value {
			// Of most of them it is not known any more.
			list[i].cause, list[i].kind, list[i].client = relaylens.CauseNone, s.Series.Kind, netip.Addr{}
		}
	}
	return list
}

// fault is whose doing it is: that of the cause, and our own where a helper fails or DNS
// does not answer about many domains at once.
func (p *profile) fault() relaylens.Fault {
	if p.helper {
		return relaylens.FaultServer
	}
	if p.cause == relaylens.CauseSenderDomainDNSTempfail && p.domains >= manyDomains {
		return relaylens.FaultServer
	}
	return p.cause.Fault()
}

// finding tells of refusals that no finding is made of, because their cause is
// not known or policy.
func (p *profile) finding(a *relaylens.Alert) *relaylens.Finding {
	if p.events == 0 {
		return nil
	}
	f := &relaylens.Finding{Cause: a.Cause, Fault: a.Fault, Entity: a.Entity, Host: a.Host, MTA: p.mta,
		Events: p.events, Clients: p.clients, Evidence: p.evidence, Why: "what the servers said differs"}
	if p.reason != relaylens.ReasonNone {
		f.Why = "most of what is more than before was refused for the reason " + p.reason.String()
	} else if p.kind == relaylens.KindRelayDenied {
		f.Why = "too little is known of the clients"
	}
	for i := range p.evidence {
		t := p.evidence[i].Time
		if i == 0 || t.Before(f.First) {
			f.First = t
		}
		f.Last = later(f.Last, t)
	}
	return f
}
