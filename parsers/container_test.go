package parsers_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
)

// What container runtimes write around a line, cut where they cut it, is gone
// when the line has come through decoder and parser.
func TestContainerLogs(t *testing.T) {
	const postfix = `Nov 21 10:00:01 mx1 postfix/smtpd[77]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 454 4.7.1 <b@example.net>: Relay access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<client.example>`
	const exim = `2026-11-21 10:00:01 H=(client.example) [192.0.2.7] F=<a@example.org> rejected RCPT <b@example.net>: relay not permitted`
	cri := func(stream, tag, text string) string {
		return "2026-11-21T10:00:01.123456789Z " + stream + " " + tag + " " + text + "\n"
	}
	docker := func(text string) string {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"log":%s,"stream":"stdout","time":"2026-11-21T10:00:01.123456789Z"}`+"\n", quoted)
	}
	for _, mta := range []struct{ name, line string }{{"postfix", postfix}, {"exim", exim}} {
		half := len(mta.line) / 2
		for name, log := range map[string]string{
			"CRI":              cri("stdout", "F", mta.line),
			"CRI in pieces":    cri("stdout", "P", mta.line[:half]) + cri("stderr", "F", "something else") + cri("stdout", "F", mta.line[half:]),
			"Docker":           docker(mta.line + "\n"),
			"Docker in pieces": docker(mta.line[:half]) + docker(mta.line[half:]+"\n"),
		} {
			t.Run(name+", "+mta.name, func(t *testing.T) {
				p := newParser(t, parsers.Options{Location: time.UTC})
				var got []relaylens.Event
				emit := func(e *relaylens.Event) {
					if e.Refusal() {
						got = append(got, e.Clone())
					}
				}
				feed(t, p, "/var/log/pods/mail_mx1_0/mta/0.log", []byte(log), emit)
				p.Flush(emit)
				if len(got) != 1 {
					t.Fatalf("%d refusals", len(got))
				}
				e := got[0]
				is := []string{e.Kind.String(), e.ClientIP.String(), e.Helo, e.Sender, e.Recipient, e.Time.Format(time.RFC3339)}
				if diff := cmp.Diff([]string{"relay_denied", "192.0.2.7", "client.example", "a@example.org", "b@example.net", "2026-11-21T10:00:01Z"}, is); diff != "" {
					t.Errorf("-want +got\n%s", diff)
				}
				if got := e.Line; got != int64(strings.Count(log, "\n")) {
					t.Errorf("completed by line %d", got)
				}
			})
		}
	}
}

// Images of Exim have mainlog on stdout and rejectlog on stderr: a refusal stands
// in both, and is one.
func TestEximOnBothStreams(t *testing.T) {
	const refusal = `2026-11-21 10:00:01 H=(client.example) [192.0.2.7] F=<a@example.org> rejected RCPT <%s@example.net>: relay not permitted`
	for name, framed := range map[string]func(stream, text string) string{
		"CRI": func(stream, text string) string {
			return "2026-11-21T10:00:01.123456789Z " + stream + " F " + text + "\n"
		},
		"Docker": func(stream, text string) string {
			return fmt.Sprintf(`{"log":"%s\n","stream":"%s","time":"2026-11-21T10:00:01.123456789Z"}`+"\n", text, stream)
		},
		"journald": func(stream, text string) string {
			priority := map[string]string{"stdout": "6", "stderr": "3"}[stream]
			return fmt.Sprintf(`{"__REALTIME_TIMESTAMP":"1795255201000000","CONTAINER_ID":"4711","PRIORITY":"%s","MESSAGE":"%s"}`+"\n", priority, text)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log string
			for _, to := range []string{"b", "c", "c"} { // the last was tried twice
				text := fmt.Sprintf(refusal, to)
				log += framed("stdout", text) + framed("stderr", text)
			}
			p := newParser(t, parsers.Options{Location: time.UTC})
			n := 0
			emit := func(e *relaylens.Event) {
				if e.Refusal() {
					n++
				}
			}
			feed(t, p, "/var/log/pods/mail_mx1_0/mta/0.log", []byte(log), emit)
			p.Flush(emit)
			if n != 3 {
				t.Errorf("%d refusals, want 3", n)
			}
		})
	}
}

// The objects of an array on one line are events of their own, also where two of them say
// the same, and count as lines.
func TestArrayOnOneLine(t *testing.T) {
	const object = `{"timestamp":1795255201000,"message":"Nov 21 10:00:01 mx1 postfix/smtpd[77]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 454 4.7.1 <b@example.net>: Relay access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<x>"}`
	const log = `{"events":[` + object + "," + object + `,{"message":"Nov 21 10:00:02 mx1 cron[7]: x"}]}` + "\n" + object + "\n"
	p := newParser(t, parsers.Options{Location: time.UTC})
	ids := make(map[relaylens.ID]bool)
	var lines []int64
	emit := func(e *relaylens.Event) {
		if e.Refusal() {
			ids[e.ID] = true
			lines = append(lines, e.Line)
		}
	}
	feed(t, p, "export.json", []byte(log), emit)
	p.Flush(emit)
	if diff := cmp.Diff([]int64{1, 1, 2}, lines); diff != "" || len(ids) != 3 {
		t.Errorf("%d ids, lines -want +got\n%s", len(ids), diff)
	}
	if c := p.Counts("export.json"); c[parsers.ResultRefusal] != 3 || c.Lines() != 4 {
		t.Errorf("counted %v", c)
	}
}
