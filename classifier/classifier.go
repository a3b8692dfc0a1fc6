package classifier

import "github.com/relaylens/relaylens"

// Classifier sets causes, by an event itself and by what it has seen before. It
// is used by one goroutine. What it remembers is bounded and ages by the time
// of the events, so the same events give the same causes.
type Classifier struct {
	history *history
	settled bool
}

// New makes a classifier that has seen nothing.
func New(options ...Option) *Classifier {
	c := &Classifier{history: newHistory()}
	for _, o := range options {
		o(c)
	}
	return c
}

// Classify learns from an event and, if it is a refusal, sets its cause: the
// best so far, CauseUnknown where too little is known.
func (c *Classifier) Classify(e *relaylens.Event) {
	c.history.turn()
	c.history.learn(e)
	c.history.fleet.learn(c.history, e)
	c.decide(e, false)
}

// Settled reports whether the cause of the event that was classified last is told
// by the event itself, so that nothing that comes later changes it.
func (c *Classifier) Settled() bool { return c.settled }

// Revise sets the cause of a refusal anew, by what was seen since, while more may
// come. It learns nothing.
func (c *Classifier) Revise(e *relaylens.Event) {
	c.history.turn()
	c.decide(e, false)
}

// Final sets the cause of a refusal by all that was seen until now, later
// events included. It learns nothing.
func (c *Classifier) Final(e *relaylens.Event) {
	c.history.turn()
	c.decide(e, true)
}

// Done forgets what only causes are told by: of senders, users, domains and sessions.
// Call it where no event comes any more, before the findings are asked for, which take
// memory of their own.
func (c *Classifier) Done() {
	h, none := c.history, newHistory()
	h.senders, h.users, h.mailed, h.denied, h.sessions = none.senders, none.users, none.mailed, none.denied, none.sessions
}

func (c *Classifier) decide(e *relaylens.Event, late bool) {
	c.settled = true
	if !e.Kind.Refusal() {
		return
	}
	if given(e) {
		e.Cause, c.settled = c.history.fleetCause(e, e.Given), false
		return
	}
	e.Cause = relaylens.CauseUnknown
	if c.history.site.isMonitor(e) {
		e.Cause = relaylens.CausePolicy
		return
	}
	reason := e.Reason
	if e.Kind == relaylens.KindRelayDenied {
		reason = relaylens.ReasonNone // whatever another program says it was
	}
	for _, r := range rulesOf[reason] {
		if cause, ok := r.decide(c.history, e, late); ok {
			e.Cause, c.settled = cause, r.why == nil || c.history.current.settled
			e.Cause = c.history.fleetCause(e, e.Cause)
			return
		}
	}
}
