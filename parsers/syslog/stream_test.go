package syslog

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

func TestDecodeStream(t *testing.T) {
	long := strings.Repeat("x", 790)
	tests := []struct {
		name        string
		lines, want []string
	}{
		{"Exim pieces", []string{
			"Jan  2 03:04:05 mx1 exim[7]: [1/3] 2025-01-02 03:04:05 H=a",
			"Jan  2 03:04:05 mx1 exim[8]: other",
			`Jan  2 03:04:05 mx1 exim[7]: [2\3] b`,
			"Jan  2 03:04:05 mx1 exim[7]: [3/3]  Suggested action",
			"Jan  2 03:04:05 mx1 exim[7]: next",
		}, []string{
			"pending",
			"2025-01-02T03:04:05Z mx1|exim|8|other",
			"2025-01-02T03:04:05Z mx1|exim|7|H=ab",
			"continuation 2025-01-02T03:04:05Z mx1|exim|7| Suggested action",
			"2025-01-02T03:04:05Z mx1|exim|7|next",
		}},
		{"Exim's first piece ends at a newline", []string{
			`Jan  2 03:04:05 mx1 exim[7]: [1\2] 2025-01-02 03:04:05 Warning: x`,
			"Jan  2 03:04:05 mx1 exim[7]: [2/2] 2025-01-02 03:04:05 H=forged",
		}, []string{
			"2025-01-02T03:04:05Z mx1|exim|7|Warning: x",
			"continuation 2025-01-02T03:04:05Z mx1|exim|7|2025-01-02 03:04:05 H=forged",
		}},
		{"Exim's last piece never comes", []string{
			"Jan  2 03:04:05 mx1 exim[7]: [1/2] 2025-01-02 03:04:05.678 H=a",
			"Jan  2 03:04:05 mx1 exim[7]: next",
		}, []string{
			"pending",
			"popped at 1: 2025-01-02T03:04:05.678Z mx1|exim|7|H=a",
			"2025-01-02T03:04:05Z mx1|exim|7|next",
		}},
		{"Exim piece without its beginning", []string{
			"Jan  2 03:04:05 mx1 exim[7]: [2/2] a",
		}, []string{
			"continuation 2025-01-02T03:04:05Z mx1|exim|7|a",
		}},
		{"no Exim pieces", []string{
			"Jan  2 03:04:05 mx1 exim[7]: [3/2] a",
			"Jan  2 03:04:05 mx1 exim[7]: [1/1] a",
			"Jan  2 03:04:05 mx1 exim[7]: [1/2]a",
		}, []string{
			"2025-01-02T03:04:05Z mx1|exim|7|[3/2] a",
			"2025-01-02T03:04:05Z mx1|exim|7|[1/1] a",
			"2025-01-02T03:04:05Z mx1|exim|7|[1/2]a",
		}},
		{"Sendmail marks its pieces", []string{
			"Jan  2 03:04:05 mx1 sm-mta[7]: 502345AB000007[1]: AUTH failure, user=a,  ...",
			"Jan  2 03:04:05 mx1 sm-mta[7]: 502345AB000007[2]: b  ...",
			"Jan  2 03:04:05 mx1 sm-mta[7]: 502345AB000007[3]: relay=[192.0.2.1]",
			"Jan  2 03:04:05 mx1 sm-mta[7]: 502345AB000007: next",
		}, []string{
			"pending", "pending",
			"2025-01-02T03:04:05Z mx1|sm-mta|7|502345AB000007: AUTH failure, user=a, b relay=[192.0.2.1]",
			"2025-01-02T03:04:05Z mx1|sm-mta|7|502345AB000007: next",
		}},
		{"Sendmail's last piece looks like one before the last", []string{
			"Jan  2 03:04:05 mx1 sm-mta[7]: [1]: ruleset=a,  ...",
			"Jan  2 03:04:05 mx1 sm-mta[7]: [2]: reject=b ...",
			"Jan  2 03:04:05 mx1 sm-mta[8]: next",
			"Jan  2 03:04:08 mx2 sm-mta[8]: another host's clock",
			"Jan  2 03:04:08 mx1 sm-mta[8]: too late",
			"Jan  2 03:04:08 mx1 sm-mta[7]: [3]: c",
		}, []string{
			"pending", "pending",
			"2025-01-02T03:04:05Z mx1|sm-mta|8|next",
			"2025-01-02T03:04:08Z mx2|sm-mta|8|another host's clock",
			"popped at 2: 2025-01-02T03:04:05Z mx1|sm-mta|7|ruleset=a, reject=b ...",
			"2025-01-02T03:04:08Z mx1|sm-mta|8|too late",
			"continuation 2025-01-02T03:04:08Z mx1|sm-mta|7|c",
		}},
		{"Sendmail pieces without marks", []string{
			"Jan  2 03:04:05 mx1 sm-mta[7]: NOQUEUE[1]: a,",
			"Jan  2 03:04:05 mx1 sm-mta[7]: NOQUEUE[2]: b,",
			"Jan  2 03:04:05 mx1 sm-mta[7]: 502345AB000007[1]: c",
			"Jan  2 03:04:05 mx1 sm-mta[7]: 502345AB000007[2]: d",
		}, []string{
			"pending", "pending",
			"popped at 2: 2025-01-02T03:04:05Z mx1|sm-mta|7|NOQUEUE: a,b,",
			"pending", "pending",
			"popped at 4: 2025-01-02T03:04:05Z mx1|sm-mta|7|502345AB000007: cd",
		}},
		{"no Sendmail pieces", []string{
			"Jan  2 03:04:05 mx1 postfix/smtpd[7]: 502345AB000007[1]: a",
			"Jan  2 03:04:05 mx1 puppet-agent[7]: Resource[1]: a",
		}, []string{
			"2025-01-02T03:04:05Z mx1|postfix/smtpd|7|502345AB000007[1]: a",
			"2025-01-02T03:04:05Z mx1|puppet-agent|7|Resource[1]: a",
		}},
		{"Exim's own file", []string{
			"2025-01-02 03:04:05 Warning: purging the environment.",
			" Suggested action: use keep_environment.",
			"P Received: from x",
			"T Subject: | Jan  2 03:04:05 mx1 postfix/smtpd[1]: NOQUEUE: x",
			"{\"log\":\"x\"}",
			"2025-01-02 03:04:06 mx1 postfix/smtpd[12]: NOQUEUE: x",
		}, []string{
			"native 2025-01-02T03:04:05Z ||0|Warning: purging the environment.",
			"continuation native 2025-01-02T03:04:05Z ||0| Suggested action: use keep_environment.",
			"continuation native 2025-01-02T03:04:05Z ||0|P Received: from x",
			"continuation native 2025-01-02T03:04:05Z ||0|T Subject: | Jan  2 03:04:05 mx1 postfix/smtpd[1]: NOQUEUE: x",
			"continuation native 2025-01-02T03:04:05Z ||0|{\"log\":\"x\"}",
			"native 2025-01-02T03:04:06Z ||0|mx1 postfix/smtpd[12]: NOQUEUE: x",
		}},
		{"syslog file with a space in its stamps", []string{
			"2025-01-02 03:04:05 mx1 postfix/smtpd[12]: x",
			"2025-01-02 03:04:05 mx1 exim: y",
			"2025-01-02 03:04:05 H=(pc) [203.0.113.9] x",
		}, []string{
			"2025-01-02T03:04:05Z mx1|postfix/smtpd|12|x",
			"2025-01-02T03:04:05Z mx1|exim|0|y",
			"native 2025-01-02T03:04:05Z ||0|H=(pc) [203.0.113.9] x",
		}},
		{"Exim in a container", []string{
			"2025-01-02T03:04:06Z stdout F 2025-01-02 03:04:05 Warning: x",
			"2025-01-02T03:04:06Z stdout F Suggested: y",
			"2025-01-02T03:04:06Z stdout F  indented",
		}, []string{
			"native 2025-01-02T03:04:05Z ||0|Warning: x",
			"continuation native 2025-01-02T03:04:06Z ||0|Suggested: y",
			"continuation native 2025-01-02T03:04:06Z ||0| indented",
		}},
		{"Docker pieces", []string{
			`{"log":"Jan 02 03:04:05 mx1 exim[7]: \u003ca","stream":"stdout","time":"2025-01-02T03:04:06Z"}`,
			`{"log":"exim[8]: e\n","stream":"stderr","time":"2025-01-02T03:04:06Z"}`,
			`{"log":"b\u003e\n","stream":"stdout","time":"2025-01-02T03:04:07Z"}`,
			`{"log":"exim[9]: end","stream":"stdout","time":"2025-01-02T03:04:07Z"}`,
		}, []string{
			"pending",
			"2025-01-02T03:04:06Z |exim|8|e",
			"2025-01-02T03:04:05Z mx1|exim|7|<ab>",
			"pending",
			"popped at 4: 2025-01-02T03:04:07Z |exim|9|end",
		}},
		{"CRI pieces", []string{
			"2025-01-02T03:04:06Z stdout P exim[7]: a",
			"2025-01-02T03:04:06Z stdout P b",
			"2025-01-02T03:04:06Z stdout F c",
			"2025-01-02T03:04:06Z stdout F exim[7]: d",
		}, []string{
			"pending", "pending",
			"2025-01-02T03:04:06Z |exim|7|abc",
			"2025-01-02T03:04:06Z |exim|7|d",
		}},
		{"journal export", []string{
			"__CURSOR=s=1;i=2", "__REALTIME_TIMESTAMP=1735787045123456", "_HOSTNAME=mx1", "SYSLOG_IDENTIFIER=postfix/smtpd", "SYSLOG_PID=1234", "_PID=77",
			`MESSAGE=connect from x[192.0.2.1]: a="b\c"`, "",
			"__CURSOR=s=1;i=3", "__REALTIME_TIMESTAMP=1735787046123456", "_COMM=exim4", "MESSAGE", "\x05\x00\x00\x00\x00\x00\x00\x00a\xff\\\"\r", "_PID=7", "",
			"__CURSOR=s=1;i=4", "__REALTIME_TIMESTAMP=1735787047123456", "_COMM=exim4", "MESSAGE", "", "\x00\x00\x00\x00\x00\x00\x00ab", "", "MESSAG", "",
			"__CURSOR=s=1;i=5", "__REALTIME_TIMESTAMP=1735787048123456", "MESSAGE=cut off",
			"2025-01-02T03:04:09Z mx1 exim[7]: x",
			"__CURSOR=s=1;i=6", "MESSAGE", "\xff\xff\xff\xff\xff\xff\xff\xff",
			"2025-01-02T03:04:10Z mx1 exim[7]: y",
		}, []string{
			"pending", "pending", "pending", "pending", "pending", "pending", "pending",
			`2025-01-02T03:04:05.123456Z mx1|postfix/smtpd|1234|connect from x[192.0.2.1]: a="b\c"`,
			"pending", "pending", "pending", "pending", "pending", "pending",
			"2025-01-02T03:04:06.123456Z |exim4|7|a\xff\\\"",
			"pending", "pending", "pending", "pending", "pending", "pending", "pending", "pending",
			"2025-01-02T03:04:07.123456Z |exim4|0|ab",
			"pending", "pending", "pending",
			"2025-01-02T03:04:09Z mx1|exim|7|x",
			"pending", "pending", "malformed",
			"2025-01-02T03:04:10Z mx1|exim|7|y",
		}},
		{"last message repeated, with years", []string{ // OpenBSD's syslogd -Z, FreeBSD's -O rfc5424
			"2025-01-02T03:04:05Z mx1 postfix/smtpd[1]: " + strings.Repeat("l", 750),
			"2025-01-02T03:04:06Z mx1 postfix/smtpd[2]: a",
			"2025-01-02T03:04:07Z mx1 last message repeated 2 times",
			"<22>1 2025-01-02T03:04:08Z mx1 postfix/smtpd 3 - - b",
			"<46>1 2025-01-02T03:04:09Z mx1 - - - - last message repeated 3 times",
		}, []string{
			"2025-01-02T03:04:05Z mx1|postfix/smtpd|1|" + strings.Repeat("l", 750),
			"2025-01-02T03:04:06Z mx1|postfix/smtpd|2|a",
			"2 times 2025-01-02T03:04:07Z mx1|postfix/smtpd|2|a",
			"2025-01-02T03:04:08Z mx1|postfix/smtpd|3|b",
			"3 times 2025-01-02T03:04:09Z mx1|postfix/smtpd|3|b",
		}},
		{"last message repeated", []string{
			"Jan  2 03:04:05 mx1 exim[7]: a",
			"Jan  2 03:04:05 mx2 exim[8]: b",
			"Jan  2 03:04:09 mx1 last message repeated 2 times",
			"Jan  2 03:04:19 mx1 last message repeated 1 time",
			"Jan  2 03:04:19 mx3 last message repeated 2 times",
			"Jan  2 03:04:20 mx1 exim[7]: [1/2] a",
			"Jan  2 03:04:20 mx1 exim[7]: [2/2] b",
			"Jan  2 03:04:20 mx1 last message repeated 2 times",
		}, []string{
			"2025-01-02T03:04:05Z mx1|exim|7|a",
			"2025-01-02T03:04:05Z mx2|exim|8|b",
			"2 times 2025-01-02T03:04:09Z mx1|exim|7|a",
			"1 times 2025-01-02T03:04:19Z mx1|exim|7|a",
			"2025-01-02T03:04:19Z mx3||0|last message repeated 2 times",
			"pending",
			"2025-01-02T03:04:20Z mx1|exim|7|ab",
			"2025-01-02T03:04:20Z mx1||0|last message repeated 2 times",
		}},
		{"cut copy of a repeated message", []string{
			"2025-01-02T03:04:05Z mx1 exim[7]: " + long + "0123456789",
			"2025-01-02T03:04:05Z mx1 exim[7]: message repeated 2 times: [ " + long + "012345678]",
			"2025-01-02T03:04:05Z mx1 exim[8]: message repeated 2 times: [ " + long + "012345678]",
		}, []string{
			"2025-01-02T03:04:05Z mx1|exim|7|" + long + "0123456789",
			"2 times 2025-01-02T03:04:05Z mx1|exim|7|" + long + "0123456789",
			"2 times 2025-01-02T03:04:05Z mx1|exim|8|" + long + "012345678",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := run(NewDecoder(Options{Location: time.UTC}), reference, tt.lines...)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestYear(t *testing.T) {
	day := func(s string) time.Time {
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			panic(err)
		}
		return t
	}
	tests := []struct{ stamp, reference, want string }{
		{"Dec 31 23:59:59", "2025-01-01T00:00:01Z", "2024-12-31T23:59:59Z"},
		{"Jan  1 00:00:00", "2025-01-01T00:00:01Z", "2025-01-01T00:00:00Z"},
		{"Jan  1 00:00:01", "2024-12-31T23:59:59Z", "2025-01-01T00:00:01Z"}, // its clock is ahead
		{"Jan  1 23:59:59", "2024-12-31T23:59:59Z", "2025-01-01T23:59:59Z"},
		{"Jan  2 00:00:00", "2024-12-31T23:59:59Z", "2024-01-02T00:00:00Z"}, // more than a day: last year's
		{"Jan  2 03:04:05", "2025-01-02T03:05:00Z", "2025-01-02T03:04:05Z"},
		{"Jan  4 03:04:05", "2025-01-02T03:05:00Z", "2024-01-04T03:04:05Z"},
		{"Nov 21 10:00:00", "1999-12-01T00:00:00Z", "1999-11-21T10:00:00Z"}, // an old archive
		{"Feb 29 10:00:00", "2024-03-01T00:00:00Z", "2024-02-29T10:00:00Z"},
		{"Feb 29 10:00:00", "2024-02-29T09:00:00Z", "2024-02-29T10:00:00Z"},
		{"Feb 29 10:00:00", "2025-03-01T00:00:00Z", "2024-02-29T10:00:00Z"},
		{"Feb 29 10:00:00", "2024-02-01T00:00:00Z", "2020-02-29T10:00:00Z"},
		{"Feb 29 10:00:00", "1903-03-01T00:00:00Z", "1896-02-29T10:00:00Z"},
		{"Mar  1 10:00:00", "2025-03-01T00:00:00Z", "2025-03-01T10:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.stamp+" at "+tt.reference, func(t *testing.T) {
			d := NewDecoder(Options{Location: time.UTC})
			var env relaylens.Envelope
			d.Decode(&relaylens.Line{Text: tt.stamp + " mx1 exim[7]: x"}, day(tt.reference), &env)
			if got := env.Time.Format(time.RFC3339); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// One decoder reads a log over New Year with one reference, and then another
// log with another.
func TestYearOfStream(t *testing.T) {
	d := NewDecoder(Options{Location: time.UTC})
	for _, tt := range []struct {
		line string
		year int
		want string
	}{
		{"Dec 31 23:59:59 a b: c", 2025, "2024-12-31T23:59:59Z"},
		{"Jan  1 00:00:00 a b: c", 2025, "2025-01-01T00:00:00Z"},
		{"Dec 31 23:59:59 a b: c", 2025, "2024-12-31T23:59:59Z"},
		{"Dec 31 23:59:59 a b: c", 2020, "2019-12-31T23:59:59Z"},
		{"Dec 31 23:59:59 a b: c", 2025, "2024-12-31T23:59:59Z"},
	} {
		var env relaylens.Envelope
		d.Decode(&relaylens.Line{Text: tt.line}, time.Date(tt.year, 1, 1, 12, 0, 0, 0, time.UTC), &env)
		if got := env.Time.Format(time.RFC3339); got != tt.want {
			t.Errorf("%s in %d: got %s, want %s", tt.line, tt.year, got, tt.want)
		}
	}
}

func TestLocation(t *testing.T) {
	ref := time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct{ line, want string }{
		{"Mar 30 01:59:59 a b: c", "2025-03-30T01:59:59+01:00"},
		{"Mar 30 03:00:00 a b: c", "2025-03-30T03:00:00+02:00"},
		{"Jul  1 12:00:00 a b: c", "2025-07-01T12:00:00+02:00"},
		{"Oct 26 03:00:00 a b: c", "2025-10-26T03:00:00+01:00"},
		{"2025-07-01 12:00:00 x", "2025-07-01T12:00:00+02:00"},
		{"2025-11-01 12:00:00 x", "2025-11-01T12:00:00+01:00"},
		{"2025-07-01T12:00:00.5 a b: c", "2025-07-01T12:00:00+02:00"},
		{"Tue 2025-07-01 12:00:00 CEST a b: c", "2025-07-01T12:00:00+02:00"},
		{"Tue 2025-07-01 12:00:00 EDT a b: c", "2025-07-01T12:00:00-04:00"},
		{"Jul  1 12:00:00 a exim[7]: 2025-07-01 10:00:00 x", "2025-07-01T12:00:00+02:00"}, // timezone = UTC
		{"Jan  1 00:30:00 a exim[7]: 2024-12-31 23:30:00 x", "2025-01-01T00:30:00+01:00"},
		{"Jul  1 12:00:00 a exim[7]: 2019-07-01 10:00:00 x", "2019-07-01T12:00:00+02:00"},
		{"2025-07-01T12:00:00+02:00 a exim[7]: 2025-07-01 10:00:00.250 x", "2025-07-01T12:00:00+02:00"},
		{"2025-07-01T06:00:00-04:00 a exim[7]: 2025-07-01 06:00:00.250 x", "2025-07-01T06:00:00-04:00"},
	}
	d := NewDecoder(Options{Location: berlin})
	for _, tt := range tests {
		var env relaylens.Envelope
		d.Decode(&relaylens.Line{Text: tt.line}, ref, &env)
		if got := env.Time.Format(time.RFC3339); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.line, got, tt.want)
		}
	}
}

// Every record that was taken in comes out, and what is kept stays small.
func TestBounds(t *testing.T) {
	d := NewDecoder(Options{Location: time.UTC})
	var env, popped relaylens.Envelope
	var line relaylens.Line
	seen := 0
	pop := func() {
		for d.Pop(&popped, &line) {
			seen++
		}
	}
	const records = 200
	for i := range records {
		host := strings.Repeat("h", i%100+1)
		for _, text := range []string{"[1]: ", "[2]: "} {
			l := relaylens.Line{Text: "Jan  2 03:04:05 " + host + " sm-mta[" + string(rune('1'+i/100)) + "]: " + text + strings.Repeat("x", 40<<10)}
			if st := d.Decode(&l, reference, &env); st != Pending {
				t.Fatalf("record %d: status %d", i, st)
			}
			pop()
		}
		if len(d.groups) > maxGroups || len(d.ready) > 0 || len(d.previous.hosts) > maxHosts {
			t.Fatalf("record %d: keeps %d groups, %d ready, %d hosts", i, len(d.groups), len(d.ready), len(d.previous.hosts))
		}
	}
	d.Flush()
	pop()
	if seen != records {
		t.Errorf("got %d records, want %d", seen, records)
	}
	if len(popped.Text) != maxJoined {
		t.Errorf("joined record has %d bytes, want %d", len(popped.Text), maxJoined)
	}
}

// The envelope of Decode outlives the records that Pop hands out before it is used.
func TestPopKeepsEnvelope(t *testing.T) {
	d := NewDecoder(Options{Location: time.UTC})
	var env, popped relaylens.Envelope
	var line relaylens.Line
	journal := func(message string) relaylens.Line {
		return relaylens.Line{Text: `{"__REALTIME_TIMESTAMP":"1735787045123456","SYSLOG_IDENTIFIER":"sm-mta","_PID":"7","MESSAGE":"` + message + `"}`}
	}
	l := journal(`[1]: \u0061`)
	if st := d.Decode(&l, reference, &env); st != Pending {
		t.Fatalf("status %d", st)
	}
	l = journal(`\u0062`)
	d.Decode(&l, reference, &env)
	if !d.Pop(&popped, &line) || d.Pop(&popped, &line) {
		t.Fatal("want one record")
	}
	if env.Text != "b" || popped.Text != "a" {
		t.Errorf("got %q and %q, want a and b", popped.Text, env.Text)
	}
}
