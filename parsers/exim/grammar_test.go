package exim

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
)

func TestKeepsTheContract(t *testing.T) {
	var hits []string
	for line := range lines {
		hits = append(hits, line)
	}
	parsertest.Run(t, New(relaylens.Texts{}), parsertest.Envelopes(parsertest.Native, hits...), parsertest.Envelopes(parsertest.Native, misses...))
}

var misses = []string{
	"",
	"Start queue run: pid=18677",
	"End queue run: pid=18677",
	"exim 4.96 daemon started: pid=17054, -q5m, listening for SMTP on [127.0.0.1]:25",
	"cwd=/var/spool/exim4 7 args: /usr/sbin/exim4 -t -oem -oi -f <> -E1xUpoA-0004uj-0v",
	"no host name found for IP address 192.0.2.1",
	"no IP address found for host mx.example.net (during SMTP connection from (pc) [203.0.113.9])",
	"list matching forced to fail: failed to find host name for 192.0.2.1",
	"Warning: purging the environment.",
	"no MAIL in SMTP connection from (pc) [203.0.113.9]:55787 D=0s C=EHLO,RSET,NOOP,QUIT",
	"H=(pc) [203.0.113.9] incomplete transaction (QUIT) from <a@example.com>",
	"U=joe incomplete transaction (QUIT) from <a@example.com>",
	"U=joe Warning: hello",
	`H=(pc) [203.0.113.9] Warning: "SpamAssassin as joe detected message as NOT spam (-2.9)"`,
	`H=(pc) [203.0.113.9] Warning: ACL "warn" statement skipped: condition test deferred`,
	"SMTP command timeout on TLS connection from (pc) [203.0.113.9] D=5m",
	"unexpected disconnection while reading SMTP command from (pc) [203.0.113.9] D=1s",
	"TLS error on connection from (pc) [203.0.113.9] (SSL_accept): error:1408F10B",
	`SMTP syntax error in "FOO" H=[203.0.113.9] unrecognized command`,
	`SMTP protocol error in "RCPT TO:<b@example.net>" H=(pc) [203.0.113.9] sender not yet given`,
	`SMTP protocol error in "DATA" H=(pc) [203.0.113.9] valid RCPT command must precede DATA`,
	"ETRN #example.com received from (pc) [203.0.113.9]",
	"ignoring AUTH=joe@example.com from H=(pc) [203.0.113.9] (client not authenticated)",
	"1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (110): Connection timed out H=mx.example.net [198.51.100.25]",
	"1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (-53): retry time not reached for any host",
	"1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (-54) H=mx.example.net [198.51.100.25]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 450 4.2.0 Greylisted",
	"1tTaBc-0001Ab-2z ** b@example.com: Unrouteable address",
	"1tTaBc-0001Ab-2z ** b@example.net: retry timeout exceeded",
	"1tTaBc-0001Ab-2z H=mx.example.net [198.51.100.25] Connection refused",
	"1tTaBc-0001Ab-2z H=mx.example.net [198.51.100.25]: Remote host closed connection in response to initial connection",
	"1tTaBc-0001Ab-2z Message is frozen",
	"1tTaBc-0001Ab-2z Frozen (delivery error message)",
	"1tTaBc-0001Ab-2z Unfrozen by errmsg timer",
	"1tTaBc-0001Ab-2z Spool file is locked (another process is handling this message)",
	"login authenticator (PLAIN): Cyrus SASL permanent failure: -13 (authentication failure)",
	"Comparison failed",
}

// parse reads one line and expects it to be understood.
func parse(t testing.TB, line string) relaylens.Record {
	t.Helper()
	var rec relaylens.Record
	env := parsertest.Native(line)
	if v := New(relaylens.Texts{}).Parse(&env, &rec); v != relaylens.Parsed {
		t.Fatalf("verdict %s, want parsed", v)
	}
	return rec
}

func diff(want, got relaylens.Record) string {
	return cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}))
}

func TestParse(t *testing.T) {
	for line, want := range lines {
		t.Run(line, func(t *testing.T) {
			if d := diff(want, parse(t, line)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestContinuationIsIgnored(t *testing.T) {
	env := parsertest.Native("H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted")
	env.Continuation = true
	if v := New(relaylens.Texts{}).Parse(&env, new(relaylens.Record)); v != relaylens.Ignored {
		t.Errorf("verdict %s, want ignored", v)
	}
}

func TestMalformed(t *testing.T) {
	for _, line := range []string{
		"H=(pc) [203.0.113] F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted",
		"plain authenticator failed for p c: 535 Incorrect authentication data",
		"rejected EHLO from p c: syntactically invalid argument(s): x",
		"unqualified recipient rejected: <b> H=pc",
		`SMTP syntax error in "RCPT TO:<b>`,
		"refused connection from nowhere",
		`1tTaBc-0001Ab-2z <= "a b`,
	} {
		t.Run(line, func(t *testing.T) {
			env := parsertest.Native(line)
			var rec relaylens.Record
			if v := New(relaylens.Texts{}).Parse(&env, &rec); v != relaylens.Malformed {
				t.Errorf("verdict %s, want malformed", v)
			}
			if d := diff(relaylens.Record{}, rec); d != "" {
				t.Errorf("record written to:\n%s", d)
			}
		})
	}
}

func TestSiteTexts(t *testing.T) {
	relay, err := relaylens.NewPhrases([]string{"keine Weiterleitung"})
	if err != nil {
		t.Fatal(err)
	}
	verify, err := relaylens.NewPhrases([]string{"Absender unbekannt"})
	if err != nil {
		t.Fatal(err)
	}
	g := New(relaylens.Texts{RelayDenied: relay, SenderVerify: verify})
	for line, want := range map[string]relaylens.Kind{
		"H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: Hier keine Weiterleitung":                                relaylens.KindRelayDenied,
		"H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: Absender unbekannt":                                      relaylens.KindSenderVerify,
		`H=(pc) [203.0.113.9] F=<"keine Weiterleitung"@x.example> rejected RCPT <b@example.net>: nein`:                                  relaylens.KindRejected,
		`H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <"keine Weiterleitung"@example.net>: nein`:                                relaylens.KindRejected,
		`H=(pc) [203.0.113.9] F=<"keine Weiterleitung"@x.example> rejected RCPT <b@example.net>: nein, "keine Weiterleitung"@x.example`: relaylens.KindRejected,
	} {
		t.Run(line, func(t *testing.T) {
			env := parsertest.Native(line)
			var rec relaylens.Record
			g.Parse(&env, &rec)
			if rec.Event.Kind != want {
				t.Errorf("kind %s, want %s", rec.Event.Kind, want)
			}
		})
	}
}
