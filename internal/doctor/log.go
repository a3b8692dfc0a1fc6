package doctor

import (
	"slices"
	"strings"

	"github.com/relaylens/relaylens"
)

// hold holds a finding of the log against the configuration.
func (r *Report) hold(s Server, f *relaylens.Finding) {
	switch f.Cause {
	case relaylens.CauseRecipientDomainNotConfigured:
		r.answer(s.domainMissing(r, strings.ToLower(f.Entity.Value)), DomainMissing, f)
		return
	case relaylens.CauseClientNotInMynetworks:
		r.answer(s.clientMissing(r, f.Entity.Value), ClientMissing, f)
		return
	}
	confirmed := false
	for i := range r.Complaints {
		c := &r.Complaints[i]
		if slices.Contains(causes[c.Check], f.Cause) && c.concerns(f) {
			if c.Finding == nil || f.Events > c.Finding.Events {
				c.Finding = f
			}
			confirmed = true
		}
	}
	if !confirmed && f.Fault == relaylens.FaultServer && explicable(f.Cause) {
		r.Unexplained = append(r.Unexplained, *f)
	}
}

// answer joins a finding to the complaint that it led to.
func (r *Report) answer(configured Truth, check Check, f *relaylens.Finding) {
	switch configured {
	case No:
		for i := range r.Complaints {
			if c := &r.Complaints[i]; c.Check == check && strings.EqualFold(c.Subject, f.Entity.Value) {
				c.Finding = f
			}
		}
	case Yes:
		r.Unexplained = append(r.Unexplained, *f)
	case Unknown:
		r.unknown("whether " + f.Entity.Value + " is configured: the configuration leaves it to a table that cannot be read from here")
	}
}

// concerns reports whether a finding with a cause of the complaint is about it.
func (c *Complaint) concerns(f *relaylens.Finding) bool {
	switch c.Check {
	case DeadDNSBL:
		return slices.ContainsFunc(f.Evidence, func(e relaylens.Event) bool { return strings.Contains(strings.ToLower(e.Text), c.Subject) })
	case OpenRelay, NetworksTooWide, SenderCallout:
		// That others block us may have come of it.
		return true
	}
	return true
}

// explicable reports whether a cause has to show in the configuration. That
// others list us, or that a daemon is down, need not.
func explicable(c relaylens.Cause) bool {
	return c == relaylens.CauseRestrictionOrder || c == relaylens.CauseAuthNotOffered
}
