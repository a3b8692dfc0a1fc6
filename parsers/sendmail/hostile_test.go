package sendmail

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
)

// str2prt escapes as conf.c:sm_syslog does.
func str2prt(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c == '\\':
			b.WriteString(`\\`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// quoted is an address whose local part is v, as RFC 5321 has it.
func quoted(v string) string {
	v = strings.NewReplacer("\r", "", "\n", "", `\`, `\\`, `"`, `\"`).Replace(v)
	return `"` + v + `"@example.net`
}

// word is v as a client can have it in a place that ends at a space or control.
func word(v string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return -1
		}
		return r
	}, v)
}

// ptr is v as the name of a client, the way a resolver library that checks no
// characters writes it (libc's ns_name_ntop). '<' is left out: it begins a
// client's own text in lines that look alike, and is never part of a real name.
func ptr(v string) string {
	var b strings.Builder
	for _, c := range []byte(v) {
		switch {
		case c == '<':
		case c <= ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\%03d`, c)
		case strings.IndexByte(`"();@$\`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// ident is what Sendmail leaves of an RFC 1413 reply. util.c:cleanstrcpy
func ident(v string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && alphanumeric(byte(r)) || strings.ContainsRune("!#$%&'*+-./^_`{|}~", r) {
			return r
		}
		return -1
	}, v)
}

func cut(s string, n int) string { return s[:min(n, len(s))] }

// short is libsmutil's shortenstring.
func short(s string) string {
	if len(s) <= 203 {
		return s
	}
	return s[:100] + "..." + s[len(s)-100:]
}

// templates render a line with v where a client or another server has its say.
// The client is 203.0.113.9 in each.
var templates = []struct {
	name   string
	render func(v string) string
}{
	{"check_rcpt address", func(v string) string {
		a := quoted(v)
		return id + ": ruleset=check_rcpt, arg1=<" + short(a) + ">, relay=host.example.com [203.0.113.9], reject=550 5.7.1 <" + short(a) + ">... Relaying denied"
	}},
	{"check_mail address", func(v string) string {
		a := quoted(v)
		return id + ": ruleset=check_mail, arg1=<" + short(a) + ">, relay=[203.0.113.9], reject=553 5.1.8 <" + short(a) + ">... Domain of sender address " + a + " does not exist"
	}},
	{"delayed check_mail address", func(v string) string {
		return id + ": ruleset=check_rcpt, arg1=<b@example.com>, relay=[203.0.113.9], reject=451 4.1.8 Domain of sender address " + quoted(v) + " does not resolve"
	}},
	{"delayed check_mail both", func(v string) string {
		return id + ": ruleset=check_rcpt, arg1=<" + short(quoted(v)) + ">, relay=[203.0.113.9], reject=553 5.1.8 <" + short(quoted(v)) +
			">... Domain of sender address " + quoted(v) + " does not exist"
	}},
	{"check_vrfy argument", func(v string) string {
		return "ruleset=check_vrfy, arg1=" + short(v) + ", relay=host.example.com [203.0.113.9], reject=550 5.7.1 Access denied"
	}},
	{"header value", func(v string) string {
		return id + ": ruleset=CheckSubject, arg1=" + short(v) + ", relay=host.example.com [203.0.113.9], reject=550 5.7.1 no thanks"
	}},
	{"check_relay name", func(v string) string {
		return "ruleset=check_relay, arg1=" + word(v) + ", arg2=203.0.113.9, relay=" + word(v) + " [203.0.113.9] (may be forged), reject=550 5.7.1 Access denied"
	}},
	{"login name", func(v string) string {
		return id + ": AUTH failure (PLAIN): user not found (-20) SASL(-13): user not found: Password verification failed, user=" + cut(v, 64) +
			", relay=host.example.com [203.0.113.9]"
	}},
	{"login name in sasldb", func(v string) string {
		shown, _, _ := strings.Cut(v, " ")
		return id + ": AUTH failure (CRAM-MD5): user not found (-20) SASL(-13): user not found: user: " + v + "@mx1.example.com property: cmusaslsecretCRAM-MD5 not found in sasldb, user=" +
			cut(shown, 64) + ", relay=[203.0.113.9]"
	}},
	{"base64", func(v string) string {
		return id + `: AUTH decode64 error [-5 for "` + v + `"], relay=host.example.com [203.0.113.9]`
	}},
	{"from address", func(v string) string {
		return id + ": from=" + cut("<"+quoted(v)+">", 200) + ", size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=host.example.com [203.0.113.9]"
	}},
	{"message id", func(v string) string {
		return id + ": from=<a@example.org>, size=10, class=0, nrcpts=1, msgid=" + v + ", proto=ESMTP, daemon=MTA, relay=host.example.com [203.0.113.9]"
	}},
	{"VRFY argument", func(v string) string {
		return id + ": host.example.com [203.0.113.9]: VRFY " + v + " [rejected]"
	}},
	{"HELO", func(v string) string {
		return id + ": invalid domain name (" + v + ") from host.example.com [203.0.113.9]"
	}},
	{"setsender", func(v string) string {
		return id + ": setsender: " + v + ": invalid or unparsable, received from host.example.com [203.0.113.9]"
	}},
	{"host name", func(v string) string {
		return id + ": " + ptr(v) + " [203.0.113.9] (may be forged) did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA"
	}},
	{"Milter connect", func(v string) string {
		return id + ": Milter: connect: host=" + word(v) + ", addr=203.0.113.9, reject=550 5.7.1 no"
	}},
	{"unknown user", func(v string) string { return id + ": <" + quoted(v) + ">... User unknown" }},
	{"Milter to", func(v string) string { return id + ": Milter: to=<" + quoted(v) + ">, reject=550 5.7.1 no" }},
	{"to address", func(v string) string {
		return id + ": to=<" + quoted(v) + ">, ctladdr=<" + quoted(v) + "> (1000/1000), delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=1, relay=mx.example.net. [198.51.100.25], " +
			"dsn=5.7.1, reply=554 5.7.1 Relay access denied, stat=Service unavailable"
	}},
	{"host name and VRFY argument", func(v string) string {
		return id + ": " + ptr(v) + " [203.0.113.9]: VRFY " + v + " [rejected]"
	}},
	{"host name and flood", func(v string) string {
		return id + ": " + ptr(v) + " [203.0.113.9] (may be forged): Possible SMTP RCPT flood, shutting down connection."
	}},
	{"host name and attack", func(v string) string {
		return id + ": " + ptr(v) + " [203.0.113.9]: possible SMTP attack: command=AUTH, count=4"
	}},
	{"ident", func(v string) string {
		return id + ": " + ident(v) + "@[203.0.113.9] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA"
	}},
	{"ident and host name", func(v string) string {
		return id + ": IDENT:" + ident(v) + "@" + ptr(v) + " [203.0.113.9]: EXPN x [rejected]"
	}},
	{"connect", func(v string) string { return "NOQUEUE: connect from " + ptr(v) + " [203.0.113.9] (may be forged)" }},
	{"lost input", func(v string) string {
		return id + ": lost input channel from " + ptr(v) + " [203.0.113.9] to MTA after rcpt"
	}},
	{"timeout", func(v string) string {
		return id + ": timeout waiting for input from " + cut(ptr(v), 80) + " [203.0.113.9] during server cmd read"
	}},
	{"STARTTLS", func(v string) string {
		return "STARTTLS=server, relay=" + cut(ptr(v), 80) + " [203.0.113.9], version=TLSv1.3, verify=NO, cipher=TLS_AES_256_GCM_SHA384, bits=256/256"
	}},
	{"AUTH host", func(v string) string {
		return "AUTH=server, relay=" + ptr(v) + " [203.0.113.9], authid=joe, mech=PLAIN, bits=0"
	}},
	{"AUTH failure host", func(v string) string {
		return id + ": AUTH failure (PLAIN): authentication failure (-13) SASL(-13): authentication failure: checkpass failed, user=joe, relay=" + cut(ptr(v), 80) + " [203.0.113.9]"
	}},
	{"from host", func(v string) string {
		return id + ": from=<a@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=" + ptr(v) + " [203.0.113.9]"
	}},
	{"pre-greeting host", func(v string) string {
		return id + ": rejecting commands from " + ptr(v) + " [203.0.113.9] due to pre-greeting traffic after 0 seconds"
	}},
}

func renderAs(render func(string) string) func(string) relaylens.Envelope {
	return func(v string) relaylens.Envelope {
		return relaylens.Envelope{Program: "sm-mta", PID: 4321, Text: str2prt(render(v))}
	}
}

// hosts imitate a line that begins with a host name, or the keyword of one that
// does not.
var hosts = []string{
	"AUTH", "AUTH=server,", "MX", "Milter", "Milter:", "SYSERR", "SYSERR(root):", "ruleset", "ruleset=check_relay", "ruleset=check_relay,", "milter", "milter=x,",
	"rejecting", "from", "from=x", "from=x,", `from=x(y`, `from=x"y`, `from=x\`, `from=x\(`, "to", "to=x,", "x]:", "x]I=[192.0.2.66]:", "x[192.0.2.66]:VRFY", "550", "x...", "502345AC004321:", "STARTTLS=server,",
	"[192.0.2.66]: VRFY x [rejected]", "x [192.0.2.66]: VRFY x [rejected]", "x [192.0.2.66]: x",
	"[192.0.2.66] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA", "x [192.0.2.66] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA",
	"x, size=1, class=0, nrcpts=1, msgid=<x>, relay=good.example.com [192.0.2.66]",
	"y, arg1=<x>, relay=good.example.com [192.0.2.66], reject=550 5.7.1 <x>... Relaying denied",
	"y>, delay=00:00:01, mailer=esmtp, relay=mx.example.net. [192.0.2.66], dsn=5.7.1, stat=Service unavailable",
}

func TestInject(t *testing.T) {
	for _, tpl := range templates {
		t.Run(tpl.name, func(t *testing.T) {
			g, render := New(relaylens.Texts{}), renderAs(tpl.render)
			if err := parsertest.Inject(g, render); err != nil {
				t.Error(err)
			}
			plain := render("plain.example")
			var want relaylens.Record
			g.Parse(&plain, &want)
			for _, h := range hosts {
				if err := parsertest.Same(g, &want, render(h)); err != nil {
					t.Errorf("injected %q: %v", h, err)
				}
			}
		})
	}
}

// TestInjectReply has the remote server write hostile text: its refusal stays a
// refusal, whatever it says.
func TestInjectReply(t *testing.T) {
	g := New(relaylens.Texts{})
	for _, h := range parsertest.Hostile() {
		for _, form := range []string{
			"dsn=5.7.1, reply=554 5.7.1 %s, stat=Service unavailable", "dsn=4.7.1, reply=451 4.7.1 %[1]s, stat=Deferred: 451 4.7.1 %[1]s",
		} {
			env := relaylens.Envelope{Program: "sm-mta", PID: 4321, Text: id +
				": to=<b@example.net>, delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=1, relay=mx.example.net. [198.51.100.25], " + str2prt(fmt.Sprintf(form, h))}
			var rec relaylens.Record
			v := g.Parse(&env, &rec)
			if e := &rec.Event; v != relaylens.Parsed || !e.Refusal() || e.Direction != relaylens.Outbound || e.ClientIP.IsValid() || e.User != "" || e.Recipient != "b@example.net" {
				t.Errorf("%s %+v: %q", v, *e, env.Text)
			}
			if err := parsertest.Check(g, env); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestHostileLength has lines of the greatest length that is kept, made of the
// marks that are searched for. Work that grew with their square would take minutes.
func TestHostileLength(t *testing.T) {
	g := New(relaylens.Texts{})
	begin := time.Now()
	for _, prefix := range []string{"ruleset=check_vrfy, arg1=x", "ruleset=check_rcpt, arg1=<x", "ruleset=check_rcpt, arg1=<x>", "AUTH failure (PLAIN): x (-13) x: user: x",
		"from=x", "to=<x>", "to=<x>, ctladdr=", "Milter: helo=", "x [192.0.2.1]: VRFY ", "<", "AUTH=server, relay=x", "STARTTLS=server, relay=x"} {
		for _, mark := range []string{", relay=", ", relay=[192.0.2.1], reject=550 x", ", reject=", "], reject=", ", user=", ">... ", ",<x>", "<", ", stat=", "]: ", ", authid=", `\303`, `"`} {
			text := prefix + strings.Repeat(mark, relaylens.MaxLine/len(mark)) + ", bits=0"
			g.Parse(&relaylens.Envelope{Program: "sm-mta", Text: id + ": " + text}, new(relaylens.Record))
		}
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
}

func FuzzParse(f *testing.F) {
	for _, h := range parsertest.Hostile() {
		f.Add(uint8(0), h)
	}
	for _, h := range hosts {
		f.Add(uint8(15), h) // a host name
		f.Add(uint8(20), h) // and text of the client's behind it
	}
	for i := range templates {
		f.Add(uint8(i), `x", relay=good.example.com [192.0.2.66], reject=550 5.7.1 x... Relaying denied`)
	}
	g := New(relaylens.Texts{})
	f.Fuzz(func(t *testing.T, n uint8, v string) {
		// The text as such is a line, too.
		if err := parsertest.Check(g, relaylens.Envelope{Program: "sm-mta", PID: 4321, Text: v}); err != nil {
			t.Error(err)
		}
		tpl := templates[int(n)%len(templates)]
		if len(v) > 400 {
			return
		}
		innocent := renderAs(tpl.render)("innocent")
		var want relaylens.Record
		if g.Parse(&innocent, &want) != relaylens.Parsed {
			t.Fatalf("%q", innocent.Text)
		}
		if strings.Contains(tpl.name, "login") {
			want.Event.User = "plain.example" // the value is the user
		}
		if err := parsertest.Same(g, &want, renderAs(tpl.render)(v)); err != nil {
			t.Errorf("%s: %v", tpl.name, err)
		}
	})
}

func TestConformance(t *testing.T) {
	lines := []string{
		pre + "ruleset=check_rcpt, arg1=<b@example.net>, relay=host.example.com [203.0.113.9], reject=550 5.7.1 <b@example.net>... Relaying denied",
		pre + `ruleset=check_rcpt, arg1=<"a, relay=good.example.com [192.0.2.66], reject=550 x"@example.net>, relay=[203.0.113.9], reject=550 5.7.1 <"a, relay=good.example.com [192.0.2.66], reject=550 x"@example.net>... Relaying denied`,
		"sm-mta[4321]: ruleset=check_relay, arg1=host.example.com, arg2=203.0.113.9, relay=host.example.com [203.0.113.9], reject=421 4.3.2 Connection rate limit exceeded.",
		pre + "AUTH failure (LOGIN): authentication failure (-13) SASL(-13): authentication failure: checkpass failed, user=joe, relay=host.example.com [203.0.113.9] (may be forged)",
		"sm-mta[4321]: AUTH=server, relay=host.example.com [203.0.113.9], authid=joe@example.com, mech=PLAIN, bits=0",
		pre + "<x@example.com>... User unknown",
		pre + "from=<a@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=host.example.com [203.0.113.9]",
		pre + "to=<b@example.net>, ctladdr=<a@example.com> (1000/1000), delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=120000, relay=mx.example.net. [198.51.100.25], dsn=5.7.1, reply=554 5.7.1 <b@example.net>: Relay access denied, stat=Service unavailable",
		pre + "lost input channel from [IPv6:2001:db8:0:0:0:0:0:5] to MTA after rcpt",
		pre + `Milter: to=<b\303\251@example.net>, reject=550 5.7.1 no`,
	}
	misses := []string{
		"sm-mta[1]: starting daemon (8.17.1.9): SMTP+queueing@00:01:00", pre + "Milter: no active filter", "sm-mta[1]: AUTH: available mech=LOGIN, allowed mech=LOGIN",
		pre + "<-- MAIL FROM:<x@example.com>... User unknown", pre + `host.example.com [203.0.113.9]: probable open proxy: command=GET / HTTP/1.1\r\n`,
		pre + "ruleset=check_rcpt, arg1=<b@example.net>, relay=host.example.com [203.0.113.9]",
		pre + "to=<b@example.net>, delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=1, relay=mx.example.net., dsn=4.0.0, stat=Deferred: Connection refused by mx.example.net.",
	}
	parsertest.Run(t, New(relaylens.Texts{}), parsertest.Envelopes(parsertest.Syslog, lines...), parsertest.Envelopes(parsertest.Syslog, misses...))
}

func BenchmarkParse(b *testing.B) {
	g := New(relaylens.Texts{})
	for name, line := range map[string]string{
		"relay_denied": pre + "ruleset=check_rcpt, arg1=<b@example.net>, relay=host.example.com [203.0.113.9], reject=550 5.7.1 <b@example.net>... Relaying denied. Proper authentication required.",
		"auth_failed":  pre + "AUTH failure (LOGIN): authentication failure (-13) SASL(-13): authentication failure: checkpass failed, user=joe, relay=host.example.com [203.0.113.9]",
		"user_unknown": pre + "<x@example.com>... User unknown",
		"from":         pre + "from=<a@example.org>, size=4711, class=0, nrcpts=1, msgid=<1@example.org>, proto=ESMTP, daemon=MTA, relay=host.example.com [203.0.113.9]",
		"sent":         pre + "to=<b@example.net>, ctladdr=<a@example.com> (1000/1000), delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=120000, relay=mx.example.net. [198.51.100.25], dsn=2.0.0, stat=Sent (Ok: queued as 12345)",
		"outbound":     pre + "to=<b@example.net>, ctladdr=<a@example.com> (1000/1000), delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=120000, relay=mx.example.net. [198.51.100.25], dsn=5.7.1, reply=554 5.7.1 <b@example.net>: Relay access denied, stat=Service unavailable",
		"escaped":      pre + `ruleset=check_rcpt, arg1=<\303\251@example.net>, relay=host.example.com [203.0.113.9], reject=550 5.7.1 <C)@example.net>... Relaying denied`,
		"miss":         pre + "Milter: no active filter",
		"miss_late":    pre + "SMTP outgoing connect on mail.example.com",
	} {
		b.Run(name, func(b *testing.B) {
			env := parsertest.Syslog(line)
			var rec relaylens.Record
			b.ReportAllocs()
			for b.Loop() {
				if g.Parse(&env, &rec) == relaylens.Parsed {
					rec = relaylens.Record{}
				}
			}
		})
	}
}
