package parsers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
)

// TestProcessComesAgain is about what was known of the client that a process
// served before: none of it is the next client's.
func TestProcessComesAgain(t *testing.T) {
	const log = `2026-11-20 09:00:01 [10] 1lnOTl-00037x-Cc <= joe@example.com H=pc.example.com (pc) [198.51.100.7] P=esmtpsa A=plain:joe S=400
2026-11-20 09:10:01 [10] 1lnOUl-00037x-Cc <= eve@example.com H=[203.0.113.9] P=esmtpsa A=login:eve S=400
2026-11-20 09:10:02 [10] H=[203.0.113.9] F=<eve@example.com> rejected RCPT <b@example.net>: relay not permitted
`
	p := newParser(t, parsers.Options{Location: time.UTC})
	var logins, refusals int
	emit := func(e *relaylens.Event) {
		switch {
		case e.Kind == relaylens.KindAuthOK:
			logins++
		case e.Refusal():
			refusals++
			if e.ClientName != "" || e.Helo != "" || e.User != "eve" || e.AuthMethod != "login" {
				t.Errorf("%v is %q, calls itself %q, logged in as %q by %s", e.ClientIP, e.ClientName, e.Helo, e.User, e.AuthMethod)
			}
		}
	}
	feed(t, p, "test.log", []byte(log), emit)
	p.Flush(emit)
	if logins != 2 || refusals != 1 {
		t.Errorf("%d logins and %d refusals, want 2 and 1", logins, refusals)
	}
}

// A refusal for a filter's sake ends no login.
func TestLoginOutlastsFilter(t *testing.T) {
	got := refusals(t, parsers.Options{}, `Nov 20 09:00:01 mx1 sm-mta[10]: AUTH=server, relay=pc.example.com [198.51.100.7], authid=joe, mech=PLAIN, bits=0
Nov 20 09:00:02 mx1 sm-mta[10]: NOQUEUE: SMTP MAIL command (<a@example.org>) from pc.example.com [198.51.100.7] tempfailed (due to previous checks)
Nov 20 09:00:03 mx1 sm-mta[10]: 6ALIS4vR024528: ruleset=check_rcpt, arg1=<b@example.net>, relay=pc.example.com [198.51.100.7], reject=550 5.7.1 <b@example.net>... Relaying denied
`)
	if diff := cmp.Diff([]string{"3: relay_denied 198.51.100.7 joe >b@example.net"}, got); diff != "" {
		t.Error(diff)
	}
}

// What a site says in words of its own changes at once, for all grammars; what is
// known of sessions and messages, or waits for a further line, stays.
func TestSetTexts(t *testing.T) {
	const before = `Nov 20 09:00:01 mx1 postfix/smtpd[10]: 4F1A2B3C: client=pc.example.com[198.51.100.7], sasl_method=PLAIN, sasl_username=joe
Nov 20 09:00:01 mx1 postfix/qmgr[11]: 4F1A2B3C: from=<joe@example.com>, size=400, nrcpt=1 (queue active)
Nov 20 09:00:01 mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from pc.example.com[198.51.100.7]: 554 5.7.1 <b@example.net>: Recipient address rejected: no customer; from=<joe@example.com> to=<b@example.net> proto=ESMTP helo=<pc>
Nov 20 09:00:01 mx1 sm-mta[4711]: 601A00aa004711: ruleset=check_rcpt, arg1=<b@example.net>, relay=c.example.org [192.0.2.7], reject=550 5.7.1 <b@example.net>... no customer
`
	const after = `Nov 20 09:00:02 mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from pc.example.com[198.51.100.7]: 554 5.7.1 <c@example.net>: Recipient address rejected: no customer; from=<joe@example.com> to=<c@example.net> proto=ESMTP helo=<pc>
Nov 20 09:00:02 mx1 postfix/smtp[12]: 4F1A2B3C: to=<b@example.net>, relay=mx.example.net[192.0.2.25]:25, delay=1, delays=1/0/0/0, dsn=5.7.1, status=bounced (host mx.example.net[192.0.2.25] said: 554 5.7.1 spam (in reply to RCPT TO command))
Nov 20 09:00:02 mx1 sm-mta[4711]: 601A00aa004711: ruleset=check_rcpt, arg1=<c@example.net>, relay=c.example.org [192.0.2.7], reject=550 5.7.1 <c@example.net>... no customer
Nov 20 09:00:02 mx1 sm-mta[4711]: 601A00aa004711: from=<a@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=c.example.org [192.0.2.7]
`
	words, err := relaylens.NewPhrases([]string{"no customer"})
	if err != nil {
		t.Fatal(err)
	}
	p := newParser(t, parsers.Options{Location: time.UTC})
	got := map[string]string{}
	emit := func(e *relaylens.Event) {
		if e.Refusal() {
			got[e.MTA.String()+" "+e.Direction.String()+" "+e.Recipient] = e.Kind.String() + " " + e.ClientIP.String() + " " + e.Sender
		}
	}
	feed(t, p, "mail.log", []byte(before), emit)
	texts := relaylens.Texts{RelayDenied: words}
	p.SetTexts(map[relaylens.MTA]relaylens.Texts{relaylens.Postfix: texts, relaylens.Exim: texts, relaylens.Sendmail: texts})
	feed(t, p, "mail.log", []byte(after), emit)
	p.Flush(emit)
	want := map[string]string{
		"postfix inbound b@example.net":  "rejected 198.51.100.7 joe@example.com",
		"postfix inbound c@example.net":  "relay_denied 198.51.100.7 joe@example.com",
		"postfix outbound b@example.net": "rejected 198.51.100.7 joe@example.com",
		"sendmail inbound b@example.net": "rejected 192.0.2.7 a@example.org",
		"sendmail inbound c@example.net": "relay_denied 192.0.2.7 a@example.org",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A line that explains is of the refusal that comes soon after it.
func TestExplanationGrowsOld(t *testing.T) {
	const why = "2026-11-20 09:00:00 H=(c) [203.0.113.9] sender verify fail for <a@example.net>: Unrouteable address\n"
	for at, want := range map[string]relaylens.Reason{"09:00:01": relaylens.ReasonUnrouteable, "09:02:00": relaylens.ReasonUnrouteable, "09:02:01": relaylens.ReasonUnverified} {
		p := newParser(t, parsers.Options{Location: time.UTC})
		var got []relaylens.Reason
		emit := func(e *relaylens.Event) {
			if e.Refusal() {
				got = append(got, e.Reason)
			}
		}
		feed(t, p, "mainlog", []byte(why+"2026-11-20 "+at+" H=(c) [203.0.113.9] F=<a@example.net> rejected RCPT <b@example.com>: Sender verify failed\n"), emit)
		p.Flush(emit)
		if diff := cmp.Diff([]relaylens.Reason{want}, got); diff != "" {
			t.Errorf("%s: %s", at, diff)
		}
	}
}
