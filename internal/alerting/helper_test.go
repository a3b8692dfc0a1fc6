package alerting

import (
	"net/netip"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike"
)

const milter = "inet:localhost:8891"

// helperFails is a finding of a milter that failed from a minute to another, with four
// refusals a minute.
func helperFails(name string, from, to float64) relaylens.Finding {
	return relaylens.Finding{Cause: relaylens.CausePolicy, Fault: relaylens.FaultServer, Host: "mx1", Entity: relaylens.Entity{Kind: relaylens.EntityHelper, Value: name},
		Events: int((to-from)*4) + 1, Clients: 5, First: at(from), Last: at(to), Confidence: 0.97,
		Evidence: []relaylens.Event{{Kind: relaylens.KindRejected, Direction: relaylens.Inbound, Reason: relaylens.ReasonMilter, RemoteHost: name}}}
}

func failing(name string, from, to float64) func(float64) []relaylens.Finding {
	return shows(helperFails, name, from, to)
}

func TestHelperPages(t *testing.T) {
	const page = "ServerFault critical policy mx1 " + milter
	for name, tc := range map[string]struct {
		change func(*relaylens.Finding)
		to     float64
		want   []string
	}{
		"until it answers":      {to: 40, want: []string{"11 " + page, "55 end of " + page}},
		"while it is started":   {to: 10.5},
		"of one client":         {to: 40, change: func(f *relaylens.Finding) { f.Clients = 1 }},
		"a disk":                {to: 40, change: func(f *relaylens.Finding) { f.Clients, f.Entity.Value = 1, relaylens.Disk }, want: []string{"11 ServerFault critical policy mx1 disk", "55 end of ServerFault critical policy mx1 disk"}},
		"of nobody who is told": {to: 40, change: func(f *relaylens.Finding) { f.Clients = 0 }, want: []string{"11 " + page, "55 end of " + page}},
		"by errors alone":       {to: 40, change: func(f *relaylens.Finding) { f.Events, f.Errors, f.Clients = 0, f.Events, 0 }, want: []string{"11 " + page, "55 end of " + page}},
		"by few errors":         {to: 40, change: func(f *relaylens.Finding) { f.Events, f.Errors, f.Clients = 0, 2, 0 }},
		"of few":                {to: 40, change: func(f *relaylens.Finding) { f.Events = 2 }},
		"mostly well":           {to: 40, change: func(f *relaylens.Finding) { f.Confidence = 0.7 }},
		"what is no fault":      {to: 40, change: func(f *relaylens.Finding) { f.Fault = relaylens.FaultNone }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript()
			s.findings = func(m float64) []relaylens.Finding {
				list := failing(milter, 10, tc.to)(m)
				for i := range list {
					if tc.change != nil {
						tc.change(&list[i])
					}
				}
				return list
			}
			s.run(120)
			s.want(t, tc.want...)
		})
	}
}

// A resolver that answers nobody pages; that the domains of some do not resolve is theirs.
func TestResolverPages(t *testing.T) {
	for _, fault := range []relaylens.Fault{relaylens.FaultServer, relaylens.FaultClient} {
		t.Run(fault.String(), func(t *testing.T) {
			s := newScript()
			s.findings = func(m float64) []relaylens.Finding {
				list := failing("mx1", 10, 40)(m)
				for i := range list {
					list[i].Cause, list[i].Fault, list[i].Entity.Kind = relaylens.CauseSenderDomainDNSTempfail, fault, relaylens.EntityServer
				}
				return list
			}
			s.run(120)
			if fault == relaylens.FaultServer {
				s.want(t, "11.25 ServerFault critical sender_domain_dns_tempfail mx1 mx1", "55 end of ServerFault critical sender_domain_dns_tempfail mx1 mx1")
			} else {
				s.want(t)
			}
		})
	}
}

func TestTwoHelpersAreTwoProblems(t *testing.T) {
	s := newScript()
	one, two := failing(milter, 10, 40), failing("private/policy", 20, 30)
	s.findings = func(m float64) []relaylens.Finding { return append(one(m), two(m)...) }
	s.run(50)
	s.want(t, "11 ServerFault critical policy mx1 "+milter, "21 ServerFault critical policy mx1 private/policy", "45 end of ServerFault critical policy mx1 private/policy")
}

// A spike that two of them make is no third.
func TestSpikeOfTwoHelpers(t *testing.T) {
	s := newScript()
	one, two := failing(milter, 10, 40), failing("private/policy", 10, 40)
	s.findings = func(m float64) []relaylens.Finding { return append(one(m), two(m)...) }
	s.spikes, s.refusals = policySpike(10.5, 42), policyRefusals(60)
	s.run(30)
	s.want(t, "11 ServerFault critical policy mx1 "+milter, "11 ServerFault critical policy mx1 private/policy")
}

// policySpike is on from a minute to another.
func policySpike(from, to float64) func(float64) []spike.Spike {
	return func(minute float64) []spike.Spike {
		if minute < from || minute > to {
			return nil
		}
		s := spike.Spike{Series: spike.Series{By: spike.PerCause, Cause: relaylens.CausePolicy}, Start: at(from - 1), Last: at(minute), Window: 5 * time.Minute, Value: 60, Expected: 20}
		kind := s
		kind.Series = spike.Series{By: spike.PerKind, Kind: relaylens.KindRejected}
		return []spike.Spike{s, kind}
	}
}

// policyRefusals are 60, of which so many are for the want of a milter.
func policyRefusals(helper int) (list []relaylens.Event) {
	for i := range 60 {
		e := relaylens.Event{Time: at(10), Host: "mx1", Kind: relaylens.KindRejected, Direction: relaylens.Inbound, Reason: relaylens.ReasonUnknownRecipient, Cause: relaylens.CausePolicy, ClientIP: netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})}
		if i < helper {
			e.Reason, e.RemoteHost = relaylens.ReasonMilter, milter
		}
		list = append(list, e)
	}
	return list
}

// The spike that a helper makes is its page, however much else there is as ever.
func TestSpikeOfHelperIsItsPage(t *testing.T) {
	const page = "ServerFault critical policy mx1 " + milter
	s := newScript()
	s.findings, s.spikes, s.refusals = failing(milter, 10, 40), policySpike(10.5, 42), policyRefusals(30)
	s.run(20)
	if a := s.engine.Alerts()[0]; !a.StartsAt.Equal(at(10)) {
		t.Errorf("it began at %v, want %v", a.StartsAt, at(10))
	}
	s.run(120)
	s.want(t, "11 "+page, "55 end of "+page)
}

// A spike of other refusals is another problem.
func TestSpikeBesideHelper(t *testing.T) {
	s := newScript()
	s.findings, s.spikes, s.refusals = failing(milter, 10, 40), policySpike(10.5, 42), policyRefusals(5)
	s.run(30)
	s.want(t, "10.75 RefusalSpike critical policy mx1 mx1", "11 ServerFault critical policy mx1 "+milter)
}

// What is told lasts over a restart.
func TestHelperIsRestored(t *testing.T) {
	s := newScript()
	s.findings, s.spikes, s.refusals = failing(milter, 10, 40), policySpike(10.5, 42), policyRefusals(50)
	s.run(20)
	state, err := s.engine.State()
	if err != nil {
		t.Fatal(err)
	}
	s.engine = New()
	if err := s.engine.Restore(state); err != nil {
		t.Fatal(err)
	}
	s.run(120)
	const page = "ServerFault critical policy mx1 " + milter
	s.want(t, "11 "+page, "55 end of "+page)
}
