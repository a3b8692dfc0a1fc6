package main

import (
	"os"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/summary"
)

// TestExplainLines holds explain to testdata/explain/lines.txt, which has a line
// of every family that the servers write, and what it is.
func TestExplainLines(t *testing.T) {
	text, err := os.ReadFile("testdata/explain/lines.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for row := range strings.Lines(string(text)) {
		if row[0] == '#' {
			continue
		}
		n++
		want, line, _ := strings.Cut(strings.TrimSuffix(row, "\n"), "\t")
		t.Run(line, func(t *testing.T) {
			xs, err := (&explainer{}).explain(line)
			if err != nil || len(xs) == 0 {
				t.Fatal(len(xs), err)
			}
			x := xs[0]
			if !x.Known {
				t.Fatalf("it is not known: %q", x.Notes)
			}
			if got := familyOf(x); got != want {
				t.Fatalf("it is %s, want %s", got, want)
			}
			checkExplained(t, x)
		})
	}
	if n < 150 {
		t.Errorf("%d lines", n)
	}
}

// familyOf is what lines.txt calls what was explained.
func familyOf(x *summary.Explanation) string {
	if x.Event == nil {
		return x.What
	}
	family, _, _ := strings.Cut(x.Title, ": ")
	return family
}

// checkExplained: a refusal has its setting, its causes, and nothing of its text
// reaches the terminal as it is.
func checkExplained(t *testing.T, x *summary.Explanation) {
	t.Helper()
	e := x.Event
	if e != nil && e.Kind.Refusal() {
		if len(x.Causes) == 0 {
			t.Error("no cause")
		}
		if len(x.WrittenBy) == 0 && e.Direction == relaylens.Inbound && e.Text != "" {
			t.Errorf("no setting for %q", e.Text)
		}
		for _, c := range x.Causes {
			if c.Cause == e.Cause && e.Cause != x.Causes[0].Cause {
				t.Errorf("the cause is %s, and %s stands first", e.Cause, x.Causes[0].Cause)
			}
		}
	}
	if len(x.Notes)+len(x.Parts)+len(x.Causes) == 0 {
		t.Error("nothing is said of it")
	}
	for line := range strings.Lines(string(x.AppendText(nil, summary.TextOptions{Width: 80}))) {
		line = strings.TrimSuffix(line, "\n")
		if relaylens.Escaped(line, 0) != line {
			t.Errorf("%q would do something to a terminal", line)
		}
	}
}

func TestExplain(t *testing.T) {
	tests := []struct {
		input string
		what  string
		title string
		first relaylens.Cause
	}{
		{"554", "code", "Reply code 554", relaylens.CauseOpenRelayProbe},
		{"250", "code", "Reply code 250", 0},
		{"5.7.1", "enhanced", "Enhanced status code 5.7.1", relaylens.CauseOpenRelayProbe},
		{"535 5.7.8 Error: authentication failed:", "reply", "535 5.7.8 Error: authentication failed:", relaylens.CauseCredentialGuessing},
		{"554 5.7.1 <b@example.net>: Relay access denied", "reply", "554 5.7.1 Relay access denied", relaylens.CauseOpenRelayProbe},
		{"550-5.7.1 no\n550 5.7.1 relaying denied", "reply", "550 5.7.1 no relaying denied", relaylens.CauseOpenRelayProbe},
		{"5.1.8 Sender address rejected: Domain not found", "reply", "5.1.8 Sender address rejected: Domain not found", relaylens.CauseSenderDomainUnresolvable},
		{"Relay access denied", "reply", "Relay access denied", relaylens.CauseOpenRelayProbe},
		{"Relaying denied", "reply", "Relaying denied", relaylens.CauseOpenRelayProbe},
		{"restriction_order", "cause", "restriction_order", relaylens.CauseRestrictionOrder},
		{"Restriction-Order", "cause", "restriction_order", relaylens.CauseRestrictionOrder},
		{"relay_denied", "kind", "relay_denied", relaylens.CauseOpenRelayProbe},
		{"relay denied", "kind", "relay_denied", relaylens.CauseOpenRelayProbe},
		{"dnsbl", "reason", "dnsbl", relaylens.CauseClientBlocklisted},
		{"rcpt", "stage", "rcpt", 0},
		{"client_ip", "field", "client_ip", 0},
		{"what is the meaning of it all", "unknown", "what is the meaning of it all", 0},
		{"restriction_ordre", "unknown", "restriction_ordre", 0},
		{"599 what", "reply", "599 what", 0},
		{"5.9.99", "enhanced", "Enhanced status code 5.9.99", 0},
	}
	for _, tt := range tests {
		t.Run(tt.input, func(t *testing.T) {
			xs, err := (&explainer{}).explain(tt.input)
			if err != nil || len(xs) == 0 {
				t.Fatal(len(xs), err)
			}
			x := xs[0]
			var first relaylens.Cause
			if len(x.Causes) > 0 {
				first = x.Causes[0].Cause
			}
			if x.What != tt.what || x.Title != tt.title || first != tt.first {
				t.Errorf("%s %q %s, want %s %q %s", x.What, x.Title, first, tt.what, tt.title, tt.first)
			}
			checkExplained(t, x)
		})
	}
}

// TestExplainHostile: what a client writes becomes no option, no command and no
// part of another field.
func TestExplainHostile(t *testing.T) {
	const line = "Jan  2 03:04:05 mx1 postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 454 4.7.1 <$(reboot)@example.net>: Relay access denied; " +
		"from=<-Cx@example.com> to=<$(reboot)@example.net> proto=ESMTP helo=<x>"
	xs, err := (&explainer{}).explain(line)
	if err != nil {
		t.Fatal(err)
	}
	text := string(xs[0].AppendText(nil, summary.TextOptions{Width: 200}))
	for _, want := range []string{"'$(reboot)@example.net'", "--from {sender}", "whois 203.0.113.9"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text has no %s:\n%s", want, text)
		}
	}
	if strings.Contains(text, "--to $(reboot)") || strings.Contains(text, "--from -Cx") {
		t.Errorf("a value stands unquoted:\n%s", text)
	}
}

// FuzzExplain: any input gets an answer that a terminal can show.
func FuzzExplain(f *testing.F) {
	for _, s := range []string{"554", "5.7.1", "550-a\n550 b", "restriction_order", "x\x1b[2J", "Jan  2 03:04:05 mx1 postfix/smtpd[9]: x",
		"2025-01-02 03:04:05 H=(\x1b) [203.0.113.9] F=<a@x> rejected RCPT <`id`>: relay not permitted", "999", "5.999.999 x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.TrimSpace(s) == "" {
			return
		}
		xs, err := (&explainer{}).explain(s)
		if err != nil || len(xs) == 0 {
			t.Fatalf("%d explanations, %v", len(xs), err)
		}
		for _, x := range xs {
			for line := range strings.Lines(string(x.AppendText(nil, summary.TextOptions{Width: 80}))) {
				if line = strings.TrimSuffix(line, "\n"); relaylens.Escaped(line, 0) != line {
					t.Fatalf("%q would do something to a terminal", line)
				}
			}
			if _, err := x.AppendJSON(nil); err != nil {
				t.Fatal(err)
			}
		}
	})
}
