package syslog

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// within reports whether s aliases line.
func within(line, s string) bool {
	if s == "" {
		return true
	}
	start, p := uintptr(unsafe.Pointer(unsafe.StringData(line))), uintptr(unsafe.Pointer(unsafe.StringData(s)))
	return p >= start && p+uintptr(len(s)) <= start+uintptr(len(line))
}

// FuzzDecode reads a stream: the same lines give the same records, nothing is
// kept beyond its bounds, and what one line gives lies inside it.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"Jan  2 03:04:05 mx1 postfix/smtpd[1234]: a\nJan  2 03:04:05 mx1 last message repeated 2 times\n",
		"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1735787045123456\nMESSAGE\n\x03\x00\x00\x00\x00\x00\x00\x00a\nb\n_PID=7\n\n",
		"2025-01-02T03:04:05.1+01:00 mx1 exim[7]: [1/2] 2025-01-02 03:04:05 a\n2025-01-02T03:04:05Z mx1 exim[7]: [2\\2] b\n",
		"<22>1 2025-01-02T03:04:05Z mx1 sm-mta 7 - [a b=\"\\]\"] 502345AB000007[1]: a ...\n502345AB000007[2]: b",
		`{"log":"Jan 02 03:04:05 mx1 exim[7]: a","stream":"stdout","time":"2025-01-02T03:04:05.1Z"}` + "\n" + `{"log":"\u00e4\n"}`,
		`{"__REALTIME_TIMESTAMP":"1735787045123456","MESSAGE":[[1,2],"b"],"_PID":"1"}`,
		"2025-01-02T03:04:05Z stdout P a\n2025-01-02T03:04:05Z stdout F b\n",
		"svc-1  | 2025-01-02 03:04:05.1 +0100 [7] H=x\n[pod/a/b] 2025-01-02T03:04:05Z exim[1]: x\n",
		"Thu 2025-01-02 03:04:05 CET mx1 a[1]: message repeated 2 times: [ b]\n1735787045.123456 a b: c\n12 <1>x y: z",
		"Thu 2025-01-02 03:04:05 CET [s=a]\n    MESSAGE=x\n    _COMM=exim\n{\n\t\"MESSAGE\" : \"y\"\n}\n",
		`{"_source":{"message":"x","process":{"name":"exim","pid":1}},"date":1735787045.1}` + "\n2025-01-02T03:04:05Z\ta\t{\"log\":\"b\"}\n",
		"\xff\xfea\x00\n\x00b\x00\nx.log:1:Jan  2 03:04:05 mx1 mail:info Forwarded from b: exim[1]: [ID 1 mail.info] x#012\n",
		"2025 Jan  2 03:04:05 a b: c\nJan  2 03:04:05 --- last message repeated 2 times ---\n2025-01-02T03:04:05Z {a=\"b\"} Jan  2 03:04:05 a b: c",
		"\x1b[36mJan  2 03:04:05 \x1b[0mmx1 exim[7]: a\nJan  2 03:04:05 mx1 exim[7]: \x1b[1ma\x1b[0m\n",
		"\"timestamp\",\"source\",\"message\"\n\"2025-01-02T03:04:05.1Z\",\"mx1\",\"mx1 exim[7]: \"\"a\"\"\"\n2025-01-02T03:04:05Z,a,b\n",
		"7\t2025-01-02T03:04:05Z\t2025-01-02T03:04:06Z\t42\tmx1\t192.0.2.1\tMail\tInfo\texim[7]\tx\nEVENTS\t1735787046000\texim[7]: x\t1735787045000\n",
		"Timestamp                       Thread     Type        Activity             PID    TTL\n2025-01-02 03:04:05.1+0000 0x1 Default 0x0 7 0 smtpd: (a) [b] x\n",
		"Timestamp  Ty Process[PID:TID]\n2025-01-02 03:04:05.1 Df smtpd[7:1] x\n",
		"{\n  \"events\": [\n    {\n      \"message\": \"a\"\n    },\n    {\"message\":\"b\"}\n  ],\n  \"x\": 1\n}\n[{\n  \"log\": \"a\"\n},{\n}]\n",
		`[{"message":"exim[7]: a","timestamp":1735787046000},{"logEvents":[{"message":"b"}]}]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		lines := strings.Split(input, "\n")
		d := NewDecoder(Options{Location: berlin})
		got := run(d, reference, lines...)
		if len(d.groups) > 0 || len(d.ready) > 0 || len(d.previous.hosts) > maxHosts {
			t.Fatalf("keeps %d groups, %d records, %d hosts", len(d.groups), len(d.ready), len(d.previous.hosts))
		}
		if diff := cmp.Diff(got, run(NewDecoder(Options{Location: berlin}), reference, lines...)); diff != "" {
			t.Fatalf("second run differs: %s", diff)
		}
		for _, s := range lines {
			checkAlone(t, s)
		}
	})
}

func checkAlone(t *testing.T, s string) {
	var env relaylens.Envelope
	d := NewDecoder(Options{Location: berlin})
	if d.Decode(&relaylens.Line{Text: s}, reference, &env) != Ready {
		return
	}
	if env.Time.IsZero() {
		t.Errorf("%q: no time", s)
	}
	if len(d.scratch) > 0 || len(d.groups) > 0 { // unescaped JSON; Exim's first line, copied
		return
	}
	for _, field := range []string{env.Host, env.Program, env.Text} {
		if !within(s, field) {
			t.Errorf("%q: %q is not inside the line", s, field)
		}
	}
}

// framing renders a record. What it does not show is left out of want.
type framing struct {
	name   string
	render func(r relaylens.Envelope) string
	want   func(r *relaylens.Envelope)
}

func seconds(r *relaylens.Envelope) { r.Time, r.TimeDigits = r.Time.Truncate(time.Second), 0 }
func noHost(r *relaylens.Envelope) {
	seconds(r)
	r.Host = ""
}

func inner(r relaylens.Envelope, layout string) string {
	return fmt.Sprintf("%s %s %s[%d]: %s", r.Time.Format(layout), r.Host, r.Program, r.PID, r.Text)
}

// runtime is the stamp that a container's runtime puts before what it printed.
func runtime(r relaylens.Envelope) string {
	return r.Time.Add(1100 * time.Millisecond).Format(time.RFC3339Nano)
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

const (
	bsdLayout    = "Jan _2 15:04:05"
	postlogd     = "Jan 02 15:04:05"
	micros       = "2006-01-02T15:04:05.000000Z07:00"
	exim         = "2006-01-02 15:04:05"
	journalMicro = `{"__REALTIME_TIMESTAMP":"%d","_HOSTNAME":%s,"SYSLOG_IDENTIFIER":%s,"SYSLOG_PID":"%d","_PID":"1","MESSAGE":%s}`
)

var framings = []framing{
	{"rfc3164", func(r relaylens.Envelope) string { return inner(r, bsdLayout) }, seconds},
	{"postlogd", func(r relaylens.Envelope) string { return inner(r, postlogd) }, seconds},
	{"short-precise", func(r relaylens.Envelope) string { return inner(r, postlogd+".000000") }, nil},
	{"priority", func(r relaylens.Envelope) string { return "<22>" + inner(r, bsdLayout) }, seconds},
	{"datagram", func(r relaylens.Envelope) string {
		return fmt.Sprintf("<22>%s %s[%d]: %s", r.Time.Format(bsdLayout), r.Program, r.PID, r.Text)
	}, noHost},
	{"rfc3339", func(r relaylens.Envelope) string { return inner(r, micros) }, nil},
	{"rfc3339 seconds", func(r relaylens.Envelope) string { return inner(r, time.RFC3339) }, seconds},
	{"rfc3339 with space", func(r relaylens.Envelope) string { return inner(r, "2006-01-02 15:04:05.000000Z07:00") }, nil},
	{"space, no zone", func(r relaylens.Envelope) string { return inner(r, "2006-01-02 15:04:05.000000") }, nil},
	{"short-iso", func(r relaylens.Envelope) string { return inner(r, "2006-01-02T15:04:05-0700") }, seconds},
	{"short-full", func(r relaylens.Envelope) string { return inner(r, "Mon 2006-01-02 15:04:05 MST") }, seconds},
	{"short-unix", func(r relaylens.Envelope) string {
		return fmt.Sprintf("%d.%06d %s %s[%d]: %s", r.Time.Unix(), r.Time.Nanosecond()/1000, r.Host, r.Program, r.PID, r.Text)
	}, nil},
	{"rfc5424", func(r relaylens.Envelope) string {
		return fmt.Sprintf(`<22>1 %s %s %s %d - [x y="\]\" "] %s`, r.Time.Format(micros), r.Host, r.Program, r.PID, r.Text)
	}, nil},
	{"octets", func(r relaylens.Envelope) string {
		return fmt.Sprintf("99 <22>1 %s %s %s %d - - %s%s", r.Time.Format(micros), r.Host, r.Program, r.PID, bom, r.Text)
	}, nil},
	{"journal", func(r relaylens.Envelope) string {
		return fmt.Sprintf(journalMicro, r.Time.UnixMicro(), quote(r.Host), quote(r.Program), r.PID, quote(r.Text))
	}, asJSON},
	{"docker", func(r relaylens.Envelope) string {
		return `{"log":` + quote(inner(r, postlogd)+"\n") + `,"stream":"stdout","time":"` + runtime(r) + `"}`
	}, func(r *relaylens.Envelope) { seconds(r); asJSON(r) }},
	{"cri", func(r relaylens.Envelope) string { return runtime(r) + " stdout F " + inner(r, postlogd) }, seconds},
	{"cri bare", func(r relaylens.Envelope) string {
		return fmt.Sprintf("%s stderr F %s[%d]: %s", r.Time.Format(micros), r.Program, r.PID, r.Text)
	}, func(r *relaylens.Envelope) { r.Host = "" }},
	{"compose", func(r relaylens.Envelope) string { return "svc-1  | " + inner(r, postlogd) }, seconds},
	{"compose stamped", func(r relaylens.Envelope) string { return "svc-1  | " + runtime(r) + " " + inner(r, postlogd) }, seconds},
	{"kubectl", func(r relaylens.Envelope) string { return "[pod/a/b] " + inner(r, postlogd) }, seconds},
	{"exim over syslog", func(r relaylens.Envelope) string {
		r.Text = r.Time.Format(exim+".000 ") + r.Text
		return inner(r, bsdLayout)
	}, func(r *relaylens.Envelope) { r.Time, r.TimeDigits = r.Time.Truncate(time.Millisecond), 3 }},
	{"exim", func(r relaylens.Envelope) string { return r.Time.Format(exim) + " " + r.Text },
		func(r *relaylens.Envelope) { native(r); r.PID = 0 }},
	{"ccze", func(r relaylens.Envelope) string { return "\x1b[36m" + inner(r, postlogd) + "\x1b[0m" }, colorless},
	{"journalctl, coloured", func(r relaylens.Envelope) string {
		r.Text = "\x1b[0;1;39m" + r.Text + "\x1b[0m"
		return inner(r, postlogd)
	}, colorless},
	{"papertrail", func(r relaylens.Envelope) string {
		return fmt.Sprintf("7\t%s\t%s\t42\t%s\t192.0.2.1\tMail\tInfo\t%s[%d]\t%s", r.Time.Format(micros), r.Time.Format(micros), r.Host, r.Program, r.PID, r.Text)
	}, nil},
	{"aws logs", func(r relaylens.Envelope) string {
		return fmt.Sprintf("EVENTS\t1735787046000\t%s\t%d", inner(r, postlogd), r.Time.UnixMilli())
	}, seconds},
	{"log show --style ndjson", func(r relaylens.Envelope) string {
		return fmt.Sprintf(`{"timestamp":%q,"eventMessage":%s,"processID":%d,"processImagePath":%s}`, r.Time.Format("2006-01-02 15:04:05.000000-0700"), quote(r.Text), r.PID, quote(macPath(r.Program)))
	}, func(r *relaylens.Envelope) {
		r.Host, r.Program = "", "postfix/"+path.Base(macPath(r.Program))
		asJSON(r)
	}},
	{"exim with zone and pid", func(r relaylens.Envelope) string {
		return fmt.Sprintf("%s [%d] %s", r.Time.Format(exim+" -0700"), r.PID, r.Text)
	}, native},
}

func macPath(program string) string {
	return "/usr/libexec/postfix/" + strings.ReplaceAll(program, "/", "_")
}

// ended is s without what ends a line on other systems, or where it was escaped.
func ended(s string) string {
	for before := ""; s != before; {
		before, s = s, withoutEscapedEnd(strings.TrimRight(s, "\r\n\x00"))
	}
	return s
}

var colors = regexp.MustCompile("\x1b\\[[0-9;:]*[mK]")

func colorless(r *relaylens.Envelope) {
	seconds(r)
	r.Text = colors.ReplaceAllString(r.Text, "")
}

func native(r *relaylens.Envelope) {
	noHost(r)
	r.Program, r.Native = "", true
}

// asJSON loses what JSON cannot say: bytes that are no UTF-8.
func asJSON(r *relaylens.Envelope) {
	if err := json.Unmarshal([]byte(quote(r.Text)), &r.Text); err != nil {
		panic(err)
	}
}

// word keeps the bytes of s that may stand in a host or tag.
func word(s, otherwise, punctuation string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x80 && alnum(byte(r)) || strings.ContainsRune(punctuation, r) {
			return r
		}
		return -1
	}, s)
	if s == "" || len(s) > 30 || s[0] == '-' {
		return otherwise
	}
	return s
}

// FuzzRender writes a record in every framing and reads it back: whatever its
// text says, time, host, program, pid and text are those that were written.
func FuzzRender(f *testing.F) {
	f.Add(uint32(1735787045), uint32(123456), "mx1.example.com", "postfix/submission/smtpd", int32(1234), "RCPT from x[192.0.2.1]: 554")
	f.Add(uint32(1709164800), uint32(0), "2001:db8::25", "sm-mta", int32(1), "Jan  2 03:04:05 mx2 exim[9]: [1/2] x \xff\x00")
	f.Add(uint32(0), uint32(999999), "a/b", "exim", int32(1<<31-1), "x y[12]: z | {\"log\":\"\"} \\ \" ] message repeated 3 times: [ a]")
	f.Fuzz(func(t *testing.T, sec, micro uint32, host, program string, pid int32, hostile string) {
		if pid <= 0 {
			pid = 1
		}
		hostile = ended(strings.ReplaceAll(hostile, "\n", " "))
		record := relaylens.Envelope{
			Time: time.Unix(1e9+int64(sec%3e9), int64(micro%1e6)*1000).UTC(), TimeDigits: 6,
			Host: word(host, "2001:db8::25", "./-"), Program: word(program, "exim", "./_-"), PID: pid,
			Text: "H=(" + hostile,
		}
		ref := record.Time.Add(time.Duration(micro%364*24) * time.Hour)
		for _, fr := range framings {
			want := record
			if fr.want != nil {
				fr.want(&want)
			}
			if len(fr.render(record)) > relaylens.MaxLine {
				return
			}
			var got relaylens.Envelope
			st := NewDecoder(Options{Location: time.UTC}).Decode(&relaylens.Line{Text: fr.render(record)}, ref, &got)
			if a, b := show(Ready, &want), show(st, &got); a != b {
				t.Errorf("%s: %q\nwant %q\ngot  %q", fr.name, fr.render(record), a, b)
			}
		}
	})
}

// FuzzTable writes records as the rows of a table and reads them back.
func FuzzTable(f *testing.F) {
	f.Add("H=(pc) \"x\", [192.0.2.1]", "mx1")
	f.Add("\n2025-01-02T03:04:05Z,mx2,exim[1]: y\n", "a")
	f.Add("\"\n\"2025-01-02T03:04:05Z\",\"mx2\",\"exim[1]: y\"\n\"", "a,\"b")
	f.Fuzz(func(t *testing.T, hostile, host string) {
		row := [...]string{"2025-01-02T03:04:05Z", word(host, "mx1", "./-"), ended("exim[7]: H=(" + hostile)}
		var b strings.Builder
		w := csv.NewWriter(&b)
		if err := w.WriteAll([][]string{{"timestamp", "source", "message"}, row[:]}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		got := run(NewDecoder(Options{Location: time.UTC}), reference, lines...)
		want := []string{"blank", row[0] + " " + row[1] + "|exim|7|" + strings.TrimPrefix(row[2], "exim[7]: ")}
		if len(lines) > 2 || len(b.String()) > relaylens.MaxLine { // no log's line has a newline: none of its lines is read
			for _, status := range got[1:] {
				if status != "malformed" && status != "blank" {
					t.Errorf("%q: %q", lines, got)
				}
			}
			return
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", lines, diff)
		}
	})
}

// FuzzJoin cuts a record as MTAs and container runtimes do and joins it again.
func FuzzJoin(f *testing.F) {
	f.Add("H=(pc) [192.0.2.1] rejected RCPT <a@example.com>: no", uint8(7))
	f.Add("[2/3] 502345AB000007[2]:  ... x ...y", uint8(3))
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		text = "H=" + strings.NewReplacer("\n", " ", "\r", " ", "\x00", " ").Replace(text)
		n := max(int(size), len(text)/900+1, 2)
		if len(text) > maxRecord || len(text) <= n {
			return
		}
		var parts []string
		for rest := text; rest != ""; rest = rest[min(n, len(rest)):] {
			parts = append(parts, rest[:min(n, len(rest))])
		}
		if len(parts) > 999 {
			return
		}
		for name, piece := range map[string]func(i int) string{
			"exim": func(i int) string {
				return fmt.Sprintf("Jan  2 03:04:05 mx1 a[7]: [%d/%d] %s", i+1, len(parts), parts[i])
			},
			"sendmail": func(i int) string {
				s := fmt.Sprintf("Jan  2 03:04:05 mx1 a[7]: [%d]: %s", i+1, parts[i])
				if i < len(parts)-1 {
					s += " ..."
				}
				return s
			},
			"cri": func(i int) string {
				s := "2025-01-02T03:04:05Z stdout P " + parts[i]
				if i == 0 {
					s = "2025-01-02T03:04:05Z stdout P Jan  2 03:04:05 mx1 a[7]: " + parts[i]
				} else if i == len(parts)-1 {
					s = "2025-01-02T03:04:05Z stdout F " + parts[i]
				}
				return s
			},
		} {
			var lines []string
			for i := range parts {
				lines = append(lines, piece(i))
			}
			got := run(NewDecoder(Options{Location: time.UTC}), reference, lines...)
			last := strings.TrimPrefix(got[len(got)-1], fmt.Sprintf("popped at %d: ", len(parts)))
			if last != "2025-01-02T03:04:05Z mx1|a|7|"+text {
				t.Errorf("%s: cut every %d bytes\nwant %q\ngot  %q", name, n, text, last)
			}
		}
	})
}
