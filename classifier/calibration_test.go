package classifier

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// A world is a log of made-up servers, users and problems, of which the truth is
// known. Names, numbers and the order of things differ from one to the next.
type world struct {
	rng    *rand.Rand
	events []told
	users  []string
	homes  map[string]netip.Addr
	domain string
	next   int // for names that occur once
}

// told is an event with its truth.
type told struct {
	relaylens.Event
	at      int
	problem int // 0: none
	truth   relaylens.Cause
}

func newWorld(seed uint64) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 7)), homes: map[string]netip.Addr{}}
	w.domain = w.name() + ".example"
	for range 3 + w.rng.IntN(6) {
		user := w.name() + "@" + w.domain
		w.users = append(w.users, user)
		w.homes[user] = w.address(100)
	}
	return w
}

func (w *world) name() string {
	w.next++
	letters := []byte("bdfgklmnprstvz")
	word := ""
	for range 3 {
		word += string(letters[w.rng.IntN(len(letters))]) + string("aeiou"[w.rng.IntN(5)])
	}
	return fmt.Sprintf("%s%d", word, w.next)
}

// address is one of a stranger, or in the /8 given.
func (w *world) address(first byte) netip.Addr {
	w.next++
	return netip.AddrFrom4([4]byte{first, byte(w.rng.IntN(256)), byte(w.next >> 8), byte(w.next)})
}

func (w *world) user() string { return w.users[w.rng.IntN(len(w.users))] }

// add puts an event somewhere into the span of a problem.
func (w *world) add(problem int, truth relaylens.Cause, at int, e relaylens.Event) {
	e.MTA, e.Host = relaylens.Postfix, "mx1"
	if e.Kind.Refusal() && e.Direction == relaylens.DirectionNone {
		e.Direction = relaylens.Inbound
	}
	w.events = append(w.events, told{Event: e, at: at, problem: problem, truth: truth})
}

// life is what goes well: logins, deliveries.
func (w *world) life() {
	for at := 0; at < 10_000; at += 1 + w.rng.IntN(400) {
		user := w.user()
		w.add(0, 0, at, relaylens.Event{Kind: relaylens.KindAuthOK, User: user, ClientIP: w.homes[user]})
		w.add(0, 0, at, relaylens.Event{Kind: relaylens.KindAccepted, User: user, Sender: user, ClientIP: w.homes[user]})
		w.add(0, 0, at, relaylens.Event{Kind: relaylens.KindDelivered, Service: "local", Recipient: w.user()})
	}
}

func (w *world) denied(p int, truth relaylens.Cause, at int, from netip.Addr, name, sender, recipient string) {
	w.add(p, truth, at, relaylens.Event{Kind: relaylens.KindRelayDenied, Stage: relaylens.StageRcpt, Code: 554, ClientIP: from, ClientName: name, Sender: sender, Recipient: recipient, PID: int32(at)})
}

func (w *world) foreign() string { return w.name() + "@" + w.name() + ".test" }

// problems are what can be wrong, by the cause; each adds its events from a time on.
var problems = map[relaylens.Cause]func(w *world, p, at int){
	relaylens.CauseOpenRelayProbe: func(w *world, p, at int) {
		from, sender := w.address(45), w.foreign()
		for i := range 1 + w.rng.IntN(8) {
			w.denied(p, relaylens.CauseOpenRelayProbe, at+i, from, "", sender, w.foreign())
		}
	},
	relaylens.CauseRecipientDomainNotConfigured: func(w *world, p, at int) {
		lost := w.name() + ".lost.example"
		for i := range 6 + w.rng.IntN(7) {
			name := w.name() + ".test"
			w.denied(p, relaylens.CauseRecipientDomainNotConfigured, at+60*i, w.address(46), "mx."+name, "info@"+name, w.name()+"@"+lost)
		}
	},
	relaylens.CauseRestrictionOrder: func(w *world, p, at int) {
		for i := range 1 + w.rng.IntN(5) {
			user := w.user()
			w.add(p, relaylens.CauseRestrictionOrder, at+i*30, relaylens.Event{Kind: relaylens.KindRelayDenied, ClientIP: w.homes[user], User: user, Sender: user, Recipient: w.foreign()})
		}
	},
	relaylens.CauseClientNotAuthenticated: func(w *world, p, at int) {
		user := w.user()
		from := w.homes[user]
		for i := range 1 + w.rng.IntN(4) {
			w.denied(p, relaylens.CauseClientNotAuthenticated, at+i*300, from, "", user, w.foreign())
		}
	},
	relaylens.CauseClientNotInMynetworks: func(w *world, p, at int) {
		from := w.address(10)
		for i := range 1 + w.rng.IntN(10) {
			w.denied(p, relaylens.CauseClientNotInMynetworks, at+i*600, from, "", "cron@"+w.domain, w.foreign())
		}
	},
	relaylens.CauseAuthBackendUnavailable: func(w *world, p, at int) {
		for i := range 2 + w.rng.IntN(6) {
			user := w.user()
			w.add(p, relaylens.CauseAuthBackendUnavailable, at+i*5, relaylens.Event{Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonBackend, User: user, ClientIP: w.homes[user], PID: int32(at + i)})
		}
	},
	relaylens.CauseCredentialGuessing: func(w *world, p, at int) {
		if w.rng.IntN(2) == 0 {
			from := w.address(47)
			for i := range 5 + w.rng.IntN(20) {
				w.add(p, relaylens.CauseCredentialGuessing, at+i, relaylens.Event{Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonCredentials, User: w.name() + "@" + w.domain, ClientIP: from, PID: int32(at)})
			}
			return
		}
		user := w.user()
		for i := range 8 + w.rng.IntN(20) {
			w.add(p, relaylens.CauseCredentialGuessing, at+i*20, relaylens.Event{Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonCredentials, User: user, ClientIP: w.address(48), PID: int32(at + i)})
		}
	},
	relaylens.CauseStalePassword: func(w *world, p, at int) {
		user := w.user()
		for i := range 2 + w.rng.IntN(5) {
			w.add(p, relaylens.CauseStalePassword, at+i*900, relaylens.Event{Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonCredentials, User: user, ClientIP: w.homes[user], PID: int32(at + i)})
		}
	},
	relaylens.CauseRemoteRelayDenied: func(w *world, p, at int) {
		recipient, host := w.foreign(), "mx."+w.name()+".test"
		for i := range 1 + w.rng.IntN(3) {
			w.add(p, relaylens.CauseRemoteRelayDenied, at+i*400, relaylens.Event{Kind: relaylens.KindRelayDenied, Direction: relaylens.Outbound, RemoteHost: host, Sender: w.user(), Recipient: recipient})
		}
	},
	relaylens.CauseSenderDomainUnresolvable: func(w *world, p, at int) {
		w.add(p, relaylens.CauseSenderDomainUnresolvable, at, relaylens.Event{Kind: relaylens.KindSenderVerify, Reason: relaylens.ReasonDomainNotFound, Code: 550, ClientIP: w.address(49), Sender: w.foreign()})
	},
	relaylens.CauseSenderDomainDNSTempfail: func(w *world, p, at int) {
		w.add(p, relaylens.CauseSenderDomainDNSTempfail, at, relaylens.Event{Kind: relaylens.KindSenderVerify, Reason: relaylens.ReasonDomainNotFound, Code: 450, ClientIP: w.address(49), Sender: w.foreign()})
	},
	relaylens.CauseCalloutUnknownUser: func(w *world, p, at int) {
		w.add(p, relaylens.CauseCalloutUnknownUser, at, relaylens.Event{Kind: relaylens.KindSenderVerify, Reason: relaylens.ReasonCalloutUnknownUser, ClientIP: w.address(49), Sender: w.foreign()})
	},
	relaylens.CauseClientBlocklisted: func(w *world, p, at int) {
		w.add(p, relaylens.CauseClientBlocklisted, at, relaylens.Event{Kind: relaylens.KindRejected, Reason: relaylens.ReasonDNSBL, ClientIP: w.address(50)})
	},
}

// fill makes none to five problems, and puts all in the order of time.
func (w *world) fill() {
	w.life()
	var kinds []relaylens.Cause
	for c := range problems {
		kinds = append(kinds, c)
	}
	slices.Sort(kinds)
	for p := range w.rng.IntN(6) {
		problems[kinds[w.rng.IntN(len(kinds))]](w, p+1, w.rng.IntN(9_000))
	}
	slices.SortStableFunc(w.events, func(a, b told) int { return a.at - b.at })
	for i := range w.events {
		w.events[i].Time = start.Add(time.Duration(w.events[i].at) * time.Second)
		w.events[i].Line = int64(i + 1)
	}
}

// grade is how often a confidence was right.
type grade struct{ right, all int }

// judged are the findings of the first events, of which the n-th is the last: its
// own, and how they fare.
func (w *world) judged(events []told) []relaylens.Finding {
	c := New()
	for i := range events {
		e := events[i].Event
		c.Classify(&e)
	}
	f := c.NewFindings()
	for i := range events {
		e := events[i].Event
		c.Final(&e)
		f.Add(&e)
	}
	return f.List()
}

// TestCalibration plays worlds and asks how right a finding is that is so sure:
// when only the first event of a problem was seen, and when all was. It prints
// the table of docs/accuracy.md.
func TestCalibration(t *testing.T) {
	const worlds = 300
	var first, whole [10]grade
	for seed := range uint64(worlds) {
		w := newWorld(seed)
		w.fill()
		seen := map[int]bool{}
		for i := range w.events {
			e := &w.events[i]
			if e.problem == 0 || seen[e.problem] {
				continue
			}
			seen[e.problem] = true
			w.grade(t, &first, w.judged(w.events[:i+1]), e)
		}
		list := w.judged(w.events)
		if len(seen) == 0 && len(list) > 0 {
			t.Errorf("world %d has no problem, and these findings: %v", seed, list)
		}
		for i := range w.events {
			if e := &w.events[i]; e.problem != 0 {
				w.grade(t, &whole, list, e)
			}
		}
	}
	t.Log("confidence     first event       all events")
	for i := 5; i < 10; i++ {
		t.Logf("%.1f to %.1f   %4d of %4d   %6d of %6d", float64(i)/10, float64(i+1)/10, first[i].right, first[i].all, whole[i].right, whole[i].all)
	}
	for name, g := range map[string]grade{"the first event": first[9], "all events": whole[9]} {
		if g.all < 100 || float64(g.right) < 0.99*float64(g.all) {
			t.Errorf("with %s, findings of 0.9 and more are right %d times of %d", name, g.right, g.all)
		}
	}
}

// grade looks for the finding that has the event as evidence.
func (w *world) grade(t *testing.T, grades *[10]grade, list []relaylens.Finding, e *told) {
	for i := range list {
		f := &list[i]
		if !slices.ContainsFunc(f.Evidence, func(x relaylens.Event) bool { return x.Line == e.Line }) {
			continue
		}
		g := &grades[min(int(f.Confidence*10), 9)]
		g.all++
		if f.Cause == e.truth {
			g.right++
		} else if f.Confidence >= 0.9 {
			t.Logf("%v at %.2f, is %v: %s", f.Cause, f.Confidence, e.truth, f.Why)
		}
	}
}

// TestEarlyCauses: with the first event of a problem the cause is right, or
// unknown, or not held with much confidence; and at the end nearly all are right.
func TestEarlyCauses(t *testing.T) {
	right, unknown, all, final := 0, 0, 0, grade{}
	for seed := range uint64(300) {
		w := newWorld(seed + 1000)
		w.fill()
		c := New()
		seen := map[int]bool{}
		for i := range w.events {
			e := w.events[i].Event
			c.Classify(&e)
			if p := w.events[i].problem; p != 0 && !seen[p] {
				seen[p] = true
				all++
				switch e.Cause {
				case w.events[i].truth:
					right++
				case relaylens.CauseUnknown:
					unknown++
				}
			}
		}
		for i := range w.events {
			if w.events[i].problem == 0 {
				continue
			}
			e := w.events[i].Event
			c.Final(&e)
			final.all++
			if e.Cause == w.events[i].truth {
				final.right++
			}
		}
	}
	t.Logf("first events: %d right, %d unknown, %d wrong; all events, at the end: %d of %d right", right, unknown, all-right-unknown, final.right, final.all)
	if wrong := all - right - unknown; wrong*50 > all {
		t.Errorf("%d of %d first events have a wrong cause", wrong, all)
	}
	if float64(final.right) < 0.97*float64(final.all) {
		t.Errorf("%d of %d causes are right at the end", final.right, final.all)
	}
}
