package sendmail

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

// What was read before changes nothing of what is read.
func TestRecentChangesNothing(t *testing.T) {
	pieces := []string{"mail.example.com", "mx1.example.net", "joe@host.example.org", "IDENT:a@", " ", " [192.0.2.1]", " [192.0.2.2]", "[192.0.2.10]", " [IPv6:2001:db8::1]", " [2001:db8::2]",
		" (may be forged)", "[RESPONSE]", "@", "[", "]", "a b", "root@localhost", strings.Repeat("x", 40), strings.Repeat("y", 70), "0.0.2.1]", "192.0.2.1", ","}
	random := rand.New(rand.NewPCG(3, 4))
	g, known, texts := New(relaylens.Texts{}).Reader(), 0, []string{}
	for range 200_000 {
		var b strings.Builder
		for range 1 + random.IntN(4) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		texts = append(texts, b.String())
		for _, s := range []string{b.String(), texts[random.IntN(len(texts))]} {
			want, wantOK := parseRelay(s)
			for range 2 { // the second time it is known, if it can be
				if got, ok := g.relay(s); got != want || ok != wantOK {
					t.Fatalf("%q: read %+v, %t, want %+v, %t", s, got, ok, want, wantOK)
				}
			}
			for i := range g.recent {
				if p := &g.recent[i]; p.n > 0 && s == string(p.text[:p.n]) {
					known++
					break
				}
			}
		}
	}
	if known < 50_000 {
		t.Errorf("only %d of the values were remembered", known)
	}
}
