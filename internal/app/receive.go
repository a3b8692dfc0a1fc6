package app

import (
	"time"

	"github.com/relaylens/relaylens"
)

// receive takes what another relaylens read. It goes the way of what is read
// here, from the classifier on.
func (p *pipeline) receive(b *relaylens.Batch) {
	s := b.Shipment
	var last time.Time
	for i := range s.Events {
		ev := &s.Events[i]
		if ev.Given = ev.Cause; ev.Given == relaylens.CauseNone {
			ev.Given = relaylens.CauseUnknown
		}
		p.event(ev)
		if ev.Time.After(last) {
			last = ev.Time
		}
	}
	if len(s.Revised) > 0 {
		p.watch.Given(s.Revised)
		p.ledger.revised = append(p.ledger.revised, s.Revised...)
	}
	for i := range s.Context {
		t := &s.Context[i]
		p.watch.Classify(&t.Event)
		p.exporter.CountN(&t.Event, float64(t.Count))
	}
	p.ledger.acknowledge(b.Committed)
	if !last.IsZero() {
		p.hear(last)
	}
}

// acknowledge has f called once everything until now is in the store.
func (l *ledger) acknowledge(f func()) {
	if f != nil {
		l.committed = append(l.committed, f)
		l.begin()
	}
}
