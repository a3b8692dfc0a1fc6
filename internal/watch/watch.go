package watch

import (
	"math"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/internal/alerting"
	"github.com/relaylens/relaylens/internal/bounded"
	"github.com/relaylens/relaylens/internal/spike"
)

const (
	// every is how often everything is looked at, in seconds of event time. Where
	// there is much to look at, it is done less often: see pace.
	every = 15
	// everyBehind is how often in its place while something is caught up with, where no
	// more refusals come than can be remembered until then and an hour longer.
	everyBehind = 3600
	// idle is how often findings are gathered again when nothing came.
	idle = 60
)

// Settings of a [Watch].
type Settings struct {
	Spikes spike.Settings
	// Stepped, if not nil, is told what was found each time that everything was
	// looked at.
	Stepped func(*Step)
}

// Step is what was found at a moment. It is valid during the call.
type Step struct {
	Time      time.Time // event time
	Findings  []relaylens.Finding
	Revisions []Revision
	Changed   bool // an alert began or ended
}

// Watch is used by one goroutine.
type Watch struct {
	classifier *classifier.Classifier
	settings   Settings
	detector   *spike.Detector
	engine     *alerting.Engine
	clock      bounded.Clock
	recent     recent
	ebbs       map[spell]ebb

	findings []relaylens.Finding
	fresh    bool  // refusals came since they were gathered
	gathered int64 // when that was
	step     int64 // the last, in Unix seconds; 0 before the first
	behind   time.Duration
	past     past
}

// New makes a watch that tells causes with c, which nobody else uses.
func New(c *classifier.Classifier, s Settings) *Watch {
	return &Watch{classifier: c, settings: s, detector: spike.New(s.Spikes), engine: alerting.New()}
}

// Learn takes the past that came before everything else.
func (w *Watch) Learn(counts []spike.Count) { w.detector.Learn(counts) }

// LearnEntities takes what is known of clients, networks, users and domains of that past.
func (w *Watch) LearnEntities(past []spike.Past) { w.detector.LearnEntities(past) }

// Warm takes a refusal of the past, with its cause, before the first event: what
// a daemon that starts again has counted already. It finds nothing.
func (w *Watch) Warm(e *relaylens.Event) {
	if !w.past.recalling { // it was classified before
		cause := e.Cause
		w.classifier.Classify(e)
		e.Cause = cause
	}
	w.detector.Add(e)
	if w.clock.Observe(e.Time.Unix()) {
		w.step = w.clock.Now() / every * every
	}
	if w.past.recalling && w.isPast() {
		return // it will be too old when findings are asked for
	}
	w.recent.add(e)
	w.fresh = true
}

// State is what a later watch needs to go on with the same alerts.
func (w *Watch) State() ([]byte, error) { return w.engine.State() }

// Restore takes the state of an earlier watch.
func (w *Watch) Restore(state []byte) error { return w.engine.Restore(state) }

// Alerts are those that are active and those that ended lately.
func (w *Watch) Alerts() []relaylens.Alert { return w.engine.Alerts() }

// Spikes are those that are on.
func (w *Watch) Spikes() []spike.Spike { return w.detector.Active() }

// Now is event time, zero before the first stamp.
func (w *Watch) Now() time.Time {
	now := w.clock.Now()
	if now == math.MinInt64 {
		return time.Time{}
	}
	return time.Unix(now, 0).UTC()
}

// Behind says how far behind the present event time is while something is caught up
// with, of which nobody will be told: it is looked at less often. Problems are looked
// for once the present is so near that they may last: until then causes are told anew,
// and what is usual is learned.
func (w *Watch) Behind(d time.Duration) {
	w.behind = d
	w.forgo()
}

// Limit sets the time that no event can be much later than.
func (w *Watch) Limit(now time.Time) {
	w.past.limit = now
	w.clock.Limit(now.Unix())
	w.detector.Limit(now)
}

// Classify tells the cause of the next event and counts it. What is due by its
// time is looked at before.
func (w *Watch) Classify(e *relaylens.Event) {
	w.Observe(e.Time)
	if w.past.forgone {
		w.past.classify(w.classifier, e)
		return
	}
	w.classifier.Classify(e)
	w.detector.Add(e)
}

// Keep takes the event that was classified last, of which findings are made, to be looked
// at again. Its texts are kept as they are.
func (w *Watch) Keep(e *relaylens.Event) {
	if w.past.forgone && w.past.settled {
		return // there is nothing to tell anew of it
	}
	w.recent.add(e)
	w.fresh = true
}

// Given takes the causes that another relaylens tells anew of its events.
func (w *Watch) Given(revisions []relaylens.Revision) {
	w.recent.given(revisions)
	w.fresh = true
}

// Observe tells the time of a line of the log.
func (w *Watch) Observe(t time.Time) {
	if !t.IsZero() && w.clock.Observe(t.Unix()) {
		w.advance()
	}
}

// Advance says that event time has come to t, which no log line tells while
// nothing happens.
func (w *Watch) Advance(t time.Time) {
	w.clock.Advance(t.Unix())
	w.advance()
}

// Finish looks at everything once more: nothing more is to come.
func (w *Watch) Finish() {
	if w.step > 0 {
		w.look(w.clock.Now())
	}
}

// settled is after what silence nothing changes any more: no window of the detector
// and no alert reaches further back.
const settled = 26 * 60 * 60

// advance looks at everything at each moment that is due. Of a long time without
// a line the beginning is enough.
func (w *Watch) advance() {
	now := w.clock.Now()
	if w.step == 0 {
		w.step = now / every * every
	}
	silent := w.step + settled
	for {
		next := w.step + w.pace()
		if next > now {
			return
		}
		if next > silent || len(w.recent.events) == 0 && w.engine.Idle() { // nothing happens until now
			next = now / every * every
		}
		w.look(next)
		w.step = next
	}
}

// isPast reports whether nobody will be told of what is found now.
func (w *Watch) isPast() bool { return w.behind > settled*time.Second }

// pace is how long it is until everything is looked at again, by how much there
// is to look at.
func (w *Watch) pace() int64 {
	const some, many = 1_000, 5_000
	switch n := len(w.recent.events); {
	case w.behind > 0 && n > maxRecent/2:
		return everyBehind / 2
	case w.behind > 0:
		return everyBehind
	case n > many:
		return 3 * every
	case n > some:
		return 2 * every
	}
	return every
}

func (w *Watch) look(at int64) {
	s := Step{Time: time.Unix(at, 0).UTC()}
	past := w.isPast()
	if len(w.recent.events) > 0 && (w.fresh || at-w.gathered >= idle) {
		s.Revisions = w.recent.revise(w.classifier, s.Time)
		if w.fresh, w.findings = past, nil; !past {
			w.findings = w.recent.findings(w.classifier)
		}
		w.gathered = at
	}
	if !w.past.forgone {
		w.detector.Advance(s.Time)
	}
	if s.Findings = w.findings; !past {
		s.Changed = w.engine.Step(&alerting.Input{Now: s.Time, Findings: w.findings, Refusals: w.recent.all, Since: w.recent.since, Spikes: w.spikes(s.Time)})
	}
	if w.settings.Stepped != nil {
		w.settings.Stepped(&s)
	}
}
