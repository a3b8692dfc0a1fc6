package parsers

import (
	"fmt"
	"testing"

	"github.com/relaylens/relaylens"
)

// TestMessagesLeave is about what is forgotten of Sendmail's messages, of which the
// log does not say that they are done with.
func TestMessagesLeave(t *testing.T) {
	const from = "from=<a@example.org>, size=10, class=0, nrcpts=%d, msgid=<x@example.org>, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]"
	const to = "to=%s, %sdelay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=120000, relay=mx.example.net. [198.51.100.25], dsn=%s"
	sent, failed := "2.0.0, stat=Sent (ok)", "5.1.1, reply=550 5.1.1 <b@example.net>... User unknown, stat=User unknown"
	later := "4.2.0, reply=450 4.2.0 later, stat=Deferred: 450 4.2.0 later"
	one, two := fmt.Sprintf(from, 1), fmt.Sprintf(from, 2)
	for name, c := range map[string]struct {
		lines []string
		stays bool
	}{
		"nobody":                {lines: []string{fmt.Sprintf(from, 0)}},
		"sent":                  {lines: []string{one, fmt.Sprintf(to, "<b@example.net>", "", sent)}},
		"sent to both at once":  {lines: []string{two, fmt.Sprintf(to, "<b@example.net>,<c@example.net>", "", sent)}},
		"sent to both":          {lines: []string{two, fmt.Sprintf(to, "<b@example.net>", "", sent), fmt.Sprintf(to, "<c@example.net>", "", sent)}},
		"failed":                {lines: []string{one, fmt.Sprintf(to, "<b@example.net>", "", failed)}},
		"deferred, then sent":   {lines: []string{one, fmt.Sprintf(to, "<b@example.net>", "", later), fmt.Sprintf(to, "<b@example.net>", "", sent)}},
		"sent for the sender":   {lines: []string{one, fmt.Sprintf(to, "<b@example.net>", "ctladdr=<a@example.org> (1000/1000), ", sent)}},
		"sent for a forwarder":  {lines: []string{one, fmt.Sprintf(to, "<b@example.net>", "ctladdr=<c@example.com> (1000/1000), ", sent)}, stays: true},
		"sent to one of two":    {lines: []string{two, fmt.Sprintf(to, "<b@example.net>", "", sent)}, stays: true},
		"deferred":              {lines: []string{one, fmt.Sprintf(to, "<b@example.net>", "", later)}, stays: true},
		"sent to one, deferred": {lines: []string{two, fmt.Sprintf(to, "<b@example.net>", "", sent), fmt.Sprintf(to, "<c@example.net>", "", later)}, stays: true},
		"only begun":            {lines: []string{one}, stays: true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := New(Options{})
			if err != nil {
				t.Fatal(err)
			}
			messages := func() int { return p.memory.messages.Len() }
			logged(p, "10:00:00", "502345AB004321", c.lines...)
			if messages() != 1 {
				t.Fatalf("%d messages are known, want 1 for its bounce and what an alias adds", messages())
			}
			logged(p, "10:04:59", "502345AC004322", fmt.Sprintf(from, 0))
			if messages() != 2 {
				t.Errorf("%d messages are known after less than five minutes, want 2", messages())
			}
			logged(p, "10:05:01", "502345AD004323", fmt.Sprintf(from, 0))
			if want := map[bool]int{false: 2, true: 3}[c.stays]; messages() != want {
				t.Errorf("%d messages are known after five minutes, want %d", messages(), want)
			}
		})
	}
}

// TestBouncesLeave is about the message that is made of one that failed.
func TestBouncesLeave(t *testing.T) {
	p, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	logged(p, "10:00:00", "502345AB004321",
		"from=<a@example.org>, size=10, class=0, nrcpts=1, msgid=<x@example.org>, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]",
		"to=<b@example.net>, delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=120000, relay=mx.example.net. [198.51.100.25], dsn=5.1.1, reply=550 no, stat=User unknown",
		"502345AC004321: DSN: User unknown")
	if n := p.memory.messages.Len(); n != 2 {
		t.Fatalf("%d messages are known, want the message and its bounce", n)
	}
	logged(p, "10:00:01", "502345AC004321", "to=<a@example.org>, delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=120000, relay=mx.example.org. [203.0.113.25], dsn=2.0.0, stat=Sent (ok)")
	logged(p, "10:06:00", "502345AD004323", "from=<a@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]")
	if n := p.memory.messages.Len(); n != 1 {
		t.Errorf("%d messages are known after five minutes, want the new one", n)
	}
}

// logged has p read lines of one message.
func logged(p *Parser, clock, id string, lines ...string) {
	var b relaylens.Batch
	for _, l := range lines {
		text := "Nov 20 " + clock + " mx1 sm-mta[4321]: " + id + ": " + l
		b.Lines = append(b.Lines, relaylens.Line{Text: text, Source: "mail.log"})
	}
	var s Scanned
	p.Scan(&b, &s)
	p.Take(&s, func(*relaylens.Event) {})
}
