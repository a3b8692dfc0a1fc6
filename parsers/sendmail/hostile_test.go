package sendmail

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
)

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
	"[192.0.2.66]: VRFY x [rejected]", "x [192.0.2.66]: VRFY x [rejected]", "x [192.0.2.66]: x", "x@[192.0.2.66] x", "x@[192.0.2.66]: VRFY x",
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
	long := `x", relay=good.example.com [192.0.2.66], reject=550 5` + strings.Repeat("y", 240) + "... Relaying denied"
	for i := range uint8(4) {
		f.Add(i, long) // an address that the answer shortens
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
		pre + "<-- MAIL FROM:<x@example.com>... User unknown",
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
