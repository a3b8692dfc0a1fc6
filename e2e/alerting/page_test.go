//go:build e2e

package alerting

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	log.lost(time.Minute)
	first := page(t, s.Pager)
	judge(t, &first)

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
	quiet(t, s.Pager)

	log.calm(16 * time.Minute)
	last := page(t, s.Pager)
	if last.Status != "resolved" || len(last.Alerts) != 1 || last.Alerts[0].Labels["cause"] != "recipient_domain_not_configured" {
		t.Errorf("it did not resolve: %+v", last)
	}
	must(t, s.Relaylens.Stop())
	quiet(t, s.Pager)
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
