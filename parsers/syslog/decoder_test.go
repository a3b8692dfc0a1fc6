package syslog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

var (
	berlin    = mustLoad("Europe/Berlin")
	reference = time.Date(2025, 1, 2, 3, 5, 0, 0, time.UTC)
)

func mustLoad(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return loc
}

// show writes an envelope in one line: what a test expects is easy to read.
func show(st Status, e *relaylens.Envelope) string {
	switch st {
	case Pending:
		return "pending"
	case Blank:
		return "blank"
	case Malformed:
		return "malformed"
	}
	layout := time.RFC3339
	if e.TimeDigits > 0 {
		layout = "2006-01-02T15:04:05." + strings.Repeat("0", int(e.TimeDigits)) + "Z07:00"
	}
	s := fmt.Sprintf("%s %s|%s|%d|%s", e.Time.Format(layout), e.Host, e.Program, e.PID, e.Text)
	if e.Native {
		s = "native " + s
	}
	if e.Continuation {
		s = "continuation " + s
	}
	if e.Repeat > 0 {
		s = fmt.Sprintf("%d times %s", e.Repeat, s)
	}
	return s
}

// run decodes lines as the pipeline does: waiting records first.
func run(d *Decoder, ref time.Time, lines ...string) (got []string) {
	var env, popped relaylens.Envelope
	var line relaylens.Line
	pop := func() {
		for d.Pop(&popped, &line) {
			got = append(got, fmt.Sprintf("popped at %d: %s", line.Number, show(Ready, &popped)))
		}
	}
	for i, s := range lines {
		st := d.Decode(&relaylens.Line{Text: s, Number: int64(i + 1)}, ref, &env)
		pop()
		got = append(got, show(st, &env))
	}
	d.Flush()
	pop()
	return got
}

func TestDecode(t *testing.T) {
	const e1 = "2025-01-02T03:04:05Z mx1|postfix/smtpd|1234|connect from x[192.0.2.1]"
	const e1Micro = "2025-01-02T03:04:05.123456Z mx1|postfix/smtpd|1234|connect from x[192.0.2.1]"
	const tail = " mx1 postfix/smtpd[1234]: connect from x[192.0.2.1]"
	tests := []struct{ line, want string }{
		// RFC 3164
		{"Jan  2 03:04:05" + tail, e1},
		{"Jan 02 03:04:05" + tail, e1},
		{"Jan 2 03:04:05" + tail, e1},
		{"Jan 02 03:04:05.123456" + tail, e1Micro},
		{"<22>Jan  2 03:04:05" + tail, e1},
		{"Jan  2 03:04:05" + tail + "\r", e1},
		{"Jan  2 03:04:05" + tail + "\x00", e1},
		{"\x00\x00\x00Jan  2 03:04:05" + tail, e1},
		{bom + "Jan  2 03:04:05" + tail, e1},
		{"87 <22>Jan  2 03:04:05" + tail, e1},
		{"Jan  2 03:04:05 mx1.example.com postfix/smtpd[1234]: x", "2025-01-02T03:04:05Z mx1.example.com|postfix/smtpd|1234|x"},
		{"Jan  2 03:04:05 2001:db8::25 postfix/smtpd[1234]: x", "2025-01-02T03:04:05Z 2001:db8::25|postfix/smtpd|1234|x"},
		{"Jan  2 03:04:05 2001:db8:: postfix/smtpd[1234]: x", "2025-01-02T03:04:05Z 2001:db8::|postfix/smtpd|1234|x"},
		{"Jan  2 03:04:05 relay/mx1 postfix/smtpd[1234]: x", "2025-01-02T03:04:05Z relay/mx1|postfix/smtpd|1234|x"},
		{"<22>Jan  2 03:04:05 postfix/smtpd[1234]: x: y", "2025-01-02T03:04:05Z |postfix/smtpd|1234|x: y"},
		{"<22>Jan  2 03:04:05 exim: x y", "2025-01-02T03:04:05Z |exim|0|x y"},
		{"Jan  2 03:04:05 sm-mta[12]:502345AB000012: x", "2025-01-02T03:04:05Z |sm-mta|12|502345AB000012: x"},
		{"Jan  2 03:04:05 mx1 exim: x", "2025-01-02T03:04:05Z mx1|exim|0|x"},
		{"Jan  2 03:04:05 mx1 exim:  x", "2025-01-02T03:04:05Z mx1|exim|0|x"},
		{"Jan  2 03:04:05 mx1 exim[7]:x", "2025-01-02T03:04:05Z mx1|exim|7|x"},
		{"Jan  2 03:04:05 mx1 exim[7]:", "2025-01-02T03:04:05Z mx1|exim|7|"},
		{"Jan  2 03:04:05 mx1 postfix/submission/smtpd[123456] NOQUEUE: x", "2025-01-02T03:04:05Z mx1|postfix/submission/smtpd|123456|NOQUEUE: x"},
		{"Jan  2 03:04:05 mx1 postfix-out-b/submission/smtpd[1 NOQUEUE: x", "2025-01-02T03:04:05Z mx1|postfix-out-b/submission/smtpd|0|NOQUEUE: x"},
		{"Jan  2 03:04:05 mx1 postfix-out-mx-b/submission/smtpd NOQUEUE: x", "2025-01-02T03:04:05Z mx1||0|postfix-out-mx-b/submission/smtpd NOQUEUE: x"},
		{"Jan  2 03:04:05 mx1 postfix-out-mx/submission/smtpd[ NOQUEUE: x", "2025-01-02T03:04:05Z mx1|postfix-out-mx/submission/smtpd|0|NOQUEUE: x"},
		{"Jan  2 03:04:05 mx1 postfix-outgoing/submission/smtp NOQUEUE: x", "2025-01-02T03:04:05Z mx1|postfix-outgoing/submission/smtp|0|NOQUEUE: x"},
		// Some loggers tell facility and severity: busybox, FreeBSD's with -v, socklog.
		{"Jan  2 03:04:05 mx1 mail.info postfix/smtpd[1234]: connect from x[192.0.2.1]", e1},
		{"2025-01-02T03:04:05Z mx1 mail.warn postfix/smtpd[1234]: connect from x[192.0.2.1]", e1},
		{"Jan  2 03:04:05 <mail.info>" + tail, e1},
		{"Jan  2 03:04:05 <2.6>" + tail, e1},
		{"Jan  2 03:04:05 mx1 mail.info exim: x", "2025-01-02T03:04:05Z mx1|exim|0|x"},
		{"Jan  2 03:04:05 mx1 local7.notice last message", "2025-01-02T03:04:05Z mx1||0|local7.notice last message"},
		{"Jan  2 03:04:05 mx1 example.info postfix/smtpd[1234]: x", "2025-01-02T03:04:05Z mx1||0|example.info postfix/smtpd[1234]: x"},
		{"Jan  2 03:04:05 mail.info postfix/smtpd[1234]: x", "2025-01-02T03:04:05Z mail.info|postfix/smtpd|1234|x"},
		{"mail.info: Jan  2 03:04:05 postfix/smtpd[1234]: x", "2025-01-02T03:04:05Z |postfix/smtpd|1234|x"},
		{"2025-01-02_03:04:07.18734 mail.info: Jan  2 03:04:05 postfix/smtpd[1234]: x", "2025-01-02T03:04:05Z |postfix/smtpd|1234|x"},
		{"2025-01-02T03:04:07.18734 mail.info: Jan  2 03:04:05 postfix/smtpd[1234]: x", "2025-01-02T03:04:05Z |postfix/smtpd|1234|x"},
		{"@40000000677602350b29a0c4 mail.info: Jan  2 03:04:05 postfix/smtpd[1234]: x", "2025-01-02T03:04:05Z |postfix/smtpd|1234|x"},
		{"mail.info: postfix/smtpd[1234]: x", "malformed"},
		{"Jan  2 03:04:05 mx1 rspamd[main]: x", "2025-01-02T03:04:05Z mx1|rspamd|0|x"},
		{"Jan  2 03:04:05 mx1 -- MARK --", "2025-01-02T03:04:05Z mx1||0|-- MARK --"},
		{"Jan  2 03:04:05 mx1 postfix/smtpd[99999999999]: x", "2025-01-02T03:04:05Z mx1|postfix/smtpd|0|x"},
		{"Jan  2 03:04:05 mx1 postfix/smtpd[4294967296]: x", "2025-01-02T03:04:05Z mx1|postfix/smtpd|0|x"},
		{"Jan  2 03:04:05 mx1 exim[7]: a#012b", "2025-01-02T03:04:05Z mx1|exim|7|a#012b"},
		{"Jan  2 03:04:05 mx1 exim[7]: a\x00b\xff", "2025-01-02T03:04:05Z mx1|exim|7|a\x00b\xff"},
		{"<22>postfix/smtpd[1234]: x", "2025-01-02T03:05:00Z |postfix/smtpd|1234|x"},
		{"Jan 32 03:04:05" + tail, "malformed"},
		{"Jan  0 03:04:05" + tail, "malformed"},
		{"Feb 30 03:04:05" + tail, "malformed"},
		{"Jan  2 24:04:05" + tail, "malformed"},
		{"Jam  2 03:04:05" + tail, "malformed"},
		{"Jan  2 03:04:05", "malformed"},
		// RFC 3339
		{"2025-01-02T03:04:05Z" + tail, e1},
		{"2025-01-02t03:04:05z" + tail, e1},
		{"2025-01-02T03:04:05" + tail, e1},
		{"2025-01-02T03:04:05.123456Z" + tail, e1Micro},
		{"2025-01-02T03:04:05,123456Z" + tail, e1Micro},
		{"2025-01-02 03:04:05.123456Z" + tail, e1Micro},
		{"2025-01-02 03:04:05.123456" + tail, e1Micro},
		{"<22>2025-01-02T03:04:05.123456Z" + tail, e1Micro},
		{"2025-01-02T03:04:05+0000" + tail, e1},
		{"2025-01-02T04:04:05.5+01:00 mx1 exim[7]: x", "2025-01-02T04:04:05.500+01:00 mx1|exim|7|x"},
		{"2025-01-01T23:34:05.123456789-0330 mx1 exim[7]: x", "2025-01-01T23:34:05.123456789-03:30 mx1|exim|7|x"},
		{"2025-01-02T03:04:05.1234567891Z mx1 exim[7]: x", "2025-01-02T03:04:05.123456789Z mx1|exim|7|x"},
		{"2025-01-02T04:04:05+01 mx1 exim[7]: x", "2025-01-02T04:04:05+01:00 mx1|exim|7|x"},
		{"2024-02-29T03:04:05Z mx1 exim[7]: x", "2024-02-29T03:04:05Z mx1|exim|7|x"},
		{"2025-02-29T03:04:05Z mx1 exim[7]: x", "malformed"},
		{"2025-13-02T03:04:05Z mx1 exim[7]: x", "malformed"},
		{"2025-01-02T03:04:05+24:00 mx1 exim[7]: x", "malformed"},
		{"2025-01-02T03:04:05Q mx1 exim[7]: x", "malformed"},
		// RFC 5424
		{"<22>1 2025-01-02T03:04:05.123456Z mx1 postfix/smtpd 1234 - - connect from x[192.0.2.1]", e1Micro},
		{"<22>1 2025-01-02T03:04:05Z mx1 postfix/smtpd 1234 - -  connect from x[192.0.2.1]", e1},
		{"<22>1 2025-01-02T03:04:05Z mx1 postfix/smtpd 1234 - - " + bom + "connect from x[192.0.2.1]", e1},
		{"1 2025-01-02T03:04:05Z mx1 postfix/smtpd 1234 - - connect from x[192.0.2.1]", e1},
		{"99 <22>1 2025-01-02T03:04:05Z mx1 postfix/smtpd 1234 - - connect from x[192.0.2.1]", e1},
		{`<22>1 2025-01-02T03:04:05Z mx1 exim 7 ID [a b="\]\"] c"][d] x`, "2025-01-02T03:04:05Z mx1|exim|7|x"},
		{"<22>1 2025-01-02T03:04:05Z mx1 exim worker - - x", "2025-01-02T03:04:05Z mx1|exim|0|x"},
		{"<22>1 - - - - - - x", "2025-01-02T03:05:00Z ||0|x"},
		{"<22>1 2025-01-02T03:04:05Z mx1 - - - - exim[7]: x", "2025-01-02T03:04:05Z mx1|exim|7|x"},
		{"<22>1 2025-01-02T03:04:05Z mx1 exim 7 - -", "2025-01-02T03:04:05Z mx1|exim|7|"},
		{`<22>1 2025-01-02T03:04:05Z mx1 exim 7 - [a b="c] x`, "malformed"},
		{"<22>1 2025-01-02T03:04:05Z mx1 exim", "malformed"},
		{"<22>1 yesterday mx1 exim 7 - - x", "malformed"},
		// journald
		{"Thu 2025-01-02 03:04:05 UTC" + tail, e1},
		{"Thu 2025-01-02 04:04:05 CET mx1 exim[7]: x", "2025-01-02T04:04:05+01:00 mx1|exim|7|x"},
		{"Thu 2025-01-02 06:04:05 +03 mx1 exim[7]: x", "2025-01-02T06:04:05+03:00 mx1|exim|7|x"},
		{"1735787045.123456" + tail, e1Micro},
		{"-- Boot 3ab0c1 --", "blank"},
		{"                  continued", "continuation 2025-01-02T03:05:00Z ||0|                  continued"},
		{`{"__REALTIME_TIMESTAMP":"1735787045123456","_HOSTNAME":"mx1","SYSLOG_IDENTIFIER":"postfix/smtpd","SYSLOG_PID":"1234","_PID":"77","MESSAGE":"connect from x[192.0.2.1]"}`, e1Micro},
		{`{ "MESSAGE" : "x", "_PID" : "7" , "SYSLOG_IDENTIFIER":"exim", "_SOURCE_REALTIME_TIMESTAMP":"1735787045000001", "__REALTIME_TIMESTAMP":"1735787046000000", "_HOSTNAME":"mx1", "N":[1,{"a":"]"}] }`, "2025-01-02T03:04:05.000001Z mx1|exim|7|x"},
		{`{"PROGRAM":"postfix/smtpd","PRIORITY":"info","PID":"1234","MESSAGE":"connect from x[192.0.2.1]","HOST":"mx1","FACILITY":"mail","ISODATE":"2025-01-02T03:04:05+00:00","DATE":"Jan  3 03:04:05"}`, e1},
		{`{"SOURCEIP":"127.0.0.1","PROGRAM":"postfix/smtpd","PID":"1234","MESSAGE":"connect from x[192.0.2.1]","HOST":"mx1","DATE":"Jan  2 03:04:05"}`, e1},
		{`{"__REALTIME_TIMESTAMP":"1735787045123456","_HOSTNAME":"mx1","PROGRAM":"x","SYSLOG_IDENTIFIER":"exim","SYSLOG_PID":"7","MESSAGE":"x","PID":"8","HOST":"y","ISODATE":"2025-01-03T03:04:05Z"}`, "2025-01-02T03:04:05.123456Z mx1|exim|7|x"},
		{`{"__REALTIME_TIMESTAMP":"1735787045123456","SYSLOG_IDENTIFIER":"exim","MESSAGE":[97,10,255]}`, "2025-01-02T03:04:05.123456Z |exim|0|a"},
		{`{"__REALTIME_TIMESTAMP":"1735787045123456","SYSLOG_IDENTIFIER":"exim","MESSAGE":[97,255,98]}`, "2025-01-02T03:04:05.123456Z |exim|0|a\xffb"},
		{`{"__REALTIME_TIMESTAMP":"1735787045123456","SYSLOG_IDENTIFIER":["exim","b"],"MESSAGE":[ [97,98] , "b"]}`, "2025-01-02T03:04:05.123456Z |exim|0|ab"},
		{`{"__REALTIME_TIMESTAMP":"1735787045123456","SYSLOG_IDENTIFIER":"exim","MESSAGE":["a\"]","b"]}`, `2025-01-02T03:04:05.123456Z |exim|0|a"]`},
		{`{"__REALTIME_TIMESTAMP":"1735787045123456","SYSLOG_IDENTIFIER":"exim","MESSAGE":null}`, "2025-01-02T03:04:05.123456Z |exim|0|"},
		{`{"__REALTIME_TIMESTAMP":"1735787045123456","_COMM":"exim4","MESSAGE":"\u003ca\u00e4\ud83d\ude00\ud83d>\\\/\nb"}`, "2025-01-02T03:04:05.123456Z |exim4|0|<aä😀\ufffd>\\/"},
		{`{"__REALTIME_TIMESTAMP":"1735787045123456","CONTAINER_ID":"ab","_HOSTNAME":"node","SYSLOG_IDENTIFIER":"ab","MESSAGE":"Jan 02 03:04:05 mx1 postfix/smtpd[1234]: connect from x[192.0.2.1]"}`, e1},
		{`{"__REALTIME_TIMESTAMP":"1735787045123456","MESSAGE":"x`, "malformed"},
		{`{"level":"info"}`, "malformed"},
		{`{}`, "malformed"},
		{`{"log":1}`, "malformed"},
		// Exim
		{"2025-01-02 03:04:05 H=(pc) [203.0.113.9] x", "native 2025-01-02T03:04:05Z ||0|H=(pc) [203.0.113.9] x"},
		{"2025-01-02 04:04:05.678 +0100 [4321] H=x", "native 2025-01-02T04:04:05.678+01:00 ||4321|H=x"},
		{"2025-01-02 03:04:05 +0000 H=x", "native 2025-01-02T03:04:05Z ||0|H=x"},
		{"2025-01-02 03:04:05 [4321] 1tTaBc-0001Ab-2z <= x", "native 2025-01-02T03:04:05Z ||4321|1tTaBc-0001Ab-2z <= x"},
		{"2025-01-02 03:04:05 [192.0.2.1] x", "native 2025-01-02T03:04:05Z ||0|[192.0.2.1] x"},
		{"2025-01-02 03:04:05", "native 2025-01-02T03:04:05Z ||0|"},
		{"2025-01-02 03:04:05 H=(x y[12]: z) [203.0.113.9] x", "native 2025-01-02T03:04:05Z ||0|H=(x y[12]: z) [203.0.113.9] x"},
		{"Jan  2 03:04:05 mx1 exim[7]: 2025-01-02 03:04:05.678 [7] H=x", "2025-01-02T03:04:05.678Z mx1|exim|7|H=x"},
		{"Jan  2 03:04:05 mx1 exim[7]: 2023-01-02 03:04:05 H=x", "2023-01-02T03:04:05Z mx1|exim|7|H=x"},
		{"Jan  2 03:04:05 mx1 exim[7]: 2025-01-02 04:04:05 +0100 H=x", "2025-01-02T04:04:05+01:00 mx1|exim|7|H=x"},
		{"Jan  2 03:04:05 mx1 exim[7]: [7] H=x", "2025-01-02T03:04:05Z mx1|exim|7|H=x"},
		{"Jan  2 03:04:05 mx1 exim[7]: [8] H=x", "2025-01-02T03:04:05Z mx1|exim|7|[8] H=x"},
		{"Jan  2 03:04:05 mx1 exim: 2025-01-02 03:04:05 [8] H=x", "2025-01-02T03:04:05Z mx1|exim|8|H=x"},
		{"2025-01-02T04:04:05.123456+01:00 mx1 exim[7]: 2025-01-02 04:04:05.678 H=x", "2025-01-02T04:04:05.123456+01:00 mx1|exim|7|H=x"},
		{"2025-01-02T04:04:05+01:00 mx1 exim[7]: 2025-01-02 04:04:05.678 H=x", "2025-01-02T04:04:05.678+01:00 mx1|exim|7|H=x"},
		{"2025-01-02T04:04:05+01:00 mx1 exim[7]: 2025-01-02 03:04:05.678 H=x", "2025-01-02T04:04:05.678+01:00 mx1|exim|7|H=x"},
		// containers
		{`{"log":"Jan 02 03:04:05 mx1 postfix/smtpd[1234]: connect from x[192.0.2.1]\n","stream":"stdout","time":"2025-01-02T03:04:06.1Z"}`, e1},
		{`{"log":"postfix/smtpd[1234]: \u003cx\u003e\n","stream":"stdout","time":"2025-01-02T03:04:06.1Z"}`, "2025-01-02T03:04:06.100Z |postfix/smtpd|1234|<x>"},
		{`{"log":"2025-01-02 03:04:05 H=x\r\n","stream":"stderr","time":"2025-01-02T03:04:06.1Z"}`, "native 2025-01-02T03:04:05Z ||0|H=x"},
		{`{"log":"\n","stream":"stdout","time":"2025-01-02T03:04:06.1Z"}`, "blank"},
		{`{"log":"starting up\n","stream":"stdout","time":"2025-01-02T03:04:06.1Z"}`, "2025-01-02T03:04:06.100Z ||0|starting up"},
		{"2025-01-02T03:04:06.123456789Z stdout F Jan 02 03:04:05" + tail, e1},
		{"2025-01-02T03:04:06.123456789Z stderr F:x postfix/smtpd[1234]: x", "2025-01-02T03:04:06.123456789Z |postfix/smtpd|1234|x"},
		{"2025-01-02T03:04:06.123456789Z stdout F ", "blank"},
		{"2025-01-02T03:04:06.123456789Z stdout F", "blank"},
		{"2025-01-02T03:04:05Z stdout postfix/smtpd[1234]: x", "2025-01-02T03:04:05Z stdout|postfix/smtpd|1234|x"},
		{"postfix-1  | Jan 02 03:04:05" + tail, e1},
		{"postfix-1  | postfix/smtpd[1234]: x", "2025-01-02T03:05:00Z postfix-1|postfix/smtpd|1234|x"},
		{"postfix-1  | 2025-01-02T03:04:06.123456789Z Jan 02 03:04:05" + tail, e1},
		{"postfix-1  | 2025-01-02T03:04:06.123456789Z postfix/smtpd[1234]: x", "2025-01-02T03:04:06.123456789Z postfix-1|postfix/smtpd|1234|x"},
		{"postfix-1  |", "blank"},
		{"[pod/mail-0/postfix] Jan 02 03:04:05" + tail, e1},
		{"[pod/mail-0/exim] 2025-01-02 03:04:05 H=x", "native 2025-01-02T03:04:05Z mail-0||0|H=x"},
		{"2025-01-02T03:04:06.123456789Z Jan 02 03:04:05" + tail, e1},
		{"2025-01-02T03:04:06.123456789Z 2025-01-02 03:04:05 H=x", "native 2025-01-02T03:04:05Z ||0|H=x"},
		{"2025-01-02T03:04:06.123456789Z postfix/smtpd[1234]: x", "2025-01-02T03:04:06.123456789Z |postfix/smtpd|1234|x"},
		{"2025-01-02T03:04:06Z   postfix/smtpd[1234]: x", "continuation 2025-01-02T03:04:06Z ||0|  postfix/smtpd[1234]: x"},
		// repeats
		{"Jan  2 03:04:05 mx1 exim[7]: message repeated 3 times: [ a [b]]", "3 times 2025-01-02T03:04:05Z mx1|exim|7|a [b]"},
		{"Jan  2 03:04:05 mx1 exim[7]:  message repeated 3 times: [a [b", "3 times 2025-01-02T03:04:05Z mx1|exim|7|a [b"},
		{"Jan  2 03:04:05 mx1 exim[7]: message repeated 0 times: [ a]", "2025-01-02T03:04:05Z mx1|exim|7|message repeated 0 times: [ a]"},
		{"Jan  2 03:04:05 mx1 exim[7]: message repeated 2 times: [ 2025-01-02 03:04:04 H=x]", "2 times 2025-01-02T03:04:04Z mx1|exim|7|H=x"},
		{"Jan  2 03:04:05 mx1 last message repeated 3 times", "2025-01-02T03:04:05Z mx1||0|last message repeated 3 times"},
		// nothing
		{"", "blank"},
		{"\r", "blank"},
		{" \t ", "blank"},
		{"\x00\x00", "blank"},
		{"MESSAGE=x", "malformed"},
		{"\xff\xfe", "blank"},
		{"<", "malformed"},
		{"<22>", "malformed"},
		{"<2222>Jan  2 03:04:05 a b: c", "malformed"},
		{"[pod/", "malformed"},
		{"1", "malformed"},
		{"1 ", "malformed"},
		{"postfix/smtpd[1234]: NOQUEUE: reject: x", "malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			d := NewDecoder(Options{Location: time.UTC})
			got := run(d, reference, tt.line)
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
