package alertmanager

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-openapi/strfmt"
	"github.com/prometheus/alertmanager/api/v2/models"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

const (
	// resendEvery is how often an active alert is sent again.
	resendEvery = time.Minute
	// lifetimes is after how many such intervals an alert ends that is not sent
	// again, as in Prometheus.
	lifetimes = 4
	// endedFor is for how long the end of an alert is sent, as in Prometheus.
	endedFor = 15 * time.Minute
	// MaxAlerts is how many alerts can be active at once.
	MaxAlerts = 500
)

// Options are what a [Sender] is made of.
type Options struct {
	Targets  []Target
	Describe *Describer
	Metrics  *Metrics
	Logger   *zap.Logger

	now    func() time.Time // in place of the clock
	resend time.Duration    // in place of resendEvery
}

// Sender tells every target of the alerts there are. Set and Run are safe to be
// called at once.
type Sender struct {
	options Options
	targets []*target

	mu      sync.Mutex
	silent  bool              // another one tells
	entries map[string]*entry // by labels
	order   []string          // of entries, the oldest first
}

// entry is an alert as it is sent. It is replaced, never changed.
type entry struct {
	alert   models.PostableAlert
	active  bool
	over    time.Time // by the clock, when its end was heard of
	version uint64    // of what is worth telling: the labels, and whether it is active
}

// New makes a sender, which does nothing before Run. The error tells what is wrong with a target's settings.
func New(o Options) (*Sender, error) {
	if o.now == nil {
		o.now = time.Now
	}
	if o.resend == 0 {
		o.resend = resendEvery
	}
	s := &Sender{options: o, entries: map[string]*entry{}}
	for _, t := range o.Targets {
		target, err := newTarget(t, s)
		if err != nil {
			return nil, fmt.Errorf("alertmanager %s: %w", t.URL, err)
		}
		s.targets = append(s.targets, target)
	}
	return s, nil
}

// Set says which alerts there are: those that are active, and those that ended
// lately, whose EndsAt is set. What is no longer named is not sent any more.
func (s *Sender) Set(alerts []relaylens.Alert) {
	s.options.Metrics.setActive(alerts)
	if len(s.targets) == 0 {
		return
	}
	now := s.options.now()
	changed := false
	s.mu.Lock()
	before := s.entries
	s.entries, s.order = map[string]*entry{}, s.order[:0]
	for i := range alerts {
		e := s.entry(&alerts[i], now)
		key := keyOf(e.alert.Labels)
		if s.entries[key] != nil || len(s.order) >= MaxAlerts {
			continue
		}
		if was := before[key]; was != nil && was.active == e.active {
			e.version, e.over = was.version, was.over
		} else {
			e.version = 1
			if was != nil {
				e.version = was.version + 1
			}
			changed = true
		}
		s.entries[key] = e
		s.order = append(s.order, key)
	}
	silent := s.silent
	s.mu.Unlock()
	for _, t := range s.targets {
		t.lost(before, s.entries, silent)
		if changed {
			t.wake()
		}
	}
}

// StandBy says whether another one tells of the alerts for now, which then are
// followed in silence. When that is over, all of them are told at once, and the
// ends too of those that the other may have told of. It is not called while Set is.
func (s *Sender) StandBy(on bool) {
	s.mu.Lock()
	before, keys := s.silent, slices.Clone(s.order)
	s.mu.Unlock()
	if before && !on { // before any of them may send: what was told once is not told again
		for _, t := range s.targets {
			t.forget(keys)
		}
	}
	s.mu.Lock()
	s.silent = on
	s.mu.Unlock()
	if before && !on {
		for _, t := range s.targets {
			t.wake()
		}
	}
}

// standsBy reports whether another one tells.
func (s *Sender) standsBy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.silent
}

// Expect says which alerts an earlier sender told of: should they be over, their
// end is news. It is called before Run.
func (s *Sender) Expect(alerts []relaylens.Alert) {
	for i := range alerts {
		key := keyOf(s.options.Describe.labels(&alerts[i]))
		for _, t := range s.targets {
			t.accepted[key] = 0
		}
	}
}

// entry is a as it is sent, without the time at which it would end by itself.
func (s *Sender) entry(a *relaylens.Alert, now time.Time) *entry {
	labels, annotations := s.options.Describe.Describe(a)
	e := &entry{active: a.EndsAt.IsZero(), alert: models.PostableAlert{
		StartsAt:    strfmt.DateTime(earlier(a.StartsAt, now).UTC()),
		Annotations: annotations,
		Alert:       models.Alert{Labels: labels, GeneratorURL: strfmt.URI(s.options.Describe.External)},
	}}
	if !e.active {
		e.over = now
		// The end is never before the start, and never to come.
		e.alert.EndsAt = strfmt.DateTime(earlier(later(a.StartsAt, a.EndsAt), now).UTC())
	}
	return e
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// keyOf is what tells alerts apart: their labels.
func keyOf(labels models.LabelSet) string {
	var key []byte
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		key = append(append(append(append(key, name...), 0), labels[name]...), 0)
	}
	return string(key)
}

// Run sends until ctx ends, and then what is still unsent, within a moment. It
// may be called once.
func (s *Sender) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, t := range s.targets {
		s.options.Metrics.create(t.name)
		wg.Go(func() { t.run(ctx) })
	}
	wg.Wait()
}

// Forget removes the metrics of the targets that others does not have.
func (s *Sender) Forget(others *Sender) {
	for _, t := range s.targets {
		if !slices.ContainsFunc(others.targets, func(o *target) bool { return o.name == t.name }) {
			s.options.Metrics.forget(t.name)
		}
	}
}

// state is what there is to send, the oldest alert first. An active one bears the
// time at which it ends unless it is sent again.
func (s *Sender) state(now time.Time) (keys []string, entries []*entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range s.order {
		e := s.entries[key]
		if !e.active && now.Sub(e.over) > endedFor {
			continue
		}
		if e.active {
			sent := *e
			sent.alert.EndsAt = strfmt.DateTime(now.Add(lifetimes * s.options.resend).UTC())
			e = &sent
		}
		keys, entries = append(keys, key), append(entries, e)
	}
	return keys, entries
}
