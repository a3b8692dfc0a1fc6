package postfix

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

var shortLines = []string{
	"Anonymous TLS connection established from unknown[192.0.2.1]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
	"Trusted TLS connection established to mx[192.0.2.1]:25: TLSv1.3", "Untrusted TLS connection established from unknown[192.0.2.1]: TLSv1.3",
	"SSL_accept error from unknown[192.0.2.1]: lost connection", "lost connection after AUTH from unknown[192.0.2.1]", "timeout after DATA from unknown[192.0.2.1]",
	"CONNECT from [192.0.2.1]:4711 to [192.0.2.2]:25", "4F1A2B3C: message-id=<a@b>", "4gTDc114YPz12p6: message-id=<reject: END-OF-MESSAGE from x[192.0.2.1]: 4.7.1>",
	"connect from unknown[192.0.2.1]", "connect from mx.example.com[2001:db8::1]:4711", "disconnect from mx.example.com[192.0.2.1]",
	"disconnect from unknown[unknown] ehlo=1 quit=1 commands=2", "4F1A2B3C: removed", "4gTDc114YPz12p6: removed", "PASS OLD [192.0.2.1]:4711", "PASS NEW [2001:db8::1]:4711",
	"4F1A2B3C: client=x[192.0.2.1]", "4gTDc114YPz12p6: client=unknown[2001:db8::1]:4711, sasl_method=PLAIN, sasl_username=a@b",
	"4F1A2B3C: from=<>, size=1, nrcpt=1 (queue active)", `4F1A2B3C: from=<"a b"@example.com>, size=1, nrcpt=1 (queue active)`, "4F1A2B3C: from=<a>, size=1@b>, size=1, nrcpt=1 (queue active)",
	"4F1A2B3C: to=<a@b>, relay=mx.example.com[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
	"4F1A2B3C: to=<a@b>, orig_to=<c>, relay=mx[private/dovecot-lmtp], conn_use=2, delay=1, dsn=2.0.0, status=sent (250 <a@b> x, status=bounced (said))",
	"4F1A2B3C: to=<a b@c>, relay=local, delay=1, dsn=2.0.0, status=sent (delivered to mailbox)",
}

// recordOf is the record of a short line.
func recordOf(s Short, service string, e *relaylens.Event) relaylens.Record {
	client := relaylens.Event{Service: service, Kind: relaylens.KindConnection, ClientIP: e.ClientIP, ClientName: e.ClientName, ClientPort: e.ClientPort}
	switch s {
	case ShortCame:
		return relaylens.Record{Event: client, Fact: relaylens.FactSession}
	case ShortLeft:
		client.Text = e.Text
		return relaylens.Record{Event: client, Fact: relaylens.FactSessionEnd}
	case ShortRemoved:
		return relaylens.Record{Event: relaylens.Event{Service: service, QueueID: e.QueueID}, Fact: relaylens.FactMessageEnd}
	case ShortPassed:
		return relaylens.Record{Event: relaylens.Event{Service: service, ClientIP: e.ClientIP, ClientPort: e.ClientPort}, Presumed: true}
	case ShortBorn:
		client.Kind, client.QueueID, client.User, client.AuthMethod = relaylens.KindNone, e.QueueID, e.User, e.AuthMethod
		if e.User != "" {
			client.Kind = relaylens.KindAuthOK
		}
		return relaylens.Record{Event: client, Fact: relaylens.FactMessage}
	case ShortActive:
		return relaylens.Record{Event: relaylens.Event{Service: service, Kind: relaylens.KindAccepted, QueueID: e.QueueID, Sender: e.Sender, NullSender: e.NullSender}, Fact: relaylens.FactMessage}
	case ShortSent:
		return relaylens.Record{Event: relaylens.Event{Service: service, Kind: relaylens.KindDelivered, QueueID: e.QueueID, Recipient: e.Recipient,
			RemoteHost: e.RemoteHost, RemoteIP: e.RemoteIP, Enhanced: e.Enhanced, Text: e.Text}}
	}
	return relaylens.Record{}
}

// Short lines tell what they would if they were parsed.
func TestShort(t *testing.T) {
	others := []string{"warning: message-id=<a>", "fatal: message-id=x", "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <a@b>: Relay access denied; from=<> to=<a@b> proto=SMTP helo=<x>",
		"4F1A2B3C: milter-reject: END-OF-MESSAGE from x[192.0.2.1]: 4.7.1 no; from=<a@b> to=<c@d>", "4F1A2B3C: to=<a@b>, relay=none, delay=1, dsn=4.4.1, status=deferred (host x[192.0.2.1] said: 450 no)",
		"4F1A2B3C: client=x[192.0.2.1], orig_client=y[192.0.2.2]", "4F1A2B3C: client=x[unknown]", "4F1A2B3C: client=x[192.0.2.1], sasl_method=PLAIN, sasl_username=",
		"4F1A2B3C: client=x[192.0.2.1], sasl_method=PLAIN, sasl_username=a, sasl_sender=b", "4F1A2B3C: client=x[127.0.0.1], orig_queue_id=4F1A2B3D, orig_client=y[192.0.2.2]",
		"4F1A2B3C: from=<double-bounce@x>, size=1, nrcpt=1 (queue active)", "4F1A2B3C: to=<a@b>, relay=x[192.0.2.1]:25, delay=1, dsn=2.0.0, status=deliverable (250 2.0.0 Ok)", "Anonymous: reject: x", "CONNECT : ", "lost con", "timeout ", "NOQUEUE: removed", "PASS OLD [192.0.2.1]", "connect to x[192.0.2.1]:25: no", "x",
		"disconnect from " + strings.Repeat("a", maxRecord) + "[192.0.2.1]"}
	programs := []string{"postfix/smtpd", "postfix/submission/smtpd", "postfix/smtp", "postfix/lmtp", "postfix/cleanup", "postfix/postscreen", "postfix/qmgr", "postfix/anvil", "postfix/x", "mail", "postfix/aaaaaaaaaaaaaaaaaaaaaaaa"}
	all := append(others, shortLines...)
	rng := rand.New(rand.NewPCG(1, 1))
	seen := map[string]bool{}
	g := New(relaylens.Texts{})
	r, e := g.Reader(), new(relaylens.Event) // which is not cleared
	for range 100_000 {
		a, b := all[rng.IntN(len(all))], all[rng.IntN(len(all))]
		text := a
		if rng.IntN(3) > 0 { // the beginning of one, the end of another
			text = a[:rng.IntN(len(a))+1] + b[rng.IntN(len(b)+1):]
		}
		program, pid := programs[rng.IntN(len(programs))], rng.Int32N(4)
		short := r.Short(LinesOf(program), pid, text, e)
		if short == ShortNone {
			continue
		}
		if text == a {
			seen[a] = true
		}
		var got relaylens.Record
		verdict := relaylens.Parsed
		if short == ShortIgnored {
			verdict = relaylens.Ignored
		}
		if v := g.Parse(&relaylens.Envelope{Program: program, PID: pid, Text: text}, &got); v != verdict {
			t.Fatalf("%s: %q is %v, and short %v", program, text, v, short)
		}
		if want := recordOf(short, Service(program), e); got != want {
			t.Fatalf("%s: %q is parsed as\n%+v, and short\n%+v", program, text, got, want)
		}
	}
	for _, text := range shortLines {
		if !seen[text] {
			t.Errorf("%q is not short", text)
		}
	}
	if cut := "postfix/" + strings.Repeat("a", tagCut-len("postfix//smtpd")) + "/smtpd"; LinesOf("postfix/smtpd") == LinesNone || LinesOf(cut[1:]) == LinesNone || LinesOf(cut) != LinesNone {
		t.Error("a tag that may have been cut does not tell the program")
	}
}
