package sendmail

import (
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

const (
	id  = "502345AB004321"
	pre = "sm-mta[4321]: " + id + ": "
)

const (
	rejected = relaylens.KindRejected
	denied   = relaylens.KindRelayDenied
	verify   = relaylens.KindSenderVerify
)

func rcptCase(text string, kind relaylens.Kind, reason relaylens.Reason) read {
	return refused(pre+"ruleset=check_rcpt, arg1=<b@example.net>, relay=host.example.com [203.0.113.9], reject="+text,
		id, kind, reason, relaylens.StageRcpt).client("host.example.com", "203.0.113.9").rcpt("b@example.net").held()
}

func TestCheckRcpt(t *testing.T) {
	run(t, []read{
		rcptCase("550 5.7.1 <b@example.net>... Relaying denied", denied, 0).said(550, "5.7.1", "Relaying denied"),
		rcptCase("550 5.7.1 <b@example.net>... Relaying denied. Proper authentication required.", denied, 0).
			said(550, "5.7.1", "Relaying denied. Proper authentication required."),
		rcptCase("550 5.7.1 <b@example.net>... Relaying denied. IP name possibly forged [203.0.113.9]", denied, 0).
			said(550, "5.7.1", "Relaying denied. IP name possibly forged [203.0.113.9]"),
		rcptCase("450 4.4.0 <b@example.net>... Relaying temporarily denied. Cannot resolve PTR record for 203.0.113.9", denied, 0).
			said(450, "4.4.0", "Relaying temporarily denied. Cannot resolve PTR record for 203.0.113.9"),
		refused(pre+"ruleset=check_rcpt, arg1=<b@example.net>, reject=550 5.7.1 <b@example.net>... Relaying denied",
			id, denied, 0, relaylens.StageRcpt).rcpt("b@example.net").said(550, "5.7.1", "Relaying denied").held(),
		refused(pre+`ruleset=check_rcpt, arg1=<"a, relay=[192.0.2.66], reject=550 x"@example.net>, reject=550 5.7.1 <"a, relay=[192.0.2.66], reject=550 x"@example.net>... Relaying denied`,
			id, denied, 0, relaylens.StageRcpt).rcpt(`"a, relay=[192.0.2.66], reject=550 x"@example.net`).said(550, "5.7.1", "Relaying denied").held(),
		rcptCase("450 4.7.1 <b@example.net>... Relaying denied", denied, 0).said(450, "4.7.1", "Relaying denied"), // SoftBounce
		rcptCase("550 <b@example.net>... Relaying denied", denied, 0).said(550, "", "Relaying denied"),
		rcptCase("550 5.7.1 <b@example.net>... Access denied", rejected, relaylens.ReasonRecipientPolicy).said(550, "5.7.1", "Access denied"),
		rcptCase("550 5.2.1 <b@example.net>... Mailbox disabled for this recipient", rejected, relaylens.ReasonRecipientPolicy).
			said(550, "5.2.1", "Mailbox disabled for this recipient"),
		rcptCase("550 5.1.1 <b@example.net>... User unknown", rejected, relaylens.ReasonUnknownRecipient).said(550, "5.1.1", "User unknown"),
		rcptCase("550 5.1.1 <b@example.net>... gone fishing", rejected, relaylens.ReasonUnknownRecipient).said(550, "5.1.1", "gone fishing"),
		rcptCase("553 5.1.3 <b@example.net>... whatever", rejected, relaylens.ReasonAddressSyntax).said(553, "5.1.3", "whatever"),
		rcptCase("550 5.7.1 <b@example.net>... Rejected: 203.0.113.9 listed at bl.example", rejected, relaylens.ReasonDNSBL).
			said(550, "5.7.1", "Rejected: 203.0.113.9 listed at bl.example"),
		rcptCase("550 5.7.1 <b@example.net>... Email blocked using bl.example", rejected, relaylens.ReasonDNSBL).
			said(550, "5.7.1", "Email blocked using bl.example"),
		rcptCase("452 4.3.2 Connection rate limit exceeded.", rejected, relaylens.ReasonRateLimit).said(452, "4.3.2", "Connection rate limit exceeded."),
		rcptCase("550 5.7.1 <b@example.net>... Fix reverse DNS for 203.0.113.9", rejected, relaylens.ReasonClientPolicy).
			said(550, "5.7.1", "Fix reverse DNS for 203.0.113.9"),
		rcptCase("550 5.7.1 bogus HELO name used: x", rejected, relaylens.ReasonHelo).said(550, "5.7.1", "bogus HELO name used: x"),
		rcptCase("450 4.7.1 <b@example.net>... MX lookup failure", rejected, relaylens.ReasonUnknownDomain).said(450, "4.7.1", "MX lookup failure"),
		rcptCase("451 4.7.1 Greylisting in action, please come back later", rejected, relaylens.ReasonGreylist).
			said(451, "4.7.1", "Greylisting in action, please come back later"),
		// An access map may speak of relaying to somebody it does not like.
		rcptCase("550 5.7.1 <b@example.net>... Spam is not relayed here; see relaying denied FAQ", rejected, relaylens.ReasonRecipientPolicy).
			said(550, "5.7.1", "Spam is not relayed here; see relaying denied FAQ"),
	})
}

func TestDelayChecks(t *testing.T) {
	missing := rcptCase("553 5.1.8 <b@example.net>... Domain of sender address a@nx.example does not exist", verify, relaylens.ReasonDomainNotFound).
		said(553, "5.1.8", "Domain of sender address a@nx.example does not exist").sender("a@nx.example")
	failed := rcptCase("451 4.1.8 Domain of sender address a@nx.example does not resolve", verify, relaylens.ReasonDomainTempfail).
		said(451, "4.1.8", "Domain of sender address a@nx.example does not resolve").sender("a@nx.example")
	missing.want.Hold, failed.want.Hold = false, false
	run(t, []read{missing, failed})
}

func TestCheckMail(t *testing.T) {
	mail := func(text string, kind relaylens.Kind, reason relaylens.Reason) read {
		return refused(pre+"ruleset=check_mail, arg1=<a@example.org>, relay=[IPv6:2001:db8:0:0:0:0:0:5], reject="+text,
			id, kind, reason, relaylens.StageMail).client("", "2001:db8::5").sender("a@example.org")
	}
	run(t, []read{
		mail("553 5.1.8 <a@example.org>... Domain of sender address a@example.org does not exist", verify, relaylens.ReasonDomainNotFound).
			said(553, "5.1.8", "Domain of sender address a@example.org does not exist"),
		mail("451 4.1.8 Domain of sender address a@example.org does not resolve", verify, relaylens.ReasonDomainTempfail).
			said(451, "4.1.8", "Domain of sender address a@example.org does not resolve"),
		mail("553 5.5.4 <a@example.org>... Domain name required for sender address a", rejected, relaylens.ReasonSenderPolicy).
			said(553, "5.5.4", "Domain name required for sender address a"),
		mail("553 5.5.4 <a@example.org>... Real domain name required for sender address", rejected, relaylens.ReasonSenderPolicy).
			said(553, "5.5.4", "Real domain name required for sender address"),
		mail("550 5.7.1 <a@example.org>... Access denied", rejected, relaylens.ReasonSenderPolicy).said(550, "5.7.1", "Access denied"),
		mail("550 5.7.1 <a@example.org>... Relaying denied to spammers", rejected, relaylens.ReasonSenderPolicy).said(550, "5.7.1", "Relaying denied to spammers"),
	})
}

func TestActions(t *testing.T) {
	warn := refused("sm-mta[4321]: ruleset=trust_auth, arg1=joe@example.com, relay=[203.0.113.9], reject=550 5.7.1 <joe@example.com>... not authorized",
		"", rejected, relaylens.ReasonSenderLoginMismatch, relaylens.StageMail).client("", "203.0.113.9").said(550, "5.7.1", "not authorized")
	warn.want.Event.Action = relaylens.ActionWarn
	hold := refused(pre+"ruleset=check_mail, arg1=<>, relay=[203.0.113.9], quarantine=looks odd",
		id, rejected, relaylens.ReasonSenderPolicy, relaylens.StageMail).client("", "203.0.113.9").sender("").said(0, "", "looks odd")
	hold.want.Event.Action = relaylens.ActionHold
	discard := refused(pre+"ruleset=check_rcpt, arg1=<b@example.net>, relay=[203.0.113.9], discard",
		id, rejected, relaylens.ReasonRecipientPolicy, relaylens.StageRcpt).client("", "203.0.113.9").rcpt("b@example.net").held()
	discard.want.Event.Action = relaylens.ActionDiscard
	run(t, []read{warn, hold, discard})
}

func TestOtherRulesets(t *testing.T) {
	run(t, []read{
		refused("sm-mta[4321]: ruleset=check_relay, arg1=host.example.com, arg2=203.0.113.9, relay=host.example.com [203.0.113.9], reject=421 4.3.2 Connection rate limit exceeded.",
			"", rejected, relaylens.ReasonRateLimit, relaylens.StageConnect).client("host.example.com", "203.0.113.9").said(421, "4.3.2", "Connection rate limit exceeded."),
		// arg2 is what the blocklist answered. The greeting is 220; MAIL gets the answer.
		refused("sm-mta[4321]: ruleset=check_relay, arg1=[203.0.113.9], arg2=127.0.0.4, relay=[203.0.113.9], reject=550 5.7.1 Rejected: 203.0.113.9 listed at bl.example",
			"", rejected, relaylens.ReasonDNSBL, relaylens.StageMail).client("", "203.0.113.9").said(550, "5.7.1", "Rejected: 203.0.113.9 listed at bl.example"),
		refused("sm-mta[4321]: ruleset=check_relay, arg1=x.example, arg2=203.0.113.9, relay=x.example [203.0.113.9] (may be forged), reject=550 5.7.1 Access denied",
			"", rejected, relaylens.ReasonClientPolicy, relaylens.StageMail).client("", "203.0.113.9").said(550, "5.7.1", "Access denied"),
		refused("sm-mta[4321]: ruleset=check_relay, arg1=[203.0.113.9], arg2=203.0.113.9, relay=[203.0.113.9], reject=451 4.3.0 Temporary system failure. Please try again later.",
			"", rejected, relaylens.ReasonResources, relaylens.StageMail).client("", "203.0.113.9").said(451, "4.3.0", "Temporary system failure. Please try again later.").lacks(relaylens.HelperTable, "check_relay"),
		refused("sm-mta[4321]: ruleset=check_relay, arg1=[203.0.113.9], arg2=203.0.113.9, relay=[203.0.113.9], reject=451 4.3.0 Temporary lookup failure",
			"", rejected, relaylens.ReasonResources, relaylens.StageMail).client("", "203.0.113.9").said(451, "4.3.0", "Temporary lookup failure").lacks(relaylens.HelperTable, "check_relay"),
		refused("sm-mta[4321]: ruleset=check_relay, arg1=[203.0.113.9], arg2=203.0.113.9, relay=[203.0.113.9], reject=451 Temporary lookup failure of 203.0.113.9 at bl.example",
			"", rejected, relaylens.ReasonDNSBL, relaylens.StageMail).client("", "203.0.113.9").said(451, "", "Temporary lookup failure of 203.0.113.9 at bl.example"),
		refused("sm-mta[4321]: ruleset=check_vrfy, arg1=root, relay=[203.0.113.9], reject=550 5.7.1 Access denied",
			"", rejected, relaylens.ReasonClientPolicy, relaylens.StageVrfy).client("", "203.0.113.9").said(550, "5.7.1", "Access denied"),
		refused("sm-mta[4321]: ruleset=check_etrn, arg1=example.com, relay=[203.0.113.9], reject=550 5.7.1 Access denied",
			"", rejected, relaylens.ReasonClientPolicy, relaylens.StageEtrn).client("", "203.0.113.9").said(550, "5.7.1", "Access denied"),
		refused("sm-mta[4321]: ruleset=tls_client, arg1=NO, arg2=MAIL, relay=[203.0.113.9], reject=403 4.7.0 encryption too weak 0 less than 112",
			"", rejected, relaylens.ReasonTLSRequired, relaylens.StageMail).client("", "203.0.113.9").said(403, "4.7.0", "encryption too weak 0 less than 112"),
		refused("sm-mta[4321]: ruleset=tls_client, arg1=FAIL, arg2=STARTTLS, relay=[203.0.113.9], reject=454 4.7.0 authentication failed",
			"", rejected, relaylens.ReasonTLSRequired, relaylens.StageMail).client("", "203.0.113.9").said(454, "4.7.0", "authentication failed"),
		refused(pre+"ruleset=check_rcpt, arg1=<b@example.net>, relay=[203.0.113.9], reject=454 4.7.0 authentication required",
			id, rejected, relaylens.ReasonTLSRequired, relaylens.StageRcpt).client("", "203.0.113.9").rcpt("b@example.net").said(454, "4.7.0", "authentication required").held(),
		refused(pre+"ruleset=CheckSubject, arg1=I LOVE YOU, relay=host.example.com [203.0.113.9], reject=553 5.0.0 no",
			id, rejected, relaylens.ReasonContent, relaylens.StageEOD).client("host.example.com", "203.0.113.9").said(553, "5.0.0", "no").held(),
		refused(pre+"ruleset=check_eoh, arg1=12, arg2=1024, relay=[203.0.113.9], reject=550 5.7.1 no",
			id, rejected, relaylens.ReasonContent, relaylens.StageEOD).client("", "203.0.113.9").said(550, "5.7.1", "no").held(),
		refused(pre+"ruleset=check_compat, arg1=<a@example.org>, arg2=<b@example.net>, relay=[203.0.113.9], reject=550 5.7.1 no",
			id, rejected, relaylens.ReasonRecipientPolicy, relaylens.StageNone).client("", "203.0.113.9").said(550, "5.7.1", "no").
			sender("a@example.org").rcpt("b@example.net"),
		refused(pre+"ruleset=check_rcpt, arg1=b, relay=joe@localhost, reject=550 5.7.1 b... Relaying denied",
			id, denied, 0, relaylens.StageRcpt).rcpt("b").said(550, "5.7.1", "Relaying denied").held(),
	})
}

// TestHostileArguments are addresses and names that imitate the rest of the line.
func TestHostileArguments(t *testing.T) {
	forge := `"a, relay=good.example.com [192.0.2.66], reject=550 x"@example.net`
	long := strings.Repeat("W", 100)
	lost := refused(pre+`ruleset=check_rcpt, arg1=<"`+long+"..."+long+`">, relay=good.example.com [192.0.2.66], reject=550 x"@example.net>, relay=host.example.com [203.0.113.9], reject=550 5.7.1 <b>... Relaying denied`,
		id, denied, 0, relaylens.StageRcpt).rcpt(`"`+long+"..."+long+`"`).said(0, "", "Relaying denied").held()
	lost.want.Tainted = true
	comment := `(", relay=good.example.com [192.0.2.66], reject=550 5.7.1 z)x@nx.example`
	run(t, []read{
		refused(pre+"ruleset=check_rcpt, arg1=<"+forge+">, relay=host.example.com [203.0.113.9], reject=550 5.7.1 <"+forge+">... Relaying denied",
			id, denied, 0, relaylens.StageRcpt).client("host.example.com", "203.0.113.9").rcpt(forge).said(550, "5.7.1", "Relaying denied").held(),
		// Sendmail doubles the backslash that quotes the quote.
		refused(pre+`ruleset=check_rcpt, arg1=<"a\\">, relay=[192.0.2.66], reject=550 x"@example.net>, relay=[203.0.113.9], reject=550 5.7.1 <"a\\">, relay=[192.0.2.66], reject=550 x"@example.net>... Relaying denied`,
			id, denied, 0, relaylens.StageRcpt).client("", "203.0.113.9").rcpt(`"a\">, relay=[192.0.2.66], reject=550 x"@example.net`).said(550, "5.7.1", "Relaying denied").held(),
		// 8-bit characters are logged as such in the argument and stripped in the answer.
		refused(pre+`ruleset=check_rcpt, arg1=<\303\261@example.net>, relay=[203.0.113.9], reject=550 5.7.1 <C1@example.net>... Relaying denied`,
			id, denied, 0, relaylens.StageRcpt).client("", "203.0.113.9").rcpt("ñ@example.net").said(550, "5.7.1", "Relaying denied").held(),
		refused(pre+`ruleset=check_mail, arg1=<"x>... Relaying denied"@nx.example>, relay=[203.0.113.9], reject=553 5.1.8 <"x>... Relaying denied"@nx.example>... Domain of sender address "x>... Relaying denied"@nx.example does not exist`,
			id, verify, relaylens.ReasonDomainNotFound, relaylens.StageMail).client("", "203.0.113.9").sender(`"x>... Relaying denied"@nx.example`).
			said(553, "5.1.8", `Domain of sender address "x>... Relaying denied"@nx.example does not exist`),
		lost,
		// Comments are logged, too, and a quote in one is none.
		refused(pre+"ruleset=check_mail, arg1=<"+comment+">, relay=[203.0.113.9], reject=553 5.1.8 <"+comment+">... Domain of sender address <x@nx.example> does not exist",
			id, verify, relaylens.ReasonDomainNotFound, relaylens.StageMail).client("", "203.0.113.9").sender("x@nx.example").
			said(553, "5.1.8", "Domain of sender address <x@nx.example> does not exist"),
		refused(pre+"ruleset=check_mail, arg1="+comment+", relay=[203.0.113.9], reject=553 5.1.8 "+comment+"... Domain of sender address x@nx.example does not exist",
			id, verify, relaylens.ReasonDomainNotFound, relaylens.StageMail).client("", "203.0.113.9").sender("x@nx.example").
			said(553, "5.1.8", "Domain of sender address x@nx.example does not exist"),
		refused(pre+`ruleset=check_mail, arg1=<x\\"y@nx.example>, relay=[203.0.113.9], reject=553 5.1.8 <x\\"y@nx.example>... Domain of sender address <x"y@nx.example> does not exist`,
			id, verify, relaylens.ReasonDomainNotFound, relaylens.StageMail).client("", "203.0.113.9").sender(`x\"y@nx.example`).
			said(553, "5.1.8", `Domain of sender address <x"y@nx.example> does not exist`),
	})
}

// TestLongAddress has an address that the answer shortens in the middle, and
// whose end the ruleset's text loses.
func TestLongAddress(t *testing.T) {
	long := `"` + strings.Repeat("x", 99) + `>... Relaying denied` + strings.Repeat("y", 104) + `"@nx.example`
	echo := ("<" + long + ">")[:100] + "..." + (long + ">")[len(long)-99:] + "... "
	text := "Domain of sender address <" + long[1:222]
	run(t, []read{
		refused(pre+"ruleset=check_mail, arg1=<"+long+">, relay=[203.0.113.9], reject=553 5.1.8 "+echo+text,
			id, verify, relaylens.ReasonDomainNotFound, relaylens.StageMail).client("", "203.0.113.9").sender(long).said(553, "5.1.8", text),
		refused(pre+"ruleset=check_mail, arg1=<"+long+">, relay=[203.0.113.9], reject=451 4.1.8 "+text,
			id, verify, relaylens.ReasonDomainTempfail, relaylens.StageMail).client("", "203.0.113.9").sender(long).said(451, "4.1.8", text),
		refused(pre+"ruleset=check_rcpt, arg1=<"+long+">, relay=[203.0.113.9], reject=550 5.7.1 "+echo+"Access denied",
			id, rejected, relaylens.ReasonRecipientPolicy, relaylens.StageRcpt).client("", "203.0.113.9").rcpt(long).said(550, "5.7.1", "Access denied").held(),
	})
}

// TestHostileHeader has the value of a header hold what follows it, in the words
// that a refused sender's answer has.
func TestHostileHeader(t *testing.T) {
	value := "<x>, relay=good.example.com [192.0.2.66], reject=550 5.7.1 a sender address y"
	c := refused(pre+"ruleset=CheckSubject, arg1="+value+", relay=host.example.com [203.0.113.9], reject=550 5.7.1 no thanks",
		id, rejected, relaylens.ReasonContent, relaylens.StageEOD).said(0, "", "no thanks").held()
	c.want.Tainted = true
	run(t, []read{c})
}

func TestHostileBareArguments(t *testing.T) {
	c := refused("sm-mta[4321]: ruleset=check_vrfy, arg1=x, relay=good.example.com [192.0.2.66], reject=550 5.7.1 no, relay=[203.0.113.9], reject=550 5.7.1 Access denied",
		"", rejected, relaylens.ReasonClientPolicy, relaylens.StageVrfy).said(0, "", "Access denied")
	c.want.Tainted = true
	ptr := refused("sm-mta[4321]: 502345AB004321: ruleset=check_rcpt, arg1=<b@example.net>, relay=evil [192.0.2.66], reject=550 5.7.1 y [203.0.113.9], reject=550 5.7.1 <b@example.net>... Relaying denied",
		id, denied, 0, relaylens.StageRcpt).rcpt("b@example.net").said(0, "", "Relaying denied").held()
	ptr.want.Tainted = true
	run(t, []read{c, ptr})
}
