package watch

import (
	"time"

	"github.com/relaylens/relaylens"
)

// Page is an alert from its begin to its end.
type Page struct {
	relaylens.Alert
	// At is when somebody was told, in event time.
	At time.Time
}

// Pages collects the alerts of a watch, for those who ask afterwards.
type Pages struct {
	list []*Page
	open map[identity]*Page
}

// identity is what an alert keeps as long as it lasts.
type identity struct {
	name     string
	severity relaylens.Severity
	kind     relaylens.Kind
	cause    relaylens.Cause
	host     string
	entity   relaylens.Entity
}

func identityOf(a *relaylens.Alert) identity {
	return identity{a.Name, a.Severity, a.Kind, a.Cause, a.Host, a.Entity}
}

// Stepped notes the alerts that there are at a step.
func (p *Pages) Stepped(s *Step, alerts []relaylens.Alert) {
	if p.open == nil {
		p.open = map[identity]*Page{}
	}
	for i := range alerts {
		a := &alerts[i]
		id := identityOf(a)
		page := p.open[id]
		if page == nil {
			if !a.EndsAt.IsZero() {
				continue // it was told of before
			}
			page = &Page{At: s.Time}
			p.open[id] = page
			p.list = append(p.list, page)
		}
		page.Alert = *a
		if !a.EndsAt.IsZero() {
			delete(p.open, id)
		}
	}
}

// List is what was collected, in the order in which somebody was told. Alerts
// that were on at last have no end.
func (p *Pages) List() []Page {
	list := make([]Page, len(p.list))
	for i, page := range p.list {
		list[i] = *page
	}
	return list
}
