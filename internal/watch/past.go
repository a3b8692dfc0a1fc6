package watch

import (
	"slices"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/internal/spike"
)

// far is how far behind the present a past is that no spike of then lasts until
// anybody is told of spikes: the detector's longest window more than settled.
const far = settled*time.Second + 3*time.Hour

// past is of what is so long gone that neither spikes nor findings of then are asked
// for: only refusals whose cause may change are kept, and when the present comes
// near, the store tells of the others at once.
type past struct {
	recall    func() // nil: all is kept
	forgone   bool   // refusals passed that are not known here
	recalling bool
	settled   bool // the last event is a refusal whose cause nothing changes that comes later
	limit     time.Time
}

// Recall has w leave out what is far behind the present, until it is not any more.
// Then recall is called, and has w know that past by Learn, LearnEntities and Warm,
// as at the start.
func (w *Watch) Recall(recall func()) { w.past.recall = recall }

// forgo leaves spikes out, or goes back to them, by how far behind the present is.
func (w *Watch) forgo() {
	p := &w.past
	switch {
	case p.recall == nil || p.forgone == (w.behind > far):
	case !p.forgone:
		p.forgone = true
	default:
		p.forgone = false
		w.remember()
	}
}

// classify tells the cause of an event that is long gone.
func (p *past) classify(c *classifier.Classifier, e *relaylens.Event) {
	told := c.Learn(e)
	if !told {
		c.Revise(e) // the best so far
	}
	p.settled = told && e.Refusal()
}

// remember begins anew with what the store knows. What is kept here is known better.
func (w *Watch) remember() {
	kept := w.recent.events
	w.detector, w.ebbs, w.recent = spike.New(w.settings.Spikes), nil, recent{}
	if p := &w.past; !p.limit.IsZero() {
		w.detector.Limit(p.limit)
	}
	w.past.recalling = true
	w.past.recall()
	w.past.recalling = false
	w.recent.besides(kept)
}

// besides adds events, of which some may be there already, in the order of time.
func (r *recent) besides(events []relaylens.Event) {
	known := make(map[relaylens.ID]struct{}, len(events))
	for i := range events {
		known[events[i].ID] = struct{}{}
	}
	r.events = slices.DeleteFunc(r.events, func(e relaylens.Event) bool { _, ok := known[e.ID]; return ok })
	r.events = append(r.events, events...)
	slices.SortStableFunc(r.events, func(a, b relaylens.Event) int { return a.Time.Compare(b.Time) })
	r.forget(max(len(r.events)-maxRecent, 0))
}

// SetLocation changes the zone of the hours and days that spikes are held against, which
// are learned from the store anew. Nothing else changes.
func (w *Watch) SetLocation(zone *time.Location) {
	w.settings.Spikes.Location = zone
	switch kept := w.recent; {
	case w.past.forgone: // they will be
	case w.past.recall == nil:
		w.detector = spike.New(w.settings.Spikes)
	default:
		w.recent = recent{}
		w.remember()
		w.recent = kept
	}
}
