package classifier

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

var faultsBegin = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// fault is what mx1 says that fails, some seconds after the begin.
func fault(seconds int, name, said string) relaylens.Event {
	return relaylens.Event{Time: faultsBegin.Add(time.Duration(seconds) * time.Second), Host: "mx1", MTA: relaylens.Postfix,
		Kind: relaylens.KindBackendError, RemoteHost: name, Text: said}
}

const throttled = "/usr/lib/postfix/sbin/smtpd: bad command startup -- throttling"

const stored = relaylens.Store + "virtual"

// mailFor is a message that cannot be stored.
func mailFor(user string, seconds int) relaylens.Event {
	e := fault(seconds, stored, "maildir delivery failed: create maildir file /var/vmail/"+user+"/tmp/1.2.mx1: Permission denied")
	e.Recipient = user + "@example.com"
	return e
}

// away is one of which the store is told to nobody.
func away(user string, seconds int) relaylens.Event {
	e := fault(seconds, relaylens.Store+"private/lmtp", "connect to mx1[private/lmtp]: No such file or directory")
	e.Recipient = user + "@example.com"
	return e
}

// got is one that is stored.
func got(user string, seconds int) relaylens.Event {
	e := fault(seconds, "", "delivered to maildir")
	e.Kind, e.Recipient = relaylens.KindDelivered, user+"@example.com"
	return e
}

// eximWaits is one whose id tells that it came long ago.
func eximWaits(user string, seconds int) relaylens.Event {
	e := mailFor(user, seconds)
	e.MTA, e.QueueID = relaylens.Exim, "1xVBO7-00002E-0f"
	e.Time = e.Time.AddDate(1, 0, 0)
	return e
}

func TestFaultsWithoutRefusals(t *testing.T) {
	const smtpd = relaylens.Service + "smtpd"
	refusal := relaylens.Event{Time: faultsBegin.Add(70 * time.Second), Host: "mx1", MTA: relaylens.Postfix, Kind: relaylens.KindRejected, Direction: relaylens.Inbound,
		Reason: relaylens.ReasonResources, Class: relaylens.Class4xx, ClientIP: netip.MustParseAddr("192.0.2.1"), RemoteHost: relaylens.Disk, Text: "write queue file: No space left on device"}
	sasl := relaylens.Event{Time: faultsBegin, Host: "mx1", MTA: relaylens.Postfix, Kind: relaylens.KindBackendError, Stage: relaylens.StageAuth, Text: "SASL per-process initialization failed"}
	const full = "mail_queue_enter: create file incoming/1.2: No space left on device"
	cases := map[string]struct {
		events           []relaylens.Event
		entity           string // "" where nothing is found
		errors, refusals int
		sure             bool
		why              string
	}{
		"a program that does not start": {events: []relaylens.Event{fault(0, smtpd, "bad numerical configuration: x = y"), fault(1, smtpd, throttled), fault(61, smtpd, throttled)},
			entity: services, errors: 3, sure: true, why: "bad numerical configuration"},
		"one whose processes end": {events: []relaylens.Event{fault(0, smtpd, "watchdog timeout"), fault(100, smtpd, "watchdog timeout"), fault(200, smtpd, "watchdog timeout")},
			entity: services, errors: 3, why: "others may serve"},
		"too little of it":                  {events: []relaylens.Event{fault(0, smtpd, throttled), fault(61, smtpd, throttled)}},
		"for the want of logins":            {events: []relaylens.Event{sasl, fault(1, smtpd, throttled), fault(2, smtpd, throttled), fault(3, smtpd, throttled)}},
		"a table, which a refusal tells of": {events: []relaylens.Event{fault(0, "hash:/etc/x", "x"), fault(1, "hash:/etc/x", "x"), fault(2, "hash:/etc/x", "x")}},
		"a queue that cannot be written":    {events: []relaylens.Event{fault(0, relaylens.Disk, full), fault(10, relaylens.Disk, full), fault(20, relaylens.Disk, full)}, entity: relaylens.Disk, errors: 3, sure: true},
		"the same with a refusal": {events: []relaylens.Event{fault(0, relaylens.Disk, full), fault(10, relaylens.Disk, full), fault(20, relaylens.Disk, full), refusal},
			entity: relaylens.Disk, errors: 3, refusals: 1, sure: true},
		"as many clients as there may be": {events: []relaylens.Event{fault(0, relaylens.Capacity, "x"), fault(1000, relaylens.Capacity, "x"), fault(2000, relaylens.Capacity, "x")},
			entity: relaylens.Capacity, errors: 3},
		"a mailbox store": {events: []relaylens.Event{mailFor("a", 0), mailFor("b", 10), mailFor("c", 20)}, entity: stored, errors: 3, sure: true},
		"a broken mailbox, and another": {events: []relaylens.Event{mailFor("a", 0), mailFor("b", 10), mailFor("a", 20), mailFor("b", 30)}, entity: stored, errors: 4,
			why: "their own mailboxes"},
		"broken mailboxes among others": {events: []relaylens.Event{mailFor("a", 0), mailFor("b", 10), mailFor("c", 20), got("d", 21), got("e", 25)}, entity: stored, errors: 3,
			why: "delivers other mail"},
		"a socket where nobody answers": {events: []relaylens.Event{away("a", 0), away("a", 10), away("a", 20)}, entity: relaylens.Store + "private/lmtp", errors: 3, sure: true},
		"mail of Exim that waited":      {events: []relaylens.Event{eximWaits("a", 0), eximWaits("b", 10), eximWaits("c", 20)}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			classifier := New()
			f := classifier.NewFindings()
			for i := range c.events {
				classifier.Classify(&c.events[i])
			}
			for i := range c.events {
				f.Add(&c.events[i])
			}
			list := f.List()
			if c.entity == "" {
				if len(list) > 0 {
					t.Fatalf("found %+v", list)
				}
				return
			}
			if len(list) != 1 {
				t.Fatalf("%d findings, want 1", len(list))
			}
			p := list[0]
			if p.Cause != relaylens.CausePolicy || p.Fault != relaylens.FaultServer || p.Entity.Value != c.entity || p.Errors != c.errors || p.Events != c.refusals {
				t.Errorf("found %+v", p)
			}
			if sure := p.Confidence >= 0.8; sure != c.sure || !strings.Contains(p.Why, c.why) {
				t.Errorf("%.2f sure: %s", p.Confidence, p.Why)
			}
		})
	}
}
