package sendmail

import (
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

func (r read) held5xx() read { return r.held().class(relaylens.Class5xx) }

func TestWithoutRuleset(t *testing.T) {
	rcpt := func(line string, reason relaylens.Reason) read {
		return refused(pre+line, id, rejected, reason, relaylens.StageRcpt)
	}
	unknown := relaylens.ReasonUnknownRecipient
	run(t, []read{
		rcpt("<x@example.com>... User unknown", unknown).rcpt("x@example.com").said(0, "", "User unknown").held5xx(),
		rcpt("<x@example.com>... No such virtual user", unknown).rcpt("x@example.com").said(0, "", "No such virtual user").held5xx(),
		rcpt("550 5.1.1 <x@example.com>... User unknown", unknown).rcpt("x@example.com").said(550, "5.1.1", "User unknown").held(),
		rcpt("<x@nx.example>... Host unknown (Name server: nx.example.: host not found)", relaylens.ReasonUnknownDomain).
			rcpt("x@nx.example").said(0, "", "Host unknown (Name server: nx.example.: host not found)").held5xx(),
		rcpt("<x;y@example.com>... Invalid route address", relaylens.ReasonAddressSyntax).rcpt("x;y@example.com").said(0, "", "Invalid route address").held5xx(),
		rcpt("<"+strings.Repeat("W", 99)+"..."+strings.Repeat("W", 99)+"@example.com>... prescan: token too long", relaylens.ReasonAddressSyntax).
			rcpt(strings.Repeat("W", 99)+"..."+strings.Repeat("W", 99)+"@example.com").said(0, "", "prescan: token too long").held5xx(),
		rcpt(`<"a>... User unknown"@example.com>... Temporary failure, try again`, relaylens.ReasonRecipientPolicy).
			rcpt(`"a>... User unknown"@example.com`).said(0, "", "Temporary failure, try again").held().class(relaylens.Class4xx),
		rcpt("Too many recipients", relaylens.ReasonRateLimit).said(0, "", "Too many recipients").held().class(relaylens.Class4xx),
		rcpt("Recipient names must be specified", relaylens.ReasonAddressSyntax).said(0, "", "Recipient names must be specified").held5xx(),
		rcpt(`Syntax error in parameters scanning "TO"`, relaylens.ReasonAddressSyntax).said(0, "", `Syntax error in parameters scanning "TO"`).held5xx(),
		rcpt(`Bad argument "x... User unknown"  to NOTIFY`, relaylens.ReasonProtocol).said(0, "", `Bad argument "x... User unknown"  to NOTIFY`).held5xx(),
		rcpt("Address too long (255 bytes max)", relaylens.ReasonAddressSyntax).said(0, "", "Address too long (255 bytes max)").held5xx(),
		rcpt("only one RCPT domain allowed", relaylens.ReasonRecipientPolicy).said(0, "", "only one RCPT domain allowed").held().class(relaylens.Class4xx),
		rcpt("aliasing/forwarding loop broken (11 aliases deep; 10 max)", relaylens.ReasonRecipientPolicy).
			said(0, "", "aliasing/forwarding loop broken (11 aliases deep; 10 max)").held5xx(),
		refused(pre+"low on space (host.example.com needs 90000 bytes + 100 blocks in /var/spool/mqueue), max avail: 99", id, rejected, relaylens.ReasonResources, relaylens.StageMail).
			said(0, "", "low on space (host.example.com needs 90000 bytes + 100 blocks in /var/spool/mqueue), max avail: 99").class(relaylens.Class4xx).ofDisk(),
		refused("sm-mta[4321]: ERROR: srv_features=tempfail, relay=host.example.com [203.0.113.9], access temporarily disabled", "", rejected, relaylens.ReasonResources, relaylens.StageMail).
			client("host.example.com", "203.0.113.9").said(0, "", "access temporarily disabled").class(relaylens.Class4xx),
		rcpt("FOO parameter unrecognized", relaylens.ReasonProtocol).said(0, "", "FOO parameter unrecognized").held5xx(),
		rcpt("<b@example.com... Unbalanced '<'", relaylens.ReasonAddressSyntax).rcpt("b@example.com").said(0, "", "Unbalanced '<'").held5xx(),
		rcpt(`<"b@example.com>... Unbalanced '"'`, relaylens.ReasonAddressSyntax).rcpt(`"b@example.com`).said(0, "", `Unbalanced '"'`).held5xx(),
	})
}

func TestSessions(t *testing.T) {
	open := func(line string, kind relaylens.Kind, fact relaylens.Fact, id string) read {
		return read{line, relaylens.Record{Fact: fact, Event: relaylens.Event{Kind: kind, QueueID: id}}}.client("host.example.com", "203.0.113.9")
	}
	connection := relaylens.KindConnection
	run(t, []read{
		open("sm-mta[4321]: NOQUEUE: connect from host.example.com [203.0.113.9]", connection, relaylens.FactSession, ""),
		open("sm-mta[4321]: STARTTLS=server, relay=host.example.com [203.0.113.9], version=TLSv1.3, verify=NO, cipher=TLS_AES_256_GCM_SHA384, bits=256/256",
			relaylens.KindNone, relaylens.FactSession, ""),
		open("sm-mta[4321]: STARTTLS=server, error: accept failed=0, reason=unknown, SSL_error=5, errno=0, retry=-1, relay=host.example.com [203.0.113.9]",
			relaylens.KindNone, relaylens.FactSession, ""),
		open(pre+"host.example.com [203.0.113.9] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA", connection, relaylens.FactSessionEnd, id),
		open(pre+"lost input channel from host.example.com [203.0.113.9] to MTA after rcpt", connection, relaylens.FactSessionEnd, id),
		// What stands before the address may imitate its end, or a keyword.
		open(pre+`x]I=[192.0.2.66]: [203.0.113.9] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA`, connection, relaylens.FactSessionEnd, id).client("", "203.0.113.9"),
		open(pre+`from=x [203.0.113.9] (may be forged) did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA`, connection, relaylens.FactSessionEnd, id).client("", "203.0.113.9"),
		open(pre+`joe@host.example.com [203.0.113.9] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA`, connection, relaylens.FactSessionEnd, id),
		open(pre+`joe@[203.0.113.9] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA`, connection, relaylens.FactSessionEnd, id).client("", "203.0.113.9"),
		open(pre+`host.example.com [198.51.100.1@198.51.100.2:198.51.100.3] [203.0.113.9] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA`,
			connection, relaylens.FactSessionEnd, id).client("", "203.0.113.9"),
		read{pre + "lost input channel from [IPv6:2001:db8:0:0:0:0:0:5] to MTA after startup",
			relaylens.Record{Fact: relaylens.FactSessionEnd, Event: relaylens.Event{Kind: connection, QueueID: id}}}.client("", "2001:db8::5"),
		open(pre+"timeout waiting for input from host.example.com [203.0.113.9] during server cmd read", connection, relaylens.FactSessionEnd, id),
		open(pre+"host.example.com [203.0.113.9]: possible SMTP attack: command=AUTH, count=4", relaylens.KindNone, relaylens.FactMessage, id),
		open(pre+"host.example.com [203.0.113.9]: possible SMTP attack: command=MAIL FROM, count=9", relaylens.KindNone, relaylens.FactMessage, id),
		open(pre+"host.example.com [203.0.113.9]: Possible SMTP RCPT flood, throttling.", relaylens.KindNone, relaylens.FactMessage, id),
		{pre + "done; delay=00:00:00, ntries=1", relaylens.Record{Fact: relaylens.FactMessageEnd, Event: relaylens.Event{QueueID: id}}},
		{pre + "502345AC004321: DSN: User unknown", relaylens.Record{Fact: relaylens.FactChild, Child: "502345AC004321", Event: relaylens.Event{QueueID: id}}},
		{pre + "502345AC004321: sender notify: Warning: could not send message for past 4 hours",
			relaylens.Record{Fact: relaylens.FactChild, Child: "502345AC004321", Event: relaylens.Event{QueueID: id}}},
		{pre + "502345AC004321: clone: owner=owner-list@example.com",
			relaylens.Record{Fact: relaylens.FactChild, Child: "502345AC004321", Event: relaylens.Event{QueueID: id}}},
		{"sm-mta[4321]: 502345AC004321: clone of " + id + ", owner=owner-list@example.com",
			relaylens.Record{Fact: relaylens.FactChild, Child: "502345AC004321", Event: relaylens.Event{QueueID: id}}},
		broken(`sm-mta[4321]: NOQUEUE: SYSERR(root): hash map "access": missing map file /etc/mail/access.db: No such file or directory`, "",
			`hash map "access": missing map file /etc/mail/access.db: No such file or directory`).lacks(relaylens.HelperTable, "access"),
		broken(`sm-mta[4321]: NOQUEUE: SYSERR(root): ldap_init/ldap_bind failed to 127.0.0.1 in map access: Transport endpoint is not connected`, "",
			`ldap_init/ldap_bind failed to 127.0.0.1 in map access: Transport endpoint is not connected`).lacks(relaylens.HelperTable, "access"),
	})
}

func TestEnvelopes(t *testing.T) {
	from := func(line string, kind relaylens.Kind) read {
		return read{pre + line, relaylens.Record{Fact: relaylens.FactMessage, Event: relaylens.Event{QueueID: id, Kind: kind}}}
	}
	proto := func(r read, p string) read { r.want.Event.Proto = p; return r }
	accepted, none := relaylens.KindAccepted, relaylens.KindNone
	run(t, []read{
		proto(from("from=<a@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=host.example.com [203.0.113.9]", none), "ESMTP").
			sender("a@example.org").client("host.example.com", "203.0.113.9"),
		// RCPT was accepted, and then the client went away.
		proto(from("from=<a@example.org>, size=0, class=0, nrcpts=1, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]", none), "ESMTP").
			sender("a@example.org").client("", "203.0.113.9"),
		proto(from("from=<>, size=166, class=0, nrcpts=2, msgid=<1@example.org>, proto=ESMTPSA, daemon=MTA, relay=host.example.com [203.0.113.9] (may be forged)", accepted), "ESMTPSA").
			sender("").client("", "203.0.113.9"),
		from("from=joe, size=166, class=0, nrcpts=2, msgid=<1@example.org>, relay=joe@localhost", accepted).sender("joe"),
		from("from=<>, size=166, class=-60, nrcpts=1, msgid=<1@example.org>, relay=[RESPONSE]", none).sender(""),
		from("from=<NONE>, size=0, class=0, nrcpts=0, relay=[203.0.113.9]", none).client("", "203.0.113.9"),
		from("from=<a@example.org>, size=1, class=0, nrcpts=1, msgid=<1@example.org>, relay=host.example.com (203.0.113.9)", accepted).
			sender("a@example.org").client("", "203.0.113.9"),
		// Sender and Message-Id are the client's text.
		proto(from(`from=<"a>, size=9, class=0, nrcpts=9, relay=good.example.com [192.0.2.66]"@example.org>, size=0, class=0, nrcpts=0, proto=SMTP, daemon=MTA, relay=[203.0.113.9]`, none), "SMTP").
			sender(`"a>, size=9, class=0, nrcpts=9, relay=good.example.com [192.0.2.66]"@example.org`).client("", "203.0.113.9"),
		from("from=<a@example.org>, size=9, class=0, nrcpts=1, msgid=<x>, proto=FAKE, relay=[192.0.2.66], relay=[203.0.113.9]", accepted).
			sender("a@example.org").client("", "203.0.113.9"),
		proto(from(`from=<\303\251@example.org>, size=0, class=0, nrcpts=0, bodytype=8BITMIME, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]`, none), "ESMTP").
			sender("é@example.org").client("", "203.0.113.9"),
		// A sender may look like a line that begins with a host name.
		proto(from(`from=<"x [192.0.2.66]: VRFY y"@example.org>, size=0, class=0, nrcpts=0, proto=SMTP, daemon=MTA, relay=[203.0.113.9]`, none), "SMTP").
			sender(`"x [192.0.2.66]: VRFY y"@example.org`).client("", "203.0.113.9"),
		proto(from(`from="x [192.0.2.66]: VRFY y"@example.org, size=0, class=0, nrcpts=0, proto=SMTP, daemon=MTA, relay=[203.0.113.9]`, none), "SMTP").
			sender(`"x [192.0.2.66]: VRFY y"@example.org`).client("", "203.0.113.9"),
		proto(from(`from=x\\\\(y [192.0.2.66]: VRFY)z@example.org, size=0, class=0, nrcpts=0, proto=SMTP, daemon=MTA, relay=[203.0.113.9]`, none), "SMTP").
			sender(`x\\(y [192.0.2.66]: VRFY)z@example.org`).client("", "203.0.113.9"),
		proto(from(`from=x\t(y [192.0.2.66]: VRFY)z@example.org, size=0, class=0, nrcpts=0, proto=SMTP, daemon=MTA, relay=[203.0.113.9]`, none), "SMTP").
			sender("x\t(y [192.0.2.66]: VRFY)z@example.org").client("", "203.0.113.9"),
		// It is logged as it was typed, and a quote in a comment is none.
		proto(from(`from=<(", size=9, class=0, nrcpts=9, msgid=<z>)x@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, relay=[203.0.113.9]`, none), "ESMTP").
			sender("x@example.org").client("", "203.0.113.9"),
		proto(from(`from="A. User"<a@example.org>(c "d), size=0, class=0, nrcpts=0, proto=ESMTP, relay=[203.0.113.9]`, none), "ESMTP").
			sender("a@example.org").client("", "203.0.113.9"),
		// A sender is cut at 200 characters.
		proto(from(`from=<"`+strings.Repeat("a", 198)+", size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]", none), "ESMTP").
			client("", "203.0.113.9"),
	})
}

// at is r with another stage.
func at(r read, stage relaylens.Stage) read { r.want.Event.Stage = stage; return r }

func TestMilter(t *testing.T) {
	filter := func(line string, stage relaylens.Stage) read {
		r := refused(pre+"Milter: "+line, id, rejected, relaylens.ReasonMilter, stage).held()
		r.want.Filtered = stage == relaylens.StageRcpt
		return r
	}
	greylisted := refused(pre+"Milter: to=<b@example.net>, reject=451 4.7.1 Greylisting in action", id, rejected, relaylens.ReasonGreylist, relaylens.StageRcpt).
		rcpt("b@example.net").said(451, "4.7.1", "Greylisting in action").held()
	greylisted.want.Filtered = true
	discarded := filter("data, discard", relaylens.StageEOD)
	discarded.want.Event.Action = relaylens.ActionDiscard
	quarantined := refused(pre+"milter=spamd, quarantine=looks odd", id, rejected, relaylens.ReasonMilter, relaylens.StageEOD).said(0, "", "looks odd")
	quarantined.want.Event.Action = relaylens.ActionHold
	helo := filter("helo=x, reject=550 y, reject=550 5.7.1 no", relaylens.StageMail).said(550, "5.7.1", "no")
	helo.want.Event.Helo = "x, reject=550 y"
	detail := refused(pre+"Milter: data, reject=554 5.7.1 Virus found", id, relaylens.KindNone, relaylens.ReasonMilter, relaylens.StageEOD).said(554, "5.7.1", "Virus found")
	detail.want.Fact = relaylens.FactDetail
	thrownOut := filter("helo=pc, reject=421 4.7.0 go", relaylens.StageHelo).said(421, "4.7.0", "go")
	thrownOut.want.Event.Helo = "pc"
	before := filter("cmd=data, discard", relaylens.StageData)
	before.want.Event.Action = relaylens.ActionDiscard
	connect := func(line string, class relaylens.Class) read {
		r := filter("connect: host="+line, relaylens.StageConnect).client("", "203.0.113.9").class(class)
		r.want.Hold = false
		return r
	}
	run(t, []read{
		filter("from=<a@example.org>, reject=550 5.7.1 Command rejected", relaylens.StageMail).sender("a@example.org").said(550, "5.7.1", "Command rejected"),
		filter("to=<b@example.net>, reject=451 4.3.2 Please try again later", relaylens.StageRcpt).rcpt("b@example.net").said(451, "4.3.2", "Please try again later").lacks(relaylens.HelperMilter, ""),
		filter(`to=<"b, reject=250 x"@example.net>, reject=550 5.7.1 no`, relaylens.StageRcpt).rcpt(`"b, reject=250 x"@example.net`).said(550, "5.7.1", "no"),
		filter("to=<b@example.net>, reject=421, errormode=4", relaylens.StageRcpt).rcpt("b@example.net").said(421, "", ""),
		filter("cmd=data, reject=550 5.7.1 Command rejected", relaylens.StageData).said(550, "5.7.1", "Command rejected"),
		greylisted, discarded, quarantined, helo, detail, thrownOut, before,
		connect("x, addr=203.0.113.9, shutdown=421 4.7.1 go away", relaylens.ClassNone).said(421, "4.7.1", "go away"),
		at(connect("x, addr=203.0.113.9, temp failing commands=451 4.7.1 not yet", relaylens.ClassNone).said(451, "4.7.1", "not yet"), relaylens.StageMail),
		connect("host.example.com, addr=203.0.113.9, reject=550 5.7.1 no", relaylens.ClassNone).said(550, "5.7.1", "no"),
		connect("x, addr=192.0.2.66, rejecting commands, addr=203.0.113.9, rejecting commands", relaylens.Class5xx).said(0, "", "rejecting commands").lacks(relaylens.HelperMilter, ""),
		at(connect("[203.0.113.9], addr=203.0.113.9, temp failing commands", relaylens.Class4xx).said(0, "", "temp failing commands").lacks(relaylens.HelperMilter, ""), relaylens.StageMail),
		filter("initialization failed, temp failing commands", relaylens.StageMail).said(0, "", "initialization failed, temp failing commands").class(relaylens.Class4xx).lacks(relaylens.HelperMilter, ""),
		filter("initialization failed, rejecting commands", relaylens.StageConnect).said(0, "", "initialization failed, rejecting commands").class(relaylens.Class5xx).lacks(relaylens.HelperMilter, ""),
		filter("initialization failed, closing connection", relaylens.StageConnect).said(0, "", "initialization failed, closing connection").class(relaylens.Class4xx).lacks(relaylens.HelperMilter, ""),
		broken(pre+"Milter (spf): error connecting to filter: Connection refused by /run/spf.sock", id, "(spf): error connecting to filter: Connection refused by /run/spf.sock").lacks(relaylens.HelperMilter, "spf"),
		broken(pre+"Milter (spf): to error state", id, "(spf): to error state").lacks(relaylens.HelperMilter, "spf"),
		broken(pre+"Milter (spf): timeout before data read, where=eom", id, "(spf): timeout before data read, where=eom").lacks(relaylens.HelperMilter, "spf"),
	})
}

// What a filter said of the session is counted with its own line; those of the
// commands that are refused for it tell whom it concerns.
func TestTempfailed(t *testing.T) {
	of := func(id, line string) read {
		if id != "" {
			line = id + ": " + line
		}
		return read{"sm-mta[4321]: " + line, relaylens.Record{Fact: relaylens.FactMessage, Event: relaylens.Event{QueueID: id}}}.client("host.example.com", "203.0.113.9")
	}
	told := func(command string) read {
		return of(id, "SMTP "+command+" from host.example.com [203.0.113.9] tempfailed (due to previous checks)")
	}
	long := strings.Repeat("a", 99)
	run(t, []read{
		told("AUTH command (PLAIN AGEAYg==)"),
		told("STARTTLS command ()"),
		told("VRFY command (root)"),
		told("EXPN command (<list@example.com>)"),
		told("ETRN command (@example.com)"),
		told("MAIL command (<a@example.org> SIZE=100)").sender("a@example.org"),
		told("MAIL command (<a@example.org>)").sender("a@example.org"),
		told("MAIL command (a@example.org)").sender("a@example.org"),
		told("MAIL command (<>)").sender(""),
		told("MAIL command ()"),
		of("", "SMTP MAIL command (<a@example.org>) from host.example.com [203.0.113.9] tempfailed (due to previous checks)").sender("a@example.org"),
		// The argument is the client's text, cut at 100 characters.
		told("MAIL command (<" + long + ")"),
		told("MAIL command (" + long + "a)"),
		told("MAIL command (<" + long[9:] + "@x.org> B)").sender(long[9:] + "@x.org"),
		told(`MAIL command (<") from a [192.0.2.66] tempfailed (due to previous checks)"@example.org>)`).sender(`") from a [192.0.2.66] tempfailed (due to previous checks)"@example.org`),
		told(`MAIL command (<a\\\303\251@example.org>)`).sender(`a\é@example.org`),
	})
}

func TestOtherRefusals(t *testing.T) {
	line := func(text string, reason relaylens.Reason, stage relaylens.Stage) read {
		return refused(pre+text, id, rejected, reason, stage)
	}
	bad := line("invalid domain name (x) from good.example.com [192.0.2.66]) from host.example.com [203.0.113.9]", relaylens.ReasonHelo, relaylens.StageHelo).
		client("host.example.com", "203.0.113.9").said(0, "", "invalid domain name").class(relaylens.Class5xx)
	bad.want.Event.Helo = "x) from good.example.com [192.0.2.66]"
	run(t, []read{
		line("rejecting commands from host.example.com [203.0.113.9] due to pre-greeting traffic after 0 seconds", relaylens.ReasonProtocol, relaylens.StageConnect).
			client("", "203.0.113.9").said(0, "", "due to pre-greeting traffic after 0 seconds").class(relaylens.Class5xx),
		line("rejecting server EHLO from host.example.com [203.0.113.9] due to traffic before response", relaylens.ReasonProtocol, relaylens.StageHelo).
			client("", "203.0.113.9").said(0, "", "due to traffic before response").class(relaylens.Class5xx),
		line("tcpwrappers (host.example.com, 203.0.113.9) rejection", relaylens.ReasonClientPolicy, relaylens.StageConnect).client("", "203.0.113.9").class(relaylens.Class5xx),
		line("host.example.com [203.0.113.9]: EXPN list [rejected]", relaylens.ReasonClientPolicy, relaylens.StageVrfy).
			client("host.example.com", "203.0.113.9").said(0, "", "EXPN list [rejected]").class(relaylens.Class5xx),
		line("host.example.com [203.0.113.9]: vrfy root [rejected]", relaylens.ReasonClientPolicy, relaylens.StageVrfy).
			client("host.example.com", "203.0.113.9").said(0, "", "vrfy root [rejected]"),
		line(`host.example.com [203.0.113.9]: ETRN\tx [rejected]`, relaylens.ReasonClientPolicy, relaylens.StageEtrn).
			client("host.example.com", "203.0.113.9").said(0, "", "ETRN\tx [rejected]").class(relaylens.Class5xx),
		line("x.example [203.0.113.9] (may be forged): VRFY y [192.0.2.66]: VRFY z [rejected]", relaylens.ReasonClientPolicy, relaylens.StageVrfy).
			client("", "203.0.113.9").said(0, "", "VRFY y [192.0.2.66]: VRFY z [rejected]"),
		line("[203.0.113.9]: Possible SMTP RCPT flood, shutting down connection.", relaylens.ReasonRateLimit, relaylens.StageRcpt).
			client("", "203.0.113.9").said(0, "", "Possible SMTP RCPT flood, shutting down connection.").class(relaylens.Class4xx),
		line("SYSERR(root): Out of disk space for temp file", relaylens.ReasonResources, relaylens.StageEOD).
			said(0, "", "Out of disk space for temp file").class(relaylens.Class4xx).held().ofDisk(),
		line("SYSERR(smmta): collect: Cannot write ./df502345AB004321 (bfcommit, uid=0, gid=111): Permission denied", relaylens.ReasonResources, relaylens.StageEOD).
			said(0, "", "collect: Cannot write ./df502345AB004321 (bfcommit, uid=0, gid=111): Permission denied").class(relaylens.Class4xx).held().ofDisk(),
		line(`collect: relay=host.example.com, from=<"x, info=y, where=z, status=tempfail"@example.org>, info=Bare linefeed (LF) not allowed, where=header, status=tempfail`,
			relaylens.ReasonProtocol, relaylens.StageEOD).said(0, "", "Bare linefeed (LF) not allowed").class(relaylens.Class4xx).held(),
		line("setsender: <a b@x>: invalid or unparsable, received from host.example.com [203.0.113.9]", relaylens.ReasonAddressSyntax, relaylens.StageMail).
			client("host.example.com", "203.0.113.9").sender("a b@x").said(0, "", "invalid or unparsable").class(relaylens.Class5xx),
		bad,
	})
}
