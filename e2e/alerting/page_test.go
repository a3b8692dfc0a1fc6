//go:build e2e

package alerting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens/internal/stack"
	"github.com/relaylens/relaylens/internal/testutil"
)

// server writes the log of a Postfix, in the time that it is told.
type server struct {
	t    *testing.T
	log  string
	now  time.Time
	b    bytes.Buffer
	next int
}

func (s *server) line(program, format string, args ...any) {
	s.next++
	fmt.Fprintf(&s.b, "%s mx1 postfix/%s[%d]: ", s.now.Format("2006-01-02T15:04:05.000000-07:00"), program, 1000+s.next%30000)
	fmt.Fprintf(&s.b, format+"\n", args...)
}

// calm writes mail that goes through, a message every ten seconds, for d.
func (s *server) calm(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(10 * time.Second) {
		id := fmt.Sprintf("%010X", 0xA000000000+s.next)
		s.line("smtpd", "%s: client=mail.partner.example[203.0.113.250]", id)
		s.line("qmgr", "%s: from=<office@partner.example>, size=1200, nrcpt=1 (queue active)", id)
		s.line("local", "%s: to=<info@example.com>, relay=local, delay=0.02, delays=0.01/0/0/0.01, dsn=2.0.0, status=sent (delivered to mailbox)", id)
	}
	appendTo(s.t, s.log, &s.b)
}

// lost writes what forty honest servers are refused, two a second, for d: the
// domain is missing.
func (s *server) lost(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(500 * time.Millisecond) {
		n := s.next % 40
		s.line("smtpd", "NOQUEUE: reject: RCPT from mail.partner%[1]d.example[203.0.113.%[2]d]: 554 5.7.1 <u%[3]d@lost.example.com>: Relay access denied; "+
			"from=<office@partner%[1]d.example> to=<u%[3]d@lost.example.com> proto=ESMTP helo=<mail.partner%[1]d.example>", n, n+1, s.next%9)
	}
	appendTo(s.t, s.log, &s.b)
}

// page waits for the next page.
func page(t *testing.T, p *stack.Pager) stack.Page {
	t.Helper()
	select {
	case page := <-p.Pages:
		return page
	case <-time.After(testutil.Patience):
		t.Fatal("nobody was paged")
		return stack.Page{}
	}
}

// quiet makes sure that no page has come.
func quiet(t *testing.T, p *stack.Pager) {
	t.Helper()
	select {
	case page := <-p.Pages:
		t.Errorf("a further page: %+v", page)
	default:
	}
}

// known waits until Alertmanager has an alert that is active.
func known(t *testing.T, s *stack.Stack) {
	t.Helper()
	testutil.WaitFor(t, "the alert to be known to Alertmanager", func() error {
		body, err := s.Alertmanager.Get(t.Context(), "/api/v2/alerts?active=true")
		if err != nil {
			return err
		}
		var alerts []struct {
			Labels map[string]string `json:"labels"`
		}
		if err := json.Unmarshal(body, &alerts); err != nil {
			return err
		}
		for _, a := range alerts {
			if a.Labels["cause"] == "recipient_domain_not_configured" {
				return nil
			}
		}
		return errNotYet
	})
}

// TestPage writes a domain's loss to a log: one page comes within a minute of log
// time, with cause and fix in it. The daemon, Alertmanager and both start again
// in the middle: it stays the one page. It resolves.
func TestPage(t *testing.T) {
	s := newStack(t, stack.Options{Scrape: 5 * time.Second})
	log := &server{t: t, log: s.Log, now: time.Now().Add(-28 * time.Minute).Truncate(time.Second)}
	must(t, s.Alertmanager.Start(t.Context()))
	must(t, s.Relaylens.Start(t.Context()))

	log.calm(3 * time.Minute)
	began := log.now
	log.lost(time.Minute)
	first := page(t, s.Pager)
	judge(t, &first)
	timely(t, s, &first, began)

	log.lost(30 * time.Second)
	must(t, s.Relaylens.Stop())
	log.lost(30 * time.Second)
	must(t, s.Relaylens.Start(t.Context()))
	known(t, s) // an active alert is sent each minute

	must(t, s.Alertmanager.Stop())
	log.lost(30 * time.Second)
	must(t, s.Alertmanager.Start(t.Context()))
	known(t, s)

	must(t, s.Relaylens.Stop())
	must(t, s.Alertmanager.Stop())
	must(t, s.Alertmanager.Start(t.Context()))
	must(t, s.Relaylens.Start(t.Context()))
	known(t, s)
	log.lost(30 * time.Second)
	ended := log.now
	quiet(t, s.Pager)

	log.calm(16 * time.Minute)
	resolved(t, s, &first, ended)
}

// timely holds the begin of a page against the log, and, as the clock is no measure
// of log time, when a backtest of the same log has somebody told.
func timely(t *testing.T, s *stack.Stack, p *stack.Page, began time.Time) {
	t.Helper()
	if late := p.Alerts[0].StartsAt.Sub(began); late.Abs() > 15*time.Second { // volume is counted by that
		t.Errorf("it starts %v after the first refusal", late)
	}
	path, err := testutil.Program()
	must(t, err)
	out, err := exec.Command(path, "backtest", "-o", "json", s.Log).Output()
	must(t, err)
	var told struct {
		PagedAt time.Time `json:"pagedAt"`
	}
	must(t, json.Unmarshal(out, &told)) // one line: one page
	if late := told.PagedAt.Sub(began); late <= 0 || late > time.Minute {
		t.Errorf("it pages %v after the first refusal", late)
	}
}

// resolved waits for the page that says that first is over, and for nothing else:
// it is the same alert, it ended when the log has it, and Alertmanager knows of no
// other.
func resolved(t *testing.T, s *stack.Stack, first *stack.Page, ended time.Time) {
	t.Helper()
	last := page(t, s.Pager)
	if last.Status != "resolved" || len(last.Alerts) != 1 || !maps.Equal(last.Alerts[0].Labels, first.Alerts[0].Labels) {
		t.Fatalf("it did not resolve: %+v", last)
	}
	if off := last.Alerts[0].EndsAt.Sub(ended); off.Abs() > 6*time.Minute {
		t.Errorf("it ends %v after the last refusal", off)
	}
	body, err := s.Alertmanager.Get(t.Context(), "/api/v2/alerts?active=true")
	must(t, err)
	if string(bytes.TrimSpace(body)) != "[]" {
		t.Errorf("Alertmanager still has %s", body)
	}
	must(t, s.Relaylens.Stop())
	quiet(t, s.Pager)
}

// probes writes what one stranger is refused who looks for a relay, twenty times a
// second, for d.
func (s *server) probes(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(50 * time.Millisecond) {
		s.line("smtpd", "NOQUEUE: reject: RCPT from unknown[198.51.100.77]: 554 5.7.1 <u%[1]d@other%[2]d.example>: Relay access denied; "+
			"from=<s%[1]d@spam%[3]d.example> to=<u%[1]d@other%[2]d.example> proto=ESMTP helo=<x%[3]d>", s.next, s.next%50, s.next%30)
	}
	appendTo(s.t, s.log, &s.b)
}

// TestSpike writes a day with a stranger now and then to a log, and then a flood: by
// its volume alone it pages within a minute of log time, once, with cause and fix in
// it, over a restart of both in the middle, and resolves.
func TestSpike(t *testing.T) {
	s := newStack(t, stack.Options{Scrape: 5 * time.Second})
	log := &server{t: t, log: s.Log, now: time.Now().Add(-27 * time.Hour).Truncate(time.Second)}
	must(t, s.Alertmanager.Start(t.Context()))
	for n := range 26*60 + 30 {
		log.line("smtpd", "NOQUEUE: reject: RCPT from unknown[192.0.2.%d]: 554 5.7.1 <a@b.example>: Relay access denied; from=<c@d%d.example> to=<a@b.example> proto=ESMTP helo=<y>", n%200, n%70)
		log.now = log.now.Add(time.Minute)
	}
	appendTo(t, log.log, &log.b)
	must(t, s.Relaylens.Start(t.Context()))
	log.calm(2 * time.Minute)
	quiet(t, s.Pager)

	began := log.now
	log.probes(time.Minute)
	first := page(t, s.Pager)
	if first.Status != "firing" || len(first.Alerts) != 1 {
		t.Fatalf("page: %+v", first)
	}
	timely(t, s, &first, began)
	a := &first.Alerts[0]
	for name, want := range map[string]string{"alertname": "RelaylensAttack", "kind": "relay_denied", "cause": "open_relay_probe",
		"fault": "attacker", "host": "mx1", "entity": "client_ip=198.51.100.77"} {
		if a.Labels[name] != want {
			t.Errorf("%s is %q, want %q", name, a.Labels[name], want)
		}
	}
	for _, name := range []string{"summary", "description", "evidence", "fixes", "runbook_url"} {
		if a.Annotations[name] == "" {
			t.Errorf("%s is empty", name)
		}
	}
	must(t, s.Relaylens.Stop())
	must(t, s.Alertmanager.Stop())
	log.probes(20 * time.Second)
	must(t, s.Alertmanager.Start(t.Context()))
	must(t, s.Relaylens.Start(t.Context()))
	log.probes(20 * time.Second)
	ended := log.now
	log.calm(22 * time.Minute)
	resolved(t, s, &first, ended)
}

// judge holds a page to what the person who reads it needs.
func judge(t *testing.T, p *stack.Page) {
	t.Helper()
	if p.Status != "firing" || len(p.Alerts) != 1 {
		t.Fatalf("page: %+v", p)
	}
	a := p.Alerts[0]
	for name, want := range map[string]string{"alertname": "RelaylensServerFault", "severity": "critical", "kind": "relay_denied",
		"cause": "recipient_domain_not_configured", "fault": "server", "host": "mx1", "entity": "recipient_domain=lost.example.com"} {
		if a.Labels[name] != want {
			t.Errorf("%s is %q, want %q", name, a.Labels[name], want)
		}
	}
	for name, want := range map[string]string{"summary": "lost.example.com", "evidence": "Relay access denied", "fixes": "relay_domains",
		"runbook_url": "#recipient_domain_not_configured", "dashboard_url": "var-host=mx1"} {
		if !strings.Contains(a.Annotations[name], want) {
			t.Errorf("%s lacks %q: %s", name, want, a.Annotations[name])
		}
	}
}

// TestKilled kills the daemon in the middle, without a word: it goes on with the
// same alert.
func TestKilled(t *testing.T) {
	s := newStack(t, stack.Options{Scrape: 5 * time.Second})
	log := &server{t: t, log: s.Log, now: time.Now().Add(-25 * time.Minute).Truncate(time.Second)}
	must(t, s.Alertmanager.Start(t.Context()))
	must(t, s.Relaylens.Start(t.Context()))
	log.calm(3 * time.Minute)
	log.lost(time.Minute)
	page(t, s.Pager)
	must(t, s.Relaylens.Kill())
	log.calm(time.Minute)
	must(t, s.Relaylens.Start(t.Context()))
	log.calm(16 * time.Minute)
	if last := page(t, s.Pager); last.Status != "resolved" {
		t.Errorf("paged again: %+v", last)
	}
}
