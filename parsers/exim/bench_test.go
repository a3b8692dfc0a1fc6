package exim

import (
	"testing"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
)

func benchmark(b *testing.B, line string, want relaylens.Verdict) {
	g := New(relaylens.Texts{})
	env := parsertest.Native(line)
	var rec relaylens.Record
	b.ReportAllocs()
	for b.Loop() {
		rec = relaylens.Record{}
		if v := g.Parse(&env, &rec); v != want {
			b.Fatalf("verdict %s", v)
		}
	}
}

func BenchmarkRelayDenied(b *testing.B) {
	benchmark(b, "H=host.example.com (pc) [203.0.113.9]:51234 I=[192.0.2.25]:25 "+tls+" F=<a@example.com> A=plain:joe rejected RCPT <b@example.net>: relay not permitted", relaylens.Parsed)
}

func BenchmarkSiteText(b *testing.B) {
	benchmark(b, "H=host.example.com (pc) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: Sorry, we have no such customer as you want", relaylens.Parsed)
}

func BenchmarkAuthFailed(b *testing.B) {
	benchmark(b, "plain_server authenticator failed for host.example.com (pc) [203.0.113.9]:4711: 535 Incorrect authentication data (set_id=joe@example.com)", relaylens.Parsed)
}

func BenchmarkAccepted(b *testing.B) {
	benchmark(b, "1tTaBc-0001Ab-2z <= a@example.com H=host.example.com (pc) [203.0.113.9]:4711 P=esmtpsa "+tls+" A=plain:joe S=511 id=x@y", relaylens.Parsed)
}

func BenchmarkDelivered(b *testing.B) {
	benchmark(b, `1tTaBc-0001Ab-2z => b@example.net R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.25] C="250 2.0.0 Ok: queued as FF63134B"`, relaylens.Parsed)
}

func BenchmarkRefusedAbroad(b *testing.B) {
	benchmark(b, "1tTaBc-0001Ab-2z ** b@example.net F=<a@example.com> R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.25]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 554 5.7.1 <b@example.net>: Relay access denied", relaylens.Parsed)
}

func BenchmarkMiss(b *testing.B) {
	benchmark(b, "no host name found for IP address 192.0.2.1", relaylens.Ignored)
}

func BenchmarkMissQueueRun(b *testing.B) {
	benchmark(b, "Start queue run: pid=18677", relaylens.Ignored)
}
