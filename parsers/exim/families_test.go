package exim

import "github.com/relaylens/relaylens"

// tls is what TLS adds to a line.
const tls = "X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no"

// lines are the families with what they tell. The client is 203.0.113.9 in all.
var lines = map[string]relaylens.Record{
	// ACLs, the host string in every form.
	"H=(pc.example.com) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted": want(
		is(relayDenied, none, relaylens.StageRcpt), from("203.0.113.9", "", "pc.example.com"), mail("a@example.com", "b@example.net"), text("relay not permitted"), hard, copied),
	// With +spf +dmarc +dsn, from 4.100 on.
	"H=(pc) [203.0.113.9] F=<a@example.com> A=plain:joe doe SPF=none DMARC=fail DSN=ret,envid,orcpt,notify rejected RCPT <b@example.net>: relay not permitted": want(
		is(relaylens.KindRelayDenied, 0, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.com", "b@example.net"), user("plain", "joe doe"), text("relay not permitted"), hard, copied),
	"H=(pc) [203.0.113.9] F=<a@example.com> SPF DSN=envid temporarily rejected RCPT <b@example.net>: relay not permitted": want(
		is(relaylens.KindRelayDenied, 0, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.com", "b@example.net"), text("relay not permitted"), soft, copied),
	"H=(pc) [203.0.113.9] SPF DMARC DSN=envid rejected MAIL <a@example.com>: relay not permitted": want(
		is(relaylens.KindRelayDenied, 0, relaylens.StageMail), from("203.0.113.9", "", "pc"), mail("a@example.com", ""), text("relay not permitted"), hard, copied),
	"H=host.example.com (pc) [203.0.113.9]:51234 I=[192.0.2.25]:25 " + tls + " F=<a@example.com> A=plain:joe rejected RCPT <b@example.net>: relay not permitted": want(
		is(relayDenied, none, relaylens.StageRcpt), from("203.0.113.9", "host.example.com", "pc"), port(51234), user("plain", "joe"), mail("a@example.com", "b@example.net"), text("relay not permitted"), hard, copied),
	"H=([192.0.2.66]) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted": want(
		is(relayDenied, none, relaylens.StageRcpt), from("203.0.113.9", "", "[192.0.2.66]"), mail("a@example.com", "b@example.net"), text("relay not permitted"), hard, copied),
	"H=([IPv6:2001:db8::1]) [2001:db8::9]:4711 F=<> rejected RCPT <b@example.net>: relay not permitted": want(
		is(relayDenied, none, relaylens.StageRcpt), from("2001:db8::9", "", "[IPv6:2001:db8::1]"), port(4711), mail("", "b@example.net"), text("relay not permitted"), hard, copied),
	"H=[203.0.113.9] U=joe Ci=17 F=<a@example.com> temporarily rejected RCPT b@example.net: greylisted": want(
		is(refusal, relaylens.ReasonGreylist, relaylens.StageRcpt), from("203.0.113.9"), mail("a@example.com", "b@example.net"), text("greylisted"), soft, copied),
	`H=host.example.com (pc) [203.0.113.9] ` + tls + ` DN="CN=a "b" c" SNI=mx.example.com F=<"a b"@example.com> A=login:joe doe rejected RCPT <"x: z"@example.net> NOTIFY=NEVER: relay not permitted`: want(
		is(relayDenied, none, relaylens.StageRcpt), from("203.0.113.9", "host.example.com", "pc"), user("login", "joe doe"), mail(`"a b"@example.com`, `"x: z"@example.net`), text("relay not permitted"), hard, copied),
	"H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>": want(
		is(refusal, relaylens.ReasonOther, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.com", "b@example.net"), hard, copied, explain),
	"H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <b@example.net>: 550 5.7.1 Too much, goodbye": want(
		is(refusal, relaylens.ReasonOther, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.com", "b@example.net"), reply(550, "5.7.1", "Too much, goodbye"), hard, copied, explain),
	// 4.95 and later cut the argument at 100 characters.
	"H=(pc) [203.0.113.9] F=<a@example.com> rejected RCPT <bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: relay not permitted": want(
		is(relayDenied, none, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.com", ""), text("relay not permitted"), hard, copied),

	// Other commands.
	"H=(pc) [203.0.113.9] rejected MAIL <a@example.com> SIZE=1000: sender envelope address a@example.com is locally blacklisted here": want(
		is(refusal, relaylens.ReasonSenderPolicy, relaylens.StageMail), from("203.0.113.9", "", "pc"), mail("a@example.com", ""), text("sender envelope address a@example.com is locally blacklisted here"), hard, copied),
	"H=host.example.com (ylmf-pc) [203.0.113.9] rejected EHLO or HELO ylmf-pc: go away bot": want(
		is(refusal, relaylens.ReasonHelo, relaylens.StageHelo), from("203.0.113.9", "host.example.com", "ylmf-pc"), text("go away bot"), hard, copied),
	`H=[203.0.113.9] rejected connection in "connect" ACL: 554 5.7.1 203.0.113.9 blocked`: want(
		is(refusal, relaylens.ReasonClientPolicy, relaylens.StageConnect), from("203.0.113.9"), reply(554, "5.7.1", "203.0.113.9 blocked"), hard, copied),
	"H=[203.0.113.9]:4711 " + tls + " dropped by 'connect' ACL: 203.0.113.9 is listed at bl.example.org": want(
		is(refusal, relaylens.ReasonDNSBL, relaylens.StageConnect), from("203.0.113.9"), port(4711), text("203.0.113.9 is listed at bl.example.org"), hard, copied),
	"H=(pc) [203.0.113.9] rejected AUTH plain AGpvZQBzZWNyZXQ=: no plain text here": want(
		is(authFault, relaylens.ReasonAuthPolicy, relaylens.StageAuth), from("203.0.113.9", "", "pc"), user("plain", ""), text("no plain text here"), hard, copied),
	"H=(pc) [203.0.113.9] rejected VRFY joe": want(
		is(refusal, relaylens.ReasonOther, relaylens.StageVrfy), from("203.0.113.9", "", "pc"), copied), // 252
	"H=(pc) [203.0.113.9] rejected VRFY joe: 550 no such command": want(
		is(refusal, relaylens.ReasonOther, relaylens.StageVrfy), from("203.0.113.9", "", "pc"), reply(550, "", "no such command"), hard, copied),
	"H=(pc) [203.0.113.9] temporarily rejected VRFY joe: later": want(
		is(refusal, relaylens.ReasonOther, relaylens.StageVrfy), from("203.0.113.9", "", "pc"), text("later"), soft, copied),
	"H=(pc) [203.0.113.9] rejected EXPN staff: no": want(
		is(refusal, relaylens.ReasonOther, relaylens.StageVrfy), from("203.0.113.9", "", "pc"), text("no"), hard, copied),
	"H=(pc) [203.0.113.9] rejected ETRN #example.com: not here": want(
		is(refusal, relaylens.ReasonOther, relaylens.StageEtrn), from("203.0.113.9", "", "pc"), text("not here"), soft, copied), // 458
	"H=(pc) [203.0.113.9] rejected STARTTLS: too many connections": want(
		is(refusal, relaylens.ReasonRateLimit, relaylens.StageHelo), from("203.0.113.9", "", "pc"), text("too many connections"), hard, copied),
	"H=(pc) [203.0.113.9] rejected DATA: no": want(
		is(refusal, relaylens.ReasonOther, relaylens.StageData), from("203.0.113.9", "", "pc"), text("no"), hard, copied),
	"1tTaBc-0001Ab-2z H=(pc) [203.0.113.9] F=<a@example.com> rejected after DATA: This message contains a virus (Eicar-Test-Signature)": want(
		is(refusal, relaylens.ReasonContent, relaylens.StageEOD), from("203.0.113.9", "", "pc"), mail("a@example.com", ""), queue("1tTaBc-0001Ab-2z"), text("This message contains a virus (Eicar-Test-Signature)"), hard, copied),
	"1tTaBc-0000000AbCd-1xYz H=(pc) [203.0.113.9] F=<a@example.com> temporarily rejected during MIME ACL checks: try later": want(
		is(refusal, relaylens.ReasonContent, relaylens.StageEOD), from("203.0.113.9", "", "pc"), mail("a@example.com", ""), queue("1tTaBc-0000000AbCd-1xYz"), text("try later"), soft, copied),
	"1tTaBc-0001Ab-2z H=(pc) [203.0.113.9] F=<a@example.com> rejected by local_scan(): no": want(
		is(refusal, relaylens.ReasonContent, relaylens.StageEOD), from("203.0.113.9", "", "pc"), mail("a@example.com", ""), queue("1tTaBc-0001Ab-2z"), text("no"), hard, copied),
	"F=<joe@example.com> rejected by non-SMTP ACL: spam": want(
		is(refusal, relaylens.ReasonContent, relaylens.StageEOD), inbound, mail("joe@example.com", ""), text("spam"), hard, copied),
	"H=(pc) [203.0.113.9] F=<a@example.com> RCPT <b@example.net>: discarded by RCPT ACL: in a black list at bl.example.org": want(
		is(refusal, relaylens.ReasonDNSBL, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.com", "b@example.net"), act(relaylens.ActionDiscard), text("in a black list at bl.example.org"), copied),
	"H=(pc) [203.0.113.9] Warning: 203.0.113.9 is listed at bl.example.org": want(
		is(refusal, relaylens.ReasonDNSBL, relaylens.StageNone), from("203.0.113.9", "", "pc"), act(relaylens.ActionWarn), text("203.0.113.9 is listed at bl.example.org")),

	// Sender verification.
	"H=host.example.com [203.0.113.9] sender verify fail for <a@example.org>: all relevant MX records point to non-existent hosts": want(
		is(senderCheck, relaylens.ReasonUnrouteable, relaylens.StageRcpt), from("203.0.113.9", "host.example.com"), mail("a@example.org", ""), text("all relevant MX records point to non-existent hosts"), hard, copied, fact(relaylens.FactDetail)),
	"H=(pc) [203.0.113.9] sender verify fail for <a@example.org>: an MX or SRV record indicated no SMTP service": want(
		is(senderCheck, relaylens.ReasonNullMX, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.org", ""), text("an MX or SRV record indicated no SMTP service"), hard, copied, fact(relaylens.FactDetail)),
	"H=(pc) [203.0.113.9] sender verify defer for <a@example.org>: host lookup did not complete": want(
		is(senderCheck, relaylens.ReasonDomainTempfail, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.org", ""), text("host lookup did not complete"), soft, copied, fact(relaylens.FactDetail)),
	"H=(pc) [203.0.113.9] sender verify fail for <a@example.org>": want(
		is(senderCheck, relaylens.ReasonCalloutCached, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.org", ""), hard, copied, fact(relaylens.FactDetail)),
	`H=host.example.com [203.0.113.9] sender verify fail for <a@example.net>: mx.example.net [198.51.100.25] : response to "RCPT TO:<a@example.net>" was: 550 5.1.1 No such user`: want(
		is(senderCheck, relaylens.ReasonCalloutUnknownUser, relaylens.StageRcpt), from("203.0.113.9", "host.example.com"), asked("mx.example.net", "198.51.100.25"), mail("a@example.net", ""), reply(550, "5.1.1", "No such user"), hard, copied, fact(relaylens.FactDetail)),
	"H=(pc) [203.0.113.9] sender verify fail for <a@example.net>: mx.example.net [198.51.100.25] : SMTP error from remote mail server after RCPT TO:<a@example.net>: 554 5.7.1 <a@example.net>: Relay access denied": want(
		is(senderCheck, relaylens.ReasonCalloutRefused, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), asked("mx.example.net", "198.51.100.25"), mail("a@example.net", ""), reply(554, "5.7.1", "Relay access denied"), hard, copied, fact(relaylens.FactDetail)),
	"H=(pc) [203.0.113.9] sender verify defer for <a@example.net>: Could not complete sender verify callout: mx.example.net [198.51.100.25] : Connection refused": want(
		is(senderCheck, relaylens.ReasonCalloutNoConnection, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), asked("mx.example.net", "198.51.100.25"), mail("a@example.net", ""), text("mx.example.net [198.51.100.25] : Connection refused"), soft, copied, fact(relaylens.FactDetail)),
	"H=(pc) [203.0.113.9] F=<a@example.org> rejected RCPT <b@example.com>: Sender verify failed": want(
		is(senderCheck, relaylens.ReasonUnverified, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.org", "b@example.com"), text("Sender verify failed"), hard, copied, explain),
	"H=(pc) [203.0.113.9] F=<a@example.org> temporarily rejected RCPT <b@example.com>: Could not complete sender verify callout": want(
		is(senderCheck, relaylens.ReasonCalloutTempfail, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), mail("a@example.org", "b@example.com"), text("Could not complete sender verify callout"), soft, copied, explain),
	`H=(pc) [203.0.113.9] F=<a@example.org> rejected RCPT <b@example.com>: mx.example.com [198.51.100.25] : response to "RCPT TO:<b@example.com>" was: 550 No such user`: want(
		is(refusal, relaylens.ReasonUnknownRecipient, relaylens.StageRcpt), from("203.0.113.9", "", "pc"), asked("mx.example.com", "198.51.100.25"), mail("a@example.org", "b@example.com"),
		text(`mx.example.com [198.51.100.25] : response to "RCPT TO:<b@example.com>" was: 550 No such user`), hard, copied),

	// Logins.
	"plain_server authenticator failed for (pc) [203.0.113.9]: 535 Incorrect authentication data (set_id=joe@example.com)": want(
		is(authFault, relaylens.ReasonCredentials, relaylens.StageAuth), from("203.0.113.9", "", "pc"), user("plain_server", "joe@example.com"), reply(535, "", "Incorrect authentication data"), copied),
	"dovecot_login authenticator failed for H=host.example.com (pc) [203.0.113.9]:4711 I=[192.0.2.25]:587 Ci=3: 535 Incorrect authentication data (set_id=joe)": want(
		is(authFault, relaylens.ReasonCredentials, relaylens.StageAuth), from("203.0.113.9", "host.example.com", "pc"), port(4711), user("dovecot_login", "joe"), reply(535, "", "Incorrect authentication data"), copied),
	"login authenticator failed for (pc) [203.0.113.9]: 435 Unable to authenticate at present (set_id=joe): authentication socket connection error": want(
		is(authFault, relaylens.ReasonBackend, relaylens.StageAuth), from("203.0.113.9", "", "pc"), user("login", "joe"), reply(435, "", "Unable to authenticate at present"), copied),
	"login authenticator failed for (pc) [203.0.113.9]: 435 Unable to authenticate at present (set_id=joe): unable to connect to UNIX socket (/run/auth): No such file or directory": want(
		is(authFault, relaylens.ReasonBackend, relaylens.StageAuth), from("203.0.113.9", "", "pc"), user("login", "joe"), reply(435, "", "Unable to authenticate at present"), copied),
	"login authenticator failed for [203.0.113.9]: 435 Unable to authenticate at present: unable to connect to UNIX socket (/run/auth): No such file or directory": want(
		is(authFault, relaylens.ReasonBackend, relaylens.StageAuth), from("203.0.113.9"), user("login", ""), reply(435, "", "Unable to authenticate at present: unable to connect to UNIX socket (/run/auth): No such file or directory"), copied),
	"plain authenticator failed for (pc) [203.0.113.9]: 435 Internal error (set_id=joe): return 7 from authentication check": want(
		is(authFault, relaylens.ReasonBackend, relaylens.StageAuth), from("203.0.113.9", "", "pc"), user("plain", "joe"), reply(435, "", "Internal error"), copied),
	"plain authenticator failed for (pc) [203.0.113.9]: 501 Invalid base64 data": want(
		is(authFault, relaylens.ReasonMalformed, relaylens.StageAuth), from("203.0.113.9", "", "pc"), user("plain", ""), reply(501, "", "Invalid base64 data"), copied),
	"plain authenticator failed for (pc) [203.0.113.9]: 501 Authentication cancelled": want(
		is(authFault, relaylens.ReasonCancelled, relaylens.StageAuth), from("203.0.113.9", "", "pc"), user("plain", ""), reply(501, "", "Authentication cancelled"), copied),
	`plain authenticator failed for (pc) [203.0.113.9]: 535 Incorrect authentication data (set_id=caf\303\251)`: want(
		is(authFault, relaylens.ReasonCredentials, relaylens.StageAuth), from("203.0.113.9", "", "pc"), user("plain", "café"), reply(535, "", "Incorrect authentication data"), copied),
	`plain authenticator failed for (pc) [203.0.113.9]: 535 Incorrect authentication data (set_id=CORP\nick)`: want(
		is(authFault, relaylens.ReasonCredentials, relaylens.StageAuth), from("203.0.113.9", "", "pc"), user("plain", `CORP\nick`), reply(535, "", "Incorrect authentication data"), copied),
	`SMTP protocol error in "AUTH GSSAPI abcd" H=(pc) [203.0.113.9] GSSAPI authentication mechanism not supported`: want(
		is(authFault, relaylens.ReasonMechanism, relaylens.StageAuth), from("203.0.113.9", "", "pc"), user("GSSAPI", ""), text("authentication mechanism not supported"), hard, protest),
	`SMTP protocol error in "AUTH PLAIN AGpvZQBzZWNyZXQ=" H=(pc) [203.0.113.9]:4711 I=[192.0.2.25]:25 AUTH command used when not advertised`: want(
		is(authFault, relaylens.ReasonAuthPolicy, relaylens.StageAuth), from("203.0.113.9", "", "pc"), port(4711), user("PLAIN", ""), text("AUTH command used when not advertised"), hard, protest),
}
