package alerting

import (
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// hourly are the findings of the last hour about a machine that is refused again and
// again, from so many minutes to so many.
func hourly(cause relaylens.Cause, every, until float64) func(float64) []relaylens.Finding {
	return func(m float64) []relaylens.Finding {
		f := relaylens.Finding{Cause: cause, Fault: relaylens.FaultServer, MTA: relaylens.Postfix, Host: "mx1", Clients: 1, Confidence: 0.9,
			Entity: relaylens.Entity{Kind: relaylens.EntityClient, Value: "10.1.2.3"}}
		for last := every; last <= min(m, until); last += every {
			if m-last > 60 {
				continue
			}
			if f.Events == 0 {
				f.First = at(last)
			}
			f.Events++
			f.Last = at(last)
		}
		if f.Events == 0 {
			return nil
		}
		return []relaylens.Finding{f}
	}
}

// A machine of ours that mails twice an hour is refused as surely as one that mails
// each minute; it is one problem until nothing was refused for six times as long.
func TestSlowMachinePages(t *testing.T) {
	s := newScript()
	s.findings = hourly(relaylens.CauseClientNotInMynetworks, 25, 600)
	s.run(900)
	s.want(t, "125.25 ServerFault warning client_not_in_mynetworks mx1 10.1.2.3", "750 end of ServerFault warning client_not_in_mynetworks mx1 10.1.2.3")
	if a := s.engine.Alerts(); len(a) != 0 {
		t.Errorf("there are %+v", a)
	}
}

// Of what was refused a day ago nothing is proven, nor of what is not steady.
func TestSlowIsNotEverything(t *testing.T) {
	for name, findings := range map[string]func(float64) []relaylens.Finding{
		"days apart":  hourly(relaylens.CauseClientNotInMynetworks, 12*60, 6000),
		"not steady":  hourly(relaylens.CauseRemoteBlocklisted, 25, 600),
		"too few yet": hourly(relaylens.CauseClientNotInMynetworks, 25, 100),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript()
			s.findings = findings
			s.run(1000)
			s.want(t)
		})
	}
}

// What there is less of than would begin an alert goes on with one that began.
func TestTrickleGoesOn(t *testing.T) {
	s := newScript()
	s.findings = func(m float64) []relaylens.Finding {
		if m < 30 {
			return []relaylens.Finding{lostDomain("lost.example", 9.5, min(m, 20))}
		}
		f := lostDomain("lost.example", 20, min(m, 44))
		f.Events, f.Clients, f.Last = 2, 1, at(44).Add(-time.Second)
		return []relaylens.Finding{f}
	}
	s.run(50)
	s.want(t, "10.75 ServerFault critical recipient_domain_not_configured mx1 lost.example")
}
