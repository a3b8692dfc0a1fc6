package parsers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens/parsers"
)

// TestFilters is about messages that come from a proxy or a content filter: the
// client is the one that stands before it.
func TestFilters(t *testing.T) {
	const (
		login    = "Nov 20 09:00:01 mx1 postfix/smtpd[10]: 4F1A2B3C5D: client=pc.example.com[198.51.100.7], sasl_method=PLAIN, sasl_username=joe"
		filtered = "Nov 20 09:00:02 mx1 postfix/smtpd[20]: 5F1A2B3C5D: client=localhost[127.0.0.1], orig_queue_id=4F1A2B3C5D, orig_client=pc.example.com[198.51.100.7]"
		removed  = "Nov 20 09:00:02 mx1 postfix/qmgr[2]: 4F1A2B3C5D: removed"
		bounce   = "Nov 20 09:00:03 mx1 postfix/smtp[11]: 5F1A2B3C5D: to=<b@example.net>, relay=mx.example.net[192.0.2.25]:25, delay=1, delays=0/0/1/0, dsn=5.7.1, status=bounced (host mx.example.net[192.0.2.25] said: 554 5.7.1 Relay access denied (in reply to RCPT TO command))"
		header   = "Nov 20 09:00:02 mx1 postfix/cleanup[13]: 5F1A2B3C5D: reject: header Subject: hi from pc.example.com[198.51.100.7]; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<pc>: 5.7.1 no"
		answer   = "Nov 20 09:00:03 mx1 postfix/smtpd[10]: proxy-reject: END-OF-MESSAGE: 550 5.7.1 no; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<pc>"
		denied   = "Nov 20 09:00:01 mx1 postfix/smtpd[20]: NOQUEUE: reject: RCPT from localhost[127.0.0.1]: 450 4.7.1 <b@example.com>: Recipient address rejected: not now; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<mx1.example.com>"
		passed   = `Nov 20 09:00:01 mx1 postfix/smtpd[10]: warning: proxy 127.0.0.1:10024 rejected "RCPT TO:<b@example.com>": "450 4.7.1 <b@example.com>: Recipient address rejected: not now"`
		probe    = "Nov 20 09:00:01 mx1 postfix/qmgr[2]: 6F1A2B3C5D: from=<double-bounce@mx1.example.com>, size=250, nrcpt=1 (queue active)"
		left     = "Nov 20 09:00:09 mx1 postfix/smtpd[10]: disconnect from pc.example.com[198.51.100.7] ehlo=1 mail=1 rcpt=0/3 quit=1 commands=3/6"
	)
	for name, tc := range map[string]struct {
		log  []string
		want []string
	}{
		"a filter before the queue tells the client": {[]string{
			"Nov 20 09:00:01 mx1 postfix/smtpd[20]: 5F1A2B3C5D: client=localhost[127.0.0.1], orig_client=pc.example.com[198.51.100.7]:4711",
			header,
		}, []string{"2: rejected/content 198.51.100.7  a@example.org>b@example.com"}},
		"a filter after the queue tells the first id": {[]string{login, filtered, removed, bounce},
			[]string{"4: remote relay_denied 198.51.100.7 joe >b@example.net"}},
		"what a filter tells stands in for a first id that is not known": {[]string{filtered, bounce},
			[]string{"2: remote relay_denied 198.51.100.7  >b@example.net"}},
		"what a filter tells stands in for a first id that is gone": {[]string{login, removed, filtered, bounce},
			[]string{"4: remote relay_denied 198.51.100.7  >b@example.net"}},
		"a first id of another instance": {[]string{strings.Replace(login, "postfix/", "postfix-in/", 1), filtered, bounce},
			[]string{"3: remote relay_denied 198.51.100.7 joe >b@example.net"}},
		"a service with a name of its own": {[]string{strings.Replace(login, "postfix/", "submission/", 1), strings.Replace(bounce, "5F1A", "4F1A", 1)},
			[]string{"2: remote relay_denied 198.51.100.7 joe >b@example.net"}},
		"the client of what is refused for its content, at a service with a name of its own": {[]string{strings.Replace(login, "postfix/", "mx/in/", 1), strings.Replace(header, "5F1A", "4F1A", 1)},
			[]string{"2: rejected/content 198.51.100.7 joe a@example.org>b@example.com"}},
		"a local user's message has no client before the filter either": {[]string{
			"Nov 20 09:00:01 mx1 postfix/pickup[3]: 4F1A2B3C5D: uid=33 from=<www@example.com>",
			strings.Replace(filtered, "pc.example.com[198.51.100.7]", "localhost[127.0.0.1]", 1), bounce,
		}, []string{"3: remote relay_denied invalid IP  >b@example.net"}},
		"a filter that does not know the client": {[]string{
			"Nov 20 09:00:01 mx1 postfix/smtpd[20]: 5F1A2B3C5D: client=localhost[127.0.0.1], orig_client=unknown[unknown]", bounce,
		}, []string{"2: remote relay_denied 127.0.0.1  >b@example.net"}},
		"a client that claims to be a filter": {[]string{
			"Nov 20 09:00:01 mx1 postfix/smtpd[20]: 5F1A2B3C5D: client=unknown[203.0.113.9], sasl_sender=<x, orig_client=pc.example.com[198.51.100.7]", bounce,
		}, []string{"2: remote relay_denied 203.0.113.9  >b@example.net"}},
		"XCLIENT before a filter before the queue": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from proxy.example.com[192.0.2.9]",
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7]",
			answer,
		}, []string{"3: rejected/content 198.51.100.7  a@example.org>b@example.com"}},
		"another client of the same process": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7], sasl_method=PLAIN, sasl_username=joe",
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: NOQUEUE: client=unknown[203.0.113.9]",
			answer,
		}, []string{"3: rejected/content 203.0.113.9  a@example.org>b@example.com"}},
		"what the server behind a filter refuses is told once": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]",
			"Nov 20 09:00:00 mx1 postfix/smtpd[20]: connect from localhost[127.0.0.1]",
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/smtpd[20]: 5F1A2B3C5D: client=localhost[127.0.0.1], orig_client=pc.example.com[198.51.100.7]",
			header, answer, answer,
		}, []string{"5: rejected/content 198.51.100.7  a@example.org>b@example.com", "7: rejected/content 198.51.100.7  a@example.org>b@example.com"}},
		"a command that the server behind a filter refuses is told once": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]",
			"Nov 20 09:00:00 mx1 postfix/smtpd[20]: connect from localhost[127.0.0.1]",
			"Nov 20 09:00:00 mx1 postfix/smtpd[20]: 5F1A2B3C5D: client=localhost[127.0.0.1], orig_client=pc.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/smtpd[20]: 5F1A2B3C5D: reject: DATA from localhost[127.0.0.1]: 450 4.7.1 <a@example.org>: Sender address rejected: not now; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<mx1.example.com>",
			`Nov 20 09:00:01 mx1 postfix/smtpd[10]: warning: proxy 127.0.0.1:10024 rejected "DATA": "450 4.7.1 <a@example.org>: Sender address rejected: not now"`,
		}, []string{"4: rejected/sender_policy 198.51.100.7  a@example.org>b@example.com"}},
		"lines of the server behind a filter that are one stand for all of them": {[]string{
			denied, again(denied, 2), passed, passed, passed,
		}, []string{
			"1: rejected/recipient_policy 127.0.0.1  a@example.org>b@example.com", "2: rejected/recipient_policy 127.0.0.1  a@example.org>b@example.com",
			"2: rejected/recipient_policy 127.0.0.1  a@example.org>b@example.com",
		}},
		"lines of the server before a filter that are one stand for more than what was told": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]",
			denied, denied, passed, again(passed, 3),
		}, []string{
			"2: rejected/recipient_policy 127.0.0.1  a@example.org>b@example.com", "3: rejected/recipient_policy 127.0.0.1  a@example.org>b@example.com",
			"5: rejected/recipient_policy 198.51.100.7  >b@example.com", "5: rejected/recipient_policy 198.51.100.7  >b@example.com",
		}},
		"a filter that does not tell the client": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7], sasl_method=PLAIN, sasl_username=joe",
			denied, passed, denied, passed,
		}, []string{"2: rejected/recipient_policy 198.51.100.7 joe a@example.org>b@example.com", "4: rejected/recipient_policy 198.51.100.7 joe a@example.org>b@example.com"}},
		"two clients are told the same": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7]",
			"Nov 20 09:00:00 mx1 postfix/smtpd[12]: NOQUEUE: client=unknown[203.0.113.9]",
			denied, strings.ReplaceAll(denied, "b@", "c@"),
			strings.Replace(strings.ReplaceAll(passed, "b@", "c@"), "[10]", "[12]", 1), passed,
		}, []string{"4: rejected/recipient_policy 203.0.113.9  a@example.org>c@example.com", "3: rejected/recipient_policy 198.51.100.7  a@example.org>b@example.com"}},
		"a filter that does not tell the client of a message": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/smtpd[20]: 5F1A2B3C5D: client=localhost[127.0.0.1]",
			strings.Replace(header, "pc.example.com[198.51.100.7]", "localhost[127.0.0.1]", 1), answer,
		}, []string{"3: rejected/content 198.51.100.7  a@example.org>b@example.com"}},
		"a local client where there is a filter": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7]", denied,
			"Nov 20 09:00:40 mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from pc.example.com[198.51.100.7]: 550 5.1.1 <c@example.com>: Recipient address rejected: no; from=<a@example.org> to=<c@example.com> proto=ESMTP helo=<pc>",
		}, []string{"2: rejected/recipient_policy 127.0.0.1  a@example.org>b@example.com", "3: rejected/recipient_policy 198.51.100.7  a@example.org>c@example.com"}},
		"what a filter refuses by itself": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]",
			`Nov 20 09:00:01 mx1 postfix/smtpd[10]: warning: proxy 127.0.0.1:10024 rejected "RCPT TO:<b@example.net>": "550 5.7.1 <b@example.net>: Relay access denied"`,
			`Nov 20 09:00:02 mx1 postfix/smtpd[10]: warning: connect to proxy filter 127.0.0.1:10024: Connection refused`,
			left,
		}, []string{"2: relay_denied 198.51.100.7  >b@example.net", "3: rejected/resources 198.51.100.7  >"}},
		"a filter that is away at every command": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: warning: connect to proxy filter 127.0.0.1:10024: Connection refused",
			"Nov 20 09:00:02 mx1 postfix/smtpd[10]: warning: connect to proxy filter 127.0.0.1:10024: Connection refused",
			"Nov 20 09:00:03 mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from pc.example.com[198.51.100.7]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<pc>",
			left,
		}, []string{"2: rejected/resources 198.51.100.7  >", "3: rejected/resources 198.51.100.7  >", "4: relay_denied 198.51.100.7  a@example.org>b@example.net"}},
		"a filter that is away when the message ended": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]",
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: warning: connect to proxy filter 127.0.0.1:10024: Connection refused",
			strings.Replace(answer, "550 5.7.1 no", "451 4.3.0 Error: queue file write error", 1),
			"Nov 20 09:00:04 mx1 postfix/smtpd[10]: disconnect from pc.example.com[198.51.100.7] ehlo=1 mail=1 rcpt=1 data=0/1 quit=1 commands=4/5",
		}, []string{"4: rejected/resources 198.51.100.7  a@example.org>b@example.com"}},
		"what the server behind a filter after the queue refuses is told once": {[]string{login, filtered,
			denied,
			"Nov 20 09:00:03 mx1 postfix/smtp[11]: 4F1A2B3C5D: to=<b@example.com>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/1/0, dsn=4.7.1, status=deferred (host 127.0.0.1[127.0.0.1]:10024 said: 450 4.7.1 <b@example.com>: Recipient address rejected: not now (in reply to RCPT TO command))",
			"Nov 20 09:00:04 mx1 postfix/smtp[11]: 4F1A2B3C5D: to=<c@example.com>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/1/0, dsn=4.7.1, status=deferred (host 127.0.0.1[127.0.0.1]:10024 said: 450 4.7.1 <c@example.com>: Recipient address rejected: not now (in reply to RCPT TO command))",
		}, []string{"3: rejected/recipient_policy 198.51.100.7 joe a@example.org>b@example.com", "5: remote rejected/recipient_policy 198.51.100.7 joe >c@example.com"}},
		"of another client who is told the same, and whose message is known": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7]", denied,
			"Nov 20 09:00:02 mx1 postfix/smtpd[12]: NOQUEUE: client=unknown[203.0.113.9]",
			"Nov 20 09:00:02 mx1 postfix/smtpd[21]: 7F1A2B3C5D: client=localhost[127.0.0.1], orig_client=unknown[203.0.113.9]",
			strings.Replace(strings.ReplaceAll(strings.Replace(denied, "NOQUEUE", "7F1A2B3C5D", 1), "b@", "c@"), "smtpd[20]", "smtpd[21]", 1),
			strings.Replace(strings.ReplaceAll(passed, "b@", "c@"), "[10]", "[12]", 1),
			"Nov 20 09:00:40 mx1 postfix/smtpd[10]: connect from unknown[192.0.2.1]",
		}, []string{"5: rejected/recipient_policy 203.0.113.9  a@example.org>c@example.com", "2: rejected/recipient_policy 127.0.0.1  a@example.org>b@example.com"}},
		"what a filter refuses when the message ended": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7]",
			`Nov 20 09:00:01 mx1 postfix/smtpd[10]: warning: proxy 127.0.0.1:10024 rejected "RCPT TO:<b@example.com>": "550 5.7.1 <b@example.com>: no"`,
			strings.Replace(answer, "5.7.1 no", "5.7.1 <b@example.com>: no", 1), left,
		}, []string{"3: rejected/content 198.51.100.7  a@example.org>b@example.com"}},
		"what the server behind a filter refuses when the message ended": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]",
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7]", denied, passed,
			strings.Replace(answer, "550 5.7.1 no", "450 4.7.1 <b@example.com>: Recipient address rejected: not now", 1), left,
		}, []string{"3: rejected/recipient_policy 198.51.100.7  a@example.org>b@example.com"}},
		"what a filter refuses of a command and at the end": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7]",
			`Nov 20 09:00:01 mx1 postfix/smtpd[10]: warning: proxy 127.0.0.1:10024 rejected "RCPT TO:<c@example.com>": "550 5.1.1 nobody"`,
			answer, left,
		}, []string{"2: rejected/other 198.51.100.7  >c@example.com", "3: rejected/content 198.51.100.7  a@example.org>b@example.com"}},
		"a filter that goes away in a command": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: warning: lost connection with proxy 127.0.0.1:10024",
			"Nov 20 09:00:02 mx1 postfix/smtpd[10]: disconnect from pc.example.com[198.51.100.7] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4",
		}, []string{"2: rejected/resources 198.51.100.7  >"}},
		"a filter that goes away in a message": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: warning: timeout talking to proxy 127.0.0.1:10024",
			strings.Replace(answer, "550 5.7.1 no", "354 End data with <CR><LF>.<CR><LF>", 1),
			"Nov 20 09:00:04 mx1 postfix/smtpd[10]: disconnect from pc.example.com[198.51.100.7] ehlo=1 mail=1 rcpt=1 data=0/1 quit=1 commands=4/5",
		}, []string{"3: rejected/resources 198.51.100.7  a@example.org>b@example.com"}},
		"the login before a filter before the queue": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7], sasl_method=PLAIN, sasl_username=joe",
			"Nov 20 09:00:01 mx1 postfix/smtpd[20]: 5F1A2B3C5D: client=localhost[127.0.0.1], orig_client=pc.example.com[198.51.100.7]",
			"Nov 20 09:00:02 mx1 postfix/smtpd[10]: proxy-accept: END-OF-MESSAGE: 250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 5F1A2B3C5D; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<pc>",
			bounce,
		}, []string{"4: remote relay_denied 198.51.100.7 joe >b@example.net"}},
		"the login of another client": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7], sasl_method=PLAIN, sasl_username=joe",
			"Nov 20 09:00:01 mx1 postfix/smtpd[20]: 5F1A2B3C5D: client=localhost[127.0.0.1], orig_client=unknown[203.0.113.9]",
			"Nov 20 09:00:02 mx1 postfix/smtpd[10]: proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: queued as 5F1A2B3C5D; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<pc>",
			bounce,
		}, []string{"4: remote relay_denied 203.0.113.9  >b@example.net"}},
		"a message too big for a filter": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: NOQUEUE: client=pc.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: warning: NOQUEUE: queue file size limit exceeded",
			strings.Replace(answer, "550 5.7.1 no", "354 End data with <CR><LF>.<CR><LF>", 1),
		}, []string{"3: rejected/size 198.51.100.7  a@example.org>b@example.com"}},
		"a message that got too big": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: 5F1A2B3C: client=pc.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/cleanup[20]: 5F1A2B3C: message-id=<x@example.org>",
			"Nov 20 09:00:01 mx1 postfix/cleanup[20]: warning: 5F1A2B3C: queue file size limit exceeded",
		}, []string{"3: rejected/size 198.51.100.7  >"}},
		"a message of a program that got too big": {[]string{
			"Nov 20 09:00:00 mx1 postfix/pickup[10]: 5F1A2B3C: uid=1000 from=<a>",
			"Nov 20 09:00:01 mx1 postfix/cleanup[20]: warning: 5F1A2B3C: queue file size limit exceeded",
		}, []string{"2: rejected/size invalid IP  a>"}},
		"a notice to the postmaster that got too big": {[]string{
			"Nov 20 09:00:00 mx1 postfix/cleanup[20]: 5F1A2B3C: message-id=<20261120090000.5F1A2B3C@mx1.example.com>",
			"Nov 20 09:00:00 mx1 postfix/cleanup[20]: warning: 5F1A2B3C: queue file size limit exceeded",
		}, nil},
		"a probe that tries the next server refuses nobody": {[]string{probe,
			"Nov 20 09:00:02 mx1 postfix/smtp[11]: 6F1A2B3C5D: host mx.example.org[192.0.2.25] said: 450 4.2.0 <a@example.org>: Greylisted (in reply to RCPT TO command)",
		}, nil},
		"a notice to the postmaster may be refused": {[]string{probe,
			strings.Replace(bounce, "5F1A", "6F1A", 1),
		}, []string{"2: remote relay_denied invalid IP  double-bounce@mx1.example.com>b@example.net"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := refusals(t, parsers.Options{}, strings.Join(tc.log, "\n")+"\n")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// again is what a syslogd writes for n more lines like one.
func again(line string, n int) string {
	head, text, _ := strings.Cut(line, "]: ")
	return fmt.Sprintf("%s]: message repeated %d times: [ %s]", head, n, text)
}
