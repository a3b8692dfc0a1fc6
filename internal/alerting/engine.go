package alerting

import (
	"cmp"
	"slices"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike"
)

// The names of alerts, a closed list.
const (
	// ServerFault is a problem of this server that the log proves.
	ServerFault = "RelaylensServerFault"
	// RefusalSpike is a spike of refusals that are not, or not known to be, an attack.
	RefusalSpike = "RelaylensRefusalSpike"
	// Attack is a spike of what attackers do.
	Attack = "RelaylensAttack"
)

const (
	// hold is how long a problem has to show until it is an alert: causes that
	// little evidence gave may be others in the next moment.
	hold = 15 * time.Second
	// pendingFor is how long one that does not show is waited for.
	pendingFor = 5 * time.Minute

	// quietSpike is how long after a spike its problem is over.
	quietSpike = 10 * time.Minute
	// quietEvidence is how long nothing must prove a problem until it is over, at
	// least and at most; between them it is as long as quietGaps gaps between its
	// refusals. Of gaps as irregular as those of mail one in 400 is longer.
	quietEvidence    = 15 * time.Minute
	maxQuietEvidence = 6 * time.Hour
	quietGaps        = 6
	// endedFor is for how long the end of an alert is told.
	endedFor = 15 * time.Minute
	// rememberedFor is for how long a problem that ended is remembered. One that
	// comes back within it has to be quiet twice as long.
	rememberedFor = 24 * time.Hour
	maxAgain      = 4

	// maxProblems bounds what is remembered.
	maxProblems = 500
)

// Engine makes alerts. It is used by one goroutine.
type Engine struct {
	problems []*problem // in the order in which they began
	echoes   echoes
	traces   traces
	now      time.Time
	before   time.Time // the step before
}

// New makes an engine without alerts.
func New() *Engine { return &Engine{echoes: echoes{}, traces: traces{}} }

// problem is what an alert is made of.
type problem struct {
	alert relaylens.Alert
	state state
	// volume is set where spikes made it and nothing proves it without them.
	volume bool
	whole  bool           // most refusals of its kind are of its cause
	series []spike.Series // whose spikes belong to it
	seen   time.Time      // in event time, when it showed first and last
	shown  time.Time
	spiked time.Time     // when a spike of it was on last
	last   time.Time     // of its refusals
	over   time.Time     // when it was found to be over
	gap    time.Duration // between its refusals
	again  int           // how often it came back
	peak   float64       // of its spikes, how much they were above the usual
}

type state uint8

const (
	pending state = iota // shows, for less than hold
	active
	ended
)

// candidate is what shows at a moment.
type candidate struct {
	alert  relaylens.Alert
	volume bool
	whole  bool // most refusals of its kind are of its cause
	series []spike.Series
	spikes bool // they are on
	last   time.Time
	gap    time.Duration // 0 is not known
	peak   float64       // of its spikes, how much they are above the usual
}

// Input is what is known at a moment.
type Input struct {
	// Now is the moment, in event time.
	Now time.Time
	// Findings are the problems that recent refusals point to, and Refusals those
	// refusals; both are only read.
	Findings []relaylens.Finding
	Refusals func(yield func(*relaylens.Event) bool)
	// Since is from when on those are all that there were; zero, if that is not known.
	Since time.Time
	// Spikes are those that are on.
	Spikes []spike.Spike
}

// Step takes in what is known at a moment, which is not before that of the last
// step, and reports whether an alert began or ended.
func (g *Engine) Step(in *Input) (changed bool) {
	g.before, g.now = g.now, in.Now
	for _, c := range g.proven(in.Findings) {
		g.show(&c)
	}
	for _, s := range surges(in) {
		if g.echoes.hear(&s, in.Now) {
			continue
		}
		if c := s.candidate(in); pages(&c.alert, &s) && !s.early(&c, in.Now) && !g.toldApart(&c) {
			g.show(&c)
		}
	}
	g.echoes.forget(in.Now)
	for _, p := range g.problems {
		changed = g.judge(p) || changed
	}
	g.forget()
	return changed
}

// show enters what shows: into the problem that it is, or as another.
func (g *Engine) show(c *candidate) {
	p := g.find(c)
	if p == nil || p.state == ended {
		again := 0
		if p != nil {
			again = min(p.again+1, maxAgain)
			g.problems = slices.DeleteFunc(g.problems, func(o *problem) bool { return o == p })
		}
		p = &problem{alert: c.alert, volume: c.volume, seen: g.now, shown: g.now, again: again}
		g.problems = append(g.problems, p)
	}
	a := &p.alert
	part := p.shown.Equal(g.now) && g.partOf(p, c)
	if p.state == pending && !part { // its labels are open still
		if p.shown.Before(g.before) { // it was gone meanwhile
			p.seen = g.now
		}
		began := a.StartsAt
		*a = c.alert
		if began.Before(a.StartsAt) {
			a.StartsAt = began
		}
	}
	if c.alert.StartsAt.Before(a.StartsAt) {
		a.StartsAt = c.alert.StartsAt
	}
	p.volume, p.whole = p.volume && c.volume, c.whole || part && p.whole
	if f := c.alert.Finding; f != nil && (!known(a.Cause) || c.alert.Cause == a.Cause) {
		a.Finding = largest(a.Finding, f)
	}
	if c.alert.Value > 0 && !part {
		a.Value, a.Expected, a.Window = c.alert.Value, c.alert.Expected, c.alert.Window
	}
	p.shown, p.gap = g.now, cmp.Or(c.gap, p.gap)
	p.last, p.peak = later(p.last, c.last), max(p.peak, c.peak)
	if c.spikes {
		p.spiked = g.now
	}
	for _, s := range c.series {
		if !slices.Contains(p.series, s) {
			p.series = append(p.series, s)
		}
	}
}

// largest is what is told of a problem: the most that was known of it at once, as
// findings are of the last hour only. A known cause is more, where it is that of
// most.
func largest(before, now *relaylens.Finding) *relaylens.Finding {
	if before == nil || told(now) >= told(before) {
		return now
	}
	f := *before
	f.Last = later(f.Last, now.Last)
	return &f
}

func told(f *relaylens.Finding) float64 {
	n := float64(f.Events + f.Errors)
	if known(f.Cause) {
		return n
	}
	return most * n
}

// find is the problem that c is: an active one before one that ended.
func (g *Engine) find(c *candidate) *problem {
	var found *problem
	for _, p := range g.problems {
		if !g.same(p, c) {
			continue
		}
		if p.state != ended {
			return p
		}
		if p.alert.Name == c.alert.Name && p.alert.Entity == c.alert.Entity && p.alert.Host == c.alert.Host {
			found = p
		}
	}
	return found
}

// same reports whether c is more of the problem p. A cause that is known tells
// problems apart, and so does whom they are about; where that is not known, the
// series do.
func (g *Engine) same(p *problem, c *candidate) bool {
	a, b := &p.alert, &c.alert
	if a.Host != b.Host && a.Host != "" && b.Host != "" {
		return false
	}
	if knows(a.Cause, a.Fault) && knows(b.Cause, b.Fault) {
		return a.Cause == b.Cause && (a.Entity == b.Entity || p.volume && c.volume && a.Name == Attack ||
			(p.volume || c.volume) && (broad(a.Entity) || broad(b.Entity)))
	}
	if !p.volume || !c.volume {
		return false
	}
	if g.partOf(p, c) {
		return true
	}
	return a.Cause == b.Cause && a.Kind == b.Kind && a.Entity == b.Entity ||
		slices.ContainsFunc(c.series, func(s spike.Series) bool { return slices.Contains(p.series, s) })
}

// partOf reports whether the refusals of c are some of those of p, or of one kind
// with them, of which a cause is known of some and of the others not yet: those
// that are told first, and those of a kind of which most have the cause of p.
func (g *Engine) partOf(p *problem, c *candidate) bool {
	a, b := &p.alert, &c.alert
	if p.state == ended || !p.volume || !c.volume || a.Kind == relaylens.KindNone || a.Kind != b.Kind {
		return false
	}
	if knows(a.Cause, a.Fault) {
		return unexplained(b.Cause) && p.whole && p.shown.Equal(g.now)
	}
	return unexplained(a.Cause) && knows(b.Cause, b.Fault) && broad(a.Entity) && p.seen.Before(g.now)
}

func unexplained(c relaylens.Cause) bool {
	return c == relaylens.CauseNone || c == relaylens.CauseUnknown
}

func known(c relaylens.Cause) bool {
	return c != relaylens.CauseNone && c != relaylens.CauseUnknown && c != relaylens.CausePolicy
}

// broad reports that a problem is about no one in particular.
func broad(e relaylens.Entity) bool {
	return e.Kind == relaylens.EntityNone || e.Kind == relaylens.EntityServer
}

// judge moves p on and reports whether that is to be told.
func (g *Engine) judge(p *problem) bool {
	switch {
	case p.state == pending && p.shown.Equal(g.now) && g.now.Sub(p.seen) >= hold:
		p.state = active
		return true
	case p.state == active && !p.spiked.Equal(g.now) && g.now.Sub(p.last) >= quiet(p):
		p.state, p.over = ended, g.now
		p.alert.EndsAt = later(p.last, p.alert.StartsAt)
		return true
	}
	return false
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// quiet is how long p must not show itself until it is over.
func quiet(p *problem) time.Duration {
	q := quietSpike
	if !p.volume {
		q = min(max(quietEvidence, quietGaps*p.gap), maxQuietEvidence)
	}
	return min(q<<p.again, max(q, maxQuietEvidence))
}

// forget lets go of what is too old, and of the oldest where there is too much.
func (g *Engine) forget() {
	g.problems = slices.DeleteFunc(g.problems, func(p *problem) bool {
		return p.state == pending && g.now.Sub(p.shown) > pendingFor || p.state == ended && g.now.Sub(p.over) > rememberedFor
	})
	for len(g.problems) > maxProblems {
		i := slices.IndexFunc(g.problems, func(p *problem) bool { return p.state != active })
		i = max(i, 0)
		g.problems = slices.Delete(g.problems, i, i+1)
	}
}

// Alerts are the alerts that are active, the most severe first, and then those
// that ended lately.
func (g *Engine) Alerts() []relaylens.Alert {
	var list []relaylens.Alert
	for _, p := range g.problems {
		if p.state == active || p.state == ended && g.now.Sub(p.over) < endedFor {
			list = append(list, p.alert)
		}
	}
	slices.SortStableFunc(list, func(a, b relaylens.Alert) int {
		return cmp.Or(compareBool(!a.EndsAt.IsZero(), !b.EndsAt.IsZero()), cmp.Compare(b.Severity, a.Severity), a.StartsAt.Compare(b.StartsAt))
	})
	return list
}

// Over reports whether the last problem that a series was part of is over.
func (g *Engine) Over(s spike.Series) (over bool) {
	for _, p := range g.problems {
		if slices.Contains(p.series, s) {
			over = p.state == ended
		}
	}
	return over
}

// Idle reports whether nothing is on that time alone would end or begin.
func (g *Engine) Idle() bool {
	return !slices.ContainsFunc(g.problems, func(p *problem) bool { return p.state != ended })
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
