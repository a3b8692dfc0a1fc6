package alerting

import (
	"time"

	"github.com/relaylens/relaylens"
)

// proof is what a finding needs to be an alert without a spike.
type proof struct {
	events, clients int
	lasting         time.Duration // from the first refusal to the last
	severity        relaylens.Severity
}

// proofs are of the causes that are this server's fault and that a log proves.
// That AUTH is not offered is not among them: strangers ask for it wherever
// there is none. When many do, it is a spike.
var proofs = map[relaylens.Cause]proof{
	relaylens.CauseRecipientDomainNotConfigured: {events: 5, clients: 3, severity: relaylens.SeverityCritical},
	relaylens.CauseAuthBackendUnavailable:       {events: 3, severity: relaylens.SeverityCritical},
	relaylens.CauseRestrictionOrder:             {events: 3, severity: relaylens.SeverityCritical},
	relaylens.CauseClientNotInMynetworks:        {events: 5, severity: relaylens.SeverityWarning},
	relaylens.CauseSenderDomainDNSTempfail:      {events: 5, clients: 3, lasting: restart, severity: relaylens.SeverityCritical}, // all domains at once
	relaylens.CauseRemoteRelayDenied:            {events: 2, lasting: 2 * time.Minute, severity: relaylens.SeverityCritical},     // by a relay host that refuses the login
	relaylens.CauseRemoteBlocklisted:            {events: 10, severity: relaylens.SeverityWarning},
	relaylens.CausePolicy:                       {events: 3, clients: 2, lasting: restart, severity: relaylens.SeverityCritical}, // a helper of the server's
}

// restart is longer than most helpers take to start anew.
const restart = 45 * time.Second

const (
	// sure is how sure a finding has to be.
	sure = 0.8
	// recent is how long ago the last refusal of a finding may be for it to begin
	// an alert.
	recent = 15 * time.Minute
	// siblings is how many problems of one cause at one server are alerts of their
	// own; further ones are one together.
	siblings = 5
)

// proven are the findings that are alerts by themselves.
func (g *Engine) proven(findings []relaylens.Finding) []candidate {
	var list []candidate
	own, joint := map[place]int{}, map[place]bool{} // alerts of their own, and of several
	for _, p := range g.problems {
		if at := (place{cause: p.alert.Cause, host: p.alert.Host}); p.state != ended && !p.volume {
			if broad(p.alert.Entity) {
				joint[at] = true
			} else {
				own[at]++
			}
		}
	}
	fresh := map[place][]*relaylens.Finding{}
	g.traces.forget(g.now)
	for i := range findings {
		f := findings[i]
		g.traces.extend(&f)
		p := g.problemOf(&f)
		switch {
		case p != nil && p.state == active && f.Confidence >= sure || p != nil && proves(&f): // whatever there is is more of it
			list = append(list, evident(&f))
		case p == nil && proves(&f) && g.now.Sub(f.Last) < recent:
			at := place{cause: f.Cause, host: f.Host}
			fresh[at] = append(fresh[at], &f)
		}
	}
	for at, some := range fresh {
		if joint[at] || own[at]+len(some) > siblings {
			whole := combine(some)
			list = append(list, evident(&whole))
			continue
		}
		for _, f := range some {
			list = append(list, evident(f))
		}
	}
	sortCandidates(list)
	return list
}

// toldApart reports whether c is what several problems come to that are alerts of their
// own, or are to be.
func (g *Engine) toldApart(c *candidate) (apart bool) {
	if c.volume || !broad(c.alert.Entity) {
		return false
	}
	for _, p := range g.problems {
		if a := &p.alert; p.state == ended || p.volume || a.Cause != c.alert.Cause || a.Host != c.alert.Host {
			continue
		} else if broad(a.Entity) {
			return false
		}
		apart = true
	}
	return apart
}

func proves(f *relaylens.Finding) bool {
	p, ok := proofs[f.Cause]
	return ok && f.Fault == relaylens.FaultServer && f.Confidence >= sure && max(f.Events, f.Errors) >= p.events && f.Last.Sub(f.First) >= p.lasting &&
		(f.Clients >= p.clients || f.Cause == relaylens.CausePolicy && anonymous(f))
}

// anonymous reports whether a finding about a helper needs no clients: Sendmail does not tell
// whom it refused for a milter's sake, nor all of those for whom it has no room.
func anonymous(f *relaylens.Finding) bool {
	return f.Clients == 0 || f.Entity.Value == relaylens.Disk
}

// knows reports whether it is known what a problem is: its cause, or that it is a
// helper of the server's.
func knows(c relaylens.Cause, f relaylens.Fault) bool {
	return known(c) || c == relaylens.CausePolicy && f == relaylens.FaultServer
}

// problemOf is the problem that f has of its own.
func (g *Engine) problemOf(f *relaylens.Finding) *problem {
	for _, p := range g.problems {
		if a := &p.alert; p.state != ended && !p.volume && a.Cause == f.Cause && a.Host == f.Host && a.Entity == f.Entity {
			return p
		}
	}
	return nil
}

// evident is the candidate that f is. Its refusals are of one kind as a rule;
// the first of them tells.
func evident(f *relaylens.Finding) candidate {
	finding := *f
	c := candidate{last: f.Last, alert: relaylens.Alert{
		Name: ServerFault, Severity: proofs[f.Cause].severity, Cause: f.Cause, Fault: f.Fault, Host: f.Host, Entity: f.Entity,
		StartsAt: f.First, Finding: &finding,
	}}
	if len(f.Evidence) > 0 && f.Evidence[0].Kind.Refusal() {
		c.alert.Kind = f.Evidence[0].Kind
	}
	if n := f.Events + f.Errors; n > 1 {
		c.gap = f.Last.Sub(f.First) / time.Duration(n-1)
	}
	return c
}

// combine makes one finding of several of one cause. Their clients may be the
// same, so the largest number is what is certain.
func combine(some []*relaylens.Finding) relaylens.Finding {
	whole := *some[0]
	hosts := true
	for _, f := range some[1:] {
		if f.Events+f.Errors > whole.Events+whole.Errors {
			whole.Evidence, whole.Confidence, whole.Why, whole.MTA = f.Evidence, f.Confidence, f.Why, f.MTA
		}
		hosts = hosts && f.Host == whole.Host
	}
	whole.Events, whole.Errors, whole.Clients, whole.Users = 0, 0, 0, 0
	for _, f := range some {
		whole.Events, whole.Errors = whole.Events+f.Events, whole.Errors+f.Errors
		whole.Clients, whole.Users = max(whole.Clients, f.Clients), max(whole.Users, f.Users)
		if f.First.Before(whole.First) {
			whole.First = f.First
		}
		whole.Last = later(whole.Last, f.Last)
	}
	if !hosts {
		whole.Host = ""
	}
	whole.Entity = relaylens.Entity{Kind: relaylens.EntityServer, Value: whole.Host}
	if whole.Host == "" {
		whole.Entity = relaylens.Entity{}
	}
	return whole
}
