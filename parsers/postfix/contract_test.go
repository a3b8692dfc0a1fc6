package postfix

import (
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
)

// hitLines are one line of each family.
var hitLines = []string{
	"postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<x> sasl_method=PLAIN sasl_username=joe",
	"postfix/smtpd[1]: NOQUEUE: reject: EHLO from unknown[203.0.113.9]: 504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname; proto=SMTP helo=<x>",
	"postfix/smtpd[1]: NOQUEUE: milter-reject: RCPT from unknown[203.0.113.9]: 550 5.7.1 no; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<x> sasl_username=<joe>",
	"postfix/smtpd[1]: proxy-reject: END-OF-MESSAGE: 550 5.7.1 Spam; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<x>",
	"postfix/smtpd[1]: warning: a.example.com[203.0.113.9]:4711: SASL PLAIN authentication failed: (reason unavailable), sasl_username=joe@example.com",
	"postfix/smtpd[1]: 4F1A2B3C: client=unknown[203.0.113.9], sasl_method=PLAIN, sasl_username=joe",
	"postfix/smtpd[1]: connect from unknown[203.0.113.9]",
	"postfix/smtpd[1]: warning: Connection rate limit exceeded: 26 from unknown[203.0.113.9] for service smtp",
	"postfix/smtpd[1]: warning: Illegal address syntax from unknown[203.0.113.9] in MAIL command: <x>",
	"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>, relay=mx.example.net[198.51.100.25]:25, delay=1, delays=0/0/0/1, dsn=5.7.1, status=bounced (host mx.example.net[198.51.100.25] said: 554 5.7.1 <b@example.net>: Relay access denied (in reply to RCPT TO command))",
	"postfix/cleanup[1]: 4F1A2B3C: reject: header Subject: hi from unknown[203.0.113.9]; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<pc>: 5.7.1 no",
	"postfix/cleanup[1]: 4F1A2B3C: milter-reject: END-OF-MESSAGE from unknown[203.0.113.9]: 5.7.1 no; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<pc>",
	"postfix/postscreen[1]: NOQUEUE: reject: RCPT from [203.0.113.9]:4711: 550 5.5.1 Protocol error; from=<a@example.com>, to=<b@example.net>, proto=ESMTP, helo=<x>",
	"postfix/qmgr[1]: 4F1A2B3C: from=<a@example.com>, size=1, nrcpt=1 (queue active)",
	"postfix/bounce[1]: 4F1A2B3C: sender non-delivery notification: 5F1A2B3C",
}

var missLines = []string{
	"postfix/cleanup[1]: 4F1A2B3C: message-id=<1@example.com>",
	"postfix/smtpd[1]: lost connection after DATA from unknown[192.0.2.1]",
	"postfix/anvil[1]: statistics: max cache size 1 at Jan  2 03:04:05",
	"postfix/smtpd[1]: Anonymous TLS connection established from unknown[192.0.2.1]: TLSv1.3 with cipher X",
	"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (connect to mx.example.net[198.51.100.25]:25: Connection refused)",
	"postfix/smtpd[1]: NOQUEUE: reject: RCPT from nobody: 554 5.7.1 no",
}

func TestContract(t *testing.T) {
	parsertest.Run(t, New(relaylens.Texts{}), parsertest.Envelopes(parsertest.Syslog, hitLines...), parsertest.Envelopes(parsertest.Syslog, missLines...))
}

func TestHitsDoNotAllocate(t *testing.T) {
	g := New(relaylens.Texts{})
	for _, line := range hitLines {
		env := parsertest.Syslog(line)
		if n := testing.AllocsPerRun(10, func() {
			var rec relaylens.Record
			g.Parse(&env, &rec)
		}); n > 1 { // the record itself
			t.Errorf("%v allocations: %s", n, line)
		}
	}
}

// printable is util/printable.c without SMTPUTF8; neuter is smtpd.c's for HELO.
func printable(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}

func neuter(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(` <>()\";@`, r) {
			return '?'
		}
		return r
	}, printable(s))
}

// external is global/quote_822_local.c: the local part is quoted as a whole when
// it holds anything that is no atom.
func external(address string) string {
	at := strings.LastIndexByte(address, '@')
	local := address[:at]
	if local != "" && strings.IndexFunc(local, func(r rune) bool { return strings.ContainsRune(" ()<>[]:;@\\,\"", r) || r < ' ' || r > '~' }) < 0 {
		return address
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(printable(local)) + `"` + address[at:]
}

// cut is what the server's own text is held to.
func cut(s string, n int) string { return s[:min(n, len(s))] }

// scene is a line with one place for the client's words, rendered as Postfix does.
type scene struct {
	name   string
	render func(value string) string
}

func scenes() []scene {
	reject := func(where, text, sender, recipient, helo, rest string) string {
		return "postfix/smtpd[1]: NOQUEUE: reject: " + where + " from unknown[203.0.113.9]: " + cut(printable(text), 510) +
			"; from=<" + external(sender) + "> to=<" + external(recipient) + "> proto=ESMTP helo=<" + neuter(helo) + ">" + rest
	}
	const a, b = "a@example.com", "b@example.net"
	return []scene{
		{"relay recipient", func(v string) string {
			return reject("RCPT", "554 5.7.1 <"+v+"@example.net>: Relay access denied", a, v+"@example.net", "x", "")
		}},
		{"relay sender", func(v string) string {
			return reject("RCPT", "554 5.7.1 <"+b+">: Relay access denied", v+"@example.com", b, "x", "")
		}},
		{"relay helo", func(v string) string { return reject("RCPT", "554 5.7.1 <"+b+">: Relay access denied", a, b, v, "") }},
		{"relay sasl_sender", func(v string) string {
			return reject("RCPT", "554 5.7.1 <"+b+">: Relay access denied", a, b, "x", " sasl_method=PLAIN sasl_username=joe sasl_sender="+printable(v))
		}},
		{"sender domain", func(v string) string {
			return reject("RCPT", "450 4.1.8 <"+v+"@example.com>: Sender address rejected: Domain not found", v+"@example.com", b, "x", "")
		}},
		{"both addresses", func(v string) string {
			return reject("RCPT", "550 5.1.1 <"+v+"@example.net>: Recipient address rejected: User unknown", v+"@example.com", v+"@example.net", v, "")
		}},
		{"callout", func(v string) string {
			return reject("RCPT", "450 4.1.7 <"+a+">: Sender address rejected: unverified address: host mx.example.com[198.51.100.25] said: 550 "+v+" (in reply to RCPT TO command)", a, b, "x", "")
		}},
		{"blocklist", func(v string) string {
			return reject("RCPT", "554 5.7.1 Service unavailable; Sender address ["+v+"@example.com] blocked using bl.example.org; x", v+"@example.com", b, v, "")
		}},
		{"raw helo", func(v string) string {
			return "postfix/smtpd[1]: NOQUEUE: milter-reject: EHLO from unknown[203.0.113.9]: 421 4.7.1 Command rejected; proto=SMTP helo=<" + printable(v) + ">"
		}},
		{"helo restriction", func(v string) string {
			return "postfix/smtpd[1]: NOQUEUE: reject: EHLO from unknown[203.0.113.9]: 501 5.5.2 <" + printable(v) + ">: Helo command rejected: Invalid name; proto=SMTP helo=<" + printable(v) + ">"
		}},
		{"postscreen", func(v string) string {
			return "postfix/postscreen[1]: NOQUEUE: reject: RCPT from [203.0.113.9]:4711: 550 5.7.1 Service unavailable; client [203.0.113.9] blocked using bl.example.org; from=<" +
				external(v+"@example.com") + ">, to=<" + external(v+"@example.net") + ">, proto=ESMTP, helo=<" + printable(v) + ">"
		}},
		{"login", func(v string) string {
			return "postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: authentication failure, sasl_username=" + printable(cut(v, 100))
		}},
		{"birth", func(v string) string {
			return "postfix/smtpd[1]: 4F1A2B3C: client=unknown[203.0.113.9], sasl_sender=" + printable(v)
		}},
		{"syntax", func(v string) string {
			return "postfix/smtpd[1]: warning: Illegal address syntax from unknown[203.0.113.9] in RCPT command: <" + printable(v) + ">"
		}},
		{"command", func(v string) string {
			return "postfix/smtpd[1]: warning: non-SMTP command from unknown[203.0.113.9]: " + printable(cut(v, 100))
		}},
		{"header", func(v string) string {
			return "postfix/cleanup[1]: 4F1A2B3C: reject: header Subject: " + printable(cut(v, 200)) + " from unknown[203.0.113.9]; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<pc>: 5.7.1 no"
		}},
		{"milter", func(v string) string {
			return "postfix/cleanup[1]: 4F1A2B3C: milter-reject: END-OF-MESSAGE from unknown[203.0.113.9]: 5.7.1 no; from=<" + external(v+"@example.org") + "> to=<b@example.com> proto=ESMTP helo=<pc>"
		}},
		{"remote recipient", func(v string) string {
			return "postfix/smtp[1]: 4F1A2B3C: to=<" + external(v+"@example.net") + ">, relay=mx.example.net[198.51.100.25]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.net[198.51.100.25] said: 550 5.1.1 no (in reply to RCPT TO command))"
		}},
		{"original recipient", func(v string) string {
			return "postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>, orig_to=<" + external(v+"@example.com") + ">, relay=mx.example.net[198.51.100.25]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.net[198.51.100.25] said: 550 5.1.1 no (in reply to RCPT TO command))"
		}},
		{"remote reply", func(v string) string {
			return "postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>, relay=mx.example.net[198.51.100.25]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 " + printable(v) + ")"
		}},
		{"active", func(v string) string {
			return "postfix/qmgr[1]: 4F1A2B3C: from=<" + external(v+"@example.com") + ">, size=1, nrcpt=1 (queue active)"
		}},
	}
}

func TestInject(t *testing.T) {
	g := New(relaylens.Texts{})
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			if err := parsertest.Inject(g, func(v string) relaylens.Envelope { return parsertest.Syslog(s.render(v)) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// FuzzParse gives any line, as any program's.
func FuzzParse(f *testing.F) {
	for _, line := range append(hitLines, missLines...) {
		env := parsertest.Syslog(line)
		f.Add(env.Program, env.Text)
		f.Add("postfix", env.Text)
	}
	g := New(relaylens.Texts{})
	f.Fuzz(func(t *testing.T, program, text string) {
		env := relaylens.Envelope{Program: program, PID: 1, Text: text}
		if err := parsertest.Check(g, env); err != nil {
			t.Error(err)
		}
	})
}

// FuzzParseHostile puts any text where the client's words stand.
func FuzzParseHostile(f *testing.F) {
	g := New(relaylens.Texts{})
	all := scenes()
	want := make([]relaylens.Record, len(all))
	for i, s := range all {
		env := parsertest.Syslog(s.render("plain.example"))
		if g.Parse(&env, &want[i]) != relaylens.Parsed {
			f.Fatal(env.Text)
		}
		for _, h := range parsertest.Hostile() {
			f.Add(i, h)
		}
	}
	f.Fuzz(func(t *testing.T, i int, value string) {
		if i < 0 || i >= len(all) || value == "" {
			return
		}
		if len(value) > 300 {
			value = value[:300]
		}
		env := parsertest.Syslog(all[i].render(value))
		if err := parsertest.Same(g, &want[i], env); err != nil {
			t.Errorf("%s: %v", all[i].name, err)
		}
	})
}

func benchmark(b *testing.B, lines ...string) {
	g := New(relaylens.Texts{})
	envs := parsertest.Envelopes(parsertest.Syslog, lines...)
	var rec relaylens.Record
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		rec = relaylens.Record{}
		g.Parse(&envs[i%len(envs)], &rec)
	}
}

func BenchmarkReject(b *testing.B)   { benchmark(b, hitLines[0]) }
func BenchmarkSASL(b *testing.B)     { benchmark(b, hitLines[4]) }
func BenchmarkDelivery(b *testing.B) { benchmark(b, hitLines[9]) }
func BenchmarkHits(b *testing.B)     { benchmark(b, hitLines...) }
func BenchmarkMisses(b *testing.B)   { benchmark(b, missLines...) }
