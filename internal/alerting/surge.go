package alerting

import (
	"cmp"
	"slices"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
	"github.com/relaylens/relaylens/internal/spike"
)

const (
	// most is the share from which on a part explains the whole.
	most = 0.6
	// order is by how many times attackers' noise has to be above what is usual.
	order = 10
	// threat is the number of refusals a second that endangers the service: Postfix
	// has 100 smtpd processes (default_process_limit), each refused client keeps one
	// for some ten seconds.
	threat = 10
	// manyDomains of senders that DNS does not answer about at once are no fault
	// of theirs but of our resolver.
	manyDomains = 10
)

// surge are spikes that the same refusals made.
type surge struct {
	spikes  []spike.Spike // the one with the largest excess first
	profile profile
	whole   bool // its cause is that of most refusals of a kind
}

// surges are what the spikes come to.
func surges(in *Input) []surge {
	if len(in.Spikes) == 0 {
		return nil
	}
	open := slices.SortedFunc(slices.Values(in.Spikes), func(a, b spike.Spike) int {
		return cmp.Or(cmp.Compare(excess(&b), excess(&a)), compareSeries(a.Series, b.Series))
	})
	return gather(open, profiles(open, in))
}

func excess(s *spike.Spike) float64 { return s.Value - s.Expected }

func compareSeries(a, b spike.Series) int {
	return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Key, b.Key))
}

// gather puts spikes together that have one root: the same cause; and what has
// none, with the others of its kind. Spikes of all refusals join the largest of
// the others if those explain them. Of a cause that most of its refusals have no
// longer, nothing is told.
func gather(open []spike.Spike, of []profile) []surge {
	type root struct {
		cause relaylens.Cause
		kind  relaylens.Kind
		host  string
	}
	roots := map[root]int{}
	var list []surge
	for i := range open {
		p := &of[i]
		if p.revised {
			continue
		}
		r := root{p.cause, p.kind, p.host}
		if knows(p.cause, p.fault()) {
			r.kind = relaylens.KindNone
		}
		n, ok := roots[r]
		if !ok {
			n = len(list)
			roots[r] = n
			list = append(list, surge{profile: *p})
		}
		list[n].spikes = append(list[n].spikes, open[i])
		list[n].whole = list[n].whole || open[i].Series.By == spike.PerKind && knows(p.cause, p.fault())
	}
	return explain(list)
}

// explain has the surges of which less is known join those that explain them.
func explain(list []surge) []surge {
	joins := make([]int, len(list)) // one more than the place of what each joins
	for i := range list {
		explained := 0.0
		for j := range list {
			if list[i].wider(&list[j]) {
				explained += excess(&list[j].spikes[0])
				if joins[i] == 0 {
					joins[i] = j + 1
				}
			}
		}
		if explained < most*excess(&list[i].spikes[0]) {
			joins[i] = 0
		}
	}
	var rest []surge
	for i := range list {
		if joins[i] > 0 {
			to := joins[i] - 1
			for joins[to] > 0 { // never in a circle: each is narrower
				to = joins[to] - 1
			}
			list[to].spikes = append(list[to].spikes, list[i].spikes...)
		}
	}
	for i := range list {
		if joins[i] == 0 {
			rest = append(rest, list[i])
		}
	}
	return rest
}

// wider reports whether the refusals of o can be some of those of s, of which
// less is known.
func (s *surge) wider(o *surge) bool {
	a, b := &s.profile, &o.profile
	kinds := a.kind == relaylens.KindNone || a.kind == b.kind
	return a.cause == relaylens.CauseNone && kinds && (b.cause != relaylens.CauseNone || a.kind == relaylens.KindNone && b.kind != relaylens.KindNone)
}

// candidate is what s is, with the finding that explains it, or one made of its
// own refusals.
func (s *surge) candidate(in *Input) candidate {
	first := &s.spikes[0]
	c := candidate{volume: true, whole: s.whole, spikes: true, peak: excess(first), alert: relaylens.Alert{
		Kind: s.profile.kind, Cause: s.profile.cause, Fault: s.profile.fault(), Host: s.profile.host,
		StartsAt: first.Start, Value: first.Value, Expected: first.Expected, Window: first.Window,
	}}
	for i := range s.spikes {
		c.series, c.last = append(c.series, s.spikes[i].Series), later(c.last, s.spikes[i].Last)
		if s.spikes[i].Start.Before(c.alert.StartsAt) && excess(&s.spikes[i]) >= most*excess(first) {
			c.alert.StartsAt = s.spikes[i].Start
		}
	}
	a := &c.alert
	a.Finding = findingOf(in.Findings, a, s.began())
	if a.Finding != nil {
		a.Entity = a.Finding.Entity
		if broad(a.Entity) { // of several findings the largest is known; those of the spike were counted
			a.Finding.Clients = max(a.Finding.Clients, s.profile.clients)
		}
		if p, ok := proofs[a.Cause]; ok && proves(a.Finding) {
			c.volume, a.Name, a.Severity, c.last = false, ServerFault, p.severity, a.Finding.Last
			if s.profile.helper { // its cause is that of other refusals, too, which began before
				a.StartsAt = a.Finding.First
			}
			return c
		}
	} else {
		a.Entity = s.entity()
		a.Finding = s.profile.finding(a)
	}
	if s.profile.client.IsValid() && broad(a.Entity) { // a flood of one, among the noise
		a.Entity = relaylens.Entity{Kind: relaylens.EntityClient, Value: s.profile.client.String()}
	}
	a.Name = RefusalSpike
	if a.Fault == relaylens.FaultAttacker {
		a.Name = Attack
	}
	a.Severity = severity(a)
	return c
}

// early reports whether a surge is of a helper that failed a moment ago: it may be
// started anew, and what proves that it is not begins with its name.
func (s *surge) early(c *candidate, now time.Time) bool {
	return s.profile.helper && c.volume && now.Sub(s.began()) < 2*restart
}

func (s *surge) began() time.Time {
	began := s.spikes[0].Start
	for i := range s.spikes {
		if s.spikes[i].Start.Before(began) {
			began = s.spikes[i].Start
		}
	}
	return began
}

// findingOf is the finding behind a: one that most of the refusals of its cause
// are of, or all of them together.
func findingOf(findings []relaylens.Finding, a *relaylens.Alert, since time.Time) *relaylens.Finding {
	if !knows(a.Cause, a.Fault) {
		return nil
	}
	var some []*relaylens.Finding
	total := 0
	for i := range findings {
		if f := &findings[i]; f.Cause == a.Cause && (a.Host == "" || f.Host == a.Host) && !f.Last.Before(since) {
			some = append(some, f)
			total += f.Events
		}
	}
	if len(some) == 0 {
		return nil
	}
	largest := slices.MaxFunc(some, func(a, b *relaylens.Finding) int { return cmp.Compare(a.Events, b.Events) })
	if a.Cause == relaylens.CausePolicy || float64(largest.Events) >= most*float64(total) { // helpers are told of one by one
		one := *largest
		return &one
	}
	whole := combine(some)
	return &whole
}

// entity is the most narrow of the series that explains s.
func (s *surge) entity() relaylens.Entity {
	best := relaylens.Entity{Kind: relaylens.EntityServer, Value: s.profile.host}
	if s.profile.host == "" {
		best = relaylens.Entity{}
	}
	of := map[spike.Dimension]relaylens.EntityKind{spike.PerClient: relaylens.EntityClient, spike.PerUser: relaylens.EntityUser,
		spike.PerSenderDomain: relaylens.EntitySenderDomain, spike.PerRecipientDomain: relaylens.EntityRecipientDomain}
	for _, by := range []spike.Dimension{spike.PerRecipientDomain, spike.PerSenderDomain, spike.PerUser, spike.PerClient} {
		for i := range s.spikes {
			if o := &s.spikes[i]; o.Series.By == by && excess(o) >= most*excess(&s.spikes[0]) {
				best = relaylens.Entity{Kind: of[by], Value: o.Series.Key}
			}
		}
	}
	return best
}

// rate is the number of refusals a second.
func rate(s *spike.Spike) float64 { return s.Value / max(s.Window.Seconds(), 1) }

// pages reports whether somebody is to be told of a surge. One that threatens the
// service, always. Else attackers' noise only when there is an order more of it
// than usual; so it is with refusals of unknown cause where there are no more of their
// kind, as it is what is known of them that differs. What happens to one client or user
// counts only when it is one of ours whose mail is lost.
func pages(a *relaylens.Alert, s *surge) bool {
	wide, orders, moved := false, false, a.Cause == relaylens.CauseUnknown
	for i := range s.spikes {
		o := &s.spikes[i]
		if rate(o) >= threat {
			return true
		}
		moved = moved && o.Series.By == spike.PerCause
		wide = wide || !o.Series.By.Entity()
		orders = orders || !o.Series.By.Entity() && o.Growth() >= order
	}
	switch {
	case a.Fault == relaylens.FaultAttacker, moved:
		return orders
	case a.Fault == relaylens.FaultServer, a.Cause == relaylens.CauseClientNotAuthenticated, a.Cause == relaylens.CauseAddressChanged:
		return true
	}
	return wide
}

// severity is how soon somebody has to look at a surge: at once when it threatens
// the service or concerns many and is no attack.
func severity(a *relaylens.Alert) relaylens.Severity {
	threatens := a.Value/max(a.Window.Seconds(), 1) >= threat
	if threatens || a.Fault != relaylens.FaultAttacker && broad(a.Entity) {
		return relaylens.SeverityCritical
	}
	return relaylens.SeverityWarning
}

// matches reports whether e is one of the refusals of a series.
func matches(s *spike.Series, e *relaylens.Event) bool {
	if s.Kind != relaylens.KindNone && e.Kind != s.Kind || s.Cause != relaylens.CauseNone && e.Cause != s.Cause {
		return false
	}
	if !s.By.Entity() {
		return true
	}
	by := aggregate.By(s.By - spike.PerClient)
	k := aggregate.KeyOf(e, by)
	return !k.None() && k.Text(by) == s.Key
}

func sortCandidates(list []candidate) {
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(a.alert.StartsAt.Compare(b.alert.StartsAt), cmp.Compare(a.alert.Cause, b.alert.Cause),
			cmp.Compare(a.alert.Host, b.alert.Host), cmp.Compare(a.alert.Entity.Value, b.alert.Entity.Value))
	})
}
