package watch

import (
	"time"

	"github.com/relaylens/relaylens/internal/spike"
)

// far is how far behind the present a past is that no spike of then lasts until
// anybody is told of spikes: the detector's longest window more than settled.
const far = settled*time.Second + 3*time.Hour

// past is what the detector is not told of while it passes, as it can be learned from
// the store at once when the present comes near.
type past struct {
	recall    func() // nil: the detector is told of all
	forgone   bool   // refusals passed that the detector does not know of
	recalling bool
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
		w.detector, w.ebbs = spike.New(w.settings.Spikes), nil
		if !p.limit.IsZero() {
			w.detector.Limit(p.limit)
		}
		p.forgone, p.recalling = false, true
		p.recall()
		p.recalling = false
	}
}
