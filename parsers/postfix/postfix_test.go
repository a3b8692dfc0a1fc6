package postfix

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
)

// reading is a line and what it must be read as. Service is not told where it
// is the program's name behind its instance.
type reading struct {
	line string
	want relaylens.Record
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func refused(e relaylens.Event) relaylens.Record {
	if e.Direction == relaylens.DirectionNone {
		e.Direction = relaylens.Inbound
	}
	if e.Kind == relaylens.KindNone {
		e.Kind = e.Reason.Kind()
	}
	return relaylens.Record{Event: e}
}

func submitted(rec relaylens.Record) relaylens.Record {
	rec.Submitted = true
	return rec
}

// ofDisk says that what r lacks is room on the disk.
func ofDisk(r relaylens.Record) relaylens.Record {
	r.Event.RemoteHost = relaylens.Disk
	return r
}

// wanting is refused for the want of an answer of a helper.
func wanting(h relaylens.Helper, e relaylens.Event) relaylens.Record {
	r := refused(e)
	r.Helper = h
	return r
}

var equateAddr = cmpopts.EquateComparable(netip.Addr{})

func readAll(t *testing.T, readings []reading) {
	t.Helper()
	g := New(relaylens.Texts{})
	for _, r := range readings {
		t.Run(r.line, func(t *testing.T) {
			env := parsertest.Syslog(r.line)
			want := r.want
			if want.Event.Service == "" {
				want.Event.Service = Service(env.Program)
			}
			var got relaylens.Record
			if v := g.Parse(&env, &got); v != relaylens.Parsed {
				t.Fatalf("verdict %s, want parsed", v)
			}
			if diff := cmp.Diff(want, got, equateAddr); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if err := parsertest.Check(g, env); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	tests := map[string]relaylens.Verdict{
		"postfix/qmgr[1]: 4F1A2B3C: skipped, still being delivered":                                                                                                                                                                             relaylens.Ignored,
		"postfix/qmgr[1]: 4F1A2B3C: from=<a@example.com>, status=expired, returned to sender":                                                                                                                                                   relaylens.Ignored,
		"postfix/cleanup[1]: 4F1A2B3C: message-id=<reject: RCPT from x[192.0.2.1]: 554 5.7.1 Relay access denied>":                                                                                                                              relaylens.Ignored,
		"postfix/cleanup[1]: 4F1A2B3C: info: header Subject: x from unknown[192.0.2.1]; from=<> to=<b@example.com>":                                                                                                                             relaylens.Ignored,
		"postfix/cleanup[1]: 4F1A2B3C: replace: header Subject: x from unknown[192.0.2.1]; from=<> to=<b@example.com>: Subject: y":                                                                                                              relaylens.Ignored,
		"postfix/smtpd[1]: lost connection after DATA (123 bytes) from unknown[192.0.2.1]":                                                                                                                                                      relaylens.Ignored,
		"postfix/smtpd[1]: 4F1A2B3C: lost connection after RCPT from unknown[192.0.2.1]":                                                                                                                                                        relaylens.Ignored,
		"postfix/smtpd[1]: timeout after RCPT from unknown[192.0.2.1]":                                                                                                                                                                          relaylens.Ignored,
		"postfix/smtpd[1]: improper command pipelining after DATA from unknown[192.0.2.1]: MAIL FROM:<a@example.com>":                                                                                                                           relaylens.Ignored,
		"postfix/smtpd[1]: NOQUEUE: permit: RCPT from unknown[192.0.2.1]: action=permit_mynetworks for Client host=unknown[1]; x":                                                                                                               relaylens.Ignored,
		"postfix/smtpd[1]: NOQUEUE: filter: RCPT from unknown[192.0.2.1]: <x>: Sender address triggers FILTER smtp:[x]:25; from=<x>":                                                                                                            relaylens.Ignored,
		"postfix/smtpd[1]: NOQUEUE: info: RCPT from unknown[192.0.2.1]: Relay access denied; from=<x> to=<y> proto=SMTP helo=<z>":                                                                                                               relaylens.Ignored,
		"postfix/smtpd[1]: warning: hostname a.example.com does not resolve to address 192.0.2.1: Name or service not known":                                                                                                                    relaylens.Ignored,
		"postfix/smtpd[1]: warning: unknown[192.0.2.1]: request longer than 2048: AUTH failed: x...":                                                                                                                                            relaylens.Ignored,
		"postfix/smtpd[1]: NOQUEUE: milter-reject: CONNECT from unknown[192.0.2.1]: 451 4.7.1 Service unavailable - try again later; proto=SMTP":                                                                                                relaylens.Ignored,
		"postfix/smtpd[1]: NOQUEUE: milter-reject: EHLO from unknown[192.0.2.1]: 451 4.7.1 Service unavailable - try again later; proto=SMTP helo=<x>":                                                                                          relaylens.Ignored,
		"postfix/smtpd[1]: NOQUEUE: milter-reject: HELO from unknown[192.0.2.1]: 550 5.7.1 Command rejected; proto=SMTP helo=<x> from=<a@example.com> to=<b@example.net>":                                                                       relaylens.Ignored,
		"postfix/smtpd[1]: Anonymous TLS connection established from unknown[192.0.2.1]: TLSv1.3 with cipher X":                                                                                                                                 relaylens.Ignored,
		`postfix/smtpd[1]: using backwards-compatible default setting "smtpd_relay_restrictions = (empty)" to avoid "Relay access denied" error for recipient "b@example.net" from client "unknown[192.0.2.1]"`:                                 relaylens.Ignored,
		"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (connect to mx.example.net[198.51.100.25]:25: Connection refused)":                                                      relaylens.Ignored,
		"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (delivery temporarily suspended: host mx.example.net[198.51.100.25] refused to talk to me: 554 no)":                     relaylens.Ignored,
		"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>, relay=mx.example.net[198.51.100.25]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=undeliverable (host mx.example.net[198.51.100.25] said: 550 5.1.1 no (in reply to RCPT TO command))": relaylens.Ignored,
		"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>, relay=none, delay=1, delays=0/0/0/1, dsn=5.4.4, status=bounced (Host or domain name not found. Name service error for name=said: type=A: Host not found)":                               relaylens.Ignored,
		"postfix/local[1]: 4F1A2B3C: to=<b@example.net>, relay=local, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (unknown user: \"b\")":                                                                                                 relaylens.Ignored,
		"postfix/pipe[1]: 4F1A2B3C: to=<b@example.net>, relay=x, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (user unknown. Command output: host x[192.0.2.1] said: 550 no)":                                                             relaylens.Ignored,
		"postfix/smtp[1]: 4F1A2B3C: to=<x y>, relay=evil[192.0.2.1]:25, dsn=5.7.1, status=bounced (host y[192.0.2.2] said: 554 a b@example.com>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (x)":                              relaylens.Malformed,
		"postfix/smtp[1]: 4F1A2B3C: lost connection with mx.example.net[198.51.100.25] while sending RCPT TO":                                                                                                                                   relaylens.Ignored,
		"postfix/postscreen[1]: CONNECT from [192.0.2.1]:4711 to [198.51.100.1]:25":                                                                                                                                                             relaylens.Ignored,
		"postfix/anvil[1]: statistics: max connection rate 1/60s for (smtp:192.0.2.1) at Jan  2 03:04:05":                                                                                                                                       relaylens.Ignored,
		"postfix/master[1]: warning: process /usr/lib/postfix/sbin/smtpd pid 7 exit status 1":                                                                                                                                                   relaylens.Parsed,
		"postfix/dnsblog[1]: addr 192.0.2.1 listed by domain bl.example.org as 127.0.0.2":                                                                                                                                                       relaylens.Ignored,
		"dovecot/auth[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <x>: Relay access denied; from=<x> to=<x>":                                                                                                                   relaylens.Ignored,
		"postfix: warning: x": relaylens.Ignored,
		"postfix/smtpd[1]: NOQUEUE: reject: RCPT from nobody: 554 5.7.1 <x>: Relay access denied; from=<x> to=<x>": relaylens.Malformed,
		"postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2":                                             relaylens.Malformed,
		"postfix/smtpd[1]: NOQUEUE: reject: RCPT":                                                                  relaylens.Malformed,
		"postfix/smtpd[1]: NOQUEUE: reject: DINNER from unknown[192.0.2.1]: 554 5.7.1 no; from=<> to=<x>":          relaylens.Malformed,
		"postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL of a kind":                                            relaylens.Malformed,
		"postfix/smtpd[1]: connect from somewhere":                                                                 relaylens.Malformed,
		"postfix/smtpd[1]: disconnect from somewhere":                                                              relaylens.Malformed,
	}
	g := New(relaylens.Texts{})
	for line, want := range tests {
		t.Run(line, func(t *testing.T) {
			env := parsertest.Syslog(line)
			if got := g.Parse(&env, new(relaylens.Record)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if err := parsertest.Check(g, env); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestQueueID(t *testing.T) {
	tests := map[string]bool{
		"4F1A2B3C": true, "0100FEE920": true, "4jX15b6H3Hz7LtN": true, "3Pt2mN2VXxznjll": true, "4gRNz641dDzjXm": true, "4gzNz641dzz2": true,
		"NOQUEUE": false, "12345": false, "warning": false, "4f1a2b3c": false, "connect": false, "": false, "4F1A2B3G": false, "4gRNz641dDjXm": false,
	}
	for id, want := range tests {
		if got := queueID(id); got != want {
			t.Errorf("queueID(%q) = %v, want %v", id, got, want)
		}
	}
}

func TestSiteTexts(t *testing.T) {
	relay, err := relaylens.NewPhrases([]string{"not our customer"})
	if err != nil {
		t.Fatal(err)
	}
	verify, err := relaylens.NewPhrases([]string{"/sender .* unverifiable/"})
	if err != nil {
		t.Fatal(err)
	}
	g := New(relaylens.Texts{RelayDenied: relay, SenderVerify: verify})
	const tail = "; from=<a@example.com> to=<not.our.customer@example.net> proto=ESMTP helo=<x>"
	tests := map[string]relaylens.Kind{
		"554 5.7.1 <not.our.customer@example.net>: Recipient address rejected: You are not our customer": relaylens.KindRelayDenied,
		"554 5.7.1 <a@example.com>: Sender address rejected: sender is unverifiable":                     relaylens.KindSenderVerify,
		"554 5.7.1 <not.our.customer@example.net>: Recipient address rejected: Access denied":            relaylens.KindRejected,
	}
	for text, want := range tests {
		t.Run(text, func(t *testing.T) {
			env := parsertest.Syslog("postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: " + text + tail)
			var rec relaylens.Record
			if g.Parse(&env, &rec); rec.Event.Kind != want {
				t.Errorf("got %s, want %s", rec.Event.Kind, want)
			}
		})
	}
}
