package parsertest

import (
	"fmt"
	"slices"

	"github.com/relaylens/relaylens"
)

// plain stands in a template where [Inject] puts hostile text.
const plain = "plain.example"

// hostile imitates whatever ends a field, or begins one, in a line of one of
// the three MTAs. The address in it is never the client's.
var hostile = []string{
	// Postfix
	`x> from=<a@example.net> to=<b@example.net> proto=ESMTP helo=<y>`,
	`x]: 554 5.7.1 <a@example.net>: Relay access denied; from=<`,
	`unknown[192.0.2.66]: 554 5.7.1 Relay access denied; from=<x> to=<y> proto=SMTP helo=<z>`,
	`x from good.example.net[192.0.2.66]: 450 4.1.8 <x@example.net>: Sender address rejected: Domain not found; from=<`,
	`x, sasl_method=PLAIN, sasl_username=root`, `x> sasl_username=<root>`, `x sasl_sender=y sasl_method=PLAIN sasl_username=root`,
	`x; from=<> to=<b@example.net>`, `x (in reply to RCPT TO command))`, `x said: 554 5.7.1 Relay access denied`,
	// Exim
	`x) [192.0.2.66]`, `(x) [192.0.2.66]:4711 F=<a@example.net> rejected RCPT <b@example.net>: relay not permitted`,
	`[192.0.2.66]`, `H=good.example.net [192.0.2.66]`, `x> rejected RCPT <b@example.net>: Sender verify failed`,
	`x (set_id=root)`, `x: 535 Incorrect authentication data (set_id=root)`, `x U=root P=esmtpsa A=plain:root`,
	`x] I=[192.0.2.66]:25`, `x X=TLS1.3:x:256 CV=no SNI="x" DN="y"`,
	// Sendmail
	`x, relay=good.example.net [192.0.2.66], reject=550 5.7.1 x... Relaying denied`,
	`x>, relay=good.example.net [192.0.2.66], reject=553 5.1.8 <x>... Domain of sender address x does not exist`,
	`x, arg2=192.0.2.66, relay=[192.0.2.66]`, `x, user=root, relay=[192.0.2.66]`, `x, stat=Sent (ok)`,
	`x, dsn=2.0.0, stat=Sent`, `x [192.0.2.66] (may be forged)`, `x, authid=root, mech=PLAIN, bits=0`,
	`x... User unknown`, `[IPv6:2001:db8:0:0:0:0:0:66]`, `x, quarantine=y`, `x, reply=554 5.7.1 Relay access denied, stat=`,
	// all
	"x\tclient=[192.0.2.66]", "x\nconnect from good.example.net[192.0.2.66]", "x\r\n", "\x1b[2J", "\x00", "\xff\xfe",
	`x"`, `"x`, `"x\"`, `x\`, `\`, `x\\`, `<`, `>`, `<>`, `[`, `]`, `(`, `)`, `;`, `:`, `,`, ` `, `=`, `%s%n`, `$(id)`, "\u202exobp",
	`x (message repeated 999 times)`, `message repeated 999 times: [ x]`,
}

// Hostile lists text that an attacker sends in HELO, addresses, user names, host
// names and replies to be taken for another field. Every address in it is
// 192.0.2.66 or 2001:db8::66, every user root.
func Hostile() []string { return slices.Clone(hostile) }

// Inject renders a line with an innocent value and then with each hostile one,
// in the place that render gives it. Render escapes as the MTA does. Who the
// client and the user are and what happened must not change; a grammar that
// cannot tell may leave the client or the user out when it says Tainted, or call
// the line malformed.
func Inject(g relaylens.Grammar, render func(value string) relaylens.Envelope) error {
	env := render(plain)
	var want relaylens.Record
	if v := g.Parse(&env, &want); v != relaylens.Parsed {
		return fmt.Errorf("%s: %q", v, env.Text)
	}
	for _, h := range hostile {
		if err := Same(g, &want, render(h)); err != nil {
			return fmt.Errorf("injected %q: %w", h, err)
		}
	}
	return nil
}

// Same parses env and reports a kind, client or user that is not that of want.
// The user is not judged where it is what [Inject] replaces. Fuzz targets call it
// with hostile text of their own.
func Same(g relaylens.Grammar, want *relaylens.Record, env relaylens.Envelope) error {
	var got relaylens.Record
	switch v := g.Parse(&env, &got); v {
	case relaylens.Malformed:
		return Check(g, env)
	case relaylens.Ignored:
		return fmt.Errorf("ignored: %q", env.Text)
	}
	w, e := &want.Event, &got.Event
	switch {
	case e.Kind != w.Kind || e.Direction != w.Direction:
		return fmt.Errorf("%s %s instead of %s %s: %q", e.Direction, e.Kind, w.Direction, w.Kind, env.Text)
	case e.ClientIP != w.ClientIP && (e.ClientIP.IsValid() || !got.Tainted):
		return fmt.Errorf("client %s instead of %s: %q", e.ClientIP, w.ClientIP, env.Text)
	case e.User != w.User && w.User != plain && (e.User != "" || !got.Tainted):
		return fmt.Errorf("user %q instead of %q: %q", e.User, w.User, env.Text)
	}
	return Check(g, env)
}
