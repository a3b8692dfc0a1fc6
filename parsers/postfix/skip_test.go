package postfix

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

var skipped = []string{
	"Anonymous TLS connection established from unknown[192.0.2.1]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
	"Trusted TLS connection established to mx[192.0.2.1]:25: TLSv1.3", "Untrusted TLS connection established from unknown[192.0.2.1]: TLSv1.3",
	"SSL_accept error from unknown[192.0.2.1]: lost connection", "lost connection after AUTH from unknown[192.0.2.1]", "timeout after DATA from unknown[192.0.2.1]",
	"CONNECT from [192.0.2.1]:4711 to [192.0.2.2]:25", "4F1A2B3C: message-id=<a@b>", "4gTDc114YPz12p6: message-id=<reject: END-OF-MESSAGE from x[192.0.2.1]: 4.7.1>",
}

// What is skipped would be ignored.
func TestSkips(t *testing.T) {
	others := []string{"connect from unknown[192.0.2.1]", "warning: message-id=<a>", "fatal: message-id=x", "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <a@b>: Relay access denied; from=<> to=<a@b> proto=SMTP helo=<x>",
		"4F1A2B3C: milter-reject: END-OF-MESSAGE from x[192.0.2.1]: 4.7.1 no; from=<a@b> to=<c@d>", "4F1A2B3C: to=<a@b>, relay=none, delay=1, dsn=4.4.1, status=deferred (host x[192.0.2.1] said: 450 no)",
		"PASS NEW [192.0.2.1]:25", "4F1A2B3C: removed", "4F1A2B3C: client=x[192.0.2.1]", "Anonymous: reject: x", "CONNECT : ", "lost con", "timeout ", ""}
	programs := []string{"postfix/smtpd", "postfix/submission/smtpd", "postfix/smtp", "postfix/lmtp", "postfix/cleanup", "postfix/postscreen", "postfix/qmgr", "postfix/anvil", "postfix/x", "mail", "postfix/aaaaaaaaaaaaaaaaaaaaaaaa"}
	all := append(others, skipped...)
	rng := rand.New(rand.NewPCG(1, 1))
	seen := map[string]bool{}
	g := New(relaylens.Texts{})
	for range 100_000 {
		a, b := all[rng.IntN(len(all))], all[rng.IntN(len(all))]
		text := a
		if rng.IntN(3) > 0 { // the beginning of one, the end of another
			text = a[:rng.IntN(len(a)+1)] + b[rng.IntN(len(b)+1):]
		}
		program := programs[rng.IntN(len(programs))]
		skips := Skips(program)
		if skips == nil || !skips(text) {
			continue
		}
		if text == a {
			seen[a] = true
		}
		var rec relaylens.Record
		if v := g.Parse(&relaylens.Envelope{Program: program, PID: 1, Text: text}, &rec); v != relaylens.Ignored {
			t.Fatalf("%s: %q is skipped, and would be %v", program, text, v)
		}
	}
	for _, text := range skipped {
		if !seen[text] {
			t.Errorf("%q is not skipped", text)
		}
	}
	if Skips("postfix/"+strings.Repeat("a", tagCut-len("postfix/"))) != nil {
		t.Error("a tag that may have been cut does not tell the program")
	}
}
