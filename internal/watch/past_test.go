package watch

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
)

// What is far behind the present is recalled when that comes near, and a flood that is
// on then is told of once, as by a watch that was told of all. Nothing counts twice.
func TestRecallsWhatIsLongGone(t *testing.T) {
	events := floods(15, epoch)
	near := epoch.Add(5 * time.Minute)
	watch := func(recalls bool) (w *Watch, began []time.Time, recalled int) {
		w = New(classifier.New(), Settings{})
		w.settings.Stepped = func(s *Step) {
			for _, a := range w.Alerts() {
				if s.Changed && a.EndsAt.IsZero() {
					began = append(began, w.Now())
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
			if e.Time.After(epoch.Add(12 * time.Minute)) {
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
	lately := func(w *Watch) (ids []relaylens.ID) {
		for e := range w.recent.all {
			if w.Now().Sub(e.Time) < reviseAge-time.Minute {
				ids = append(ids, e.ID)
			}
		}
		return ids
	}
	if diff := cmp.Diff(lately(all), lately(left)); diff != "" {
		t.Errorf("refusals of the last hour (-told of all +recalled):\n%s", diff)
	}
	if a, b := left.Now(), all.Now(); !a.Equal(b) {
		t.Errorf("event time is %s, and %s", a, b)
	}
}

// Of what is long gone the same causes are told, and told anew, as where all is kept.
func TestTellsCausesOfWhatIsLongGone(t *testing.T) {
	anew := 0
	causes := func(recall func()) map[relaylens.ID]relaylens.Cause {
		told := map[relaylens.ID]relaylens.Cause{}
		w := New(classifier.New(), Settings{Stepped: func(s *Step) {
			for _, r := range s.Revisions {
				told[r.ID] = r.Cause
				anew++
			}
		}})
		w.Recall(recall)
		w.Behind(far + time.Second)
		for _, e := range incident() {
			both := []relaylens.Event{e}
			if e.Refusal() { // and one whose cause nothing changes
				e.ID[2], e.Kind, e.Reason = 1, relaylens.KindRejected, relaylens.ReasonUnknownRecipient
				both = append(both, e)
			}
			for _, e := range both {
				if w.Classify(&e); e.Refusal() {
					told[e.ID] = e.Cause
					w.Keep(&e)
				}
			}
		}
		w.Finish()
		return told
	}
	kept, left := causes(nil), causes(func() {})
	if diff := cmp.Diff(kept, left); diff != "" {
		t.Errorf("(-all kept +left out):\n%s", diff)
	}
	if anew == 0 {
		t.Error("no cause was told anew")
	}
}

// What is no refusal is in no store, and stays, in the order of time.
func TestRecallsBesideWhatIsNoRefusal(t *testing.T) {
	events := floods(1, epoch)[:100]
	middle := len(events) / 2
	w := New(classifier.New(), Settings{})
	w.Recall(func() { remember(w, events, events[0].Time) })
	w.Behind(far + time.Second)
	fault := relaylens.Event{Time: events[middle].Time, Kind: relaylens.KindBackendError}
	w.Classify(&fault)
	w.Keep(&fault)
	w.Behind(0)
	if at := slices.IndexFunc(w.recent.events, func(e relaylens.Event) bool { return e.Kind == relaylens.KindBackendError }); at < middle || len(w.recent.events) != len(events)+1 {
		t.Errorf("of %d events it is number %d, want %d or the next", len(w.recent.events), at, middle)
	}
}

// Another zone has the hours learned from the store anew, by the new one. Causes and
// evidence are not affected.
func TestSetLocation(t *testing.T) {
	events := floods(30, epoch)
	w := New(classifier.New(), Settings{})
	n, recalled := 0, 0
	w.Recall(func() {
		recalled++
		remember(w, events[:n], w.Now().Add(-3*time.Hour).Truncate(time.Hour))
	})
	for ; !events[n].Time.After(epoch.Add(5 * time.Minute)); n++ {
		e := events[n]
		w.Classify(&e)
		w.Keep(&e)
		events[n].Cause = e.Cause
	}
	kept := slices.Clone(w.recent.events)
	zone := time.FixedZone("", 9*3600)
	if w.SetLocation(zone); recalled != 1 || w.settings.Spikes.Location != zone {
		t.Errorf("recalled %d times, and the zone is %v", recalled, w.settings.Spikes.Location)
	}
	if diff := cmp.Diff(kept, w.recent.events, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("what is kept differs (-before +after):\n%s", diff)
	}
	if len(w.Spikes()) == 0 {
		t.Error("a spike that is on is not known any more")
	}
	w.Behind(far + 1)
	if w.SetLocation(time.UTC); recalled != 1 {
		t.Errorf("recalled %d times while it is far behind", recalled)
	}
	if w.Behind(0); recalled != 2 {
		t.Errorf("recalled %d times", recalled)
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
			if w.Classify(&e); e.Time.After(epoch.Add(10 * time.Minute)) {
				break
			}
		}
		if w.Behind(0); len(w.Spikes()) == 0 {
			t.Errorf("%s: the detector was not told", name)
		}
	}
}
