package exim

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
)

// raw is what reaches the log of text that Exim writes as it came: no line ends
// in it, and no NUL.
func raw(s string) string { return strings.NewReplacer("\n", "?", "\x00", "?").Replace(s) }

// local is a quoted local part that says s. RFC 5321, 4.1.2
func local(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(raw(s)) + `"@example.org`
}

// comment is a comment that says s. RFC 5322, 3.2.2
func comment(s string) string {
	return "(" + strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(raw(s)) + ")"
}

// word is text in an address that quotes every character by itself.
func word(s string) string {
	var b strings.Builder
	for _, c := range []byte(raw(s)) {
		if c <= ' ' || c == 0x7f || strings.IndexByte(`()<>@,;:\".[]`, c) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String() + "@example.org"
}

// ptr is a host name that the client's DNS tells, as before 4.97: it has no space
// and nothing that is not printed, which the resolver library writes as \ooo.
func ptr(s string) string {
	var b strings.Builder
	b.WriteByte('x')
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, `\%03d`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String() + ".example.com"
}

// first is what Exim logs of an argument from 4.95 on.
func first(s string) string { return s[:min(len(s), argumentLength)] }

// printed is string_printing: control and 8-bit bytes as escapes, a backslash as it is.
func printed(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t', c >= ' ' && c < 0x7f:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	return b.String()
}

// templates render a line with text of the client's choosing as Exim would.
// With HELO it is a server that accepts any (helo_accept_junk_hosts).
var templates = map[string]func(v string) string{
	"helo of a refusal": func(v string) string {
		return "H=host.example.com (" + raw(v) + ") [203.0.113.9]:4711 F=<a@example.com> rejected RCPT <b@example.net>: Sender verify failed"
	},
	"helo without name": func(v string) string {
		return "H=(" + raw(v) + ") [203.0.113.9] F=<a@example.com> A=plain:joe rejected RCPT <b@example.net>: relay not permitted"
	},
	"helo of a detail": func(v string) string {
		return "H=(" + raw(v) + ") [203.0.113.9] sender verify fail for <a@example.com>: Unrouteable address"
	},
	"helo of a login": func(v string) string {
		return "plain authenticator failed for (" + raw(v) + ") [203.0.113.9]:4711: 535 Incorrect authentication data (set_id=joe)"
	},
	"sender": func(v string) string {
		return "H=host.example.com (pc) [203.0.113.9] F=<" + local(v) + "> rejected RCPT <b@example.net>: relay not permitted"
	},
	"recipient": func(v string) string {
		return "H=host.example.com (pc) [203.0.113.9] F=<a@example.com> A=plain:joe rejected RCPT <" + local(v) + ">: Sender verify failed"
	},
	"recipient in the text": func(v string) string {
		return "H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <" + local(v) + ">: no such user here: " + local(v)
	},
	"sender of a detail": func(v string) string {
		return "H=(pc) [203.0.113.9] sender verify fail for <" + local(v) + ">: Unrouteable address"
	},
	"reply to a callout": func(v string) string {
		return "H=(pc) [203.0.113.9] sender verify fail for <a@example.com>: mx.example.com [198.51.100.25] : SMTP error from remote mail server after RCPT TO:<a@example.com>: 550 " + printed(v)
	},
	"reply to a recipient callout": func(v string) string {
		return "H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.com>: mx.example.com [198.51.100.25] : response to \"RCPT TO:<b@example.com>\" was: 550 " + printed(v)
	},
	"user": func(v string) string {
		return "plain authenticator failed for (pc) [203.0.113.9]: 535 Incorrect authentication data (set_id=" + printed(v) + ")"
	},
	"user while the backend is down": func(v string) string {
		return "plain authenticator failed for (pc) [203.0.113.9]: 435 Unable to authenticate at present (set_id=" + printed(v) + "): authentication socket connection error"
	},
	"certificate": func(v string) string {
		return `H=(pc) [203.0.113.9] X=TLS1.3:x:256 CV=no DN="CN=` + raw(v) + `" F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted`
	},
	"ident": func(v string) string {
		return "H=(pc) [203.0.113.9] U=" + printed(v) + " F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted"
	},
	"ident of a message": func(v string) string {
		return "1tTaBc-0001Ab-2z <= a@example.com H=(pc) [203.0.113.9] U=" + printed(v) + " P=esmtpsa A=plain:joe S=511 id=x@y"
	},
	"command": func(v string) string {
		return `SMTP syntax error in "RCPT TO:<` + raw(v) + `>" H=(pc) [203.0.113.9] malformed address: ` + raw(v) + ` may not follow x`
	},
	"login command": func(v string) string {
		return `SMTP protocol error in "AUTH ` + raw(v) + `" H=(pc) [203.0.113.9] ` + raw(v) + ` authentication mechanism not supported`
	},
	"helo that is refused": func(v string) string {
		return "rejected EHLO from host.example.com [203.0.113.9]: syntactically invalid argument(s): " + printed(v)
	},
	"unqualified": func(v string) string {
		return "unqualified recipient rejected: <" + strings.TrimSuffix(local(v), "@example.org") + "> H=(pc) [203.0.113.9]"
	},
	"too big": func(v string) string {
		return "rejected MAIL FROM:<" + local(v) + "> H=(pc) [203.0.113.9]: message too big: size=99 max=9"
	},
	"message sender": func(v string) string {
		return "1tTaBc-0001Ab-2z <= " + local(v) + " H=(pc) [203.0.113.9] P=esmtpsa A=plain:joe S=511 id=x@y"
	},
	"message id": func(v string) string {
		return "1tTaBc-0001Ab-2z <= a@example.com H=(pc) [203.0.113.9] P=esmtpsa A=plain:joe S=511 id=" + raw(v) + " for b@example.net"
	},
	"recipient abroad": func(v string) string {
		return "1tTaBc-0001Ab-2z ** " + local(v) + " F=<a@example.com> R=dnslookup T=remote_smtp H=mx.example.org [198.51.100.25]: SMTP error from remote mail server after RCPT TO:<" + local(v) + ">: 554 5.7.1 <" + local(v) + ">: Relay access denied"
	},
	"reply abroad": func(v string) string {
		return "1tTaBc-0001Ab-2z == b@example.org R=dnslookup T=remote_smtp defer (-44) H=mx.example.org [198.51.100.25]: SMTP error from remote mail server after RCPT TO:<b@example.org>: 454 4.7.1 Relay access denied by " + printed(v)
	},
	"vrfy": func(v string) string { return "VRFY failed for " + raw(v) + " H=(pc) [203.0.113.9]" },
	"helo of a warning": func(v string) string {
		return "H=(" + raw(v) + ") [203.0.113.9] Warning: 203.0.113.9 is listed at bl.example.org"
	},
	"helo of a message": func(v string) string {
		return "1tTaBc-0001Ab-2z <= a@example.com H=host.example.com (" + raw(v) + ") [203.0.113.9]:4711 P=esmtpsa X=TLS1.3:x:256 CV=no A=plain:joe S=511 id=x@y"
	},
	"helo of a message that is refused": func(v string) string {
		return "1tTaBc-0001Ab-2z H=(" + raw(v) + ") [203.0.113.9] F=<a@example.com> A=plain:joe rejected after DATA: no thanks"
	},
	"helo of a refused command": func(v string) string {
		return "H=(" + raw(v) + ") [203.0.113.9] rejected MAIL <a@example.com>: sender is on a black list"
	},
	"helo of a connection": func(v string) string {
		return "SMTP connection from (" + raw(v) + ") [203.0.113.9] closed by QUIT"
	},
	"helo of a login without a message": func(v string) string {
		return "no MAIL in SMTP connection from (" + raw(v) + ") [203.0.113.9] D=1s A=plain:joe X=TLS1.3:x:256 CV=no C=EHLO,AUTH,QUIT"
	},
	"helo of a call": func(v string) string {
		return `SMTP call from (` + raw(v) + `) [203.0.113.9] dropped: too many unrecognized commands (last was "FOO")`
	},
	"helo of a bad command": func(v string) string {
		return `SMTP syntax error in "RCPT TO:<a b>" H=(` + raw(v) + `) [203.0.113.9] malformed address: b> may not follow <a`
	},
	"helo of a bad login": func(v string) string {
		return `SMTP protocol error in "AUTH PLAIN" H=(` + raw(v) + `) [203.0.113.9] AUTH command used when not advertised`
	},
	"helo of a hasty client": func(v string) string {
		return `SMTP protocol synchronization error (next input sent too soon: pipelining was not advertised): rejected "RCPT TO:<b@example.net>" H=(` + raw(v) + `) [203.0.113.9] next input="DATA\r\n"`
	},
	"helo that does not match": func(v string) string {
		return `rejected "EHLO ` + raw(v) + `" from (` + raw(v) + `) [203.0.113.9]`
	},
	"helo of too many messages": func(v string) string {
		return "rejected MAIL command H=(" + raw(v) + ") [203.0.113.9]: too many messages in one connection"
	},
	"helo of a message that is too big": func(v string) string {
		return "rejected MAIL FROM:<a@example.com> H=(" + raw(v) + ") [203.0.113.9]: message too big: size=99 max=9"
	},
	"helo of a loop": func(v string) string {
		return "1tTaBc-0001Ab-2z rejected from <a@example.com>H=(" + raw(v) + ") [203.0.113.9]U=joe: Too many \"Received\" headers"
	},
	"helo of too many recipients": func(v string) string {
		return "too many recipients: excess temporarily rejected: sender=<a@example.com> H=(" + raw(v) + ") [203.0.113.9]"
	},
	"helo of an unqualified sender": func(v string) string {
		return "unqualified sender rejected: <a> H=(" + raw(v) + ") [203.0.113.9] (failed to find host name from IP address)"
	},
	"helo of vrfy": func(v string) string { return "VRFY failed for x H=(" + raw(v) + ") [203.0.113.9]" },
	"refused helo": func(v string) string {
		word, _, _ := strings.Cut(raw(v), " ")
		return "H=(" + raw(v) + ") [203.0.113.9] rejected EHLO or HELO " + first(word) + ": no"
	},
	"recipient with a comment": func(v string) string {
		return "H=(pc) [203.0.113.9] F=<a@example.com> A=plain:joe rejected RCPT <b@example.net> " + comment(v) + ": Sender verify failed"
	},
	"recipient that is cut off": func(v string) string {
		return "H=(pc) [203.0.113.9] F=<a@example.com> A=plain:joe rejected RCPT " + first("<"+local(v)+">") + ": Sender verify failed"
	},
	"recipient without brackets": func(v string) string {
		return "H=(pc) [203.0.113.9] F=<a@example.com> A=plain:joe rejected RCPT " + local(v) + ": Sender verify failed"
	},
	"sender without quotes": func(v string) string {
		return "H=(pc) [203.0.113.9] F=<" + word(v) + "> A=plain:joe rejected RCPT <b@example.net>: relay not permitted"
	},
	"sender of mail": func(v string) string {
		return "H=(pc) [203.0.113.9] rejected MAIL " + comment(v) + " <" + word(v) + ">: sender is on a black list"
	},
	"etrn": func(v string) string {
		return "H=(pc) [203.0.113.9] rejected ETRN " + first("#"+raw(v)) + ": not here"
	},
	"name of a refusal": func(v string) string {
		return "H=" + ptr(v) + " (pc) [203.0.113.9] F=<a@example.com> A=plain:joe rejected RCPT <b@example.net>: relay not permitted"
	},
	"name without helo": func(v string) string {
		return "H=" + ptr(v) + " [203.0.113.9]:4711 F=<a@example.com> A=plain:joe rejected RCPT <b@example.net>: relay not permitted"
	},
	"name of a login": func(v string) string {
		return "plain authenticator failed for " + ptr(v) + " (pc) [203.0.113.9]: 535 Incorrect authentication data (set_id=joe)"
	},
	"name of a message": func(v string) string {
		return "1tTaBc-0001Ab-2z <= a@example.com H=" + ptr(v) + " (pc) [203.0.113.9] P=esmtpsa A=plain:joe S=511 id=x@y"
	},
	"name of a bad command": func(v string) string {
		return `SMTP syntax error in "RCPT TO:<a b>" H=` + ptr(v) + ` (pc) [203.0.113.9] malformed address: b> may not follow <a`
	},
	"helo of a long header": func(v string) string {
		return "overlong message header line received from (" + raw(v) + ") [203.0.113.9] (more than 998 characters): message abandoned"
	},
	"ident of a detail": func(v string) string {
		return "H=(pc) [203.0.113.9] U=" + printed(v) + " sender verify fail for <a@example.com>: Unrouteable address"
	},
	"ident of a login": func(v string) string {
		return "plain authenticator failed for (pc) [203.0.113.9] U=" + printed(v) + ": 535 Incorrect authentication data (set_id=joe)"
	},
	"ident of a call": func(v string) string {
		return `SMTP call from (pc) [203.0.113.9] U=` + printed(v) + ` dropped: too many unrecognized commands (last was "FOO")`
	},
	"certificate of a message": func(v string) string {
		return `1tTaBc-0001Ab-2z <= a@example.com H=(pc) [203.0.113.9] P=esmtpsa X=TLS1.3:x:256 CV=no DN="` + printed(v) + `" A=plain:joe S=511 id=x@y`
	},
	"certificate of a login without a message": func(v string) string {
		return `no MAIL in SMTP connection from (pc) [203.0.113.9] D=1s A=plain:joe X=TLS1.3:x:256 CV=no DN="` + printed(v) + `" C=EHLO,AUTH,QUIT`
	},
	"server name": func(v string) string {
		return `H=(pc) [203.0.113.9] X=TLS1.2:x:256 CV=no SNI="` + printed(v) + `" F=<a@example.com> A=plain:joe rejected RCPT <b@example.net>: relay not permitted`
	},
	"message id in quotes": func(v string) string {
		return "1tTaBc-0001Ab-2z <= a@example.com H=(pc) [203.0.113.9] P=esmtpsa A=plain:joe S=511 id=" + local(v) + " for " + local(v)
	},
	"reply to the greeting": func(v string) string {
		return "1tTaBc-0001Ab-2z H=mx.example.org [198.51.100.25]: SMTP error from remote mail server after RCPT TO:<b@example.org>: 554 5.7.1 Relay access denied by " + printed(v)
	},
	"last command": func(v string) string {
		return `SMTP call from (pc) [203.0.113.9] dropped: too many unrecognized commands (last was "` + raw(v) + `")`
	},
}

func TestHostileTextChangesNothing(t *testing.T) {
	for name, render := range templates {
		t.Run(name, func(t *testing.T) {
			err := parsertest.Inject(New(relaylens.Texts{}), func(v string) relaylens.Envelope { return parsertest.Native(render(v)) })
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// Lines that another reading of the same bytes would make somebody else's.
func TestAmbiguousLines(t *testing.T) {
	for _, tt := range []struct {
		line, client, user string
		tainted            bool
	}{
		{`SMTP syntax error in "MAIL FROM: x" H=good.example.com [192.0.2.1] rejected RCPT <b@example.net>: relay not permitted" H=(pc) [203.0.113.9] unrecognized command`, "203.0.113.9", "", true},
		{`SMTP syntax error in "MAIL FROM:<a@b> H=x [192.0.2.1] y" H=(pc) [203.0.113.9] malformed address: H=x [192.0.2.1] y may not follow <a@b>`, "203.0.113.9", "", false},
		{`SMTP syntax error in "MAIL FROM:<a@b>" H=x [192.0.2.1] y" H=(pc) [203.0.113.9] malformed address: " H=x [192.0.2.1] y may not follow <a@b>`, "", "", true},
		{"plain_server authenticator failed for (pc) [203.0.113.9]: 535 Incorrect authentication data (set_id=joe) [192.0.2.1]: 535 Incorrect authentication data (set_id=ceo)", "203.0.113.9", "", true},
		{"plain_server authenticator failed for (a b) [203.0.113.9]: 535 Incorrect authentication data (set_id=joe) [192.0.2.1]: 535 Incorrect authentication data (set_id=ceo)", "", "", true},
		{"plain_server authenticator failed for (pc) [203.0.113.9] U=x) [192.0.2.1]: 535 Incorrect authentication data (set_id=ceo)", "", "", true},
		{"plain_server authenticator failed for (pc) [203.0.113.9]: 535 Incorrect authentication data (set_id=[192.0.2.1]: 535 Incorrect authentication data (set_id=root))", "203.0.113.9", "[192.0.2.1]: 535 Incorrect authentication data (set_id=root)", false},
		{"plain authenticator failed for (pc) [203.0.113.9]: 435 Unable to authenticate at present (set_id=ceo): x): authentication socket connection error", "203.0.113.9", "", true},
		{"H=(x) [192.0.2.1] F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted) [203.0.113.9] F=<a@example.org> rejected RCPT <b@example.org>: relay not permitted", "", "", true},
		{"H=(a b) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted", "203.0.113.9", "", false},
		{`H=(pc) [203.0.113.9] F=<" A=plain:ceo@example.com rejected RCPT <x>: relay not permitted"@example.org> rejected RCPT <b@example.net>: relay not permitted`, "203.0.113.9", "", false},
		{`H=(pc) [203.0.113.9] F=<"x) [192.0.2.1] F=<a@b> rejected RCPT <c@d>: "@example.org> rejected RCPT <b@example.net>: relay not permitted`, "203.0.113.9", "", false},
		// The end of what quotes the other host string shows that it is quoted.
		{`H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <"x) [192.0.2.1] F=<a@b> rejected RCPT <c@d>: Sender verify failed"@example.org>: relay not permitted`, "203.0.113.9", "", false},
		{`H=(pc) [203.0.113.9] F=<"x) [192.0.2.1] incomplete transaction (QUIT) from <c@d>"@example.org> rejected RCPT <b@example.net>: relay not permitted`, "203.0.113.9", "", false},
		{`H=(pc) [203.0.113.9] F=<"x) [192.0.2.1] sender verify fail for <c@d>: y"@example.org> rejected RCPT <b@example.net>: relay not permitted`, "203.0.113.9", "", false},
		{`H=(pc) [203.0.113.9] F=<"x) [192.0.2.1] rejected after DATA: y"@example.org> A=plain:joe rejected RCPT <b@example.net>: relay not permitted`, "203.0.113.9", "joe", false},
		{`H=(pc) [203.0.113.9] sender verify fail for <"x) [192.0.2.1] F=<a@b> rejected RCPT <c@d>: y"@example.org>: Unrouteable address`, "203.0.113.9", "", false},
		{`1tTaBc-0001Ab-2z <= a@example.com H=(pc) [203.0.113.9] P=esmtpsa A=plain:joe S=511 id="x) [192.0.2.1] P=esmtp S=1 id=z"@y for b@example.net`, "203.0.113.9", "joe", false},
		// A HELO may hold all of this, and the text may repeat the recipient.
		{`H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <"x) [192.0.2.1] F=<a@b> rejected RCPT <c@d>: y"@example.org>: no such user: "x) [192.0.2.1] F=<a@b> rejected RCPT <c@d>: y"@example.org`, "", "", true},
		{`H=(pc) [203.0.113.9] F=<"x"@example.org> rejected RCPT <b@example.net>: no) [192.0.2.1] F=<a@b> rejected RCPT <c@d>: no to pc) [203.0.113.9] F=<"x"@example.org> rejected RCPT <b@example.net>: no`, "", "", true},
		{`1tTaBc-0001Ab-2z <= a@example.com H=(pc) [203.0.113.9] P=esmtpsa A=plain:ceo S=1 id=y) [192.0.2.1] P=esmtp S=523 id=z`, "", "", true},
		{`SMTP call from (pc) [203.0.113.9] dropped: too many unrecognized commands (last was "x) [192.0.2.1] dropped: too many unrecognized commands (last was "y")`, "", "", true},
		{`rejected MAIL command H=(pc) [203.0.113.9]: too many messages in one connection) [192.0.2.1]: too many messages in one connection`, "192.0.2.1", "", false},
		{`VRFY failed for x H=(y) [192.0.2.1] H=(pc H=(z) [203.0.113.9]`, "203.0.113.9", "", true},
		// As a real server writes them.
		{`H=(x) [192.0.2.1] F=<a@b> rejected RCPT <c@d>: y) [203.0.113.9] F=<a\"@x.example> rejected RCPT <b@example.net>: relay not permitted`, "", "", true},
		{`SMTP syntax error in "RCPT TO:<b\"@example.net> NOTIFY=NEVER" H=(x) [192.0.2.1] F=<a@b> rejected RCPT <c@d>: y) [203.0.113.9] malformed address: NOTIFY=NEVER may not follow <b\"@example.net> `, "203.0.113.9", "", true},
		{`H=(deny x: y) [203.0.113.9] rejected EHLO or HELO deny: no helo`, "203.0.113.9", "", false},
		{`H=(pc) [203.0.113.9] F=<a\"@x.example> A=plain:joe rejected RCPT foo (x: relay: y)=<b@example.net>: relay not permitted`, "203.0.113.9", "joe", false},
		// A field that has not its form is none.
		{`H=host.example.com (x) [192.0.2.1]:4716 I=;a rejected RCPT x@y) [203.0.113.9]:4711 F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted`, "203.0.113.9", "", false},
		{`H=(pc) [203.0.113.9] X=x DN="a" F=<ceo@example.com> A=plain:ceo rejected RCPT <x@y>: no" F=<a@example.org> rejected RCPT <b@example.net>: relay not permitted`, "203.0.113.9", "", true},
		{`1tTaBc-0001Ab-2z <= a@example.com H=(pc) [203.0.113.9] P=esmtps DN="x" A=plain:ceo S=1 id=y" S=523 id=z`, "203.0.113.9", "", true},
		{"1tTaBc-0001Ab-2z <= a@example.com H=(pc) [203.0.113.9] U=x A=plain:ceo S=1 P=esmtp S=523 id=z", "203.0.113.9", "", true},
	} {
		t.Run(tt.line, func(t *testing.T) {
			rec := parse(t, tt.line)
			e := &rec.Event
			if got := e.ClientIP; got.IsValid() != (tt.client != "") || got.IsValid() && got != netip.MustParseAddr(tt.client) {
				t.Errorf("client %s, want %s", got, tt.client)
			}
			if e.User != tt.user || rec.Tainted != tt.tainted {
				t.Errorf("user %q tainted %t, want %q %t", e.User, rec.Tainted, tt.user, tt.tainted)
			}
		})
	}
}

func TestNoPasswordGetsOut(t *testing.T) {
	const secret = "AGpvZQBzZWNyZXQ="
	for _, line := range []string{
		"H=(pc) [203.0.113.9] rejected AUTH plain " + secret + ": no",
		"H=(pc) [203.0.113.9] rejected AUTH " + secret + ": no",
		"H=(pc) [203.0.113.9] rejected AUTH PLAIN " + secret,
		`SMTP protocol error in "AUTH PLAIN ` + secret + `" H=(pc) [203.0.113.9] AUTH command used when not advertised`,
		`SMTP protocol error in "AUTH ` + secret + `" H=(pc) [203.0.113.9] ` + secret + " authentication mechanism not supported",
		`SMTP syntax error in "AUTH PLAIN ` + secret + `" H=(pc) [203.0.113.9] unexpected ` + secret,
		`SMTP protocol synchronization error (next input sent too soon: pipelining was not advertised): rejected "AUTH PLAIN ` + secret + `" H=(pc) [203.0.113.9] next input="x"`,
		`SMTP call from (pc) [203.0.113.9] dropped: too many nonmail commands (last was "AUTH PLAIN ` + secret + `")`,
		`SMTP call from (pc) [203.0.113.9] dropped: too many syntax or protocol errors (last command was "` + secret + `", C=AUTH)`,
	} {
		t.Run(line, func(t *testing.T) {
			rec := parse(t, line)
			if s := fmt.Sprintf("%+v", rec); strings.Contains(s, "AGpvZ") || strings.Contains(s, "NyZXQ") {
				t.Errorf("the password is in %s", s)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for line := range lines {
		f.Add(line)
	}
	for _, line := range misses {
		f.Add(line)
	}
	g := New(relaylens.Texts{})
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\n") {
			return
		}
		if err := parsertest.Check(g, parsertest.Native(line)); err != nil {
			t.Error(err)
		}
	})
}

func FuzzParseHostile(f *testing.F) {
	for _, h := range parsertest.Hostile() {
		f.Add(h)
	}
	g := New(relaylens.Texts{})
	plain := map[string]*relaylens.Record{}
	for name, render := range templates {
		env := parsertest.Native(render("plain.example"))
		plain[name] = new(relaylens.Record)
		g.Parse(&env, plain[name])
	}
	f.Fuzz(func(t *testing.T, v string) {
		for name, render := range templates {
			if err := parsertest.Same(g, plain[name], parsertest.Native(render(v))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// What another server says makes no client of anybody.
func TestReplyIsNoRefusalOfOurs(t *testing.T) {
	env := parsertest.Native("1tTaBc-0001Ab-2z H=mx.example.net [198.51.100.25]: SMTP error from remote mail server after initial connection: 554 5.7.1 x (a) [192.0.2.1] F=<a@b> rejected RCPT <c@d>: relay not permitted")
	var rec relaylens.Record
	if v := New(relaylens.Texts{}).Parse(&env, &rec); v != relaylens.Parsed {
		t.Fatalf("verdict %s, want parsed", v)
	}
	if e := &rec.Event; e.Direction != relaylens.Outbound || e.ClientIP.IsValid() || e.Recipient != "" || e.RemoteIP.String() != "198.51.100.25" {
		t.Errorf("%s, client %s, recipient %q, server %s", e.Direction, e.ClientIP, e.Recipient, e.RemoteIP)
	}
}
