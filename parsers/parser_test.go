package parsers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
)

// told is an event in short: kind/reason client user sender>recipient, with the
// direction when outbound, and the number of its line.
func told(e *relaylens.Event) string {
	s := e.Kind.String()
	if e.Reason != relaylens.ReasonNone {
		s += "/" + e.Reason.String()
	}
	if e.Action != relaylens.ActionRefuse {
		s += " (" + e.Action.String() + ")"
	}
	if e.Direction == relaylens.Outbound {
		s = "remote " + s
	}
	sender := e.Sender
	if e.NullSender {
		sender = "<>"
	}
	return fmt.Sprintf("%d: %s %v %s %s>%s", e.Line, s, e.ClientIP, e.User, sender, e.Recipient)
}

// refusals reads a log and lists what it refuses and what it warns of.
func refusals(t *testing.T, o parsers.Options, log string) []string {
	t.Helper()
	if o.Location == nil {
		o.Location = time.UTC
	}
	p := newParser(t, o)
	var out []string
	emit := func(e *relaylens.Event) {
		if e.Kind.Refusal() {
			out = append(out, told(e))
		}
	}
	feed(t, p, "test.log", []byte(log), emit)
	p.Flush(emit)
	return out
}

// TestCorrelation is about what one line does not tell and others do.
func TestCorrelation(t *testing.T) {
	for name, tc := range map[string]struct {
		log  []string
		want []string
	}{
		"a bounce carries the submission's client, user and sender": {[]string{
			"Nov 20 09:00:00 mx1 postfix/submission/smtpd[10]: connect from pc.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/submission/smtpd[10]: 4F1A2B3C5D: client=pc.example.com[198.51.100.7], sasl_method=PLAIN, sasl_username=joe",
			"Nov 20 09:00:01 mx1 postfix/qmgr[2]: 4F1A2B3C5D: from=<joe@example.com>, size=300, nrcpt=1 (queue active)",
			"Nov 20 09:00:02 mx1 postfix/smtp[11]: 4F1A2B3C5D: to=<b@example.net>, relay=mx.example.net[192.0.2.25]:25, delay=1, delays=0/0/1/0, dsn=5.7.1, status=bounced (host mx.example.net[192.0.2.25] said: 554 5.7.1 <b@example.net>: Relay access denied (in reply to RCPT TO command))",
		}, []string{"4: remote relay_denied 198.51.100.7 joe joe@example.com>b@example.net"}},
		"a queue id that is used again belongs to its new message": {[]string{
			"Nov 20 09:00:01 mx1 postfix/submission/smtpd[10]: 4F1A2B3C5D: client=pc.example.com[198.51.100.7], sasl_method=PLAIN, sasl_username=joe",
			"Nov 20 09:00:02 mx1 postfix/smtpd[12]: 4F1A2B3C5D: client=other.example.org[203.0.113.9]",
			"Nov 20 09:00:03 mx1 postfix/cleanup[13]: 4F1A2B3C5D: milter-reject: END-OF-MESSAGE from other.example.org[203.0.113.9]: 5.7.1 virus found; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<other>",
		}, []string{"3: rejected/milter 203.0.113.9  a@example.org>b@example.com"}},
		"a header check names its client by the queue id alone": {[]string{
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: 4F1A2B3C5D: client=unknown[203.0.113.9]",
			"Nov 20 09:00:02 mx1 postfix/cleanup[13]: 4F1A2B3C5D: reject: header Subject: hi from good.example.com[192.0.2.1]; from=<ceo@example.com> from unknown[203.0.113.9]; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<pc>: 5.7.1 no",
		}, []string{"2: rejected/content 203.0.113.9  a@example.org>b@example.com"}},
		"a login is the session's, not the process's": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: 4F1A2B3C5D: client=pc.example.com[198.51.100.7], sasl_method=PLAIN, sasl_username=joe",
			"Nov 20 09:00:02 mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from pc.example.com[198.51.100.7]: 554 5.7.1 <b@example.net>: Relay access denied; from=<joe@example.com> to=<b@example.net> proto=ESMTP helo=<pc>",
			"Nov 20 09:00:03 mx1 postfix/smtpd[10]: connect from unknown[203.0.113.9]",
			"Nov 20 09:00:04 mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <b@example.net>: Relay access denied; from=<x@example.org> to=<b@example.net> proto=ESMTP helo=<x>",
		}, []string{
			"3: relay_denied 198.51.100.7 joe joe@example.com>b@example.net",
			"5: relay_denied 203.0.113.9  x@example.org>b@example.net",
		}},
		"XCLIENT changes the client, and the login is gone": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from proxy.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: 4F1A2B3C5D: client=proxy.example.com[198.51.100.7], sasl_method=PLAIN, sasl_username=joe",
			"Nov 20 09:00:02 mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <b@example.net>: Relay access denied; from=<x@example.org> to=<b@example.net> proto=ESMTP helo=<x>",
		}, []string{"3: relay_denied 203.0.113.9  x@example.org>b@example.net"}},
		"the same queue id on another host is another message": {[]string{
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: 4F1A2B3C5D: client=unknown[203.0.113.9]",
			"Nov 20 09:00:02 mx2 postfix/smtp[11]: 4F1A2B3C5D: to=<b@example.net>, relay=mx.example.net[192.0.2.25]:25, delay=1, delays=0/0/1/0, dsn=5.7.1, status=bounced (host mx.example.net[192.0.2.25] said: 550 5.1.1 <b@example.net>: User unknown (in reply to RCPT TO command))",
		}, []string{"2: remote rejected/unknown_recipient invalid IP  >b@example.net"}},
		"an auth backend that is down refuses the session's client": {[]string{
			"Nov 20 09:00:00 mx1 postfix/smtpd[9]: fatal: no SASL authentication mechanisms",
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]",
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: fatal: no SASL authentication mechanisms",
		}, []string{"3: auth_failed/backend 198.51.100.7  >"}},
		"Sendmail names the sender after the refusal": {[]string{
			"Nov 20 09:00:01 mx1 sm-mta[4321]: 6AKA010b004321: ruleset=check_rcpt, arg1=<b@example.net>, relay=[203.0.113.9], reject=550 5.7.1 <b@example.net>... Relaying denied",
			"Nov 20 09:00:02 mx1 sm-mta[4321]: 6AKA010b004321: from=<a@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]",
		}, []string{"1: relay_denied 203.0.113.9  a@example.org>b@example.net"}},
		"Sendmail names client and sender of an unknown user after the refusal": {[]string{
			"Nov 20 09:00:01 mx1 sm-mta[4321]: 6AKA010b004321: <nobody@example.com>... User unknown",
			"Nov 20 09:00:02 mx1 sm-mta[4321]: 6AKA010b004321: from=<a@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=host.example.org [203.0.113.9]",
		}, []string{"1: rejected/unknown_recipient 203.0.113.9  a@example.org>nobody@example.com"}},
		"Sendmail's login goes by process": {[]string{
			"Nov 20 09:00:00 mx1 sm-mta[4321]: AUTH=server, relay=pc.example.com [198.51.100.7], authid=joe@example.com, mech=PLAIN, bits=0",
			"Nov 20 09:00:01 mx1 sm-mta[4321]: 6AKA010b004321: ruleset=check_rcpt, arg1=<b@example.net>, relay=pc.example.com [198.51.100.7], reject=550 5.7.1 <b@example.net>... Relaying denied",
			"Nov 20 09:00:02 mx1 sm-mta[4321]: 6AKA010b004321: from=<joe@example.com>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=pc.example.com [198.51.100.7]",
		}, []string{"2: relay_denied 198.51.100.7 joe@example.com joe@example.com>b@example.net"}},
		"the end of a message is refused once, for all recipients": {[]string{
			"Nov 20 09:00:01 mx1 sm-mta[4321]: 6AKA010b004321: from=<a@example.org>, size=100, class=0, nrcpts=2, msgid=<x@example.org>, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]",
			"Nov 20 09:00:01 mx1 sm-mta[4321]: 6AKA010b004321: Milter: data, reject=554 5.7.1 Virus found",
			"Nov 20 09:00:01 mx1 sm-mta[4321]: 6AKA010b004321: to=<b@example.com>, delay=00:00:00, pri=60315, stat=Virus found",
			"Nov 20 09:00:01 mx1 sm-mta[4321]: 6AKA010b004321: to=<c@example.com>, delay=00:00:00, pri=60315, stat=Virus found",
		}, []string{"3: rejected/milter 203.0.113.9  a@example.org>b@example.com"}},
		"a client that is cut out of the line comes with the session's end": {[]string{
			"Nov 20 09:00:01 mx1 sm-mta[4321]: 6AKA010b004321: Milter: from=<a@example.org>, reject=550 5.7.1 no",
			"Nov 20 09:00:02 mx1 sm-mta[4321]: 6AKA010b004321: lost input channel from [203.0.113.9] to MTA after mail",
		}, []string{"1: rejected/milter 203.0.113.9  a@example.org>"}},
		"a sender that never comes is left out": {[]string{
			"Nov 20 09:00:01 mx1 sm-mta[4321]: 6AKA010b004321: ruleset=check_rcpt, arg1=<b@example.net>, relay=[203.0.113.9], reject=550 5.7.1 <b@example.net>... Relaying denied",
			"Nov 20 09:05:02 mx1 sm-mta[4399]: 6AKA05xx004399: from=<other@example.org>, size=10, class=0, nrcpts=1, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]",
		}, []string{"1: relay_denied 203.0.113.9  >b@example.net"}},
		"Exim's detail explains every recipient of its sender": {[]string{
			`2026-11-20 09:00:01 H=host.example.com [203.0.113.9] sender verify fail for <a@example.org>: mx.example.org [198.51.100.25] : response to "RCPT TO:<a@example.org>" was: 550 5.1.1 No such user`,
			`2026-11-20 09:00:01 H=host.example.com [203.0.113.9] F=<a@example.org> rejected RCPT <b@example.com>: Sender verify failed`,
			`2026-11-20 09:00:01 H=host.example.com [203.0.113.9] F=<a@example.org> rejected RCPT <c@example.com>: Sender verify failed`,
			`2026-11-20 09:00:02 H=host.example.com [203.0.113.9] F=<other@example.org> rejected RCPT <c@example.com>: Sender verify failed`,
		}, []string{
			"2: sender_verify/callout_unknown_user 203.0.113.9  a@example.org>b@example.com",
			"3: sender_verify/callout_unknown_user 203.0.113.9  a@example.org>c@example.com",
			"4: sender_verify/unverified 203.0.113.9  other@example.org>c@example.com",
		}},
		"postscreen drops without a reject line": {[]string{
			"Nov 20 09:00:01 mx1 postfix/postscreen[3]: CONNECT from [203.0.113.9]:4711 to [192.0.2.25]:25",
			"Nov 20 09:00:01 mx1 postfix/postscreen[3]: PREGREET 18 after 0 from [203.0.113.9]:4711: EHLO x from [192.0.2.1]:1",
			"Nov 20 09:00:01 mx1 postfix/postscreen[3]: DNSBL rank 3 for [203.0.113.9]:4711",
			"Nov 20 09:00:01 mx1 postfix/postscreen[3]: DISCONNECT [203.0.113.9]:4711",
		}, []string{"2: rejected/protocol 203.0.113.9  >"}},
		"postscreen's reject line tells more": {[]string{
			"Nov 20 09:00:01 mx1 postfix/postscreen[3]: DNSBL rank 3 for [203.0.113.9]:4711",
			"Nov 20 09:00:01 mx1 postfix/postscreen[3]: NOQUEUE: reject: RCPT from [203.0.113.9]:4711: 550 5.7.1 Service unavailable; client [203.0.113.9] blocked using bl.example.org; from=<a@example.org>, to=<b@example.com>, proto=ESMTP, helo=<x>",
			"Nov 20 09:00:01 mx1 postfix/postscreen[3]: DISCONNECT [203.0.113.9]:4711",
		}, []string{"2: rejected/dnsbl 203.0.113.9  a@example.org>b@example.com"}},
		"postscreen lets a denylisted client pass": {[]string{
			"Nov 20 09:00:01 mx1 postfix/postscreen[3]: DENYLISTED [203.0.113.9]:4711",
			"Nov 20 09:00:02 mx1 postfix/postscreen[3]: PASS NEW [203.0.113.9]:4711",
			"Nov 20 09:00:03 mx1 postfix/postscreen[3]: DISCONNECT [203.0.113.9]:4711",
		}, nil},
		"a client that hangs up was not refused": {[]string{
			"Nov 20 09:00:01 mx1 postfix/postscreen[3]: PREGREET 18 after 0 from [203.0.113.9]:4711: EHLO x",
			"Nov 20 09:00:02 mx1 postfix/postscreen[3]: HANGUP after 0.5 from [203.0.113.9]:4711 in tests after SMTP handshake",
			"Nov 20 09:00:03 mx1 postfix/postscreen[3]: DISCONNECT [203.0.113.9]:4711",
		}, nil},
		"one answer of a remote server to a whole message": {[]string{
			"Nov 20 09:00:01 mx1 postfix/smtp[11]: 4F1A2B3C5D: to=<b@example.net>, relay=mx.example.net[192.0.2.25]:25, delay=1, delays=0/0/1/0, dsn=5.7.1, status=bounced (host mx.example.net[192.0.2.25] said: 554 5.7.1 no spam here (in reply to end of DATA command))",
			"Nov 20 09:00:01 mx1 postfix/smtp[11]: 4F1A2B3C5D: to=<c@example.net>, relay=mx.example.net[192.0.2.25]:25, delay=1, delays=0/0/1/0, dsn=5.7.1, status=bounced (host mx.example.net[192.0.2.25] said: 554 5.7.1 no spam here (in reply to end of DATA command))",
			"Nov 20 09:00:01 mx1 postfix/smtp[12]: 4F1A2B3C5D: to=<d@example.com>, relay=mx.example.com[192.0.2.26]:25, delay=1, delays=0/0/1/0, dsn=5.7.1, status=bounced (host mx.example.com[192.0.2.26] said: 554 5.7.1 no spam here (in reply to end of DATA command))",
		}, []string{
			"1: remote rejected/content invalid IP  >b@example.net",
			"3: remote rejected/content invalid IP  >d@example.com",
		}},
		"message repeated": {[]string{
			"Nov 20 09:00:01 mx1 postfix/smtpd[10]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
			"Nov 20 09:00:05 mx1 postfix/smtpd[10]: message repeated 2 times: [ warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: UGFzc3dvcmQ6]",
		}, []string{
			"1: auth_failed/credentials 203.0.113.9  >", "2: auth_failed/credentials 203.0.113.9  >", "2: auth_failed/credentials 203.0.113.9  >",
		}},
		"three MTAs in one log, and strangers": {[]string{
			"Nov 20 09:00:01 mx1 mx-in/smtpd[10]: NOQUEUE: reject: RCPT from unknown[203.0.113.1]: 454 4.7.1 <b@example.net>: Relay access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<x>",
			"Nov 20 09:00:02 mx1 exim[11]: 2026-11-20 09:00:02 H=(x) [203.0.113.2] F=<a@example.org> rejected RCPT <b@example.net>: relay not permitted",
			"Nov 20 09:00:03 mx1 mymta[12]: 6AKA010b004321: ruleset=check_rcpt, arg1=<b@example.net>, relay=[203.0.113.3], reject=550 5.7.1 <b@example.net>... Relaying denied",
			"Nov 20 09:00:04 mx1 dovecot: imap-login: Disconnected: user=<NOQUEUE: reject: RCPT from unknown[203.0.113.4]: 454 4.7.1 <b@example.net>: Relay access denied>",
		}, []string{
			"1: relay_denied 203.0.113.1  a@example.org>b@example.net",
			"2: relay_denied 203.0.113.2  a@example.org>b@example.net",
			"3: relay_denied 203.0.113.3  >b@example.net",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := refusals(t, parsers.Options{}, strings.Join(tc.log, "\n")+"\n")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStatedMTA(t *testing.T) {
	const log = "Nov 20 09:00:01 mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from unknown[203.0.113.1]: 454 4.7.1 <b@example.net>: Relay access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<x>\n" +
		"Nov 20 09:00:02 mx1 weird[10]: NOQUEUE: reject: RCPT from unknown[203.0.113.2]: 454 4.7.1 <b@example.net>: Relay access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<x>\n" +
		"Nov 20 09:00:03 mx1 CRON[10]: (root) CMD (true)\n"
	for mta, want := range map[relaylens.MTA]parsers.Counts{
		relaylens.MTANone: {parsers.ResultRefusal: 2, parsers.ResultForeign: 1},
		relaylens.Postfix: {parsers.ResultRefusal: 2, parsers.ResultForeign: 1},
		relaylens.Exim:    {parsers.ResultForeign: 3},
	} {
		t.Run(mta.String(), func(t *testing.T) {
			p := newParser(t, parsers.Options{MTA: mta, Location: time.UTC})
			feed(t, p, "x", []byte(log), func(*relaylens.Event) {})
			if diff := cmp.Diff(want, p.Counts("x")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSiteTexts(t *testing.T) {
	phrases := func(texts ...string) relaylens.Phrases {
		p, err := relaylens.NewPhrases(texts)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	o := parsers.Options{Texts: map[relaylens.MTA]relaylens.Texts{
		relaylens.Exim: {RelayDenied: phrases("we do not carry"), SenderVerify: phrases("/^who are you/")},
	}}
	got := refusals(t, o, `2026-11-20 09:00:01 H=(x) [203.0.113.9] F=<a@example.org> rejected RCPT <b@example.net>: Sorry, we do not carry your mail
2026-11-20 09:00:02 H=(x) [203.0.113.9] F=<a@example.org> rejected RCPT <"we do not carry"@example.net>: no
2026-11-20 09:00:03 H=(x) [203.0.113.9] F=<a@example.org> rejected RCPT <b@example.net>: who are you?
`)
	want := []string{
		"1: relay_denied 203.0.113.9  a@example.org>b@example.net",
		`2: rejected/other 203.0.113.9  a@example.org>"we do not carry"@example.net`,
		"3: sender_verify/unverified 203.0.113.9  a@example.org>b@example.net",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSameLogSameEvents reads a log at once and in pieces: batches must not
// show in the events.
func TestSameLogSameEvents(t *testing.T) {
	var log strings.Builder
	for i := range 500 {
		fmt.Fprintf(&log, "Nov 20 09:%02d:%02d mx1 sm-mta[%d]: 6AKA%04d00%d: ruleset=check_rcpt, arg1=<b@example.net>, relay=[203.0.113.9], reject=550 5.7.1 <b@example.net>... Relaying denied\n", i/60, i%60, 4000+i%7, i, 4000+i%7)
		fmt.Fprintf(&log, "Nov 20 09:%02d:%02d mx1 sm-mta[%d]: 6AKA%04d00%d: from=<a%d@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]\n", i/60, i%60, 4000+i%7, i, 4000+i%7, i)
	}
	want := refusals(t, parsers.Options{}, log.String())
	if len(want) != 500 {
		t.Fatalf("%d refusals, want 500", len(want))
	}
	p := newParser(t, parsers.Options{Location: time.UTC})
	var got []string
	emit := func(e *relaylens.Event) { got = append(got, told(e)) }
	refusalsOnly := func(e *relaylens.Event) {
		if e.Kind.Refusal() {
			emit(e)
		}
	}
	for n, text := range strings.SplitAfter(log.String(), "\n") {
		if text == "" {
			continue
		}
		line := relaylens.Line{Text: strings.TrimSuffix(text, "\n"), Source: "test.log", Number: int64(n + 1)}
		p.Feed(&relaylens.Batch{Lines: []relaylens.Line{line}, Reference: reference}, refusalsOnly)
	}
	p.Flush(refusalsOnly)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestWarmUp reads lines again that an earlier run accounted for: they are no
// events, and later lines know what they told.
func TestWarmUp(t *testing.T) {
	const before = `Nov 20 09:00:00 mx1 postfix/submission/smtpd[10]: connect from pc.example.com[198.51.100.7]
Nov 20 09:00:01 mx1 postfix/submission/smtpd[10]: 4F1A2B3C5D: client=pc.example.com[198.51.100.7], sasl_method=PLAIN, sasl_username=joe
Nov 20 09:00:01 mx1 postfix/submission/smtpd[10]: 4F1A2B3C5D: reject: RCPT from pc.example.com[198.51.100.7]: 550 5.1.1 <x@example.com>: Recipient address rejected: User unknown; from=<joe@example.com> to=<x@example.com> proto=ESMTP helo=<pc>
`
	const after = `Nov 20 09:00:02 mx1 postfix/submission/smtpd[10]: NOQUEUE: reject: RCPT from pc.example.com[198.51.100.7]: 554 5.7.1 <b@example.net>: Relay access denied; from=<joe@example.com> to=<b@example.net> proto=ESMTP helo=<pc>
`
	p := newParser(t, parsers.Options{Location: time.UTC})
	var got []string
	read := func(text string, warm bool) {
		batch := &relaylens.Batch{Reference: reference, Warm: warm}
		for n, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
			batch.Lines = append(batch.Lines, relaylens.Line{Text: line, Source: "x", Number: int64(n + 1)})
		}
		p.Feed(batch, func(e *relaylens.Event) { got = append(got, told(e)) })
	}
	read(before, true)
	if c := p.Counts("x"); len(got) != 0 || c.Lines() != 0 {
		t.Errorf("warming up told %q and counted %d lines", got, c.Lines())
	}
	read(after, false)
	if want := []string{"1: relay_denied 198.51.100.7 joe joe@example.com>b@example.net"}; !cmp.Equal(want, got) {
		t.Errorf("told %q, want %q", got, want)
	}
}
