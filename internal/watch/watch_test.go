package watch

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
)

var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// incident is a log in which a domain is lost for half an hour, after which mail
// goes on for an hour.
func incident() (events []relaylens.Event) {
	id := 0
	add := func(e relaylens.Event) {
		id++
		e.ID[0], e.ID[1] = byte(id), byte(id>>8)
		e.Host, e.MTA, e.Direction = "mx1", relaylens.Postfix, relaylens.Inbound
		events = append(events, e)
	}
	for second := 0; second < 2*3600; second += 10 {
		at := epoch.Add(time.Duration(second) * time.Second)
		add(relaylens.Event{Time: at, Kind: relaylens.KindDelivered, Recipient: "bob@example.com"})
		if second >= 1800 && second < 3600 {
			n := second / 10 % 30
			add(relaylens.Event{Time: at.Add(time.Second), Kind: relaylens.KindRelayDenied, Action: relaylens.ActionRefuse, Stage: relaylens.StageRcpt,
				ClientIP: netip.AddrFrom4([4]byte{203, 0, 113, byte(n + 1)}), ClientName: fmt.Sprintf("mail.p%d.example", n), Helo: fmt.Sprintf("mail.p%d.example", n),
				Sender: fmt.Sprintf("office@p%d.example", n), Recipient: "u@lost.example.com", Code: 554, Enhanced: "5.7.1", Text: "Relay access denied"})
		}
	}
	return events
}

// run has a watch see events and tells what was paged.
func run(events []relaylens.Event, each func(*Watch, *relaylens.Event)) []string {
	var w *Watch
	var pages Pages
	w = New(classifier.New(), Settings{Stepped: func(s *Step) {
		if s.Changed {
			pages.Stepped(s, w.Alerts())
		}
	}})
	for i := range events {
		e := events[i]
		w.Classify(&e)
		if relaylens.OfFinding(&e) {
			w.Keep(&e)
		}
		if each != nil {
			each(w, &e)
		}
	}
	w.Finish()
	return told(&pages)
}

func told(pages *Pages) (list []string) {
	for _, p := range pages.List() {
		end := "lasts"
		if !p.EndsAt.IsZero() {
			end = p.EndsAt.Format(time.TimeOnly)
		}
		list = append(list, fmt.Sprintf("%s %s %s %s, %s to %s", p.At.Format(time.TimeOnly), p.Name, p.Cause, p.Entity.Value, p.StartsAt.Format(time.TimeOnly), end))
	}
	return list
}

// Within a minute of the first refusal, of which there is one in ten seconds; over
// with the last of them.
var once = []string{"09:31:00 RelaylensServerFault recipient_domain_not_configured lost.example.com, 09:30:01 to 09:59:51"}

func TestPagesOnce(t *testing.T) {
	if diff := cmp.Diff(once, run(incident(), nil)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A daemon hears of the time between events as well: it finds the same.
func TestLiveIsAsReplayed(t *testing.T) {
	live := run(incident(), func(w *Watch, e *relaylens.Event) {
		if e.Refusal() { // the next comes in nine seconds
			for second := range 9 {
				w.Advance(e.Time.Add(time.Duration(second) * time.Second))
			}
		}
		w.Limit(e.Time)
	})
	if diff := cmp.Diff(once, live); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A daemon that starts again in the middle, or later, knows the refusals of its
// store and its alerts, and goes on.
func TestGoesOn(t *testing.T) {
	events := incident()
	for _, at := range []time.Duration{32 * time.Minute, 45 * time.Minute, 61 * time.Minute, 70 * time.Minute} {
		t.Run(at.String(), func(t *testing.T) {
			var pages Pages
			var w *Watch
			start := func() *Watch {
				w = New(classifier.New(), Settings{Stepped: func(s *Step) { pages.Stepped(s, w.Alerts()) }})
				return w
			}
			start()
			var stored []relaylens.Event
			i := 0
			play := func(until time.Time) {
				for ; i < len(events) && events[i].Time.Before(until); i++ {
					e := events[i]
					w.Classify(&e)
					if e.Refusal() {
						w.Keep(&e)
						stored = append(stored, e)
					}
				}
			}
			play(epoch.Add(at))
			state, err := w.State()
			if err != nil {
				t.Fatal(err)
			}
			start()
			for _, e := range stored {
				w.Warm(&e)
			}
			if err := w.Restore(state); err != nil {
				t.Fatal(err)
			}
			play(epoch.Add(3 * time.Hour))
			w.Finish()
			if diff := cmp.Diff(once, told(&pages)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A line of a host with a wrong clock ends nothing.
func TestWrongClock(t *testing.T) {
	wrong := 0
	pages := run(incident(), func(w *Watch, e *relaylens.Event) {
		if e.Kind == relaylens.KindRelayDenied {
			wrong++
			w.Observe(e.Time.Add(time.Duration(wrong) * 20 * time.Hour))
		}
	})
	if diff := cmp.Diff(once, pages); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Months without a line cost no time worth the name, and end what was on.
func TestLongGap(t *testing.T) {
	events := incident()[:250]
	for _, months := range []int{3, 6} {
		later := events[0]
		later.Time = epoch.AddDate(0, months, 0)
		events = append(events, later)
	}
	if pages := run(events, nil); len(pages) != 1 || pages[0][len(pages[0])-5:] == "lasts" {
		t.Errorf("told %q", pages)
	}
}

// What later events prove is told to who keeps the causes.
func TestRevisions(t *testing.T) {
	revised := map[relaylens.ID]relaylens.Cause{}
	w := New(classifier.New(), Settings{Stepped: func(s *Step) {
		for _, r := range s.Revisions {
			revised[r.ID] = r.Cause
		}
	}})
	var first relaylens.ID
	for _, e := range incident() {
		w.Classify(&e)
		if e.Refusal() {
			if first == (relaylens.ID{}) {
				first = e.ID
				if e.Cause == relaylens.CauseRecipientDomainNotConfigured {
					t.Error("the first refusal proves it already")
				}
			}
			w.Keep(&e)
		}
	}
	if got := revised[first]; got != relaylens.CauseRecipientDomainNotConfigured {
		t.Errorf("the first refusal is %s", got)
	}
}

func BenchmarkStep(b *testing.B) {
	for _, n := range []int{100, 5_000, maxRecent} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := New(classifier.New(), Settings{})
			events := incident()
			for i := range n {
				e := events[190+i%150]
				e.Time = epoch.Add(time.Duration(i) * time.Second / 10)
				if e.Action == relaylens.ActionRefuse {
					w.Keep(&e)
				}
			}
			w.clock.Advance(epoch.Unix())
			for b.Loop() {
				w.fresh = true
				w.look(epoch.Unix())
			}
		})
	}
}

// TestSilence: of three quarters of a year without a line the first day is looked
// at, be there a refusal of the present among those of the past or not.
func TestSilence(t *testing.T) {
	past, present := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	looks := 0
	w := New(classifier.New(), Settings{Stepped: func(*Step) { looks++ }})
	for _, at := range []time.Time{past, present} {
		e := relaylens.Event{Time: at, Host: "mx1", MTA: relaylens.Postfix, Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound}
		w.Classify(&e)
		w.Keep(&e)
	}
	w.Observe(present)
	if !w.Now().Equal(present) {
		t.Fatalf("event time is %s", w.Now())
	}
	if most := int(settled/every) + 10; looks > most {
		t.Errorf("looked %d times, want %d at most", looks, most)
	}
}

// Of what is long gone causes are told anew, and nobody is told of problems. Once the
// present is near enough for them to last, they are found.
func TestLongGone(t *testing.T) {
	for behind, found := range map[time.Duration]bool{2 * settled * time.Second: false, settled * time.Second: true} {
		var steps []Step
		w := New(classifier.New(), Settings{Stepped: func(s *Step) { steps = append(steps, *s) }})
		w.Behind(behind)
		for _, e := range incident() {
			if e.Time.After(epoch.Add(time.Hour + time.Minute)) {
				break
			}
			if w.Classify(&e); e.Refusal() {
				w.Keep(&e)
			}
		}
		revised, findings := 0, 0
		for _, s := range steps {
			revised += len(s.Revisions)
			findings += len(s.Findings)
		}
		if revised == 0 || findings > 0 != found {
			t.Errorf("%s behind: %d revisions, %d findings", behind, revised, findings)
		}
		w.Behind(0)
		if w.Advance(w.Now().Add(time.Minute)); len(steps[len(steps)-1].Findings) == 0 || len(w.Alerts()) == 0 {
			t.Errorf("nothing is found of what was %s behind", behind)
		}
	}
}

// What the server says that fails pages though it refuses nothing, and is no refusal.
func TestErrorsPage(t *testing.T) {
	var events []relaylens.Event
	for second := range 3 * 3600 / 30 {
		at := epoch.Add(time.Duration(second) * 30 * time.Second)
		events = append(events, relaylens.Event{Time: at, Host: "mx1", MTA: relaylens.Postfix, Kind: relaylens.KindConnection})
		if since := at.Sub(epoch); since >= time.Hour && since < 90*time.Minute && since%time.Minute == 0 {
			events = append(events, relaylens.Event{Time: at, Host: "mx1", MTA: relaylens.Postfix, Kind: relaylens.KindBackendError,
				RemoteHost: relaylens.Service + "smtpd", Text: "/usr/lib/postfix/sbin/smtpd: bad command startup -- throttling"})
		}
	}
	got := run(events, func(w *Watch, _ *relaylens.Event) {
		for e := range w.recent.all {
			t.Fatalf("%v is taken for a refusal", e)
		}
	})
	if diff := cmp.Diff([]string{"10:02:30 RelaylensServerFault policy service, 10:00:00 to 10:29:00"}, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}
