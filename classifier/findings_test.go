package classifier

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// problems lists the findings of a log in short: cause, entity, events, clients, users.
func (l *log) problems() []string {
	c := New()
	for i := range l.events {
		c.Classify(&l.events[i])
	}
	f := c.NewFindings()
	for i := range l.events {
		c.Final(&l.events[i])
		f.Add(&l.events[i])
	}
	c.Done() // findings need nothing of what it forgets
	var out []string
	for _, p := range f.List() {
		out = append(out, fmt.Sprintf("%v %v=%s events=%d clients=%d users=%d", p.Cause, p.Entity.Kind, p.Entity.Value, p.Events, p.Clients, p.Users))
	}
	return out
}

func TestFindings(t *testing.T) {
	for name, tc := range map[string]struct {
		log  func(l *log)
		want []string
	}{
		"nothing refused": {func(l *log) { l.ours() }, nil},
		"a botnet is one": {func(l *log) {
			l.ours()
			for i := range 200 {
				l.fail("joe@example.com", fmt.Sprintf("203.0.%d.%d", i/100, i), relaylens.ReasonCredentials, 0)
			}
		}, []string{"credential_guessing user=joe@example.com events=200 clients=200 users=1"}},
		"one guesser is one": {func(l *log) {
			l.ours()
			for i := range 30 {
				l.fail(fmt.Sprintf("u%d@example.com", i), "203.0.113.9", relaylens.ReasonCredentials, 0)
			}
		}, []string{"credential_guessing client_ip=203.0.113.9 events=30 clients=1 users=30"}},
		"scanners are one": {func(l *log) {
			l.ours()
			for i := range 60 {
				l.denied(fmt.Sprintf("203.0.113.%d", i%20), "", "x@example.org", fmt.Sprintf("a@d%d.example", i))
			}
		}, []string{"open_relay_probe host=mx1 events=60 clients=20 users=0"}},
		"a lost domain comes before the noise": {func(l *log) {
			l.ours()
			for i := range 60 {
				l.denied(fmt.Sprintf("203.0.113.%d", i%20), "", "x@example.org", fmt.Sprintf("a@d%d.example", i))
			}
			for i := range 6 {
				l.denied(fmt.Sprintf("198.51.100.%d", 100+i), fmt.Sprintf("mail.org%d.example", i), fmt.Sprintf("a@org%d.example", i), "info@Lost.Example")
			}
		}, []string{
			"recipient_domain_not_configured recipient_domain=lost.example events=6 clients=6 users=0",
			"open_relay_probe host=mx1 events=60 clients=20 users=0",
		}},
		"a wrong smarthost is one": {func(l *log) {
			for i := range 5 {
				l.add(relaylens.Event{Kind: relaylens.KindRelayDenied, Direction: relaylens.Outbound, RemoteHost: "smart.example.net", Recipient: fmt.Sprintf("a@d%d.example", i)})
			}
		}, []string{"remote_relay_denied remote_host=smart.example.net events=5 clients=0 users=0"}},
		"a stale MX is its domain's": {func(l *log) {
			l.add(relaylens.Event{Kind: relaylens.KindRelayDenied, Direction: relaylens.Outbound, RemoteHost: "mx.example.net", Recipient: "a@moved.example"})
		}, []string{"remote_relay_denied recipient_domain=moved.example events=1 clients=0 users=0"}},
		"a botnet that guesses a name each is one": {func(l *log) {
			l.ours()
			for i := range 10 {
				l.fail(fmt.Sprintf("name%d", i), fmt.Sprintf("203.0.113.%d", i), relaylens.ReasonCredentials, 0)
			}
		}, []string{"credential_guessing host=mx1 events=10 clients=10 users=1"}},
		"policy is no problem": {func(l *log) {
			l.add(relaylens.Event{Kind: relaylens.KindRejected, Reason: relaylens.ReasonGreylist, Direction: relaylens.Inbound})
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var l log
			tc.log(&l)
			if diff := cmp.Diff(tc.want, l.problems()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEvidence(t *testing.T) {
	var l log
	l.ours()
	for i := range 10 {
		l.denied("203.0.113.9", "", "x@example.org", fmt.Sprintf("a%d@d%d.example", i, i))
	}
	c := New()
	f := c.NewFindings()
	for i := range l.events {
		c.Classify(&l.events[i])
	}
	for i := range l.events {
		c.Final(&l.events[i])
		f.Add(&l.events[i])
	}
	p := f.List()[0]
	if len(p.Evidence) != 3 || p.Evidence[0].Recipient != "a0@d0.example" || p.Evidence[2].Recipient != "a9@d9.example" {
		t.Errorf("evidence %v: want the first and the last of it", p.Evidence)
	}
	if !p.First.Equal(l.events[2].Time) || !p.Last.Equal(l.events[11].Time) {
		t.Errorf("from %v to %v", p.First, p.Last)
	}
	if p.Confidence <= 0.5 || p.Confidence > 1 || p.Why == "" {
		t.Errorf("confidence %v: %q", p.Confidence, p.Why)
	}
}

// What the server says last tells how sure a finding is.
func TestConfidenceByTheLatest(t *testing.T) {
	f := New().NewFindings()
	for i, r := range []relaylens.Reason{relaylens.ReasonCalloutRefused, relaylens.ReasonCalloutRefused, relaylens.ReasonCalloutCached, relaylens.ReasonCalloutCached} {
		f.Add(&relaylens.Event{Time: time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC), Host: "mx1", Kind: relaylens.KindSenderVerify, Reason: r,
			Direction: relaylens.Inbound, Action: relaylens.ActionRefuse, Code: 550, Sender: "a@example.org", ClientIP: netip.MustParseAddr("192.0.2.1"),
			Cause: relaylens.CauseCalloutBlocked})
	}
	list := f.List()
	if len(list) != 1 || list[0].Confidence != 0.6 || len(list[0].Evidence) != 3 || list[0].Evidence[2].Time.Minute() != 3 {
		t.Errorf("findings %+v", list)
	}
}
