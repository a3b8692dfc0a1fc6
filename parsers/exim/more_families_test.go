package exim

import (
	"maps"

	"github.com/relaylens/relaylens"
)

func init() {
	for line, rec := range sessionLines {
		lines[line] = rec
	}
	maps.Copy(lines, localLines)
	maps.Copy(lines, apartLines)
	for line, rec := range messageLines {
		lines[line] = rec
	}
}

var sessionLines = map[string]relaylens.Record{
	" DSH=host.example.com [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted": want(
		is(relayDenied, none, relaylens.StageRcpt), from("203.0.113.9", "host.example.com"), mail("a@example.com", "b@example.net"), text("relay not permitted"), hard, copied),
	"H=a.[192.0.2.66].F=<x@y>.example (pc) [203.0.113.9]:25 F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted": want(
		is(relayDenied, none, relaylens.StageRcpt), from("203.0.113.9", "a.[192.0.2.66].F=<x@y>.example", "pc"), port(25), mail("a@example.com", "b@example.net"), text("relay not permitted"), hard, copied),
	"H=x(y) [203.0.113.9] F=<> rejected RCPT <b@example.net>: relay not permitted": want(
		is(relayDenied, none, relaylens.StageRcpt), from("203.0.113.9", "x(y)"), mail("", "b@example.net"), text("relay not permitted"), hard, copied),
	"plain authenticator failed for a=b\"c (pc) [203.0.113.9]: 535 Incorrect authentication data (set_id=joe)": want(
		is(authFault, relaylens.ReasonCredentials, relaylens.StageAuth), from("203.0.113.9", "a=b\"c", "pc"), user("plain", "joe"), reply(535, "", "Incorrect authentication data"), copied),
	`H=(pc) [203.0.113.9] F=<a@example.org> rejected RCPT <b@example.com>: mx.example.org [198.51.100.25] : response to "RCPT TO:<a@example.org>" was: 550 5.1.1 No such user`: want(
		is(senderCheck, relaylens.ReasonCalloutUnknownUser, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), asked("mx.example.org", "198.51.100.25"), mail("a@example.org", "b@example.com"),
		text(`mx.example.org [198.51.100.25] : response to "RCPT TO:<a@example.org>" was: 550 5.1.1 No such user`), hard, copied, explain),
	`H=(pc) [203.0.113.9] F=<a@example.org> rejected RCPT <b@example.com>: mx.example.com [198.51.100.25] : response to "RCPT TO:<b@example.com>" was: 550 RCPT TO:<a@example.org> is no user`: want(
		is(refusal, relaylens.ReasonRecipientPolicy, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), asked("mx.example.com", "198.51.100.25"), mail("a@example.org", "b@example.com"),
		text(`mx.example.com [198.51.100.25] : response to "RCPT TO:<b@example.com>" was: 550 RCPT TO:<a@example.org> is no user`), hard, copied),
	"H=(pc) [203.0.113.9] rejected STARTTLS : too many connections": want(
		is(refusal, relaylens.ReasonRateLimit, relaylens.StageHelo), from("203.0.113.9", "", "pc"), text("too many connections"), hard, copied),
	"H=(pc) [203.0.113.9] U=joe doe sender verify fail for <a@example.org>: Unrouteable address": want(
		is(senderCheck, relaylens.ReasonUnrouteable, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.org", ""), text("Unrouteable address"), hard, copied, fact(relaylens.FactDetail)),
	"plain authenticator failed for (pc) [203.0.113.9] U=joe doe: 535 Incorrect authentication data (set_id=joe)": want(
		is(authFault, relaylens.ReasonCredentials, relaylens.StageAuth), from("203.0.113.9", "", "pc"), user("plain", "joe"), reply(535, "", "Incorrect authentication data"), copied),
	"SMTP connection from [203.0.113.9]:4711 I=[192.0.2.25]:25 (TCP/IP connection count = 3)": want(
		is(relaylens.KindConnection, none, 0), from("203.0.113.9"), port(4711), text("(TCP/IP connection count = 3)")),
	"SMTP connection from host.example.com (pc) [203.0.113.9] I=[192.0.2.25]:25 closed by QUIT": want(
		is(relaylens.KindConnection, none, 0), from("203.0.113.9", "host.example.com", "pc"), text("closed by QUIT"), fact(relaylens.FactSessionEnd)),
	"SMTP connection Ci=17 from (pc) [203.0.113.9] D=2s closed by DROP in ACL": want(
		is(relaylens.KindConnection, none, 0), from("203.0.113.9", "", "pc"), text("closed by DROP in ACL"), fact(relaylens.FactSessionEnd)),
	"SMTP connection from (pc) [203.0.113.9] lost D=0s": want(
		is(relaylens.KindConnection, none, 0), from("203.0.113.9", "", "pc"), text("lost D=0s"), fact(relaylens.FactSessionEnd)),
	"no MAIL in SMTP connection from (pc) [203.0.113.9]:4711 D=1s A=plain:joe doe " + tls + " C=EHLO,AUTH,QUIT": want(
		is(relaylens.KindAuthOK, none, 0), from("203.0.113.9", "", "pc"), port(4711), user("plain", "joe doe")),
	"refused connection from [203.0.113.9] (host_reject_connection)": want(
		is(refusal, relaylens.ReasonClientPolicy, relaylens.StageConnect), from("203.0.113.9"), text("host_reject_connection"), hard, copied),
	"temporarily refused connection from host.example.com [203.0.113.9] (tcp wrappers errno=2)": want(
		is(refusal, relaylens.ReasonClientPolicy, relaylens.StageConnect), from("203.0.113.9", "host.example.com"), text("tcp wrappers errno=2"), soft, copied),
	"temporarily refused connection from [203.0.113.9]: not in reserve list and load average = 12.00": want(
		is(refusal, relaylens.ReasonRateLimit, relaylens.StageConnect), from("203.0.113.9"), text("not in reserve list and load average = 12.00"), soft, copied),
	"Connection from [203.0.113.9] refused: too many connections from that IP address": want(
		is(refusal, relaylens.ReasonRateLimit, relaylens.StageConnect), from("203.0.113.9"), text("too many connections from that IP address"), soft),
	"connection from [203.0.113.9] refused (IP options)": want(
		is(refusal, relaylens.ReasonClientPolicy, relaylens.StageConnect), from("203.0.113.9"), text("IP options"), hard),
	`SMTP protocol synchronization error (input sent without waiting for greeting): rejected connection from H=[203.0.113.9] input="EHLO x\r\n"`: want(
		is(refusal, relaylens.ReasonProtocol, relaylens.StageConnect), from("203.0.113.9"), text("input sent without waiting for greeting"), hard, copied),
	`SMTP protocol synchronization error (next input sent too soon: pipelining was not advertised): rejected "HELO pc" H=[203.0.113.9] next input="MAIL FROM:<a@example.com>\r\n"`: want(
		is(refusal, relaylens.ReasonProtocol, relaylens.StageHelo), from("203.0.113.9"), text("next input sent too soon: pipelining was not advertised"), hard, copied),
	`SMTP syntax error in "RCPT TO:<b@[203.0.113.77]>" H=(pc) [203.0.113.9]:4711 I=[192.0.2.25]:25 domain literals not allowed`: want(
		is(refusal, relaylens.ReasonAddressSyntax, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), port(4711), to("b@[203.0.113.77]"), text("domain literals not allowed"), hard, protest),
	`SMTP syntax error in "MAIL FROM:<<a@example.com>>" H=(pc) [203.0.113.9] missing or malformed local part`: want(
		is(refusal, relaylens.ReasonAddressSyntax, relaylens.StageMail), from("203.0.113.9", "", "pc"), mail("<a@example.com>", ""), text("missing or malformed local part"), hard, protest),
	`SMTP syntax error in "EHLO nul?byte" H=[203.0.113.9] NUL character(s) present (shown as '?')`: want(
		is(refusal, relaylens.ReasonHelo, relaylens.StageHelo), from("203.0.113.9", "", "nul?byte"), text("NUL character(s) present (shown as '?')"), hard, protest),
	`SMTP syntax error in "AUTH PLAIN AGpvZQBzZWNyZXQ=" H=(pc) [203.0.113.9] unrecognized command`: want(
		is(authFault, relaylens.ReasonMalformed, relaylens.StageAuth), from("203.0.113.9", "", "pc"), hard, protest),
	`SMTP call from (pc) [203.0.113.9] I=[192.0.2.25]:25 dropped: too many syntax or protocol errors (last command was "AUTH PLAIN AGpvZQBzZWNyZXQ=", C=EHLO,AUTH)`: want(
		is(refusal, relaylens.ReasonProtocol, relaylens.StageNone), from("203.0.113.9", "", "pc"), text("too many syntax or protocol errors"), hard, copied, dismissal),
	"rejected EHLO from host.example.com [203.0.113.9]: syntactically invalid argument(s): H=fake.example [192.0.2.66] A=login:admin": want(
		is(refusal, relaylens.ReasonHelo, relaylens.StageHelo), from("203.0.113.9", "host.example.com", "H=fake.example [192.0.2.66] A=login:admin"), text("syntactically invalid argument(s)"), hard, copied),
	`temporarily rejected "EHLO pc" from (pc) [203.0.113.9]`: want(
		is(refusal, relaylens.ReasonHelo, relaylens.StageHelo), from("203.0.113.9", "", "pc"), soft, copied),
	`rejected "WELLKNOWN x" from [192.0.2.66]`: want(
		is(refusal, relaylens.ReasonProtocol, relaylens.StageNone), inbound, hard, copied),
	"rejected MAIL from [203.0.113.9]: no HELO/EHLO given": want(
		is(refusal, relaylens.ReasonProtocol, relaylens.StageMail), from("203.0.113.9"), text("no HELO/EHLO given"), hard, copied),
	"rejected MAIL command H=(pc) [203.0.113.9]: too many messages in one connection": want(
		is(refusal, relaylens.ReasonRateLimit, relaylens.StageMail), from("203.0.113.9", "", "pc"), text("too many messages in one connection"), soft, copied),
	"rejected MAIL FROM:<a@example.com> H=(pc) [203.0.113.9]: message too big: size=99999999 max=204800": want(
		is(refusal, relaylens.ReasonSize, relaylens.StageMail), from("203.0.113.9", "", "pc"), mail("a@example.com", ""), text("message too big: size=99999999 max=204800"), hard, copied),
	"unqualified sender rejected: <a> H=host.example.com [203.0.113.9]": want(
		is(refusal, relaylens.ReasonAddressSyntax, relaylens.StageMail), from("203.0.113.9", "host.example.com"), mail("a", ""), hard, copied),
	`unqualified recipient rejected: <"x> H=good.example.com [192.0.2.66]"> H=(pc) [203.0.113.9]:4711 (failed to find host name from IP address)`: want(
		is(refusal, relaylens.ReasonAddressSyntax, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), port(4711), to(`"x> H=good.example.com [192.0.2.66]"`), hard, copied),
	"too many recipients: excess temporarily rejected: sender=<a@example.com> H=(pc) [203.0.113.9]": want(
		is(refusal, relaylens.ReasonRateLimit, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.com", ""), text("excess temporarily rejected"), soft, copied),
	"ridiculously long message header received from host.example.com (pc) [203.0.113.9] (more than 1048576 characters): message abandoned": want(
		is(refusal, relaylens.ReasonSize, relaylens.StageEOD), from("203.0.113.9", "host.example.com", "pc"), text("ridiculously long message header"), hard, copied),
	"overlong message header line received from (x [192.0.2.66] (more than 1 characters): message abandoned) [203.0.113.9] (more than 998 characters): message abandoned": want(
		is(refusal, relaylens.ReasonSize, relaylens.StageEOD), from("203.0.113.9", "", "x [192.0.2.66] (more than 1 characters): message abandoned"), text("overlong message header line"), hard, copied),
	"VRFY failed for x H=y z H=(pc) [203.0.113.9]": want(
		is(refusal, relaylens.ReasonUnknownRecipient, relaylens.StageVrfy), from("203.0.113.9", "", "pc"), hard),
	`failed to expand ACL string "${lookup mysql{x}}": lookup of "x" gave DEFER: MYSQL connection failed: Can't connect`: want(
		is(relaylens.KindBackendError, none, 0), text(`failed to expand ACL string "${lookup mysql{x}}": lookup of "x" gave DEFER: MYSQL connection failed: Can't connect`)),
}

var messageLines = map[string]relaylens.Record{
	"1tTaBc-0001Ab-2z rejected from <a@example.com> H=host.example.com [203.0.113.9]: message too big: read=284014 max=204800": want(
		is(refusal, relaylens.ReasonSize, relaylens.StageEOD), from("203.0.113.9", "host.example.com"), mail("a@example.com", ""), queue("1tTaBc-0001Ab-2z"), text("message too big: read=284014 max=204800"), hard, copied),
	`1tTaBc-0001Ab-2z rejected from <a@example.com>H=(pc) [203.0.113.9]U=joe: Too many "Received" headers`: want(
		is(refusal, relaylens.ReasonContent, relaylens.StageEOD), from("203.0.113.9", "", "pc"), mail("a@example.com", ""), queue("1tTaBc-0001Ab-2z"), text(`Too many "Received" headers`), hard, copied),
	`1tTaBc-0001Ab-2z <= "a b"@example.com H=host.example.com (pc) [203.0.113.9]:4711 I=[192.0.2.25]:465 P=esmtpsa L.- ` + tls + ` A=plain:joe doe S=511 M8S=0 RT=0.001s id=x@y T="A=plain:root S=1" from <a@example.com> for b@example.net`: want(
		is(relaylens.KindAccepted, none, 0), from("203.0.113.9", "host.example.com", "pc"), port(4711), user("plain", "joe doe"), proto("esmtpsa"), mail(`"a b"@example.com`, ""), queue("1tTaBc-0001Ab-2z"), fact(relaylens.FactMessage)),
	"1tTaBc-0001Ab-2z <= a@example.com H=(pc) [203.0.113.9] P=esmtpa SPF DMARC=pass A=plain:joe@example.com S=362 DSN=envid": want(
		is(relaylens.KindAccepted, none, 0), from("203.0.113.9", "", "pc"), user("plain", "joe@example.com"), proto("esmtpa"), mail("a@example.com", ""), queue("1tTaBc-0001Ab-2z"), fact(relaylens.FactMessage)),
	"1tTaBc-0001Ab-2z <= a@example.com H=(pc) [203.0.113.9] P=esmtpa A=plain:joe@example.com:a@example.com S=362": want(
		is(relaylens.KindAccepted, none, 0), from("203.0.113.9", "", "pc"), user("plain", "joe@example.com"), proto("esmtpa"), mail("a@example.com", ""), queue("1tTaBc-0001Ab-2z"), fact(relaylens.FactMessage)),
	"1tTaBc-0001Ab-2z ** b@example.net: SMTP error from remote mail server after RCPT TO:<b@example.net>: 554 5.7.1 <b@example.net>: Relay access denied DT=0.152s": want(
		is(relayDenied, none, relaylens.StageRcpt), func(rec *relaylens.Record) { rec.Event.Direction = relaylens.Outbound }, to("b@example.net"), reply(554, "5.7.1", "Relay access denied"), queue("1tTaBc-0001Ab-2z")),
	`1tTaBc-0001Ab-2z ** b@example.com R=local_user T=dovecot_lmtp: LMTP error after RCPT TO:<b@example.com>: 550 5.1.1 <b@example.com> User doesn't exist: b@example.com`: want(
		is(refusal, relaylens.ReasonUnknownRecipient, relaylens.StageRcpt), func(rec *relaylens.Record) { rec.Event.Direction = relaylens.Outbound }, to("b@example.com"),
		reply(550, "5.1.1", "<b@example.com> User doesn't exist: b@example.com"), queue("1tTaBc-0001Ab-2z")),
	"1tTaBc-0001Ab-2z == b@example.com R=local_user T=dovecot_lmtp defer (-46): LMTP error after end of data: 452 4.2.2 <b@example.com> Quota exceeded": want(
		is(refusal, relaylens.ReasonQuota, relaylens.StageEOD), func(rec *relaylens.Record) { rec.Event.Direction = relaylens.Outbound }, to("b@example.com"),
		reply(452, "4.2.2", "<b@example.com> Quota exceeded"), queue("1tTaBc-0001Ab-2z"), apart),
	"1tTaBc-0001Ab-2z <= <> H=(pc) [203.0.113.9] P=esmtp S=362": want(
		is(relaylens.KindAccepted, none, 0), from("203.0.113.9", "", "pc"), proto("esmtp"), mail("", ""), queue("1tTaBc-0001Ab-2z"), fact(relaylens.FactMessage)),
	"1tTaBc-0001Ab-2z <= joe@example.com U=joe P=local S=362": want(
		is(relaylens.KindAccepted, none, 0), proto("local"), mail("joe@example.com", ""), queue("1tTaBc-0001Ab-2z"), fact(relaylens.FactMessage)),
	"1tTaBc-0001Ab-2z (= a@example.com H=(pc) [203.0.113.9] P=esmtp S=362": want(
		is(refusal, relaylens.ReasonContent, relaylens.StageEOD), from("203.0.113.9", "", "pc"), proto("esmtp"), mail("a@example.com", ""), queue("1tTaBc-0001Ab-2z"), fact(relaylens.FactMessage)),
	"1tTaBc-0001Ab-2z <= <> R=1tTaBb-0000Zz-1a U=Debian-exim P=local S=2589": func() relaylens.Record {
		rec := want(queue("1tTaBb-0000Zz-1a"), fact(relaylens.FactChild))
		rec.Child = "1tTaBc-0001Ab-2z"
		return rec
	}(),
	"1tTaBc-0001Ab-2z Completed QT=0.1s": want(queue("1tTaBc-0001Ab-2z"), fact(relaylens.FactMessageEnd)),
	"1tTaBc-0001Ab-2z cancelled by root": want(queue("1tTaBc-0001Ab-2z"), fact(relaylens.FactMessageEnd)),
	"1tTaBc-0001Ab-2z => joe <joe@example.com> F=<a@example.org> R=local_user T=mail_spool": want(
		is(relaylens.KindDelivered, none, 0), mail("a@example.org", "joe@example.com"), queue("1tTaBc-0001Ab-2z")),
	`1tTaBc-0001Ab-2z -> b@example.net (x@example.com) <c@example.com> F=<> P=<> R=dnslookup T=remote_smtp S=566 H=mx.example.net DS [198.51.100.25]:25* I=[192.0.2.25]:4711 L C="250 ok" QT=0.2s`: want(
		is(relaylens.KindDelivered, none, 0), mail("", "b@example.net"), asked("mx.example.net", "198.51.100.25"), queue("1tTaBc-0001Ab-2z")),
	"1tTaBc-0000000AbCd-1xYz ** b@example.net F=<a@example.com> R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.25]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 554 5.7.1 <b@example.net>: Relay access denied": want(
		is(relayDenied, none, relaylens.StageRcpt), at("mx.example.net", "198.51.100.25"), mail("a@example.com", "b@example.net"), reply(554, "5.7.1", "Relay access denied"), queue("1tTaBc-0000000AbCd-1xYz")),
	`1tTaBc-0001Ab-2z ** b@example.net <c@example.com> F=<a@example.com> P=<a@example.com> R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.25]:25 I=[192.0.2.25]:4711 ` + tls + ` DN="CN=x": SMTP error from remote mail server after RCPT TO:<b@example.net>: 550-mx.example.net [192.0.2.25] is currently not permitted to\n550-relay through this server. Perhaps\n550 more.`: want(
		is(relayDenied, none, relaylens.StageRcpt), at("mx.example.net", "198.51.100.25"), mail("a@example.com", "b@example.net"), reply(550, "", `mx.example.net [192.0.2.25] is currently not permitted to\n550-relay through this server. Perhaps\n550 more.`), queue("1tTaBc-0001Ab-2z")),
	"1tTaBc-0001Ab-2z ** b@example.net R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.25]: SMTP error from remote mail server after pipelined MAIL FROM:<a@example.com> SIZE=1577: 554 5.7.1 <a@example.com>: Sender address rejected: Access denied": want(
		is(refusal, relaylens.ReasonSenderPolicy, relaylens.StageMail), at("mx.example.net", "198.51.100.25"), to("b@example.net"), reply(554, "5.7.1", "Sender address rejected: Access denied"), queue("1tTaBc-0001Ab-2z")),
	"1tTaBc-0001Ab-2z ** b@example.net R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.25]: SMTP error from remote mail server after end of data: host mx.example.net [198.51.100.25]: 552 too large": want(
		is(refusal, relaylens.ReasonSize, relaylens.StageEOD), at("mx.example.net", "198.51.100.25"), to("b@example.net"), reply(552, "", "too large"), queue("1tTaBc-0001Ab-2z")),
	"1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (-44) H=mx.example.net [198.51.100.25]:25 DT=0s: SMTP error from remote mail server after RCPT TO:<b@example.net>: 450 4.2.0 Greylisted": want(
		is(refusal, relaylens.ReasonGreylist, relaylens.StageRcpt), at("mx.example.net", "198.51.100.25"), to("b@example.net"), reply(450, "4.2.0", "Greylisted"), queue("1tTaBc-0001Ab-2z")),
	"1tTaBc-0001Ab-2z H=mx.example.net [198.51.100.25]:25 SMTP error from remote mail server after RCPT TO:<b@example.net>: 454 4.7.1 <b@example.net>: Relay access denied": want(
		is(relayDenied, none, relaylens.StageRcpt), at("mx.example.net", "198.51.100.25"), to("b@example.net"), reply(454, "4.7.1", "Relay access denied"), queue("1tTaBc-0001Ab-2z"), retried),
	"1tTaBc-0001Ab-2z H=mx.example.net [198.51.100.25]: SMTP error from remote mail server after initial connection: 554 5.7.1 busy": want(
		is(refusal, relaylens.ReasonRemoteOther, relaylens.StageConnect), at("mx.example.net", "198.51.100.25"), reply(554, "5.7.1", "busy"), queue("1tTaBc-0001Ab-2z"), retried),
	"1tTaBc-0001Ab-2z ** b@example.net R=dnslookup T=remote_smtp H=mx.example.net [198.51.100.25]: SMTP error from remote mail server after initial connection: 554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using bl.example.org": want(
		is(refusal, relaylens.ReasonDNSBL, relaylens.StageConnect), at("mx.example.net", "198.51.100.25"), to("b@example.net"), reply(554, "5.7.1", "Service unavailable; Client host [192.0.2.25] blocked using bl.example.org"), queue("1tTaBc-0001Ab-2z")),
	"1tTaBc-0001Ab-2z plain_client authenticator failed H=smart.example.net [198.51.100.25] 535 5.7.8 Error: authentication failed": want(
		is(authFault, relaylens.ReasonCredentials, relaylens.StageAuth), at("smart.example.net", "198.51.100.25"), user("plain_client", ""), reply(535, "5.7.8", "Error: authentication failed"), queue("1tTaBc-0001Ab-2z")),
}
