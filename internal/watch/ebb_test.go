package watch

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/internal/spike"
)

// floods is a log of some days with a refusal or two a minute, at whose end one
// client sends 120 a minute for so many minutes from each of some moments.
func floods(minutes int, at ...time.Time) []relaylens.Event {
	return rises(120, netip.MustParseAddr("203.0.113.9"), minutes, at...)
}

// rises is the same with so many refusals a minute, of one client or of many.
func rises(perMinute float64, from netip.Addr, minutes int, at ...time.Time) (events []relaylens.Event) {
	r := rand.New(rand.NewPCG(3, 3))
	id := uint64(0)
	add := func(at time.Time, client netip.Addr) {
		id++
		e := relaylens.Event{Time: at, Host: "mx1", MTA: relaylens.Postfix, Direction: relaylens.Inbound, Kind: relaylens.KindRejected,
			Reason: relaylens.ReasonUnknownRecipient, Action: relaylens.ActionRefuse, Stage: relaylens.StageRcpt, ClientIP: client,
			Sender: fmt.Sprintf("a@d%d.example", id%90), Recipient: fmt.Sprintf("u%d@example.com", id%500), Code: 550, Enhanced: "5.1.1"}
		for i := range 8 {
			e.ID[i] = byte(id >> (8 * i))
		}
		events = append(events, e)
	}
	end := at[len(at)-1].Add(time.Duration(minutes)*time.Minute + 3*time.Hour)
	for now := epoch.Add(-2 * 24 * time.Hour); now.Before(end); {
		rate, client := 1.5, netip.AddrFrom4([4]byte{198, 51, 100, byte(r.IntN(250))})
		for _, begin := range at {
			if !now.Before(begin) && now.Before(begin.Add(time.Duration(minutes)*time.Minute)) {
				rate = perMinute
				if from.IsValid() {
					client = from
				}
			}
		}
		add(now, client)
		now = now.Add(time.Duration(r.ExpFloat64() / rate * float64(time.Minute)))
	}
	return events
}

// remember has w know what a store has: hourly totals until since, and then all.
func remember(w *Watch, events []relaylens.Event, since time.Time) {
	var counts []spike.Count
	for i := range events {
		e := events[i]
		if !e.Time.Before(since) {
			if counts != nil {
				w.Learn(counts)
				counts = nil
			}
			w.Warm(&e)
			continue
		}
		hour := e.Time.Truncate(time.Hour)
		if n := len(counts) - 1; n >= 0 && counts[n].Start.Equal(hour) {
			counts[n].Events++
			continue
		}
		counts = append(counts, spike.Count{Start: hour, Length: time.Hour, Kind: e.Kind, Cause: e.Cause, Events: 1})
	}
}

// told is who was told of what, in whole minutes after the epoch.
func toldOf(events []relaylens.Event, restart time.Time) (list []string) {
	note := func(w *Watch) func(*Step) {
		return func(s *Step) {
			for _, a := range w.Alerts() {
				minute := func(t time.Time) int { return int(t.Sub(epoch).Minutes()) }
				if s.Changed && s.Time.After(epoch) && a.EndsAt.IsZero() {
					list = append(list, fmt.Sprintf("%d %s since %d", minute(s.Time), a.Name, minute(a.StartsAt)))
				} else if s.Changed && s.Time.After(epoch) {
					list = append(list, fmt.Sprintf("%d end at %d", minute(s.Time), minute(a.EndsAt)))
				}
			}
		}
	}
	start := func() *Watch {
		w := New(classifier.New(), Settings{})
		w.settings.Stepped = note(w)
		return w
	}
	w := start()
	for i := range events {
		e := events[i]
		if !restart.IsZero() && !e.Time.Before(restart) {
			restart = time.Time{}
			state, err := w.State()
			if err != nil {
				return []string{err.Error()}
			}
			w = start()
			remember(w, events[:i], e.Time.Add(-3*time.Hour).Truncate(time.Hour))
			if err := w.Restore(state); err != nil {
				return []string{err.Error()}
			}
		}
		w.Classify(&e)
		events[i].Cause = e.Cause
		w.Keep(&e)
	}
	w.Finish()
	return list
}

// TestFloodIsOver: a flood of twelve minutes is told to be over twenty minutes
// after it: the last five minutes are as usual, and stay so for a quarter of an
// hour. The longest window that shows it would remember it for longer. A start in
// between, before or after that was told, pages nobody again.
func TestFloodIsOver(t *testing.T) {
	once := []string{"1 RelaylensRefusalSpike since 0", "32 end at 17"}
	events := floods(12, epoch)
	if diff := cmp.Diff(once, toldOf(events, time.Time{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, restart := range []int{8, 35, 40} {
		t.Run(fmt.Sprint("start after ", restart, " minutes"), func(t *testing.T) {
			if diff := cmp.Diff(once, toldOf(events, epoch.Add(time.Duration(restart)*time.Minute))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A flood that comes again, while long windows still remember the first, pages again.
func TestFloodComesAgain(t *testing.T) {
	got := toldOf(floods(12, epoch, epoch.Add(37*time.Minute)), time.Time{})
	if len(got) < 3 || got[0] != "1 RelaylensRefusalSpike since 0" || got[1] != "32 end at 17" || got[2] != "38 RelaylensRefusalSpike since 32" {
		t.Errorf("told %q", got)
	}
}

// Three times as much as usual is one page as long as it stands, also where five
// minutes are too few to show it.
func TestLevelStands(t *testing.T) {
	const hours = 8
	got := toldOf(rises(4.5, netip.Addr{}, hours*60, epoch), time.Time{})
	if len(got) != 2 {
		t.Fatalf("told %q", got)
	}
	var began, ended, at int
	if _, err := fmt.Sscanf(got[1], "%d end at %d", &ended, &at); err != nil || ended < hours*60 || ended > hours*60+90 {
		t.Errorf("told %q", got)
	}
	if _, err := fmt.Sscanf(got[0], "%d RelaylensRefusalSpike since", &began); err != nil || began > 40 {
		t.Errorf("told %q", got)
	}
}
