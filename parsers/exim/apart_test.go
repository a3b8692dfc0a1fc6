package exim

import (
	"testing"

	"github.com/relaylens/relaylens"
)

func outbound(rec *relaylens.Record) { rec.Event.Direction = relaylens.Outbound }
func hold(rec *relaylens.Record)     { rec.Hold = true }

// apartLines are those of answers to one recipient of several, and others of
// smtp_in.c that say little.
var apartLines = map[string]relaylens.Record{
	"1tTaBc-0001Ab-2z PRDR joe@example.com This message contains a virus (Eicar)": want(
		is(refusal, relaylens.ReasonContent, relaylens.StageEOD), inbound, to("joe@example.com"), text("This message contains a virus (Eicar)"), queue("1tTaBc-0001Ab-2z"), apart, hold),
	`1tTaBc-0001Ab-2z PRDR "R=<a@b.example> acceptance"@example.com 450 4.2.2 mailbox full`: want(
		is(refusal, relaylens.ReasonQuota, relaylens.StageEOD), inbound, to(`"R=<a@b.example> acceptance"@example.com`), reply(450, "4.2.2", "mailbox full"), soft, queue("1tTaBc-0001Ab-2z"), apart, hold),
	"1tTaBc-0001Ab-2z PRDR R=<joe@example.com> temporary refusal": want(
		is(refusal, relaylens.ReasonContent, relaylens.StageEOD), inbound, to("joe@example.com"), soft, queue("1tTaBc-0001Ab-2z"), apart, hold),
	"1tTaBc-0001Ab-2z PRDR R=<joe@example.com> refusal": want(
		is(refusal, relaylens.ReasonContent, relaylens.StageEOD), inbound, to("joe@example.com"), hard, queue("1tTaBc-0001Ab-2z"), apart, hold),
	"1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (0) H=mx.example.net [198.51.100.25]:25: PRDR error after DATA: 450 4.2.0 not yet": want(
		is(refusal, relaylens.ReasonRemoteOther, relaylens.StageEOD), at("mx.example.net", "198.51.100.25"), to("b@example.net"), reply(450, "4.2.0", "not yet"), queue("1tTaBc-0001Ab-2z"), apart),
	"1tTaBc-0001Ab-2z == b@example.com R=lmtp T=lmtp defer (0) H=192.0.2.27 [192.0.2.27]:24 DT=0.1s: LMTP error after DATA: 452 4.2.2 mailbox full": want(
		is(refusal, relaylens.ReasonQuota, relaylens.StageEOD), at("192.0.2.27", "192.0.2.27"), to("b@example.com"), reply(452, "4.2.2", "mailbox full"), queue("1tTaBc-0001Ab-2z"), apart),
	"1tTaBc-0001Ab-2z == b@example.com R=lmtp T=lmtp defer (0) H=192.0.2.27 [192.0.2.27]:24: LMTP error after BDAT 240 LAST: 452 4.2.2 mailbox full": want(
		is(refusal, relaylens.ReasonQuota, relaylens.StageEOD), at("192.0.2.27", "192.0.2.27"), to("b@example.com"), reply(452, "4.2.2", "mailbox full"), queue("1tTaBc-0001Ab-2z"), apart),
	"1tTaBc-0001Ab-2z == b@example.com R=local_user T=dovecot_lmtp defer (-46): LMTP error after DATA: 451 4.3.0 not now": want(
		is(refusal, relaylens.ReasonRemoteOther, relaylens.StageData), outbound, to("b@example.com"), reply(451, "4.3.0", "not now"), queue("1tTaBc-0001Ab-2z"), apart),

	"unqualified verify rejected: <root> H=(pc) [203.0.113.9]:4711 I=[192.0.2.25]:25": want(
		is(refusal, relaylens.ReasonAddressSyntax, relaylens.StageVrfy), from("203.0.113.9", "", "pc"), port(4711), hard, copied),
	"rejected EHLO from host.example.com (pc) [203.0.113.9] U=joe doe: syntactically invalid argument(s): a b": want(
		is(refusal, relaylens.ReasonHelo, relaylens.StageHelo), from("203.0.113.9", "host.example.com", "a b"), text("syntactically invalid argument(s)"), hard, copied),
	`SMTP syntax error in "MAIL FROM:<a@example.com> FOO=bar" H=(pc) [203.0.113.9] malformed address: FOO=bar may not follow <a@example.com> `: want(
		is(refusal, relaylens.ReasonAddressSyntax, relaylens.StageMail), from("203.0.113.9", "", "pc"), mail("a@example.com", ""), text("malformed address: FOO=bar may not follow <a@example.com> "), hard, protest),
	`SMTP syntax error in "MAIL FROM:<a@example.com> AUTH=<x@y>" H=(pc) [203.0.113.9] malformed address: AUTH=<x@y> may not follow <a@example.com> `: want(
		is(refusal, relaylens.ReasonAddressSyntax, relaylens.StageMail), from("203.0.113.9", "", "pc"), mail("a@example.com", ""), text("malformed address: AUTH=<x@y> may not follow <a@example.com> "), hard, protest),
	`SMTP syntax error in "RCPT TO:<j\303\274rgen@example.com" H=(pc) [203.0.113.9] '>' missing at end of address`: want(
		is(refusal, relaylens.ReasonAddressSyntax, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), to("<jürgen@example.com"), text("'>' missing at end of address"), hard, protest),
	"H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: found in bl.example.org": want(
		is(refusal, relaylens.ReasonDNSBL, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.com", "b@example.net"), text("found in bl.example.org"), hard, copied),
	"1tTaBc-0001Ab-2z H=(pc) [203.0.113.9] F=<a@example.com> rejected after DATA: found in mail.zip: Eicar": want(
		is(refusal, relaylens.ReasonContent, relaylens.StageEOD), from("203.0.113.9", "", "pc"), mail("a@example.com", ""), queue("1tTaBc-0001Ab-2z"), text("found in mail.zip: Eicar"), hard, copied),
}

// TestUserHidesNoClient is about user names that look like the client of a line,
// whatever Exim adds to the real one.
func TestUserHidesNoClient(t *testing.T) {
	for _, fields := range []string{"", ":4711", ":4711 I=[192.0.2.25]:25", " I=[192.0.2.25]:587 Ci=7"} {
		line := "plain authenticator failed for (pc) [203.0.113.9]" + fields + ": 535 Incorrect authentication data (set_id=joe) [192.0.2.66]: 535 x (set_id=root)"
		t.Run(line, func(t *testing.T) {
			e := parse(t, line).Event
			if e.ClientIP.String() != "203.0.113.9" || e.User != "" || e.Code != 535 {
				t.Errorf("client %v, user %q, code %d", e.ClientIP, e.User, e.Code)
			}
		})
	}
}
