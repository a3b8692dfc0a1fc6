package classifier

import "github.com/relaylens/relaylens"

// Classifier sets causes, by an event itself and by what it has seen before. It
// is used by one goroutine. What it remembers is bounded and ages by the time
// of the events, so the same events give the same causes.
type Classifier struct {
	history *history
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
	c.take(e)
	c.decide(e, false)
}

// Learn is Classify for who asks for the cause of each refusal by Final, once there are no
// more events: no cause is told that a later event may change, and settled reports whether
// one is told, or none is needed.
func (c *Classifier) Learn(e *relaylens.Event) (settled bool) {
	c.take(e)
	return !e.Kind.Refusal() || c.settle(e)
}

// take learns from an event.
func (c *Classifier) take(e *relaylens.Event) {
	c.history.turn()
	c.history.learn(e)
	c.history.fleet.learn(c.history, e)
}

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
	if e.Kind.Refusal() {
		c.tell(e, ruleOf(e), late)
	}
}

// settle sets the cause of a refusal, if nothing that comes later changes it.
func (c *Classifier) settle(e *relaylens.Event) (settled bool) {
	r := ruleOf(e)
	if given(e) || r != nil && r.open {
		return false
	}
	if c.tell(e, r, false); r != nil && r.why != nil && !c.history.current.settled {
		e.Cause = relaylens.CauseNone
		return false
	}
	return true
}

// tell sets the cause of a refusal by the rule that is for it.
func (c *Classifier) tell(e *relaylens.Event, r *rule, late bool) {
	switch {
	case given(e):
		e.Cause = c.history.fleetCause(e, e.Given)
	case c.history.site.isMonitor(e):
		e.Cause = relaylens.CausePolicy
	case r == nil:
		e.Cause = relaylens.CauseUnknown
	default:
		e.Cause = c.history.fleetCause(e, r.decide(c.history, e, late))
	}
}
