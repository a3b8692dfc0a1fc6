package exim

import (
	"math/rand/v2"
	"testing"

	"github.com/relaylens/relaylens"
)

// Short lines tell what they would if they were parsed.
func TestReadShort(t *testing.T) {
	const id = "1lnO0v-0000WK-6W "
	shorts := []string{id + "Completed", "1lnO0v-00000000WKa-6Wab Completed", id + "=> joe <joe@example.com> R=local_user T=maildir_home", id + `-> "a b"@example.com R=dnslookup T=remote_smtp H=mx.example.com [192.0.2.1] X=TLS1.3 C="250 ok"`,
		id + ">> joe (a@b) <c@d> R=r T=t H=mx.example.com DS [2001:db8::1]:25", id + "*> joe@example.com R=r T=t"}
	others := []string{id + "Completed QT=3s", id + "=> joe <joe@example.com> F=<a@b> R=r T=t", id + "=> joe F=<> R=r", id + "** joe@example.com R=r", id + "<= joe@example.com H=x [192.0.2.1] P=smtp S=1", id + `=> "joe`,
		"Completed", id + "cancelled by joe", id, "H=x [192.0.2.1] F=<a@b> rejected RCPT <c@d>: no"}
	all := append(others, shorts...)
	rng := rand.New(rand.NewPCG(1, 1))
	seen := map[string]bool{}
	g, e := New(relaylens.Texts{}), new(relaylens.Event) // which is not cleared
	for range 50_000 {
		a, b := all[rng.IntN(len(all))], all[rng.IntN(len(all))]
		text := a
		if rng.IntN(3) > 0 { // the beginning of one, the end of another
			text = a[:rng.IntN(len(a))+1] + b[rng.IntN(len(b)+1):]
		}
		var want relaylens.Record
		switch ReadShort(text, e) {
		case ShortNone:
			continue
		case ShortDone:
			want = relaylens.Record{Event: relaylens.Event{QueueID: e.QueueID}, Fact: relaylens.FactMessageEnd}
		case ShortSent:
			want.Event = relaylens.Event{Kind: relaylens.KindDelivered, QueueID: e.QueueID, Recipient: e.Recipient, RemoteHost: e.RemoteHost, RemoteIP: e.RemoteIP}
		}
		seen[text] = true
		var got relaylens.Record
		if v := g.Parse(&relaylens.Envelope{Native: true, Text: text}, &got); v != relaylens.Parsed || got != want {
			t.Fatalf("%q is %v, parsed as\n%+v, and short\n%+v", text, v, got, want)
		}
	}
	for _, text := range shorts {
		if !seen[text] {
			t.Errorf("%q is not short", text)
		}
	}
}
