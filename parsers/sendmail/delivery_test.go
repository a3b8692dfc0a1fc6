package sendmail

import (
	"net/netip"
	"testing"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
)

// attempted is a to= line of an SMTP mailer that reached mx.example.net.
func attempted(outcome string, kind relaylens.Kind, reason relaylens.Reason, stage relaylens.Stage) read {
	c := read{line: pre + "to=<b@example.net>, ctladdr=<a@example.com> (1000/1000), delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=120000, " +
		"relay=mx.example.net. [198.51.100.25], " + outcome}
	c.want.Event = relaylens.Event{QueueID: id, Kind: kind, Reason: reason, Direction: relaylens.Outbound, Stage: stage,
		Recipient: "b@example.net", RemoteHost: "mx.example.net", RemoteIP: netip.MustParseAddr("198.51.100.25")}
	return c
}

func (r read) class(c relaylens.Class) read { r.want.Event.Class = c; return r }

func TestRemoteRefusals(t *testing.T) {
	rcpt, other := relaylens.StageRcpt, relaylens.ReasonRemoteOther
	run(t, []read{
		attempted("dsn=5.7.1, reply=554 5.7.1 <b@example.net>: Relay access denied, stat=Service unavailable", denied, 0, rcpt).
			said(554, "5.7.1", "Relay access denied"),
		attempted("dsn=5.1.1, reply=550 relay not permitted, stat=User unknown", denied, 0, rcpt).said(550, "", "relay not permitted"),
		attempted("dsn=5.1.1, reply=550-mx.example.net [192.0.2.25] is currently not permitted to, stat=User unknown", denied, 0, rcpt).
			said(550, "", "mx.example.net [192.0.2.25] is currently not permitted to"),
		attempted("dsn=5.1.1, reply=550 5.1.1 <b@example.net>... User unknown, stat=User unknown", rejected, relaylens.ReasonUnknownRecipient, rcpt).
			said(550, "5.1.1", "User unknown"),
		attempted("dsn=5.1.1, reply=550-5.1.1 The email account does not exist, stat=User unknown", rejected, relaylens.ReasonUnknownRecipient, rcpt).
			said(550, "5.1.1", "The email account does not exist"),
		attempted("dsn=4.7.1, reply=454 4.7.1 <b@example.net>: Relay access denied, stat=Deferred: 454 4.7.1 <b@example.net>: Relay access denied", denied, 0, rcpt).
			said(454, "4.7.1", "Relay access denied"),
		attempted("dsn=4.2.0, reply=450 4.2.0 <b@example.net>: Greylisted, stat=Deferred: 450 4.2.0 <b@example.net>: Greylisted", rejected, relaylens.ReasonGreylist, rcpt).
			said(450, "4.2.0", "Greylisted"),
		// The remote server's own words may imitate what follows them.
		attempted("dsn=4.7.1, reply=450 4.7.1 x, stat=Sent, stat=Deferred: 450 4.7.1 x, stat=Sent", rejected, other, rcpt).said(450, "4.7.1", "x, stat=Sent"),
		attempted("dsn=5.7.1, reply=554 5.7.1 x, stat=Sent (ok), stat=Service unavailable", rejected, other, rcpt).said(554, "5.7.1", "x, stat=Sent (ok)"),
		// The last answer was none to the recipient, whom an earlier one had refused.
		attempted("dsn=5.5.1, reply=503 5.5.1 no recipients, stat=Deferred: 421 4.7.0 too many; closing", rejected, other, rcpt).said(421, "4.7.0", "too many; closing"),
		// usersmtp.c: the status tells the command.
		attempted("dsn=5.5.0, reply=554 5.7.1 Client host [192.0.2.25] blocked using bl.example, stat=Service unavailable", rejected, relaylens.ReasonDNSBL, relaylens.StageConnect).
			said(554, "5.7.1", "Client host [192.0.2.25] blocked using bl.example"),
		attempted("dsn=5.0.0, reply=554 5.7.1 Relay access denied, stat=Service unavailable", denied, 0, relaylens.StageData).said(554, "5.7.1", "Relay access denied"),
		attempted("dsn=5.7.1, reply=550 5.7.1 no, stat=Service unavailable", rejected, other, relaylens.StageEOD).said(550, "5.7.1", "no"),
		attempted("dsn=5.7.1, reply=501 5.7.1 no, stat=Data format error", rejected, other, relaylens.StageMail).said(501, "5.7.1", "no"),
		attempted("dsn=5.7.1, reply=554 5.7.1 <a@example.com>: Sender address rejected: Access denied, stat=Service unavailable", rejected, relaylens.ReasonSenderPolicy, relaylens.StageMail).
			said(554, "5.7.1", "Sender address rejected: Access denied"),
		attempted("dsn=5.1.8, reply=550 5.1.8 no such domain, stat=Service unavailable", rejected, relaylens.ReasonRemoteOther, relaylens.StageMail).
			said(550, "5.1.8", "no such domain"),
		attempted("dsn=5.7.26, reply=550 5.7.26 this mail is not authenticated, stat=Service unavailable", rejected, other, relaylens.StageEOD).said(550, "5.7.26", "this mail is not authenticated"),
		attempted("dsn=5.7.1, reply=554 5.7.1 refused after data, stat=Service unavailable", rejected, other, relaylens.StageEOD).said(554, "5.7.1", "refused after data"),
		attempted("dsn=5.7.0, reply=530 5.7.0 Authentication required, stat=Service unavailable", rejected, relaylens.ReasonAuthRequired, relaylens.StageMail).
			said(530, "5.7.0", "Authentication required"),
		// Before 8.16.1 nothing of the answer is logged but its code, if it was 4xx.
		attempted("dsn=5.7.1, stat=Service unavailable", rejected, other, rcpt).said(0, "5.7.1", "Service unavailable").class(relaylens.Class5xx),
		attempted("dsn=5.1.1, stat=User unknown", rejected, relaylens.ReasonUnknownRecipient, rcpt).said(0, "5.1.1", "User unknown").class(relaylens.Class5xx),
		attempted("dsn=4.7.1, stat=Deferred: 450 4.7.1 try later", rejected, other, rcpt).said(450, "4.7.1", "try later"),
	})
}

func TestRemoteRefusalForms(t *testing.T) {
	const reply = "dsn=5.7.1, reply=554 5.7.1 Relay access denied, stat=Service unavailable"
	several := attempted(reply, denied, 0, relaylens.StageRcpt).said(554, "5.7.1", "Relay access denied")
	several.line = pre + `to=<"b, delay=1"@example.net>,<c@example.net> [more], delay=00:00:02, xdelay=00:00:01, mailer=relay, pri=120000, relay=mx.example.net. [198.51.100.25], ` + reply
	several.want.Event.Recipient = `"b, delay=1"@example.net`
	several.want.Event.Stage = relaylens.StageEOD // what RCPT is answered stands on a line for each
	local := attempted("", rejected, relaylens.ReasonQuota, relaylens.StageRcpt).said(452, "4.2.2", "Mailbox full")
	local.line = pre + "to=joe, ctladdr=joe (1000/1000), delay=00:00:02, xdelay=00:00:01, mailer=cyrusv2, pri=120000, relay=localhost, dsn=4.2.2, " +
		"reply=452 4.2.2 Mailbox full, stat=Deferred: 452 4.2.2 Mailbox full"
	local.want.Event.Recipient, local.want.Event.RemoteHost, local.want.Event.RemoteIP = "joe", "localhost", netip.Addr{}
	v6 := attempted("", denied, 0, relaylens.StageRcpt).said(554, "5.7.1", "Relay access denied")
	v6.line = pre + "to=<b@example.net>, delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=120000, relay=mx.example.net. [IPv6:2001:db8:0:0:0:0:0:25], " + reply
	v6.want.Event.RemoteIP = netip.MustParseAddr("2001:db8::25")
	run(t, []read{several, local, v6})
}

func TestDelivered(t *testing.T) {
	sent := attempted("dsn=2.0.0, stat=Sent (Ok: queued as 12345)", relaylens.KindDelivered, 0, 0).said(0, "2.0.0", "Ok: queued as 12345")
	sent.want.Event.Direction = relaylens.DirectionNone
	local := read{line: pre + "to=joe, ctladdr=<a@example.com> (1000/1000), delay=00:00:00, xdelay=00:00:00, mailer=local, pri=30120, dsn=2.0.0, stat=Sent"}.
		rcpt("joe").said(0, "2.0.0", "Sent")
	pipe := read{line: pre + `to="|/usr/bin/vacation joe", delay=00:00:00, xdelay=00:00:00, mailer=prog, pri=30120, dsn=2.0.0, stat=Sent`}.
		rcpt(`"|/usr/bin/vacation joe"`).said(0, "2.0.0", "Sent")
	local.want.Event.QueueID, local.want.Event.Kind = id, relaylens.KindDelivered
	pipe.want.Event.QueueID, pipe.want.Event.Kind = id, relaylens.KindDelivered
	run(t, []read{sent, local, pipe})
}

// TestEndOfMessage are the to= lines of a message refused after its data.
func TestEndOfMessage(t *testing.T) {
	eod := func(stat string, reason relaylens.Reason, class relaylens.Class) read {
		c := refused(pre+"to=<b@example.net>, delay=00:00:00, pri=30202, stat="+stat, id, rejected, reason, relaylens.StageEOD).
			rcpt("b@example.net").said(0, "", stat).class(class)
		c.want.Explained = true
		return c
	}
	run(t, []read{
		eod("Message exceeds maximum fixed size (200000)", relaylens.ReasonSize, relaylens.Class5xx),
		eod("Virus found: Eicar-Test-Signature", relaylens.ReasonContent, relaylens.Class5xx),
		eod("Please try again later", relaylens.ReasonOther, relaylens.Class4xx),
		eod("Relaying denied", relaylens.ReasonOther, relaylens.Class5xx),
	})
}

// TestRecipients is about how many recipients lines speak of; 0 is not certain.
func TestRecipients(t *testing.T) {
	const id, to = "sm-mta[4321]: 502345AB004321: ", ", delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=120000, relay=mx.example.net. [198.51.100.25], dsn="
	type told struct {
		recipients int
		subject    string
	}
	g := New(relaylens.Texts{})
	for line, want := range map[string]told{
		"from=<a@example.org>, size=10, class=0, nrcpts=3, msgid=<x@example.org>, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]": {recipients: 3},
		"from=<a@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]":                         {recipients: relaylens.Nobody},
		"to=<b@example.net>" + to + "2.0.0, stat=Sent (ok)":                                                                     {recipients: 1},
		"to=<b@example.net>,<c@example.net>,<d@example.net>" + to + "2.0.0, stat=Sent (ok)":                                     {recipients: 3},
		"to=<b@example.net>, ctladdr=<a@example.com> (1000/1000)" + to + "2.0.0, stat=Sent (ok)":                                {1, "a@example.com"},
		`to=<"b,c"@example.net>` + to + "2.0.0, stat=Sent (ok)":                                                                 {},
		"to=<b@example.net>" + to + "5.1.1, reply=550 5.1.1 <b@example.net>... User unknown, stat=User unknown":                 {recipients: 1},
		"to=<b@example.net>" + to + "4.2.0, reply=450 4.2.0 later, stat=Deferred: 450 4.2.0 later":                              {},
		"502345AC004321: DSN: User unknown":                                                                                     {recipients: 1},
		"502345AC004321: postmaster notify: User unknown":                                                                       {},
	} {
		t.Run(line, func(t *testing.T) {
			env := parsertest.Syslog(id + line)
			var rec relaylens.Record
			if v := g.Parse(&env, &rec); v != relaylens.Parsed {
				t.Fatalf("verdict %s", v)
			}
			if got := (told{rec.Recipients, rec.Subject}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}
