package sendmail

import (
	"fmt"
	"strings"
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

// comment is v in a comment, in which quotes and brackets have no meaning.
func comment(v string) string {
	return "(" + strings.NewReplacer("\r", "", "\n", "", `\`, `\\`, "(", `\(`, ")", `\)`).Replace(v) + ")"
}

// echo is an address at the start of a reply. err.c:fmtmsg, libsmutil's shortenstring
func echo(s string) string {
	if len(s) >= 203 {
		s = s[:100] + "..." + s[len(s)-100:]
	}
	return s + "... "
}

// templates render a line with v where a client or another server has its say.
// The client is 203.0.113.9 in each.
var templates = []struct {
	name   string
	render func(v string) string
}{
	{"check_rcpt address", func(v string) string {
		a := "<" + quoted(v) + ">"
		return id + ": ruleset=check_rcpt, arg1=" + a + ", relay=host.example.com [203.0.113.9], reject=550 5.7.1 " + echo(a) + "Relaying denied"
	}},
	{"check_mail address", func(v string) string {
		a := "<" + quoted(v) + ">"
		return id + ": ruleset=check_mail, arg1=" + a + ", relay=[203.0.113.9], reject=553 5.1.8 " + echo(a) + cut("Domain of sender address "+a+" does not exist", 247)
	}},
	{"delayed check_mail address", func(v string) string {
		return id + ": ruleset=check_rcpt, arg1=<b@example.com>, relay=[203.0.113.9], reject=451 4.1.8 " + cut("Domain of sender address "+quoted(v)+" does not resolve", 247)
	}},
	{"delayed check_mail both", func(v string) string {
		a := "<" + quoted(v) + ">"
		return id + ": ruleset=check_rcpt, arg1=" + a + ", relay=[203.0.113.9], reject=553 5.1.8 " + echo(a) + cut("Domain of sender address "+a+" does not exist", 247)
	}},
	{"check_vrfy argument", func(v string) string {
		return "ruleset=check_vrfy, arg1=" + v + ", relay=host.example.com [203.0.113.9], reject=550 5.7.1 Access denied"
	}},
	{"header value", func(v string) string {
		return id + ": ruleset=CheckSubject, arg1=" + v + ", relay=host.example.com [203.0.113.9], reject=550 5.7.1 no thanks"
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
	{"unknown user", func(v string) string { return id + ": " + echo("<"+quoted(v)+">") + "User unknown" }},
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
	{"check_rcpt comment", func(v string) string {
		a := "<b@example.com>" + comment(v)
		return id + ": ruleset=check_rcpt, arg1=" + a + ", relay=host.example.com [203.0.113.9], reject=550 5.7.1 " + echo(a) + "Relaying denied"
	}},
	{"check_mail comment", func(v string) string {
		a := comment(v) + "a@example.org"
		return id + ": ruleset=check_mail, arg1=" + a + ", relay=[203.0.113.9], reject=553 5.1.8 " + echo(a) + "Domain of sender address a@example.org does not exist"
	}},
	{"from comment", func(v string) string {
		return id + ": from=" + cut("<"+comment(v)+"a@example.org>", 200) + ", size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=host.example.com [203.0.113.9]"
	}},
	{"unknown user comment", func(v string) string { return id + ": " + echo("<b@example.com"+comment(v)+">") + "User unknown" }},
	{"bare unknown user", func(v string) string { return id + ": " + echo("x"+comment(v)) + "User unknown" }},
	{"Milter to comment", func(v string) string {
		return id + ": Milter: to=" + comment(v) + "<b@example.com>, reject=550 5.7.1 no"
	}},
	{"to comment", func(v string) string {
		return id + ": to=<b@example.com>" + comment(v) + ",c@example.com, ctladdr=<" + comment(v) + "a@example.org> (1000/1000), delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=1, " +
			"relay=mx.example.net. [198.51.100.25], dsn=5.7.1, reply=554 5.7.1 Relay access denied, stat=Service unavailable"
	}},
	{"pre-greeting host", func(v string) string {
		return id + ": rejecting commands from " + ptr(v) + " [203.0.113.9] due to pre-greeting traffic after 0 seconds"
	}},
}
