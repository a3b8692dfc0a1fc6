package classifier

import "github.com/relaylens/relaylens"

// Classifier sets causes. It is used by one goroutine.
type Classifier struct{}

// New makes a classifier.
func New() *Classifier { return &Classifier{} }

// Classify sets the cause of a refusal, CauseUnknown where nothing is proved.
// Other events have none.
func (c *Classifier) Classify(e *relaylens.Event) {
	if !e.Kind.Refusal() {
		return
	}
	e.Cause = relaylens.CauseUnknown
	for i := range rules {
		if rules[i].when(e) {
			e.Cause = rules[i].cause
			return
		}
	}
}
