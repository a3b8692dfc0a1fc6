package sendmail

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
)

// read is what a line must give: rec with Service filled in by the tag.
type read struct {
	line string // without time and host
	want relaylens.Record
}

var equateAddr = cmpopts.EquateComparable(netip.Addr{})

// uncounted leaves to TestRecipients what it is about.
var uncounted = cmpopts.IgnoreFields(relaylens.Record{}, "Recipients", "Subject")

func run(t *testing.T, cases []read) {
	t.Helper()
	g := New(relaylens.Texts{})
	for _, c := range cases {
		t.Run(c.line, func(t *testing.T) {
			env := parsertest.Syslog(c.line)
			var rec relaylens.Record
			if v := g.Parse(&env, &rec); v != relaylens.Parsed {
				t.Fatalf("verdict %s", v)
			}
			want := c.want
			want.Event.Service = env.Program
			if diff := cmp.Diff(want, rec, equateAddr, uncounted); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if err := parsertest.Check(g, env); err != nil {
				t.Error(err)
			}
		})
	}
}

// inbound begins a refusal of a client.
func inbound(id string, kind relaylens.Kind, reason relaylens.Reason, stage relaylens.Stage) relaylens.Event {
	return relaylens.Event{QueueID: id, Kind: kind, Reason: reason, Direction: relaylens.Inbound, Stage: stage}
}

func (r read) client(name, ip string) read {
	r.want.Event.ClientName, r.want.Event.ClientIP = name, netip.MustParseAddr(ip)
	return r
}

func (r read) lacks(h relaylens.Helper, name string) read {
	r.want.Helper, r.want.Event.RemoteHost = h, name
	return r
}

func (r read) said(code uint16, enhanced, text string) read {
	r.want.Event.Code, r.want.Event.Enhanced, r.want.Event.Text = code, enhanced, text
	return r
}

func (r read) rcpt(address string) read { r.want.Event.Recipient = address; return r }
func (r read) sender(a string) read     { r.want.Event.SetSender(a); return r }
func (r read) held() read               { r.want.Hold = true; return r }
func (r read) ofDisk() read             { r.want.Event.RemoteHost = relaylens.Disk; return r }

func refused(line, id string, kind relaylens.Kind, reason relaylens.Reason, stage relaylens.Stage) read {
	return read{line, relaylens.Record{Event: inbound(id, kind, reason, stage)}}
}

// ignored are lines without interest, or that another line tells as well.
var ignored = []string{
	"sm-mta[1]: 502345AB004321: to=<b@example.net>, delay=00:00:10, xdelay=00:00:00, mailer=esmtp, pri=120015, relay=mx.example.net. [198.51.100.25], dsn=4.7.0, stat=Deferred: 454 4.7.0 other side does not support STARTTLS",
	"sm-mta[1]: 502345AB004321: to=<b@example.net>, delay=00:00:10, xdelay=00:00:00, mailer=esmtp, pri=120015, relay=mx.example.net. [198.51.100.25], dsn=4.7.0, stat=Deferred: 403 4.7.0 encryption too weak 128 less than 256",
	"sm-mta[1]: 502345AB004321: collect: relay=host.example.com, from=<a@example.org>, info=unexpected close",
	"sm-mta[1]: 502345AB004321: collect: relay=host.example.com, from=<\"x, info=y, where=z, status=tempfail\"@example.org>, info=unexpected close",
	"sm-mta[1]: 502345AB004321: aliasing/forwarding loop broken: :include:/etc/list (11 aliases deep; 10 max)",
	"sm-mta[1]: starting daemon (8.17.1.9): SMTP+queueing@00:01:00",
	"sendmail[1]: STARTTLS=client, relay=mx.example.net., version=TLSv1.3, verify=FAIL, cipher=TLS_AES_256_GCM_SHA384, bits=256/256",
	"sendmail[1]: tls_srv_features=empty, stat=0, relay=host.example.com [203.0.113.9]",
	"sendmail[1]: AUTH: available mech=LOGIN PLAIN, allowed mech=LOGIN PLAIN",
	"sendmail[1]: AUTH=client, relay=mx.example.net., mech=PLAIN, bits=0",
	"sendmail[1]: 502345AB004321: Milter: no active filter",
	"sendmail[1]: SMTP outgoing connect on mx.example.net.",
	"sendmail[1]: 502345AB004321: SMTP server child for mx.example.net",
	"sendmail[1]: 502345AB004321: SMTP MAIL command (<a@example.org>) from host.example.com tempfailed",
	"sendmail[1]: 502345AB004321: Milter (spf): header: Subject, rejecting commands",
	"sendmail[1]: 502345AB004321: milter=spf, action=rcpt, reject=550 5.7.1 no",
	"sendmail[1]: 502345AB004321: <-- RCPT TO:<x@example.com>... User unknown",
	"sendmail[1]: 502345AB004321: --- 550 5.1.1 <x@example.com>... User unknown",
	"sendmail[1]: 502345AB004321: --- 250 2.0.0 OK",
	"sendmail[1]: 502345AB004321: <-- [192.0.2.66]: VRFY y [rejected]",
	"sendmail[1]: 502345AB004321: <-- [192.0.2.66] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA",
	"sendmail[1]: 502345AB004321: from=x [203.0.113.9]: VRFY , size=1, class=0, nrcpts=1, msgid=<y>, relay=good.example.com [192.0.2.66]",
	"sendmail[1]: 502345AB004321: ruleset=x [203.0.113.9]: VRFY y, arg1=<x>, relay=[192.0.2.66], reject=550 5.7.1 <x>... Relaying denied",
	"sendmail[1]: 502345AB004321: x[192.0.2.66] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA",
	"sendmail[1]: STARTTLS=server, relay=" + strings.Repeat("x", 88) + "[192.0.2.66], version=TLSv1.3, verify=NO, cipher=TLS_AES_256_GCM_SHA384, bits=256/256",
	"sendmail[1]: STARTTLS=server, relay=" + strings.Repeat("x", 60) + "[192.0.2.66], version=TLSv1.3, verify=NO, cipher=TLS_AES_256_GCM_SHA384, bits=256/256",
	"sendmail[1]: STARTTLS=server, relay=" + strings.Repeat("x", 87) + " [192.0.2.66], version=TLSv1.3, verify=NO, cipher=TLS_AES_256_GCM_SHA384, bits=256/256",
	"sendmail[1]: 502345AB004321: xx HELO [192.0.2.66]: VRFY y [rejected]",
	"sendmail[1]: 502345AB004321: xx HELO [192.0.2.66] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA",
	"sendmail[1]: 502345AB004321: Milter (spf): header: Subject, [192.0.2.66]: VRFY y [rejected]",
	"sendmail[1]: 502345AB004321: SMTP outgoing connect on mail.example.com",
	"sendmail[1]: 502345AB004321: message size (284014) exceeds maximum (200000)",
	"sendmail[1]: 502345AB004321: tempfailed (due to previous checks)",
	`sendmail[1]: 502345AB004321: host.example.com [203.0.113.9]: probable open proxy: command=GET / HTTP/1.1\r\n`,
	"sendmail[1]: 502345AB004321: host.example.com [203.0.113.9]: VRFY root",
	"sendmail[1]: 502345AB004321: host.example.com [203.0.113.9]: ",
	"sendmail[1]: 502345AB004321: Authentication-Warning: mx1: joe set sender to x@example.com using -f",
	"sendmail[1]: 502345AB004321: collect: premature EOM: unexpected close",
	"sendmail[1]: 502345AB004321: to=<b@example.net>, delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=120000, relay=mx.example.net., dsn=4.0.0, stat=Deferred: Connection refused by mx.example.net.",
	"sendmail[1]: 502345AB004321: to=<b@example.net>, delay=00:00:02, mailer=esmtp, pri=120000, stat=queued",
	"sendmail[1]: 502345AB004321: to=<b@example.net>, delay=00:10:02, xdelay=00:00:00, mailer=esmtp, pri=120000, relay=mx.example.net., dsn=4.0.0, stat=Deferred",
	"sendmail[1]: 502345AB004321: to=<b@example.net>, delay=00:10:02, mailer=esmtp, pri=120000, quarantine=spam?, stat=quarantined",
	"sendmail[1]: 502345AB004321: to=joe, delay=00:00:02, xdelay=00:00:01, mailer=local, pri=30120, dsn=5.1.1, stat=User unknown",
	"sendmail[1]: 502345AB004321: to=<b@nx.example>, delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=120000, relay=nx.example, dsn=5.1.2, stat=Host unknown (Name server: nx.example: host not found)",
	"sendmail[1]: 502345AB004321: to=<b@example.net>, delay=00:00:00, pri=30202, stat=discarded",
	"sendmail[1]: ruleset=try_tls, arg1=mx.example.net, relay=mx.example.net, reject=550 5.7.1 <mx.example.net>... do not try TLS",
	"sendmail[1]: ruleset=tls_server, arg1=SOFTWARE, relay=mx.example.net, reject=403 4.7.0 TLS handshake failed.",
	"sendmail[1]: 502345AB004321: rejecting connections on daemon MTA: load average: 20",
	"sendmail[1]: poststats: /var/lib/sendmail/sendmail.st: No such file or directory",
	"sendmail[1]: Password verification failed",
	"sendmail[1]: a",
	"sendmail[1]: 502345AB004321: x",
}

func TestIgnored(t *testing.T) {
	g := New(relaylens.Texts{})
	for _, line := range ignored {
		env := parsertest.Syslog(line)
		var rec relaylens.Record
		if v := g.Parse(&env, &rec); v != relaylens.Ignored {
			t.Errorf("%s: %q gives %+v", v, line, rec)
		}
	}
}

func TestMalformed(t *testing.T) {
	g := New(relaylens.Texts{})
	for _, line := range []string{
		"sm-mta[1]: 502345AB004321: ruleset=check_rcpt, arg1=<b@example.net>, relay=host.example.com [203.0.113.9]",
		"sm-mta[1]: 502345AB004321: ruleset=check_rcpt, arg1=<b@example.net>, relay=host.example.com [203.0.113.9], reject=55",
		"sm-mta[1]: 502345AB004321: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): x, user=joe",
		"sm-mta[1]: AUTH=server, relay=host.example.com [203.0.113.9], authid=joe",
		"sm-mta[1]: 502345AB004321: rejecting commands from host.example.com [203.0.113.9",
	} {
		env := parsertest.Syslog(line)
		var rec relaylens.Record
		if v := g.Parse(&env, &rec); v != relaylens.Malformed {
			t.Errorf("%s: %q gives %+v", v, line, rec)
		}
	}
}

func TestCutID(t *testing.T) {
	for in, want := range map[string][2]string{
		"502345AB004321: x":             {"502345AB004321", "x"},
		"6ALIRQO8013717: a: b":          {"6ALIRQO8013717", "a: b"},
		"502345AB4194304: x":            {"502345AB4194304", "x"},
		"AA12345: x":                    {"AA12345", "x"},
		"lAA12345: x":                   {"lAA12345", "x"},
		"NOQUEUE: connect":              {"", "connect"},
		"Password: x":                   {"", "Password: x"},
		"12345678: x":                   {"", "12345678: x"},
		"502345AB004321":                {"", "502345AB004321"},
		"502345AB004321:":               {"", "502345AB004321:"},
		"502345AB004321 x":              {"", "502345AB004321 x"},
		"":                              {"", ""},
		"reallyLongHostName0123456: no": {"", "reallyLongHostName0123456: no"},
	} {
		if id, text := cutID(in); id != want[0] || text != want[1] {
			t.Errorf("%q: %q, %q", in, id, text)
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		`plain`: "plain", `a\\b`: `a\b`, `\t\n\r`: "\t\n\r", `\303\251`: "é", `\377`: "\xff", `\\303`: `\303`,
		`x\`: `x\`, `\40`: `40`, `\400`: "400", `"\\""`: `"\""`,
	} {
		if got := unescape(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestRelay(t *testing.T) {
	for in, want := range map[string]struct {
		name, ip string
		ok       bool
	}{
		"host.example.com [203.0.113.9]":                        {"host.example.com", "203.0.113.9", true},
		"[203.0.113.9]":                                         {"", "203.0.113.9", true},
		"[203.0.113.9] [203.0.113.9]":                           {"", "203.0.113.9", true},
		"host.example.com [203.0.113.9] (may be forged)":        {"", "203.0.113.9", true},
		"[203.0.113.9] (may be forged)":                         {"", "203.0.113.9", true},
		"joe@host.example.com [203.0.113.9]":                    {"host.example.com", "203.0.113.9", true},
		"IDENT:joe@host.example.com [203.0.113.9]":              {"host.example.com", "203.0.113.9", true},
		"host.example.com [IPv6:2001:db8:0:0:0:0:0:1]":          {"host.example.com", "2001:db8::1", true},
		"[IPv6:::ffff:203.0.113.9]":                             {"", "203.0.113.9", true},
		"h.example [192.0.2.1@192.0.2.2:192.0.2.3] [192.0.2.9]": {"", "192.0.2.9", true},
		"evil [192.0.2.66], x [203.0.113.9]":                    {"", "203.0.113.9", true},
		"root@localhost":                                        {"", "", true},
		"localhost":                                             {"", "", true},
		"[RESPONSE]":                                            {"", "", true},
		"host.example.com [203.0.113.9":                         {"", "", false},
		"host.example.com [203.0.113.]":                         {"", "", false},
		"host.example.com [203.0.113.9] (may be":                {"", "", false},
		"":                                                      {"", "", false},
	} {
		r, ok := parseRelay(in)
		ip, _ := netip.ParseAddr(want.ip)
		if ok != want.ok || r.name != want.name || r.ip != ip {
			t.Errorf("%q: %+v %v", in, r, ok)
		}
	}
}

func TestSiteTexts(t *testing.T) {
	denied, err := relaylens.NewPhrases([]string{"go and log in first"})
	if err != nil {
		t.Fatal(err)
	}
	unverified, err := relaylens.NewPhrases([]string{"/^who is [a-z]+/"})
	if err != nil {
		t.Fatal(err)
	}
	g := New(relaylens.Texts{RelayDenied: denied, SenderVerify: unverified})
	for line, want := range map[string]relaylens.Kind{
		"sm-mta[1]: 502345AB004321: ruleset=check_rcpt, arg1=<b@example.net>, relay=[203.0.113.9], reject=550 5.7.1 <b@example.net>... Go and log in first": relaylens.KindRelayDenied,
		"sm-mta[1]: 502345AB004321: ruleset=check_mail, arg1=<b@example.net>, relay=[203.0.113.9], reject=550 5.7.1 <b@example.net>... who is that":         relaylens.KindSenderVerify,
		// The address is the client's text.
		`sm-mta[1]: 502345AB004321: ruleset=check_rcpt, arg1=<"go and log in first"@example.net>, relay=[203.0.113.9], reject=550 5.7.1 <"go and log in first"@example.net>... Access denied`: relaylens.KindRejected,
	} {
		env := parsertest.Syslog(line)
		var rec relaylens.Record
		if v := g.Parse(&env, &rec); v != relaylens.Parsed || rec.Event.Kind != want {
			t.Errorf("%s %s: %q", v, rec.Event.Kind, line)
		}
	}
}
