package alertmanager

import (
	"html/template"
	"net/netip"
	"slices"
	"strings"
	"testing"
	texttemplate "text/template"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

var began = time.Date(2026, 3, 2, 9, 14, 0, 0, time.UTC)

func lostDomain(domain string) relaylens.Alert {
	e := relaylens.Event{Time: began, Host: "mx1", MTA: relaylens.Postfix, Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound,
		ClientIP: netip.MustParseAddr("192.0.2.7"), Sender: "news@example.org", Recipient: "info@" + domain, Code: 554, Enhanced: "5.7.1", Text: "Relay access denied"}
	return relaylens.Alert{Name: "RelaylensServerFault", Severity: relaylens.SeverityCritical, Kind: e.Kind, Cause: relaylens.CauseRecipientDomainNotConfigured,
		Fault: relaylens.FaultServer, Host: "mx1", Entity: relaylens.Entity{Kind: relaylens.EntityRecipientDomain, Value: domain}, StartsAt: began,
		Value: 812, Expected: 3.25, Window: time.Hour,
		Finding: &relaylens.Finding{Cause: relaylens.CauseRecipientDomainNotConfigured, Fault: relaylens.FaultServer, MTA: relaylens.Postfix, Host: "mx1",
			Events: 812, Clients: 240, First: began, Last: began.Add(time.Hour), Confidence: 0.99, Why: "240 unrelated servers brought mail for it",
			Evidence: []relaylens.Event{e}}}
}

func TestDescribe(t *testing.T) {
	a := lostDomain("lost.example.com")
	d := &Describer{Labels: map[string]string{"team": "mail"}, Dashboard: "https://g.example/d/relaylens?orgId=1", Runbook: "https://w.example/causes"}
	labels, annotations := d.Describe(&a)
	if diff := cmp.Diff(map[string]string{"alertname": "RelaylensServerFault", "severity": "critical", "kind": "relay_denied",
		"cause": "recipient_domain_not_configured", "fault": "server", "host": "mx1", "entity": "recipient_domain=lost.example.com", "team": "mail"}, labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"summary":       "recipient domain lost.example.com, at mx1 (812 refusals from 240 clients)",
		"description":   "Within 1 h there were 812 refusals; the time of day and week lets expect 3.2.\n812 refusals since 2026-03-02 09:14:00 +00:00. 99 % sure: 240 unrelated servers",
		"evidence":      "2026-03-02 09:14:00 mx1 relay_denied client=192.0.2.7 from=news@example.org to=info@lost.example.com 554 5.7.1 Relay access denied",
		"fixes":         "relay_domains",
		"ask":           `relaylens diagnose --since "2026-03-02 09:14:00"`,
		"runbook_url":   "https://w.example/causes#recipient_domain_not_configured",
		"dashboard_url": "https://g.example/d/relaylens?from=1772439240000&orgId=1&to=now&var-host=mx1",
	} {
		if !strings.Contains(annotations[name], want) {
			t.Errorf("%s is\n%s\nwithout\n%s", name, annotations[name], want)
		}
	}
}

// Every cause, and none, is put into words, with and without a finding.
func TestEveryCause(t *testing.T) {
	for _, c := range append(relaylens.Causes(), relaylens.CauseNone) {
		for _, k := range relaylens.RefusalKinds() {
			a := lostDomain("x.example")
			a.Cause, a.Kind = c, k
			for _, f := range []*relaylens.Finding{nil, a.Finding, {Events: 3}} {
				a.Finding = f
				_, annotations := (&Describer{}).Describe(&a)
				if annotations["summary"] == "" || strings.Contains(annotations["description"], " 0 % sure") {
					t.Errorf("%s: %q", c, annotations)
				}
				for name, text := range annotations {
					if len(text) > 2500 {
						t.Errorf("%s: %s has %d bytes", c, name, len(text))
					}
				}
			}
		}
	}
}

// The labels say which alert it is: they must not follow what is found later.
func TestLabelsStay(t *testing.T) {
	a := lostDomain("lost.example")
	before := (&Describer{}).labels(&a)
	a.Finding.Events, a.Value, a.EndsAt, a.Finding.Evidence = 10_000, 1e6, began.Add(time.Hour), nil
	if diff := cmp.Diff(before, (&Describer{}).labels(&a)); diff != "" {
		t.Error(diff)
	}
}

func TestLongNamesStayApart(t *testing.T) {
	long := strings.Repeat("a", 300)
	a, b := labelValue(long+"1"), labelValue(long+"2")
	if a == b || len(a) > maxLabel+20 {
		t.Errorf("%s\n%s", a, b)
	}
}

// FuzzHostile has a client choose every text it can: what comes out does nothing
// to a terminal, a template, HTML or a chat.
func FuzzHostile(f *testing.F) {
	for _, s := range []string{"{{ .Foo }}", "{{{{x}}}}", "<!channel>", "<script>alert(1)</script>", "\x1b[31m", "a`b`", "[x](http://evil)", "@everyone", "\u202egnp", "\xff\xfe", "'; reboot #", strings.Repeat("{", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a := lostDomain(s)
		a.Host = s
		for i := range a.Finding.Evidence {
			e := &a.Finding.Evidence[i]
			e.Sender, e.User, e.Text, e.Helo, e.RemoteHost, e.Host = s, s, s, s, s, s
		}
		labels, annotations := (&Describer{Dashboard: "https://g.example/d/x"}).Describe(&a)
		own := []string{"runbook_url", "ask", "fixes", "dashboard_url"}
		for name, text := range labels {
			check(t, name, text)
		}
		for name, text := range annotations {
			if !slices.Contains(own, name) {
				check(t, name, text)
			}
			if strings.Contains(text, "{{") || strings.Contains(text, "}}") || !utf8.ValidString(text) {
				t.Errorf("%s: %q", name, text)
			}
			if _, err := texttemplate.New("").Parse(text); err != nil {
				t.Errorf("%s is a template: %v", name, err)
			}
			if len(s) > 3 && strings.ContainsAny(s, "<&") && name == "fixes" && strings.Contains(text, s) {
				t.Errorf("fixes have %q: %q", s, text)
			}
		}
	})
}

func check(t *testing.T, name, text string) {
	t.Helper()
	if template.HTMLEscapeString(strings.NewReplacer("'", "", `"`, "", "+", "").Replace(text)) != strings.NewReplacer("'", "", `"`, "", "+", "").Replace(text) {
		t.Errorf("%s has HTML: %q", name, text)
	}
	for _, bad := range []string{"{{", "}}", "`", "](", "@everyone", "@here", "@channel", "\x1b", "\u202e"} {
		if strings.Contains(text, bad) {
			t.Errorf("%s has %q: %q", name, bad, text)
		}
	}
}

// What the store has not is to be asked of the log.
func TestErrorsWithoutRefusals(t *testing.T) {
	for log, want := range map[string]string{"/var/log/mail.log": ` /var/log/mail.log`, "/var/log/a b": "", "journal": ""} {
		t.Run(log, func(t *testing.T) {
			a := lostDomain("")
			a.Cause, a.Value, a.Entity = relaylens.CausePolicy, 0, relaylens.Entity{Kind: relaylens.EntityHelper, Value: "service"}
			e := relaylens.Event{Time: began, Host: "mx1", MTA: relaylens.Postfix, Kind: relaylens.KindBackendError, RemoteHost: relaylens.Service + "smtpd", Text: "x", Source: log}
			a.Finding = &relaylens.Finding{Cause: a.Cause, Fault: a.Fault, MTA: relaylens.Postfix, Errors: 4, First: began, Last: began, Confidence: 0.9, Evidence: []relaylens.Event{e}}
			_, annotations := (&Describer{}).Describe(&a)
			if got := annotations["ask"]; got != `relaylens diagnose --since "2026-03-02 09:14:00"`+want {
				t.Errorf("ask is %s", got)
			}
			if got := annotations["summary"]; got != "A program of this mail server does not run: helper service, at mx1 (4 errors of its own)" {
				t.Errorf("summary is %s", got)
			}
		})
	}
}
