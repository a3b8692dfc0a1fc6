package parsers

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

func TestHeldEvents(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	var out []string
	emit := func(e *relaylens.Event) { out = append(out, e.QueueID+" "+e.Sender) }
	event := func(id string, after time.Duration) *relaylens.Event {
		return &relaylens.Event{Kind: relaylens.KindRelayDenied, QueueID: id, Time: at.Add(after)}
	}
	h := heldEvents{max: 3}
	h.hold(1, 1, event("one", 0), emit)
	h.hold(2, 1, event("two", time.Second), emit)
	h.hold(1, 1, event("one again", 2*time.Second), emit)
	s := new(state)
	newStates(1, 1).learn(s, &relaylens.Event{Sender: "a@example.com"})
	h.release(1, s, true, emit)
	h.expire("", at.Add(31*time.Second), emit)
	if want := []string{"one a@example.com", "one again a@example.com"}; !cmp.Equal(out, want) {
		t.Fatalf("out %q, want %q: the second still has its time", out, want)
	}
	h.expire("another", at.Add(time.Hour), emit)
	if len(out) != 2 {
		t.Fatal("expired by the clock of another source")
	}
	h.expire("", at.Add(32*time.Second), emit)
	if got := out[len(out)-1]; got != "two " || !h.empty() {
		t.Errorf("last out %q, want the expired one without sender", got)
	}
}

func TestHeldEventsAreBounded(t *testing.T) {
	out := 0
	h := heldEvents{max: 8}
	for i := range 10_000 {
		h.hold(uint64(i), 1, &relaylens.Event{QueueID: fmt.Sprint(i), Time: time.Unix(int64(i), 0)}, func(*relaylens.Event) { out++ })
		if len(h.queue) > 256 {
			t.Fatalf("the queue grew to %d", len(h.queue))
		}
	}
	h.flush(func(*relaylens.Event) { out++ })
	if out != 10_000 {
		t.Errorf("%d events came out, want all 10000", out)
	}
}

// TestWarmLinesLoseNothing: what one source has held back comes out, whatever
// another source reads again meanwhile; and what is read again does not.
func TestWarmLinesLoseNothing(t *testing.T) {
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	emit := func(e *relaylens.Event) {
		if e.Refusal() {
			out = append(out, e.Recipient)
		}
	}
	feed := func(warm bool, source string, lines ...string) {
		b := relaylens.Batch{Warm: warm, Reference: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
		for i, text := range lines {
			b.Lines = append(b.Lines, relaylens.Line{Text: text, Source: source, Number: int64(i + 1), Offset: int64(i)})
		}
		p.Feed(&b, emit)
	}
	const reject = "Nov 21 11:00:00 mx1 sm-mta[30266]: 9A4B04Ix03026%d: ruleset=check_rcpt, arg1=<%s@example.net>, relay=[203.0.114.17], reject=550 5.7.1 <%[2]s@example.net>... Relaying denied"
	feed(true, "b", fmt.Sprintf(reject, 1, "before"))
	feed(false, "a", fmt.Sprintf(reject, 2, "held"))
	const later = "Nov 21 11:05:00 mx1 postfix/smtpd[1]: connect from unknown[203.0.113.5]"
	feed(true, "b", later)
	feed(false, "b", later)
	if len(out) != 0 {
		t.Errorf("out %q, by the clock of another source or read again", out)
	}
	feed(false, "a", later)
	if want := []string{"held@example.net"}; !cmp.Equal(out, want) {
		t.Errorf("out %q, want %q", out, want)
	}
	if _, held := p.OldestHeld(); held {
		t.Error("something is held still")
	}
}

// TestSlowTransactions: who is throttled or dawdles beyond the time that a refusal
// waits for the end of its transaction is told all the same, where any line of the
// message named the client.
func TestSlowTransactions(t *testing.T) {
	line := func(second int, text string) string {
		return time.Date(2026, 11, 21, 11, 0, second, 0, time.UTC).Format("Jan _2 15:04:05") + " mx1 sm-mta[4321]: 502345AB004321: " + text
	}
	unknown := func(second int) string { return line(second, fmt.Sprintf("<u%d@example.com>... User unknown", second)) }
	const client, other = "client.example [203.0.113.9]", "ruleset=check_rcpt, arg1=<b@example.net>, relay=client.example [203.0.113.9], reject=550 5.7.1 <b@example.net>... Relaying denied"
	end := line(90, "from=<a@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay="+client)
	for name, tc := range map[string]struct {
		lines []string
		want  []string
	}{
		"throttled": {
			[]string{unknown(0), line(1, client+": Possible SMTP RCPT flood, throttling."), unknown(2), unknown(40), unknown(80), end},
			[]string{"u0@example.com 203.0.113.9 ", "u2@example.com 203.0.113.9 ", "u40@example.com 203.0.113.9 ", "u80@example.com 203.0.113.9 a@example.org"},
		},
		"quick": {
			[]string{unknown(70), line(71, client+": Possible SMTP RCPT flood, throttling."), unknown(72), end},
			[]string{"u70@example.com 203.0.113.9 a@example.org", "u72@example.com 203.0.113.9 a@example.org"},
		},
		"another refusal names the client": {
			[]string{unknown(0), line(1, other), unknown(2), unknown(50), end},
			[]string{"u0@example.com 203.0.113.9 ", "b@example.net 203.0.113.9 ", "u2@example.com 203.0.113.9 ", "u50@example.com 203.0.113.9 "},
		},
		"nobody names the client": {[]string{unknown(0), unknown(40), end}, []string{"u0@example.com invalid IP ", "u40@example.com invalid IP "}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := New(Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			b := relaylens.Batch{Reference: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
			for i, text := range tc.lines {
				b.Lines = append(b.Lines, relaylens.Line{Text: text, Source: "log", Number: int64(i + 1), Offset: int64(i)})
			}
			emit := func(e *relaylens.Event) {
				if e.Refusal() {
					got = append(got, fmt.Sprintf("%s %s %s", e.Recipient, e.ClientIP, e.Sender))
				}
			}
			p.Feed(&b, emit)
			p.Flush(emit)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
