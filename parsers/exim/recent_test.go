package exim

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// What was read before changes nothing of what is read.
func TestRecentChangesNothing(t *testing.T) {
	pieces := []string{" P=esmtps", " P=esmtpsa", " P=esmtp", " P=smtp", " X=TLS1.3:TLS_AES_256_GCM_SHA384:256", " X=TLS1.2:ECDHE_SECP256R1__RSA_SHA256__AES_128_GCM:128*",
		" CV=no", " CV=yes", " CV=maybe", " K", " L.", " PRDR", " I=[192.0.2.1]:25", ` SNI="a b"`, ` SNI="a S=1 "`, " DN=\"C=x, A=y\"", " A=plain:joe", " A=login:joe doe", " U=x P=esmtps S=3",
		" S=12", " S=x", " S=", " A=", " P=", " X=", " P", "  ", " =", " T=\"P=esmtps\"", " F=<a@b>", " id=x S=3@y", " X=?", " P=esmtps:", " DKIM=example.com", " SPF", " Ci=4:"}
	random := rand.New(rand.NewPCG(1, 2))
	r, hits := new(recent), 0
	var lines []string
	for range 100_000 {
		var b strings.Builder
		if random.IntN(4) > 0 {
			b.WriteString(pieces[random.IntN(4)] + pieces[4+random.IntN(2)])
		}
		for range random.IntN(5) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		if random.IntN(3) > 0 {
			b.WriteString(" S=4711 id=1@example.com")
		}
		lines = append(lines, b.String())
		for _, s := range []string{b.String(), lines[random.IntN(len(lines))]} {
			want, wantRest := cutTokens(s, false)
			for range 2 { // the second time it is known, if it can be
				if got, rest := r.tokens(s); got != want || rest != wantRest {
					t.Fatalf("%q: read %+v and left %q, want %+v and %q", s, got, rest, want, wantRest)
				}
			}
			for i := range r {
				if n := int(r[i].n); n > 0 && strings.HasPrefix(s, string(r[i].text[:n])) {
					hits++
				}
			}
		}
	}
	if hits < 50_000 {
		t.Errorf("only %d of the lines begin with what is remembered", hits)
	}
}
