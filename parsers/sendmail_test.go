package parsers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
)

// TestSendmailCountsOnce is about the lines of Sendmail's that tell of one answer.
func TestSendmailCountsOnce(t *testing.T) {
	const at = "Nov 20 09:00:00 mx1 sm-mta[77]: 6AKAAAAA000077: "
	const from = at + "from=<a@example.net>, size=36, class=0, nrcpts=2, proto=ESMTP, daemon=MTA, relay=pc.example.net [203.0.113.9]"
	for name, tc := range map[string]struct {
		log  []string
		want []string
	}{
		"a header check, the sender, and each recipient": {[]string{
			at + "ruleset=CheckSubject, arg1= buy, relay=pc.example.net [203.0.113.9], reject=550 5.7.1 no, thanks",
			from,
			at + "to=<b@example.com>, delay=00:00:00, pri=60036, stat=no, thanks",
			at + "to=<c@example.com>, delay=00:00:00, pri=60036, stat=no, thanks",
		}, []string{"1: rejected/content 203.0.113.9  a@example.net>"}},
		"each recipient after the sender": {[]string{
			from,
			at + "to=<b@example.com>, delay=00:00:00, pri=60036, stat=Message exceeds maximum fixed size (20000)",
			at + "to=<c@example.com>, delay=00:00:00, pri=60036, stat=Message exceeds maximum fixed size (20000)",
		}, []string{"2: rejected/size 203.0.113.9  a@example.net>b@example.com"}},
		"a filter, asked about who is not there": {[]string{
			at + "<b@example.com>... User unknown",
			at + "Milter: to=<b@example.com>, reject=550 5.7.1 Command rejected",
			at + "<b@example.com>... User unknown",
			at + "Milter: to=<b@example.com>, reject=550 5.7.1 Command rejected",
			at + "Milter: to=<c@example.com>, reject=550 5.7.1 Command rejected",
			at + "<dC)@example.com>... User unknown",
			at + `Milter: to=<d\303\251@example.com>, reject=550 5.7.1 Command rejected`,
			at + "Milter: to=<c@example.com>, reject=550 5.7.1 Command rejected",
			from,
		}, []string{
			"1: rejected/unknown_recipient 203.0.113.9  a@example.net>b@example.com", "3: rejected/unknown_recipient 203.0.113.9  a@example.net>b@example.com",
			"5: rejected/milter 203.0.113.9  a@example.net>c@example.com", "6: rejected/unknown_recipient 203.0.113.9  a@example.net>dC)@example.com",
			"8: rejected/milter 203.0.113.9  a@example.net>c@example.com",
		}},
		"a server that hangs up at a recipient": {[]string{
			at + "to=<b@example.net>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=150027, relay=mx.example.net. [192.0.2.25], dsn=4.7.0, reply=421 4.7.0 close, stat=Deferred: 421 4.7.0 close",
			at + "to=<c@example.net>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=150027, relay=mx.example.net. [192.0.2.25], dsn=4.2.0, reply=421 4.7.0 close, stat=Deferred: 421 4.7.0 close",
			at + "to=<d@example.net>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=150027, relay=mx.example.net. [192.0.2.25], dsn=4.0.0, reply=421 4.7.0 close, stat=Deferred: 421 4.7.0 close",
		}, []string{"1: remote rejected/remote_other invalid IP  >b@example.net"}},
		"submitted on this machine": {[]string{
			"Nov 20 09:00:00 mx1 sendmail[70]: 6AKAAAAA000070: from=joe@example.net, size=15, class=0, nrcpts=3, relay=joe@localhost",
			at + "ruleset=check_rcpt, arg1=<b@example.com>, relay=localhost [127.0.0.1], reject=550 5.7.1 <b@example.com>... Relaying denied",
			at + "<c@example.com>... User unknown",
			"Nov 20 09:00:00 mx1 sendmail[70]: 6AKAAAAA000070: to=b@example.com, ctladdr=joe@example.net (1000/1000), delay=00:00:00, xdelay=00:00:00, mailer=relay, pri=90015, relay=[127.0.0.1] [127.0.0.1], dsn=5.7.1, reply=550 5.7.1 <b@example.com>... Relaying denied, stat=Service unavailable",
			"Nov 20 09:00:00 mx1 sendmail[70]: 6AKAAAAA000070: to=c@example.com, ctladdr=joe@example.net (1000/1000), delay=00:00:00, xdelay=00:00:00, mailer=relay, pri=90015, relay=[127.0.0.1] [127.0.0.1], dsn=5.1.1, reply=550 5.1.1 <c@example.com>... User unknown, stat=User unknown",
			at + "from=<joe@example.net>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=localhost [127.0.0.1]",
		}, []string{"2: relay_denied 127.0.0.1  joe@example.net>b@example.com", "3: rejected/unknown_recipient 127.0.0.1  joe@example.net>c@example.com"}},
		"submitted to another program on this machine": {[]string{
			"Nov 20 09:00:00 mx1 sendmail[70]: 6AKAAAAA000070: to=c@example.com, ctladdr=joe@example.net (1000/1000), delay=00:00:00, xdelay=00:00:00, mailer=relay, pri=90015, relay=[127.0.0.1] [127.0.0.1], dsn=5.1.1, reply=550 5.1.1 <c@example.com>... User unknown, stat=User unknown",
		}, []string{"1: remote rejected/unknown_recipient invalid IP  >c@example.com"}},
		"a user of ours who is gone": {[]string{
			at + "to=<joe@example.com>, delay=00:00:00, mailer=local, pri=60270, dsn=5.1.1, reply=550 5.1.1 User unknown, stat=User unknown",
		}, nil},
		"a client that gives up": {[]string{
			at + "to=<b@example.com>, delay=00:00:00, pri=0, stat=RSET",
			at + "to=<b@example.com>, delay=00:00:00, pri=0, stat=ehlo",
			at + "to=<b@example.com>, delay=00:00:00, pri=0, stat=aborted by sender",
			from,
		}, nil},
		"the dialogue": {[]string{
			at + "<-- RCPT TO:<b@example.com>",
			at + "<b@example.com>... User unknown",
			at + "--- 550 5.1.1 <b@example.com>... User unknown",
			at + "<-- RCPT TO:<c",
			at + "<c... Unbalanced '<'",
			at + "--- 553 5.0.0 <c... Unbalanced '<'",
			from,
		}, []string{"2: rejected/unknown_recipient 203.0.113.9  a@example.net>b@example.com", "5: rejected/address_syntax 203.0.113.9  a@example.net>c"}},
		"a connection that was lost": {[]string{
			from,
			at + "to=<b@example.com>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=30015, relay=mx.example.com. [192.0.2.25], dsn=4.4.2, reply=421 4.4.1 Connection reset by mx.example.com., stat=Deferred",
			at + "to=<b@example.com>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=30015, relay=mx.example.com. [192.0.2.25], dsn=4.4.2, reply=451 4.4.1 reply: read error from mx.example.com., stat=Deferred: Connection reset by mx.example.com.",
			at + "to=<b@example.com>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=30015, relay=mx.example.com. [192.0.2.25], dsn=4.4.2, reply=550 5.1.1 no such user, stat=Deferred",
		}, nil},
		"a server that does not want the sender": {[]string{
			from,
			at + "to=<b@example.com>,<c@example.com>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=60015, relay=mx.example.com. [192.0.2.25], dsn=4.1.8, reply=451 4.1.8 <a@example.net>: Sender address rejected: Domain not found, stat=Deferred: 451 4.1.8 <a@example.net>: Sender address rejected: Domain not found",
		}, []string{"2: remote rejected/sender_policy 203.0.113.9  a@example.net>b@example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			var log string
			for _, line := range tc.log {
				log += line + "\n"
			}
			if d := cmp.Diff(tc.want, refusals(t, parsers.Options{MTA: relaylens.Sendmail}, log)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
