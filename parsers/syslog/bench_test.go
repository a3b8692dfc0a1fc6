package syslog

import (
	"fmt"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// benchLines are 64 lines over four seconds, as busy logs have them.
func benchLines(format func(i int, second string) string) []relaylens.Line {
	lines := make([]relaylens.Line, 64)
	for i := range lines {
		lines[i] = relaylens.Line{Text: format(i, fmt.Sprintf("03:04:%02d", i/16)), Number: int64(i + 1)}
	}
	return lines
}

const benchText = "NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 454 4.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<pc.example.com>"

func BenchmarkDecode(b *testing.B) {
	for _, bench := range []struct {
		name   string
		format func(i int, second string) string
	}{
		{"rfc3164", func(_ int, s string) string {
			return "Jan  2 " + s + " mx1 postfix/submission/smtpd[1234]: " + benchText
		}},
		{"rfc3164-hosts", func(i int, s string) string {
			return fmt.Sprintf("Jan  2 %s mx%d.example.com postfix/smtpd[1234]: %s", s, i%8, benchText)
		}},
		{"rfc3164-sendmail", func(_ int, s string) string {
			return "Jan  2 " + s + " mx1 sm-mta[4321]: 502345AB004321: ruleset=check_rcpt, arg1=<b@example.net>, relay=[203.0.113.9], reject=550 5.7.1 <b@example.net>... Relaying denied"
		}},
		{"rfc3164-exim", func(_ int, s string) string {
			return "Jan  2 " + s + " mx1 exim[4321]: 2025-01-02 " + s + " H=(pc.example.com) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted"
		}},
		{"rfc3339", func(i int, s string) string {
			return fmt.Sprintf("2025-01-02T%s.%06d+01:00 mx1 postfix/submission/smtpd[1234]: %s", s, i*977, benchText)
		}},
		{"rfc5424", func(i int, s string) string {
			return fmt.Sprintf("<22>1 2025-01-02T%s.%06d+01:00 mx1 postfix/smtpd 1234 - - %s", s, i*977, benchText)
		}},
		{"exim", func(_ int, s string) string {
			return "2025-01-02 " + s + " H=(pc.example.com) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted"
		}},
		{"exim-millis-zone-pid", func(i int, s string) string {
			return fmt.Sprintf("2025-01-02 %s.%03d +0100 [%d] H=(pc.example.com) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted", s, i, i+4000)
		}},
		{"docker", func(_ int, s string) string {
			return `{"log":"Jan 02 ` + s + ` mx1 postfix/smtpd[1234]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 454 4.7.1 \u003cb@example.net\u003e: Relay access denied; from=\u003ca@example.com\u003e to=\u003cb@example.net\u003e proto=ESMTP helo=\u003cpc\u003e\n","stream":"stdout","time":"2025-01-02T` + s + `.123456789Z"}`
		}},
		{"cri", func(_ int, s string) string {
			return "2025-01-02T" + s + ".123456789Z stdout F Jan 02 " + s + " mx1 postfix/smtpd[1234]: " + benchText
		}},
		{"journal-json", func(i int, _ string) string {
			return fmt.Sprintf(`{"__CURSOR":"s=1;i=%d","__REALTIME_TIMESTAMP":"17357870451234%02d","_BOOT_ID":"ab","PRIORITY":"6","_HOSTNAME":"mx1","SYSLOG_IDENTIFIER":"postfix/smtpd","SYSLOG_PID":"1234","_PID":"1234","MESSAGE":"%s"}`, i, i, benchText)
		}},
		{"malformed", func(int, string) string { return benchText }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			lines := benchLines(bench.format)
			d := NewDecoder(Options{Location: berlin})
			ref := time.Date(2025, 1, 2, 4, 0, 0, 0, time.UTC)
			var env, popped relaylens.Envelope
			var line relaylens.Line
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				d.Decode(&lines[i&63], ref, &env)
				for d.Pop(&popped, &line) {
				}
				i++
			}
		})
	}
}

func TestAllocations(t *testing.T) {
	for _, format := range []string{
		"Jan  2 03:04:0%d mx1 postfix/smtpd[1234]: x",
		"2025-01-02T03:04:0%d.123456+01:00 mx1 postfix/smtpd[1234]: x",
		"2025-01-02 03:04:0%d +0100 [7] H=x",
		"<22>1 2025-01-02T03:04:0%dZ mx1 exim 7 - - x",
		"2025-01-02T03:04:0%dZ stdout F exim[7]: x",
		"no framing %d",
	} {
		t.Run(format, func(t *testing.T) {
			var lines [2]relaylens.Line
			for i := range lines {
				lines[i].Text = fmt.Sprintf(format, i)
			}
			d := NewDecoder(Options{Location: berlin})
			var env relaylens.Envelope
			n := testing.AllocsPerRun(100, func() {
				for i := range lines {
					d.Decode(&lines[i], reference, &env)
				}
			})
			if n > 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}
