package syslog

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestColors is about lines as a terminal shows them.
func TestColors(t *testing.T) {
	const at = "2025-01-02T03:04:05Z mx1|postfix/smtpd|1234|NOQUEUE: reject: x"
	for _, tt := range []struct{ name, line, want string }{
		{"ccze -A", "\x1b[0m\x1b[36mJan  2 03:04:05 \x1b[0m\x1b[34mmx1 \x1b[0m\x1b[36mpostfix/smtpd\x1b[0m\x1b[1m\x1b[36m[\x1b[0m\x1b[1m1234\x1b[36m]\x1b[0m: \x1b[36mNOQUEUE: \x1b[31mreject\x1b[0m: x\x1b[0m", at},
		{"journalctl, a warning", "Jan 02 03:04:05 mx1 postfix/smtpd[1234]: \x1b[0;1;38;5;185mNOQUEUE: reject: x\x1b[0m", at},
		{"journalctl, its stamp", "\x1b[0;38;5;245mJan 02 03:04:05\x1b[0m mx1 postfix/smtpd[1234]: NOQUEUE: reject: x", at},
		{"its program", "Jan 02 03:04:05 mx1 \x1b[1mpostfix/smtpd[1234]\x1b[0m: NOQUEUE: reject: x", at},
		{"grep --color of several files", "\x1b[35m\x1b[Kmail.log\x1b[m\x1b[K\x1b[36m\x1b[K:\x1b[m\x1b[KJan  2 03:04:05 mx1 postfix/smtpd[1234]: NOQUEUE: \x1b[01;31m\x1b[Kreject\x1b[m\x1b[K: x", at},
		{"other sequences stay", "\x1b[mJan  2 03:04:05 mx1 postfix/smtpd[1234]: a\x1b[2Jb\x1b]0;x\x07\x1b[3", "2025-01-02T03:04:05Z mx1|postfix/smtpd|1234|a\x1b[2Jb\x1b]0;x\x07\x1b[3"},
		{"nothing but a sequence", "\x1b[2JJan  2 03:04:05 mx1 postfix/smtpd[1234]: a", "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := run(NewDecoder(Options{Location: time.UTC}), reference, tt.line, tt.line)
			if diff := cmp.Diff([]string{tt.want, tt.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTables is about exports: what stands in a line is told by its place.
func TestTables(t *testing.T) {
	const at = "2025-01-02T03:04:05.123Z mx1|postfix/smtpd|1234|x"
	for _, tt := range []struct {
		name        string
		lines, want []string
	}{
		{"Graylog", []string{`"timestamp","source","message"`, `"2025-01-02T03:04:05.123Z","mx1","mx1 postfix/smtpd[1234]: x"`, `"2025-01-02T03:04:05.123Z","mx1","postfix/smtpd[1234]: x"`},
			[]string{"blank", at, at}},
		{"Graylog, columns of one's own", []string{`"message","process_id","timestamp","application_name","source","level"`, `"a ""b"", c","1234","2025-01-02T03:04:05.123Z","postfix/smtpd","mx1","6"`},
			[]string{"blank", `2025-01-02T03:04:05.123Z mx1|postfix/smtpd|1234|a "b", c`}},
		{"semicolons", []string{"\ufeffTimestamp;Host;Message", `2025-01-02T03:04:05.123Z;mx1;"postfix/smtpd[1234]: x"`}, []string{"blank", at}},
		{"Splunk", []string{`"_raw","_time"`, `"Jan  2 03:04:05 mx1 exim[7]: x","2025-01-02T03:04:06.000+0000"`}, []string{"blank", "2025-01-02T03:04:05Z mx1|exim|7|x"}},
		{"CloudWatch Insights", []string{"@timestamp,@message", `2025-01-02 03:04:06.000,"Jan  2 03:04:05 mx1 exim[7]: x"`}, []string{"blank", "2025-01-02T03:04:05Z mx1|exim|7|x"}},
		{"Grafana", []string{"labels,Time,Line,tsNs,id", `"{""job"":""mail""}",2025-01-02 03:04:05,"mx1 x","1735787045123000000",1_a`}, []string{"blank", "2025-01-02T03:04:05.123000000Z ||0|mx1 x"}},
		{"parts of an export", []string{"time,message", "2025-01-02T03:04:05Z,exim[7]: x", "time,message", "2025-01-02T03:04:06Z,exim[7]: y"},
			[]string{"blank", "2025-01-02T03:04:05Z |exim|7|x", "blank", "2025-01-02T03:04:06Z |exim|7|y"}},
		{"quotes of a client", []string{`"timestamp","source","message"`, `"2025-01-02T03:04:05.123Z","mx1","postfix/smtpd[1234]: helo="",""mx2"",""exim[1]: y"`},
			[]string{"blank", `2025-01-02T03:04:05.123Z mx1|postfix/smtpd|1234|helo=","mx2","exim[1]: y`}},
		{"rows that are none", []string{`"timestamp","source","message"`, `"2025-01-02T03:04:05.123Z","mx1"`, `"2025-01-02T03:04:05.123Z","mx1","x"y`, `2025-01-02T03:04:05.123Z,mx1,x"y""`, `2025-01-02T03:04:05.123Z,m"x"1,x`, `"yesterday","mx1","exim[1]: x"`},
			[]string{"blank", "malformed", "malformed", "malformed", "malformed", "malformed"}},
		{"rows within a value", []string{`"timestamp","source","message"`, `"2025-01-02T03:04:05.123Z","mx1","exim[1]: a`, `2025-01-02T03:04:05.123Z,mx2,exim[1]: b`, `""x"`, `2025-01-02T03:04:05.123Z,mx1,postfix/smtpd[1234]: x`},
			[]string{"blank", "malformed", "malformed", "malformed", at}},
		{"columns that tell too little", []string{"timestamp,level", "message,text", "a,b"}, []string{"malformed", "malformed", "malformed"}},
		{"no table behind the first line", []string{"Jan  2 03:04:05 mx1 exim[7]: y", "timestamp,message", "2025-01-02T03:04:05Z,exim[7]: x"},
			[]string{"2025-01-02T03:04:05Z mx1|exim|7|y", "malformed", "malformed"}},

		{"Papertrail", []string{"503420521234567890\t2025-01-02T03:04:05Z\t2025-01-02T03:04:06Z\t42\tmx1\t192.0.2.1\tMail\tInfo\tpostfix/smtpd\ta\tb", "7\t2025-01-02 03:04:05 -0000\t2025-01-02 03:04:05 -0000\t42\tmx1\t192.0.2.1\tMail\tInfo\texim[7]\tx"},
			[]string{"2025-01-02T03:04:05Z mx1|postfix/smtpd|0|a\tb", "2025-01-02T03:04:05Z mx1|exim|7|x"}},
		{"almost Papertrail", []string{"7\t2025-01-02T03:04:05Z\tx", "7\tyesterday\t2025-01-02T03:04:06Z\t42\tmx1\t192.0.2.1\tMail\tInfo\texim\tx"}, []string{"malformed", "malformed"}},
		{"aws logs get-log-events", []string{"EVENTS\t1735787046000\tJan  2 03:04:05 mx1 exim[7]: a\tb\t1735787045000", "NEXTTOKEN\tf/1"}, []string{"2025-01-02T03:04:05Z mx1|exim|7|a\tb", "malformed"}},
		{"aws logs filter-log-events", []string{"EVENTS\t36700000000000000000000000000000000000000000000000000000\t1735787046000\tmail/a\texim[7]: x\t1735787045000"}, []string{"2025-01-02T03:04:05.000Z |exim|7|x"}},
		{"almost aws logs", []string{"EVENTS\t1735787046000\texim[7]: x", "EVENTS\t1735787046000\texim[7]: x\ty"}, []string{"malformed", "malformed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := run(NewDecoder(Options{Location: time.UTC}), reference, tt.lines...)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMac is about log show, in the order of its man page.
func TestMac(t *testing.T) {
	const at = "2025-01-02T03:04:05.123456Z |smtpd|1234|x"
	for _, tt := range []struct {
		name        string
		lines, want []string
	}{
		{"default", []string{"Timestamp                       Thread     Type        Activity             PID    TTL  ",
			"2025-01-02 03:04:05.123456+0000 0x1a2b     Default     0x0                  1234   0    smtpd: x",
			"2025-01-02 03:04:05.123456+0000 0x1a2b     Error       0x0                  1234   0    smtpd: (libsystem_info.dylib) [com.apple.x:y] x",
			"the rest of a message"}, []string{"blank", at, at, "blank"}},
		{"syslog", []string{"Timestamp                       (process)[PID]    ", "2025-01-02 03:04:05.123456+0000  localhost smtpd[1234]: (libsystem_info.dylib) x", "2025-01-02 03:04:05.123456+0000  localhost x"},
			[]string{"blank", "2025-01-02T03:04:05.123456Z localhost|smtpd|1234|x", "malformed"}},
		{"compact", []string{"Timestamp               Ty Process[PID:TID]", "2025-01-02 03:04:05.123 Df smtpd[1234:1a2b] x", "2025-01-02 03:04:05.123 E  smtpd[1234:1a2b] [com.apple.x:y] x"},
			[]string{"blank", "2025-01-02T03:04:05.123Z |smtpd|1234|x", "2025-01-02T03:04:05.123Z |smtpd|1234|x"}},
		{"ndjson", []string{`{"timestamp":"2025-01-02 03:04:05.123456+0000","eventMessage":"x","processID":1234,"processImagePath":"\/usr\/libexec\/postfix\/smtpd","source":null}`},
			[]string{"2025-01-02T03:04:05.123456Z |postfix/smtpd|1234|x"}},
		{"another program", []string{`{"timestamp":"2025-01-02 03:04:05.123456+0000","eventMessage":"x","processID":1234,"processImagePath":"/opt/local/bin/exim"}`},
			[]string{"2025-01-02T03:04:05.123456Z |exim|1234|x"}},
		{"json", []string{"[{", `  "eventMessage" : "x",`, `  "backtrace" : {`, `    "frames" : [`, `      {`, `        "imageOffset" : 1`, `      }`, `    ]`, `  },`, `  "processImagePath" : "\/usr\/libexec\/postfix\/smtpd",`, `  "timestamp" : "2025-01-02 03:04:05.123456+0000",`, `  "processID" : 1234`,
			"},{", `  "eventMessage" : "y",`, `  "timestamp" : "2025-01-02 03:04:05.123456+0000",`, `  "processID" : 1234`, "}]", "Jan  2 03:04:05 mx1 exim[7]: z"},
			append(append(times("pending", 12), "2025-01-02T03:04:05.123456Z |postfix/smtpd|1234|x"),
				"pending", "pending", "pending", "2025-01-02T03:04:05.123456Z ||0|y", "2025-01-02T03:04:05Z mx1|exim|7|z")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := run(NewDecoder(Options{Location: time.UTC}), reference, tt.lines...)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func times(s string, n int) []string {
	return strings.Split(strings.TrimSuffix(strings.Repeat(s+"\n", n), "\n"), "\n")
}

// TestArrays is about documents that hold many records.
func TestArrays(t *testing.T) {
	const a, b = "Jan  2 03:04:05 mx1 exim[7]: a", "Jan  2 03:04:06 mx1 exim[7]: b"
	const readA, readB = "2025-01-02T03:04:05Z mx1|exim|7|a", "2025-01-02T03:04:06Z mx1|exim|7|b"
	object := func(text string) string { return `{"timestamp":1735787046000,"message":"` + text + `"}` }
	for _, tt := range []struct {
		name     string
		document string
		want     []string // without what is pending or blank
	}{
		{"aws logs get-log-events", "{\n    \"events\": [\n        {\n            \"timestamp\": 1735787046000,\n            \"message\": \"" + a + "\",\n            \"ingestionTime\": 1735787046000\n        },\n        {\n            \"message\": \"" + b + "\"\n        }\n    ],\n    \"nextForwardToken\": \"f/1\",\n    \"x\": {\n        \"y\": 1\n    }\n}\n" + a,
			[]string{readA, readB, readA}},
		{"an array", "[\n  {\n    \"message\": \"" + a + "\"\n  },\n  {\n    \"message\": \"" + b + "\"\n  }\n]\n" + a, []string{readA, readB, readA}},
		{"an object a line", "[\n  " + object(a) + ",\n  " + object(b) + "\n]\n" + a, []string{readA, readB, readA}},
		{"an object a line, not indented", "[\n" + object(a) + ",\n" + object(b) + "\n]\n" + a, []string{readA, readB, readA}},
		{"Elasticsearch", "{\n  \"hits\" : {\n    \"total\" : {\n      \"value\" : 2\n    },\n    \"hits\" : [\n      {\n        \"_source\" : {\n          \"message\" : \"" + a + "\"\n        }\n      }\n    ]\n  }\n}\n" + b, []string{readA, readB}},
		{"an array without its end", "[\n  {\n    \"message\": \"" + a + "\"\n" + b, []string{readB}},
		{"an array that is over", "[\n]\n" + b, []string{readB}},
		{"a bracket in a log", "[\n" + a + "\n" + b, []string{readA, readB}},
		{"an object around it without its end", "{\n  \"events\": [\n    {\n      \"message\": \"" + a + "\"\n    }\n  ],\n" + b, []string{readA, readB}},
		{"on one line", "[" + object(a) + ", " + object(b) + "]", []string{"popped at 1: " + readA, "popped at 1: " + readB}},
		{"events on one line", `{"messageType":"DATA_MESSAGE","logEvents":[` + object(a) + "," + object(b) + "]}", []string{"popped at 1: " + readA, "popped at 1: " + readB}},
		{"hits on one line", `{"took":1,"hits":{"total":{"value":1},"hits":[{"_source":` + object(a) + "}]}}", []string{"popped at 1: " + readA}},
		{"arrays in an array", `{"events":[{"events":[` + object(a) + "]}," + object(b) + "]}", []string{"popped at 1: " + readB}},
		{"one that breaks off", "[" + object(a) + `,{"message":"` + b, []string{"popped at 1: " + readA}},
		{"no text within", `[{"a":1}]`, []string{"malformed"}},
		{"more than can be", "[" + strings.Repeat("{},", maxElements) + object(a) + "]", []string{"malformed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range run(NewDecoder(Options{Location: time.UTC}), reference, strings.Split(tt.document, "\n")...) {
				if s != "pending" && s != "blank" {
					got = append(got, s)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
