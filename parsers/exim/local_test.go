package exim

import "github.com/relaylens/relaylens"

// localLines are those of a program that speaks SMTP over a pipe: they have no host.
var localLines = map[string]relaylens.Record{
	"U=joe F=<a@example.com> rejected RCPT <b@example.net>: relay not permitted": want(
		is(relayDenied, none, relaylens.StageRcpt), inbound, mail("a@example.com", "b@example.net"), text("relay not permitted"), hard, copied),
	"U=unknown rejected MAIL <a@example.com>: Sender verify failed": want(
		is(senderCheck, relaylens.ReasonUnverified, relaylens.StageMail), inbound, mail("a@example.com", ""), text("Sender verify failed"), hard, copied, explain),
	"1tTaBc-0001Ab-2z U=www-data F=<a@example.com> temporarily rejected after DATA: try later": want(
		is(refusal, relaylens.ReasonContent, relaylens.StageEOD), inbound, mail("a@example.com", ""), queue("1tTaBc-0001Ab-2z"), text("try later"), soft, copied),
	"U=joe sender verify fail for <a@example.org>: Unrouteable address": want(
		is(senderCheck, relaylens.ReasonUnrouteable, relaylens.StageRcpt), inbound, mail("a@example.org", ""), text("Unrouteable address"), hard, copied, fact(relaylens.FactDetail)),
	`U=joe F=<" rejected RCPT <x>: relay not permitted"@example.org> rejected RCPT <b@example.net>: Unknown user`: want(
		is(refusal, relaylens.ReasonUnknownRecipient, relaylens.StageRcpt), inbound, mail(`" rejected RCPT <x>: relay not permitted"@example.org`, "b@example.net"), text("Unknown user"), hard, copied),
	"unqualified sender rejected: <a> U=joe": want(
		is(refusal, relaylens.ReasonAddressSyntax, relaylens.StageMail), inbound, mail("a", ""), hard, copied),
	"too many recipients: message rejected: sender=<a@example.com> U=joe": want(
		is(refusal, relaylens.ReasonRateLimit, relaylens.StageRcpt), inbound, mail("a@example.com", ""), text("message rejected"), hard, copied),
	"rejected EHLO from joe: syntactically invalid argument(s): a b [192.0.2.66]": want(
		is(refusal, relaylens.ReasonHelo, relaylens.StageHelo), inbound, text("syntactically invalid argument(s)"), helo("a b [192.0.2.66]"), hard, copied),
	"rejected MAIL from joe: no HELO/EHLO given": want(
		is(refusal, relaylens.ReasonProtocol, relaylens.StageMail), inbound, text("no HELO/EHLO given"), hard, copied),
	"rejected MAIL command U=joe: too many messages in one connection": want(
		is(refusal, relaylens.ReasonRateLimit, relaylens.StageMail), inbound, text("too many messages in one connection"), soft, copied),
	`SMTP call from joe dropped: too many unrecognized commands (last was "FOO")`: want(
		is(refusal, relaylens.ReasonProtocol, relaylens.StageNone), inbound, text("too many unrecognized commands"), hard, copied, dismissal),
	`SMTP syntax error in "RCPT TO:<a b>" U=joe malformed address: b> may not follow <a`: want(
		is(refusal, relaylens.ReasonAddressSyntax, relaylens.StageRcpt), inbound, to("a b"), text("malformed address: b> may not follow <a"), hard, protest),
	"plain authenticator failed for joe: 535 Incorrect authentication data (set_id=jim)": want(
		is(authFault, relaylens.ReasonCredentials, relaylens.StageAuth), inbound, user("plain", "jim"), reply(535, "", "Incorrect authentication data"), copied),
	"plain authenticator failed for U=joe: 535 Incorrect authentication data": want(
		is(authFault, relaylens.ReasonCredentials, relaylens.StageAuth), inbound, user("plain", ""), reply(535, "", "Incorrect authentication data"), copied),

	// The client is a host in these, whatever its words look like.
	`SMTP syntax error in "MAIL FROM:<a" U=joe x>" H=(pc) [203.0.113.9] missing or malformed local part`: want(
		is(refusal, relaylens.ReasonAddressSyntax, relaylens.StageMail), from("203.0.113.9", "", "pc"), mail(`a" U=joe x`, ""), text("missing or malformed local part"), hard, protest),
	"VRFY failed for x U=joe H=[203.0.113.9]": want(
		is(refusal, relaylens.ReasonUnknownRecipient, relaylens.StageVrfy), from("203.0.113.9"), hard),
}
