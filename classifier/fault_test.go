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
