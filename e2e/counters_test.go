//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// counts are refusals of clients by what other counters can tell apart.
type counts map[string]int

// summarized asks relaylens summary for them.
func summarized(t *testing.T, mta, file string) counts {
	t.Helper()
	out, err := relaylens(t, "summary", "--mta", mta, "-o", "csv", "--top", "-1", "--by", "kind,class", "direction=inbound", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	c := counts{}
	for _, row := range rows[1:] {
		n, err := strconv.Atoi(row[2])
		if err != nil {
			t.Fatal(err)
		}
		kind := row[0]
		if mta == "exim" && row[1] == "4xx" {
			kind += " for now"
		}
		c[kind] += n
	}
	return c
}

var (
	pflogReason  = regexp.MustCompile(`^    (\S.*) \(total: (\d+)\)$`)
	pflogWarning = regexp.MustCompile(`^ +(\d+) .*SASL \S+ authentication failed`)
	eximReason   = regexp.MustCompile(`^ +(\d+)   (\S.*)$`)
)

// pflogsumm sorts the reasons of Debian's pflogsumm by what they mean.
func pflogsumm(t *testing.T, m *machine, file string) counts {
	t.Helper()
	c := counts{}
	section := ""
	for line := range strings.Lines(report(t, m, "/usr/sbin/pflogsumm", file)) {
		line = strings.TrimSuffix(line, "\n")
		if line != "" && line[0] != ' ' && line[0] != '-' {
			section = line
		}
		reason, warning := pflogReason.FindStringSubmatch(line), pflogWarning.FindStringSubmatch(line)
		switch {
		case section == "message reject detail" && reason != nil:
			n, err := strconv.Atoi(reason[2])
			if err != nil {
				t.Fatal(err)
			}
			c[postfixKind(reason[1])] += n
		case section == "Warnings" && warning != nil:
			n, err := strconv.Atoi(warning[1])
			if err != nil {
				t.Fatal(err)
			}
			c["auth_failed"] += n
		}
	}
	return c
}

// postfixKind is the kind of a reason that pflogsumm prints. It makes an address
// of the sender the reason where a MAIL command was refused.
func postfixKind(reason string) string {
	switch {
	case strings.HasPrefix(reason, "Relay access denied"):
		return "relay_denied"
	case strings.HasPrefix(reason, "Sender address rejected: Domain not found"), strings.HasPrefix(reason, "4.1.8 <"):
		return "sender_verify"
	}
	return "rejected"
}

// eximstats sorts the reasons of Debian's eximstats.
func eximstats(t *testing.T, m *machine, file string) counts {
	t.Helper()
	c := counts{}
	suffix, inside := "", false
	for line := range strings.Lines(report(t, m, "/usr/sbin/eximstats", "-t100000", "-h0", file)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "Top ") {
			inside = strings.Contains(line, "rejection reasons")
			suffix = ""
			if strings.Contains(line, "temporary") {
				suffix = " for now"
			}
		}
		if r := eximReason.FindStringSubmatch(line); inside && r != nil {
			n, err := strconv.Atoi(r[1])
			if err != nil {
				t.Fatal(err)
			}
			c[eximKind(r[2])+suffix] += n
		}
	}
	return c
}

func eximKind(reason string) string {
	switch lower := strings.ToLower(reason); {
	case strings.HasSuffix(lower, ": relay not permitted"):
		return "relay_denied"
	case strings.Contains(lower, "sender verify"):
		return "sender_verify"
	}
	return "rejected"
}

func report(t *testing.T, m *machine, program string, args ...string) string {
	t.Helper()
	log := args[len(args)-1]
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	m.write("/tmp/log", string(text))
	args[len(args)-1] = "/tmp/log"
	cmd := exec.Command("chroot", append([]string{m.root, "perl", program}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, stderr.Bytes())
	}
	return string(out)
}

// TestOtherCountersAgree holds the summary of the recorded logs against
// pflogsumm and eximstats.
func TestOtherCountersAgree(t *testing.T) {
	m := newMachine(t, "reports")
	for _, log := range corpus(t, "postfix") {
		if diff := cmp.Diff(pflogsumm(t, m, log), summarized(t, "postfix", log)); diff != "" {
			t.Errorf("%s (- pflogsumm, + relaylens): %s", log, diff)
		}
	}
	for _, log := range corpus(t, "exim") {
		if strings.Contains(log, "rejectlog") {
			continue // eximstats reads main logs
		}
		ours := summarized(t, "exim", log)
		delete(ours, "auth_failed") // eximstats counts none
		theirs := eximstats(t, m, log)
		// The client that wrote "a>: Relay access denied; from=<b"@example.net made
		// up a reason of its own for eximstats: docs/accuracy.md.
		theirs["rejected"]--
		theirs["relay_denied"]++
		if diff := cmp.Diff(theirs, ours); diff != "" {
			t.Errorf("%s (- eximstats, + relaylens): %s", log, diff)
		}
	}
}

func corpus(t *testing.T, mta string) []string {
	t.Helper()
	logs, err := filepath.Glob("../testdata/corpus/" + mta + "/*.log")
	if err != nil || len(logs) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	return logs
}

// logLine is a line of a log, what it is, and what another counter makes of it.
// %s is a client.
type logLine struct {
	line  string
	kind  string // "" is no refusal
	n     int
	other string
	m     int
}

// The differences are explained in docs/accuracy.md.
var postfixSamples = []logLine{
	{"postfix/smtpd[7]: NOQUEUE: reject: RCPT from h.example.org[%s]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<pc>", "relay_denied", 1, "relay_denied", 1},
	{"postfix/submission/smtpd[7]: NOQUEUE: reject: RCPT from h.example.org[%s]: 454 4.7.1 <b@example.net>: Relay access denied; from=<> to=<b@example.net> proto=ESMTP helo=<pc>", "relay_denied", 1, "relay_denied", 1},
	{"postfix/smtpd[7]: NOQUEUE: reject: RCPT from h.example.org[%s]: 550 5.1.1 <x@example.com>: Recipient address rejected: User unknown in local recipient table; from=<a@example.com> to=<x@example.com> proto=ESMTP helo=<pc>", "rejected", 1, "rejected", 1},
	{"postfix/smtpd[7]: NOQUEUE: reject: RCPT from h.example.org[%s]: 450 4.1.8 <a@nx.example>: Sender address rejected: Domain not found; from=<a@nx.example> to=<b@example.com> proto=ESMTP helo=<pc>", "sender_verify", 1, "sender_verify", 1},
	{"postfix/smtpd[7]: NOQUEUE: reject: MAIL from h.example.org[%s]: 450 4.1.8 <a@nx.example>: Sender address rejected: Domain not found; from=<a@nx.example> proto=ESMTP helo=<pc>", "sender_verify", 1, "sender_verify", 1},
	{"postfix/postscreen[8]: NOQUEUE: reject: RCPT from [%s]:4711: 550 5.7.1 Service unavailable; client [203.0.113.9] blocked using bl.example; from=<a@example.com>, to=<b@example.net>, proto=ESMTP, helo=<pc>", "rejected", 1, "rejected", 1},
	{"postfix/smtpd[7]: warning: h.example.org[%s]: SASL PLAIN authentication failed: authentication failure, sasl_username=joe@example.com", "auth_failed", 1, "auth_failed", 1},
	{"postfix/smtpd[7]: NOQUEUE: reject_warning: RCPT from h.example.org[%s]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<pc>", "", 0, "", 0},
	{"postfix/smtpd[7]: connect from h.example.org[%s]", "", 0, "", 0},
	{"postfix/smtpd[7]: message repeated 4 times: [ NOQUEUE: reject: RCPT from h.example.org[%s]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<pc>]", "relay_denied", 4, "", 0},
	{"postfix-mx/smtpd[7]: NOQUEUE: reject: RCPT from h.example.org[%s]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<pc>", "relay_denied", 1, "", 0},
	{`postfix/smtpd[7]: NOQUEUE: reject: RCPT from h.example.org[%s]: 554 5.7.1 <"x>: Sender address rejected: Domain not found; "@example.net>: Relay access denied; from=<a@example.com> to=<"x>: Sender address rejected: Domain not found; "@example.net> proto=ESMTP helo=<pc>`, "relay_denied", 1, "sender_verify", 1},
}

var eximSamples = []logLine{
	{"H=(pc) [%s] F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted", "relay_denied", 1, "relay_denied", 1},
	{"H=(pc) [%s] F=<a@nx.example> rejected RCPT <b@example.org>: Sender verify failed", "sender_verify", 1, "sender_verify", 1},
	{"H=(pc) [%s] F=<a@nx.example> temporarily rejected RCPT <b@example.org>: Could not complete sender verify", "sender_verify for now", 1, "sender_verify for now", 1},
	{"H=(pc) [%s] F=<a@example.com> rejected RCPT <x@example.org>: Unrouteable address", "rejected", 1, "rejected", 1},
	{"unqualified recipient rejected: <bob> H=(pc) [%s]", "rejected", 1, "rejected", 1},
	{"refused connection from [%s] (host_reject_connection)", "rejected", 1, "rejected", 1},
	{"SMTP connection from [%s] lost", "", 0, "", 0},
	{"plain authenticator failed for (pc) [%s]: 535 Incorrect authentication data (set_id=joe)", "auth_failed", 1, "", 0},
	{`SMTP syntax error in "RCPT TO:<b@[203.0.113.4]>" H=(pc) [%s] domain literals not allowed`, "rejected", 1, "", 0},
}

// TestOtherCountersOnMuch is the same on 100 MB of every sort of line.
func TestOtherCountersOnMuch(t *testing.T) {
	m := newMachine(t, "reports")
	for _, c := range []struct {
		mta, stamp string
		samples    []logLine
		other      func(*testing.T, *machine, string) counts
	}{
		{"postfix", "Nov 20 %02d:%02d:%02d mx1 ", postfixSamples, pflogsumm},
		{"exim", "2026-11-20 %02d:%02d:%02d ", eximSamples, eximstats},
	} {
		t.Run(c.mta, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "log")
			truth, theirs := generate(t, log, c.stamp, c.samples)
			if diff := cmp.Diff(truth, summarized(t, c.mta, log)); diff != "" {
				t.Errorf("- truth, + relaylens: %s", diff)
			}
			if diff := cmp.Diff(theirs, c.other(t, m, log)); diff != "" {
				t.Errorf("the other counter counts otherwise than docs/accuracy.md says: %s", diff)
			}
		})
	}
}

// generate writes 100 MB of samples in random order. The times pass evenly over
// a day, so that no two equal lines come at once.
func generate(t *testing.T, path, stamp string, samples []logLine) (truth, theirs counts) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	truth, theirs = counts{}, counts{}
	const lines = 600_000
	for i := range lines {
		s := samples[r.IntN(len(samples))]
		second := i * 86_000 / lines
		fmt.Fprintf(w, stamp, second/3600, second/60%60, second%60)
		client := fmt.Sprintf("198.18.%d.%d", r.IntN(10), r.IntN(200))
		fmt.Fprintf(w, s.line+"\n", client)
		if s.n > 0 {
			truth[s.kind] += s.n
		}
		if s.m > 0 {
			theirs[s.other] += s.m
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return truth, theirs
}
