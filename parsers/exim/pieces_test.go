package exim

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// pieces are what Exim's lines are made of. Whoever writes a HELO, an address or
// a user name can put them together to another line.
var pieces = []string{
	"x", " ", ") ", " (", "(", ")", "<", ">", `"`, `\`, "\\\"", ": ", ":", "@example.org", "=",
	"[192.0.2.66]", ") [192.0.2.66]", ") [192.0.2.66]:4711", "(y) [192.0.2.66]", "good.example.net [192.0.2.66]", ") [203.0.113.9]",
	" I=[192.0.2.66]:25", " I=x", " U=y", " U=root", " Ci=7", " X=TLS1.3:x:256", " CV=no", ` DN="y"`, ` DN="`, ` SNI="y"`, " SNI=y", " DS", " K",
	" P=esmtp", " P=esmtpsa", " A=plain:root", " S=1", " id=", " T=\"", " for ", " from <", " D=1s", " C=EHLO",
	" F=<a@example.net>", " F=<\"", " F=<", " rejected RCPT <b@example.net>", " rejected RCPT ", " temporarily rejected RCPT <b@example.net>",
	" rejected MAIL <a@example.net>", " rejected EHLO or HELO y", " rejected AUTH plain", " rejected after DATA", " rejected DATA", " rejected VRFY y",
	" rejected by local_scan()", ` rejected connection in "connect" ACL`, " dropped by 'connect' ACL",
	": relay not permitted", ": Sender verify failed", ": no", ": mx.example.net [192.0.2.66] : response to \"",
	" RCPT <b@example.net>: discarded by RCPT ACL", " sender verify fail for <a@example.net>", " sender verify defer for <\"", " Warning: ",
	" incomplete transaction (QUIT) from <a@example.net>", " closed by QUIT", " (TCP/IP connection count = 3)", " lost",
	": 535 Incorrect authentication data", " (set_id=root)", " (set_id=", ": 435 Unable to authenticate at present", "): ",
	`" H=`, ` H=(`, " H=[192.0.2.66]", `" H=(y) [192.0.2.66]`, ` next input="`, `" from `, `" from [192.0.2.66]`,
	" dropped: too many unrecognized commands (last was \"", " malformed address: ", " may not follow ", " unrecognized command",
	": message too big: size=1 max=1", ": Too many \"Received\" headers", ": too many messages in one connection", " (failed to find host name from IP address)",
	"SMTP error from remote mail server after RCPT TO:<b@example.net>: 550 ", ": SMTP error from remote mail server after RCPT TO:<b@example.net>: 550 ", ") [192.0.2.66]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 550 ", " [192.0.2.66]: ", strings.Repeat("z", 40),
	// Whole endings.
	") [192.0.2.66] F=<a@example.net> rejected RCPT <b@example.net>: relay not permitted", ") [192.0.2.66] F=<a@example.net> rejected RCPT <b@example.net>: Sender verify failed",
	") [192.0.2.66] F=<a@example.net> A=plain:root rejected RCPT ", ") [192.0.2.66] F=<a@example.net> rejected after DATA: no", ") [192.0.2.66] rejected MAIL <a@example.net>: ",
	") [192.0.2.66] sender verify fail for <a@example.net>: ", ") [192.0.2.66]: 535 Incorrect authentication data (set_id=root", ") [192.0.2.66] P=esmtpsa A=plain:root S=1 id=",
	") [192.0.2.66] D=1s A=plain:root C=EHLO", ") [192.0.2.66] closed by QUIT", ") [192.0.2.66] dropped: too many unrecognized commands (last was \"",
	") [192.0.2.66] unrecognized command", ") [192.0.2.66] U=y", ") [192.0.2.66] X=TLS1.3:x:256 CV=no DN=\"", " F=<a@example.net> A=plain:root rejected RCPT <b@example.net>: relay not permitted",
	"\" F=<a@example.net> A=plain:root rejected RCPT <b@example.net>: relay not permitted", "\"@example.org> A=plain:root rejected RCPT <b@example.net>: relay not permitted",
	"\"@example.org>: relay not permitted", ">: relay not permitted", ": relay not permitted: ", "\" A=plain:root S=1 id=", " P=esmtpsa A=plain:root S=1 id=",
}

func TestHostilePiecesChangeNothing(t *testing.T) {
	g := New(relaylens.Texts{})
	plain := map[string]*relaylens.Record{}
	for name, render := range templates {
		env := parsertest.Native(render("plain.example"))
		plain[name] = new(relaylens.Record)
		g.Parse(&env, plain[name])
	}
	random := rand.New(rand.NewPCG(1, 2))
	lines := 150
	seen := map[string]int{}
	if testing.Short() {
		lines = 30
	}
	for range lines {
		var b strings.Builder
		if random.IntN(4) == 0 {
			// Exim cuts arguments at a certain length.
			b.WriteString(strings.Repeat("z", random.IntN(argumentLength)))
		}
		for range 1 + random.IntN(10) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		for name, render := range templates {
			if err := parsertest.Same(g, plain[name], parsertest.Native(render(b.String()))); err != nil {
				if seen[name]++; seen[name] > 2 {
					continue
				}
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// What is skipped without a look means nothing to Exim.
func TestPlainMeansNothing(t *testing.T) {
	for c := range 256 {
		if smtp.PlainLength(strings.Repeat(string([]byte{byte(c)}), 8)) > 0 && (special[c] || !hostChars[c]) {
			t.Errorf("%q is plain", byte(c))
		}
	}
}
