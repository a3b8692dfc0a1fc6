package watch

import (
	"slices"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
)

// What is far behind the present is recalled when that comes near, and a flood that is
// on then is told of once, as by a watch that was told of all. Nothing counts twice.
func TestRecallsWhatIsLongGone(t *testing.T) {
	events := floods(90, epoch)
	near := epoch.Add(20 * time.Minute)
	watch := func(recalls bool) (w *Watch, began []time.Time, recalled int) {
		w = New(classifier.New(), Settings{})
		w.settings.Stepped = func(s *Step) {
			for _, a := range w.Alerts() {
				if s.Changed && a.EndsAt.IsZero() {
					began = append(began, s.Time)
				}
			}
		}
		if recalls {
			w.Recall(func() {
				recalled++
				before := slices.IndexFunc(events, func(e relaylens.Event) bool { return !e.Time.Before(near) })
				remember(w, events[:before], near.Add(-3*time.Hour).Truncate(time.Hour))
			})
		}
		w.Behind(far + time.Second)
		for i := range events {
			e := events[i]
			if !e.Time.Before(near) && w.behind > 0 {
				if recalls && len(w.Spikes()) > 0 {
					t.Error("a spike was looked for in what is recalled later")
				}
				w.Behind(0)
			}
			w.Classify(&e)
			events[i].Cause = e.Cause
			w.Keep(&e)
			if e.Time.After(epoch.Add(time.Hour)) {
				break
			}
		}
		return w, began, recalled
	}
	all, want, _ := watch(false)
	left, got, recalled := watch(true)
	if recalled != 1 {
		t.Errorf("recalled %d times", recalled)
	}
	if len(want) != 1 || len(got) != 1 || got[0].Sub(want[0]).Abs() > time.Minute {
		t.Errorf("told at %v, by who was told of all at %v", got, want)
	}
	if a, b := len(left.recent.events), len(all.recent.events); a != b {
		t.Errorf("%d refusals are remembered, and %d by who was told of all", a, b)
	}
	if a, b := left.Now(), all.Now(); !a.Equal(b) {
		t.Errorf("event time is %s, and %s", a, b)
	}
}

// Without a store to recall from, nothing is left out, and what is not so far behind
// never is.
func TestLeavesOutOnlyWhatIsRecalled(t *testing.T) {
	events := floods(30, epoch)
	for name, c := range map[string]struct {
		recall func()
		behind time.Duration
	}{
		"no store":   {nil, 30 * 24 * time.Hour},
		"near":       {func() { t.Error("recalled") }, far},
		"up to date": {func() { t.Error("recalled") }, 0},
	} {
		w := New(classifier.New(), Settings{})
		w.Recall(c.recall)
		w.Behind(c.behind)
		for i := range events {
			e := events[i]
			if w.Classify(&e); e.Time.After(epoch.Add(30 * time.Minute)) {
				break
			}
		}
		if w.Behind(0); len(w.Spikes()) == 0 {
			t.Errorf("%s: the detector was not told", name)
		}
	}
}
