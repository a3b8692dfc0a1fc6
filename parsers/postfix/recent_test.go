package postfix

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relaylens/relaylens"
)

// What is remembered of clients changes nothing of what is read.
func TestForReadsLikeParse(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	clients := []string{"unknown[192.0.2.1]", "unknown[192.0.2.11]", "unknown[unknown]", "mx.example.org[192.0.2.1]", "x.example.org[192.0.2.1]", "x.example.org[2001:db8::1]",
		"a-name-that-is-longer-than-what-is-kept-of-a-client.and-goes-on.example.com[192.0.2.200]", "evil[1.2.3.4]x[192.0.2.1]", "[192.0.2.1]", "nobody", "x.example.org[192.0.2.999]"}
	ports := []string{"", "", ":4711", ": SASL LOGIN authentication failed: no", ":", ":x"}
	lines := []string{"connect from %s", "disconnect from %s ehlo=1 quit=1 commands=2", "4F1A2B3C: client=%s", "4F1A2B3C: client=%s, sasl_method=PLAIN, sasl_username=joe",
		"warning: %s: SASL PLAIN authentication failed: no", "NOQUEUE: reject: RCPT from %s: 554 5.7.1 <a@b.example>: Relay access denied; from=<> to=<a@b.example> proto=SMTP helo=<x>"}
	const program = "postfix/smtpd"
	g := New(relaylens.Texts{})
	read := g.Reader().For(program)
	for range 30_000 {
		client := clients[rng.IntN(len(clients))]
		if rng.IntN(4) == 0 {
			client += ports[rng.IntN(len(ports))]
		}
		env := relaylens.Envelope{Program: program, PID: []int32{1, 2, 257}[rng.IntN(3)], Text: fmt.Sprintf(lines[rng.IntN(len(lines))], client)}
		var got, want relaylens.Record
		if is, should := read(&env, &got), g.Parse(&env, &want); is != should {
			t.Fatalf("%q: %v, by Parse %v", env.Text, is, should)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Fatalf("%q (-Parse +For):\n%s", env.Text, diff)
		}
	}
}
