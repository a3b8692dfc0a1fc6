package postfix

import (
	"testing"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
)

func authFailed(reason relaylens.Reason, class relaylens.Class, e relaylens.Event) relaylens.Record {
	e.Kind, e.Direction, e.Stage, e.Reason, e.Class = relaylens.KindAuthFailed, relaylens.Inbound, relaylens.StageAuth, reason, class
	return relaylens.Record{Event: e}
}

func tainted(r relaylens.Record) relaylens.Record { r.Tainted = true; return r }

func explained(r relaylens.Record) relaylens.Record { r.Explained = true; return r }

func fact(f relaylens.Fact, e relaylens.Event) relaylens.Record {
	return relaylens.Record{Event: e, Fact: f}
}

func TestAuthentication(t *testing.T) {
	client := ip("203.0.113.9")
	readAll(t, []reading{
		{"postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
			explained(authFailed(relaylens.ReasonCredentials, relaylens.Class5xx, relaylens.Event{ClientIP: client, AuthMethod: "LOGIN", Text: "UGFzc3dvcmQ6"}))},
		{"postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL PLAIN authentication failed:",
			explained(authFailed(relaylens.ReasonCredentials, relaylens.Class5xx, relaylens.Event{ClientIP: client, AuthMethod: "PLAIN"}))},
		{"postfix/smtps/smtpd[1]: warning: a.example.com[203.0.113.9]:4711: SASL PLAIN authentication failed: (reason unavailable), sasl_username=joe@example.com",
			explained(authFailed(relaylens.ReasonCredentials, relaylens.Class5xx, relaylens.Event{ClientIP: client, ClientName: "a.example.com", ClientPort: 4711, AuthMethod: "PLAIN", User: "joe@example.com", Text: "(reason unavailable)"}))},
		{"postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL PLAIN authentication failed: Invalid base64 data in initial response, sasl_username=(unavailable)",
			explained(authFailed(relaylens.ReasonMalformed, relaylens.Class5xx, relaylens.Event{ClientIP: client, AuthMethod: "PLAIN", Text: "Invalid base64 data in initial response"}))},
		{"postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL NTLM authentication failed: Invalid authentication mechanism: 'NTLM', sasl_username=(unavailable)",
			explained(authFailed(relaylens.ReasonMechanism, relaylens.Class5xx, relaylens.Event{ClientIP: client, AuthMethod: "NTLM", Text: "Invalid authentication mechanism: 'NTLM'"}))},
		{"postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: generic failure, sasl_username=joe",
			explained(authFailed(relaylens.ReasonBackend, relaylens.Class4xx, relaylens.Event{ClientIP: client, AuthMethod: "LOGIN", User: "joe", Text: "generic failure"}))},
		{"postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: Connection lost to authentication server, sasl_username=joe",
			explained(authFailed(relaylens.ReasonBackend, relaylens.Class4xx, relaylens.Event{ClientIP: client, AuthMethod: "LOGIN", User: "joe", Text: "Connection lost to authentication server"}))},
		{"postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: authentication failure, sasl_username=x, sasl_username=root",
			explained(authFailed(relaylens.ReasonCredentials, relaylens.Class5xx, relaylens.Event{ClientIP: client, AuthMethod: "LOGIN", User: "x, sasl_username=root", Text: "authentication failure"}))},
		{"postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL LOGIN authentication aborted",
			authFailed(relaylens.ReasonCancelled, relaylens.Class5xx, relaylens.Event{ClientIP: client, AuthMethod: "LOGIN", Text: "authentication aborted"})},
		{"postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL x authentication failed: y, sasl_username=root z authentication failed: no, sasl_username=joe",
			explained(authFailed(relaylens.ReasonCredentials, relaylens.Class5xx, relaylens.Event{ClientIP: client, AuthMethod: "x", Text: "y", User: "root z authentication failed: no, sasl_username=joe"}))},
		{"postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL x y authentication failed: no, sasl_username=root",
			tainted(authFailed(relaylens.ReasonMechanism, relaylens.Class5xx, relaylens.Event{ClientIP: client}))},
		{"postfix/smtpd[1]: warning: AUTH command rate limit exceeded: 7 from unknown[203.0.113.9] for service submission",
			authFailed(relaylens.ReasonAuthPolicy, relaylens.Class4xx, relaylens.Event{ClientIP: client, Text: "AUTH command rate limit exceeded"})},
		{"postfix/smtpd[1]: fatal: no SASL authentication mechanisms", func() relaylens.Record {
			r := authFailed(relaylens.ReasonBackend, relaylens.Class4xx, relaylens.Event{Text: "no SASL authentication mechanisms"})
			r.Fact = relaylens.FactSessionEnd
			return r
		}()},
		{"postfix/smtpd[1]: warning: SASL authentication failure: cannot connect to saslauthd server: No such file or directory", func() relaylens.Record {
			r := authFailed(relaylens.ReasonBackend, 0, relaylens.Event{Text: "cannot connect to saslauthd server: No such file or directory"})
			r.Fact = relaylens.FactDetail
			return r
		}()},
		{"postfix/smtpd[1]: warning: SASL authentication failure: no secret in database", func() relaylens.Record {
			r := authFailed(relaylens.ReasonCredentials, 0, relaylens.Event{Text: "no secret in database"})
			r.Fact = relaylens.FactDetail
			return r
		}()},
		{"postfix/smtpd[1]: warning: SASL authentication failure: All-whitespace username.", func() relaylens.Record {
			r := authFailed(relaylens.ReasonMalformed, 0, relaylens.Event{Text: "All-whitespace username."})
			r.Fact = relaylens.FactDetail
			return r
		}()},
		{"postfix/smtpd[1]: warning: SASL authentication failure: Requested identity not authenticated identity", func() relaylens.Record {
			r := authFailed(relaylens.ReasonAuthPolicy, 0, relaylens.Event{Text: "Requested identity not authenticated identity"})
			r.Fact = relaylens.FactDetail
			return r
		}()},
		{"postfix/smtpd[1]: warning: SASL authentication failure: Password verification failed", fact(relaylens.FactDetail, relaylens.Event{Text: "Password verification failed"})},
		{"postfix/smtpd[1]: warning: SASL authentication problem: unable to open Berkeley db /etc/sasldb2: Invalid argument", func() relaylens.Record {
			r := authFailed(relaylens.ReasonBackend, 0, relaylens.Event{Text: "unable to open Berkeley db /etc/sasldb2: Invalid argument"})
			r.Fact = relaylens.FactDetail
			return r
		}()},
	})
}

func TestBackends(t *testing.T) {
	g := New(relaylens.Texts{})
	for _, line := range []string{
		"postfix/smtpd[1]: warning: SASL: Connect to private/auth failed: No such file or directory",
		"postfix/smtpd[1]: warning: SASL: Connect to Dovecot auth socket 'private/auth' failed: Connection refused",
		`postfix/smtpd[1]: warning: mysql:/etc/postfix/v.cf lookup error for "b@example.net"`,
		`postfix/cleanup[1]: warning: proxy:mysql:/etc/postfix/v.cf lookup error for "b@example.net"`,
		"postfix/smtpd[1]: warning: table socketmap:inet:localhost:1:x lookup error: Connection refused",
		"postfix/smtpd[1]: warning: connect to TCP map localhost:1: Connection refused",
		"postfix/proxymap[1]: warning: connect to mysql server 127.0.0.1: Can't connect to MySQL server",
		"postfix/proxymap[1]: warning: connect to pgsql server /run/postgresql: no such file",
		"postfix/proxymap[1]: warning: mysql:/etc/postfix/v.cf: query failed: gone away",
		"postfix/proxymap[1]: warning: dict_ldap_connect: Unable to bind to server ldap://x as cn=x: 49 (Invalid credentials)",
		"postfix/smtpd[1]: warning: hash:/etc/postfix/x is unavailable. open database /etc/postfix/x.db: No such file or directory",
		"postfix/trivial-rewrite[1]: warning: virtual_mailbox_domains: table hash:/etc/postfix/x: query failed",
		"postfix/smtpd[1]: warning: problem talking to server private/policy: Connection refused",
		"postfix/smtpd[1]: warning: connect to Milter service inet:localhost:8891: Connection refused",
		"postfix/smtpd[1]: warning: milter inet:localhost:8891: can't read SMFIC_CONNECT reply packet header: Success",
		"postfix/smtpd[1]: error: open database /etc/postfix/x.db: No such file or directory",
		"postfix/smtpd[1]: fatal: SASL per-process initialization failed",
		"postfix/trivial-rewrite[1]: warning: transport_maps lookup failure",
	} {
		t.Run(line, func(t *testing.T) {
			env := parsertest.Syslog(line)
			var rec relaylens.Record
			if v := g.Parse(&env, &rec); v != relaylens.Parsed || rec.Event.Kind != relaylens.KindBackendError || rec.Event.Text == "" {
				t.Errorf("verdict %s, kind %s, text %q", v, rec.Event.Kind, rec.Event.Text)
			}
			if err := parsertest.Check(g, env); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSession(t *testing.T) {
	client := ip("203.0.113.9")
	limited := func(stage relaylens.Stage, text string) relaylens.Record {
		return refused(relaylens.Event{Reason: relaylens.ReasonRateLimit, Stage: stage, Class: relaylens.Class4xx, ClientIP: client, Text: text})
	}
	readAll(t, []reading{
		{"postfix/smtpd[1]: connect from unknown[203.0.113.9]:4711", fact(relaylens.FactSession, relaylens.Event{Kind: relaylens.KindConnection, ClientIP: client, ClientPort: 4711})},
		{"postfix/smtpd[1]: connect from localhost[127.0.0.1]", fact(relaylens.FactSession, relaylens.Event{Kind: relaylens.KindConnection, ClientIP: ip("127.0.0.1"), ClientName: "localhost"})},
		{"postfix/smtpd[1]: connect from unknown[fe80::1%eth0]", fact(relaylens.FactSession, relaylens.Event{Kind: relaylens.KindConnection, ClientIP: ip("fe80::1")})},
		{"postfix/smtpd[1]: disconnect from unknown[203.0.113.9] ehlo=1 auth=0/1 commands=1/2", fact(relaylens.FactSessionEnd, relaylens.Event{Kind: relaylens.KindConnection, ClientIP: client, Text: "ehlo=1 auth=0/1 commands=1/2"})},
		{"postfix/smtpd[1]: warning: Connection rate limit exceeded: 26 from unknown[203.0.113.9] for service smtp", limited(relaylens.StageConnect, "Connection rate limit exceeded")},
		{"postfix/smtpd[1]: warning: Connection concurrency limit exceeded: 51 from unknown[203.0.113.9] for service smtp", limited(relaylens.StageConnect, "Connection concurrency limit exceeded")},
		{"postfix/smtpd[1]: warning: Message delivery request rate limit exceeded: 13 from unknown[203.0.113.9] for service smtp", limited(relaylens.StageMail, "Message delivery request rate limit exceeded")},
		{"postfix/smtpd[1]: warning: Recipient address rate limit exceeded: 41 from unknown[203.0.113.9] for service smtp", limited(relaylens.StageRcpt, "Recipient address rate limit exceeded")},
		{"postfix/smtpd[1]: warning: New TLS session rate limit exceeded: 41 from unknown[203.0.113.9] for service smtp", limited(relaylens.StageHelo, "New TLS session rate limit exceeded")},
		{"postfix/smtpd[1]: warning: Refusing STARTTLS request from unknown[203.0.113.9] for service smtp", limited(relaylens.StageHelo, "Refusing STARTTLS request")},
		{"postfix/smtpd[1]: warning: Wrapper-mode request dropped from unknown[203.0.113.9] for service smtps. TLS context initialization failed. x",
			refused(relaylens.Event{Reason: relaylens.ReasonResources, Stage: relaylens.StageConnect, Class: relaylens.Class4xx, ClientIP: client, Text: "Wrapper-mode request dropped", RemoteHost: relaylens.Certificate})},
		{"postfix/smtps/smtpd[1]: warning: Refusing TLS service request from unknown[203.0.113.9] for service smtps", limited(relaylens.StageConnect, "Refusing TLS service request")},
		{"postfix/smtpd[1]: 4F1A2B3C: too many errors after DATA (5 bytes) from unknown[203.0.113.9]",
			refused(relaylens.Event{Reason: relaylens.ReasonProtocol, Class: relaylens.Class4xx, ClientIP: client, QueueID: "4F1A2B3C", Text: "too many errors after DATA (5 bytes)"})},
		{"postfix/smtpd[1]: too many errors after RCPT from unknown[203.0.113.9]",
			refused(relaylens.Event{Reason: relaylens.ReasonProtocol, Class: relaylens.Class4xx, ClientIP: client, Text: "too many errors after RCPT"})},
		{"postfix/smtpd[1]: NOQUEUE: abort: TLS from unknown[203.0.113.9]:4711: No client certificate presented",
			refused(relaylens.Event{Reason: relaylens.ReasonClientPolicy, Stage: relaylens.StageHelo, Class: relaylens.Class4xx, ClientIP: client, ClientPort: 4711, Text: "No client certificate presented"})},
		{"postfix/smtpd[1]: warning: non-SMTP command from unknown[203.0.113.9]: GET / HTTP/1.1 from x[192.0.2.1]",
			refused(relaylens.Event{Reason: relaylens.ReasonProtocol, Class: relaylens.Class5xx, ClientIP: client, Text: "non-SMTP command"})},
		{"postfix/smtpd[1]: warning: Illegal address syntax from unknown[203.0.113.9] in MAIL command: <x]: [192.0.2.1]@example.com>",
			refused(relaylens.Event{Reason: relaylens.ReasonAddressSyntax, Stage: relaylens.StageMail, Class: relaylens.Class5xx, ClientIP: client, Sender: "x]: [192.0.2.1]@example.com", Text: "Illegal address syntax"})},
		{"postfix/smtpd[1]: warning: Illegal address syntax from unknown[203.0.113.9] in RCPT command: <x;y>",
			refused(relaylens.Event{Reason: relaylens.ReasonAddressSyntax, Stage: relaylens.StageRcpt, Class: relaylens.Class5xx, ClientIP: client, Recipient: "x;y", Text: "Illegal address syntax"})},
		{"postfix/smtpd[1]: warning: Illegal address syntax from unknown[203.0.113.9] in VRFY command: <x y>",
			refused(relaylens.Event{Reason: relaylens.ReasonAddressSyntax, Stage: relaylens.StageVrfy, Class: relaylens.Class5xx, ClientIP: client, Recipient: "x y", Text: "Illegal address syntax"})},
		{"postfix/smtpd[1]: warning: 4F1A2B3C: queue file size limit exceeded",
			refused(relaylens.Event{Reason: relaylens.ReasonSize, Stage: relaylens.StageEOD, Class: relaylens.Class5xx, QueueID: "4F1A2B3C", Text: "queue file size limit exceeded"})},
		{"postfix/cleanup[1]: warning: 4F1A2B3C: queue file size limit exceeded",
			submitted(refused(relaylens.Event{Reason: relaylens.ReasonSize, Stage: relaylens.StageEOD, Class: relaylens.Class5xx, QueueID: "4F1A2B3C", Text: "queue file size limit exceeded"}))},
		{"postfix/smtpd[1]: warning: bad ETRN x from y[192.0.2.1]... from unknown[203.0.113.9]",
			refused(relaylens.Event{Reason: relaylens.ReasonProtocol, Stage: relaylens.StageEtrn, Class: relaylens.Class4xx, ClientIP: client, Text: "ETRN"})},
		{"postfix/smtpd[1]: warning: 4F1A2B3C: malformed BDAT command syntax from unknown[203.0.113.9]: BDAT x",
			refused(relaylens.Event{Reason: relaylens.ReasonProtocol, Stage: relaylens.StageData, Class: relaylens.Class5xx, QueueID: "4F1A2B3C", ClientIP: client, Text: "malformed BDAT command syntax"})},
		{"postfix/smtpd[1]: warning: NOQUEUE: malformed BDAT command syntax from unknown[203.0.113.9]: BDAT x",
			refused(relaylens.Event{Reason: relaylens.ReasonProtocol, Stage: relaylens.StageData, Class: relaylens.Class5xx, ClientIP: client, Text: "malformed BDAT command syntax"})},
		{`postfix/smtpd[1]: improper command pipelining after EHLO from unknown[203.0.113.9]: MAIL FROM:<a@example.org>\r\n`, func() relaylens.Record {
			r := refused(relaylens.Event{Reason: relaylens.ReasonProtocol, Stage: relaylens.StageHelo, Class: relaylens.Class5xx, ClientIP: client, Text: "improper command pipelining"})
			r.Presumed = true
			return r
		}()},
		{"postfix/smtpd[1]: bare <LF> received after DATA (123 bytes) from unknown[203.0.113.9]:4711",
			refused(relaylens.Event{Reason: relaylens.ReasonProtocol, Stage: relaylens.StageEOD, Class: relaylens.Class5xx, ClientIP: client, ClientPort: 4711, Text: "bare <LF> received"})},
		{"postfix/smtpd[1]: bare <LF> received after BDAT content from unknown[203.0.113.9]",
			refused(relaylens.Event{Reason: relaylens.ReasonProtocol, Stage: relaylens.StageEOD, Class: relaylens.Class5xx, ClientIP: client, Text: "bare <LF> received"})},
		{"postfix/smtpd[1]: bare <LF> received after EHLO from unknown[203.0.113.9]",
			refused(relaylens.Event{Reason: relaylens.ReasonProtocol, Stage: relaylens.StageHelo, Class: relaylens.Class5xx, ClientIP: client, Text: "bare <LF> received"})},
		{"postfix/smtpd[1]: warning: 4F1A2B3C: BDAT request from unknown[203.0.113.9] exceeds message size limit",
			refused(relaylens.Event{Reason: relaylens.ReasonSize, Stage: relaylens.StageData, Class: relaylens.Class5xx, QueueID: "4F1A2B3C", ClientIP: client, Text: "BDAT request"})},
	})
}

func TestQueue(t *testing.T) {
	client := ip("203.0.113.9")
	message := func(e relaylens.Event) relaylens.Record {
		e.QueueID = "4F1A2B3C"
		return fact(relaylens.FactMessage, e)
	}
	child := func(parent, id string) relaylens.Record {
		return relaylens.Record{Event: relaylens.Event{QueueID: parent}, Fact: relaylens.FactChild, Child: id}
	}
	login := relaylens.Event{Kind: relaylens.KindAuthOK, ClientIP: client, User: "joe smith", AuthMethod: "PLAIN"}
	readAll(t, []reading{
		{"postfix/smtpd[1]: 4F1A2B3C: client=unknown[203.0.113.9]", message(relaylens.Event{ClientIP: client})},
		{"postfix/smtpd[1]: 4F1A2B3C: client=unknown[203.0.113.9], sasl_method=PLAIN, sasl_username=joe smith", message(login)},
		{"postfix/smtpd[1]: 4F1A2B3C: client=unknown[203.0.113.9], sasl_method=PLAIN, sasl_username=joe smith, sasl_sender=root@example.com, sasl_username=root", message(login)},
		{"postfix/smtpd[1]: NOQUEUE: client=unknown[203.0.113.9], sasl_method=PLAIN, sasl_username=joe smith", fact(relaylens.FactMessage, login)},
		{"postfix/smtpd[1]: NOQUEUE: client=unknown[203.0.113.9]", fact(relaylens.FactMessage, relaylens.Event{ClientIP: client})},
		{"postfix/smtpd[1]: 4F1A2B3C: client=localhost[127.0.0.1]:25, orig_client=pc.example.com[2001:db8::9]:4711", message(relaylens.Event{ClientIP: ip("2001:db8::9"), ClientName: "pc.example.com", ClientPort: 4711})},
		{"postfix/smtpd[1]: 4F1A2B3C: client=localhost[127.0.0.1], orig_client=unknown[unknown]", message(relaylens.Event{ClientIP: ip("127.0.0.1"), ClientName: "localhost"})},
		{"postfix/smtpd[1]: 4F1A2B3C: client=unknown[203.0.113.9], sasl_sender=<x, orig_client=localhost[127.0.0.1]", message(relaylens.Event{ClientIP: client})},
		{"postfix/smtpd[1]: 4F1A2B3C: client=unknown[203.0.113.9], sasl_sender=<x, sasl_method=PLAIN, sasl_username=ceo@example.com", message(relaylens.Event{ClientIP: client})},
		{"postfix/smtpd[1]: 4F1A2B3C: client=unknown[203.0.113.9], sasl_sender=<x, orig_queue_id=5F1A2B3C", message(relaylens.Event{ClientIP: client})},
		{"postfix/smtpd[1]: 4F1A2B3C: client=localhost[127.0.0.1], orig_queue_id=5F1A2B3C, orig_client=unknown[203.0.113.9]", func() relaylens.Record {
			r := child("5F1A2B3C", "4F1A2B3C")
			r.Event.ClientIP = client
			return r
		}()},
		{"postfix/qmgr[1]: 4F1A2B3C: from=<a@example.com>, size=1, nrcpt=1 (queue active)", message(relaylens.Event{Kind: relaylens.KindAccepted, Sender: "a@example.com"})},
		{"postfix/qmgr[1]: 4F1A2B3C: from=<>, size=1, nrcpt=1 (queue active)", message(relaylens.Event{Kind: relaylens.KindAccepted, NullSender: true})},
		{"postfix/qmgr[1]: 4F1A2B3C: from=<a b@example.com>, size=1, nrcpt=1 (queue active)", message(relaylens.Event{Kind: relaylens.KindAccepted, Sender: "a b@example.com"})},
		{"postfix/qmgr[1]: 4F1A2B3C: from=<double-bounce@mx.example.com>, size=1, nrcpt=1 (queue active)", message(relaylens.Event{Sender: "double-bounce@mx.example.com"})},
		{"postfix/qmgr[1]: 4F1A2B3C: removed", fact(relaylens.FactMessageEnd, relaylens.Event{QueueID: "4F1A2B3C"})},
		{"postfix/cleanup[1]: 4F1A2B3C: removed (canceled)", fact(relaylens.FactMessageEnd, relaylens.Event{QueueID: "4F1A2B3C"})},
		{"postfix/postsuper[1]: 4F1A2B3C: removed", fact(relaylens.FactMessageEnd, relaylens.Event{QueueID: "4F1A2B3C"})},
		{"postfix/pickup[1]: 4F1A2B3C: uid=0 from=<root>", message(relaylens.Event{Sender: "root"})},
		{"postfix/pickup[1]: 4F1A2B3C: uid=102 from=<a@example.com> orig_id=5F1A2B3C", child("5F1A2B3C", "4F1A2B3C")},
		{"postfix/bounce[1]: 4F1A2B3C: sender non-delivery notification: 5F1A2B3C", child("4F1A2B3C", "5F1A2B3C")},
		{"postfix/bounce[1]: 4F1A2B3C: postmaster non-delivery notification: 5F1A2B3C", child("4F1A2B3C", "5F1A2B3C")},
		{"postfix[1]: 4F1A2B3C: sender delay notification: 4jX15b6H3Hz7LtN", child("4F1A2B3C", "4jX15b6H3Hz7LtN")},
	})
}

func TestDelivery(t *testing.T) {
	const tail = ", relay=mx.example.net[198.51.100.25]:25, conn_use=2, delay=1.2, delays=0.1/0/0.9/0.2, dsn=5.7.1, status="
	out := func(kind relaylens.Kind, reason relaylens.Reason, stage relaylens.Stage, e relaylens.Event) relaylens.Record {
		e.Kind, e.Reason, e.Stage, e.Direction, e.QueueID = kind, reason, stage, relaylens.Outbound, "4F1A2B3C"
		e.RemoteHost, e.RemoteIP = "mx.example.net", ip("198.51.100.25")
		return relaylens.Record{Event: e}
	}
	retried := func(r relaylens.Record) relaylens.Record { r.Retried = true; return r }
	const rejected, relay = relaylens.KindRejected, relaylens.KindRelayDenied
	readAll(t, []reading{
		{"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>" + tail + "bounced (host mx.example.net[198.51.100.25] said: 554 5.7.1 <b@example.net>: Relay access denied (in reply to RCPT TO command))",
			out(relay, 0, relaylens.StageRcpt, relaylens.Event{Recipient: "b@example.net", Code: 554, Enhanced: "5.7.1", Text: "Relay access denied"})},
		{"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>, orig_to=<c@example.com>" + tail + "SOFTBOUNCE (host mx.example.net[198.51.100.25] said: 550-mx.example.net [192.0.2.25] is currently not permitted to 550-relay through this server. 550 x (y) (in reply to RCPT TO command))",
			out(relay, 0, relaylens.StageRcpt, relaylens.Event{Recipient: "b@example.net", Code: 550, Text: "mx.example.net [192.0.2.25] is currently not permitted to 550-relay through this server. 550 x (y)"})},
		{"postfix/lmtp[1]: 4F1A2B3C: to=<b@example.net>" + tail + "deferred (host mx.example.net[198.51.100.25] said: 452 4.2.2 <b@example.net> Quota exceeded (in reply to end of DATA command))",
			out(rejected, relaylens.ReasonQuota, relaylens.StageEOD, relaylens.Event{Recipient: "b@example.net", Code: 452, Enhanced: "4.2.2", Text: "<b@example.net> Quota exceeded"})},
		{"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>" + tail + "deferred (host mx.example.net[198.51.100.25] refused to talk to me: 554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.example)",
			out(rejected, relaylens.ReasonDNSBL, relaylens.StageConnect, relaylens.Event{Recipient: "b@example.net", Code: 554, Enhanced: "5.7.1", Text: "Service unavailable; Client host [192.0.2.25] blocked using zen.example"})},
		{"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>" + tail + "deferred (SASL authentication failed; server mx.example.net[198.51.100.25] said: 535 5.7.8 no)",
			out(relaylens.KindAuthFailed, relaylens.ReasonCredentials, relaylens.StageAuth, relaylens.Event{Recipient: "b@example.net", Code: 535, Enhanced: "5.7.8", Text: "no"})},
		{"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>" + tail + "deferred (TLS is required, but host mx.example.net[198.51.100.25] refused to start TLS: 454 4.7.0 TLS not available due to local problem)",
			out(rejected, relaylens.ReasonTLSRequired, relaylens.StageHelo, relaylens.Event{Recipient: "b@example.net", Code: 454, Enhanced: "4.7.0", Text: "TLS not available due to local problem"})},
		{"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>" + tail + "deferred (Sender requested REQUIRETLS, but host mx.example.net[198.51.100.25] refused to start TLS: 454 4.7.0 no)",
			out(rejected, relaylens.ReasonTLSRequired, relaylens.StageHelo, relaylens.Event{Recipient: "b@example.net", Code: 454, Enhanced: "4.7.0", Text: "no"})},
		{"postfix/smtp[1]: 4F1A2B3C: TLS is required, but host mx.example.net[198.51.100.25] refused to start TLS: 501 no (in reply to RCPT TO command)",
			retried(out(rejected, relaylens.ReasonTLSRequired, relaylens.StageHelo, relaylens.Event{Code: 501, Text: "no (in reply to RCPT TO command)"}))},
		{"postfix/smtp[1]: 4F1A2B3C: SASL authentication failed; server mx.example.net[198.51.100.25] said: 454 4.7.0 later",
			retried(out(relaylens.KindAuthFailed, relaylens.ReasonBackend, relaylens.StageAuth, relaylens.Event{Code: 454, Enhanced: "4.7.0", Text: "later"}))},
		{"postfix/smtp[1]: 4F1A2B3C: host mx.example.net[198.51.100.25] said: 454 4.7.1 <b@example.net>: Relay access denied by mx (in reply to RCPT TO command)",
			retried(out(relay, 0, relaylens.StageRcpt, relaylens.Event{Recipient: "b@example.net", Code: 454, Enhanced: "4.7.1", Text: "Relay access denied by mx"}))},
		{"postfix/smtp[1]: 4F1A2B3C: host mx.example.net[198.51.100.25] said: 450 4.1.8 <a@example.com>: Sender address rejected: no (in reply to MAIL FROM command)",
			retried(out(rejected, relaylens.ReasonSenderPolicy, relaylens.StageMail, relaylens.Event{Code: 450, Enhanced: "4.1.8", Text: "Sender address rejected: no"}))},
		{"postfix/smtp[1]: 4F1A2B3C: to=<b@example.net>, relay=mx.example.net[198.51.100.25]:25, delay=1, delays=0/0/0/1, tls=TLSv1.3, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5F1A2B3C)",
			relaylens.Record{Event: relaylens.Event{Kind: relaylens.KindDelivered, QueueID: "4F1A2B3C", Recipient: "b@example.net", Enhanced: "2.0.0", RemoteHost: "mx.example.net", RemoteIP: ip("198.51.100.25"), Text: "250 2.0.0 Ok: queued as 5F1A2B3C"}}},
		{"postfix/lmtp[1]: 4F1A2B3C: to=<b@example.net>, relay=mx.example.com[private/dovecot-lmtp], delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Saved)",
			relaylens.Record{Event: relaylens.Event{Kind: relaylens.KindDelivered, QueueID: "4F1A2B3C", Recipient: "b@example.net", Enhanced: "2.0.0", RemoteHost: "mx.example.com", Text: "250 2.0.0 Saved"}}},
		{`postfix/local[1]: 4F1A2B3C: to=<b@example.net>, orig_to=<"x>, relay=evil[192.0.2.1]:25, dsn=5.7.1, status=bounced (host y[192.0.2.2] said: 554 no)"@example.com>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)`,
			relaylens.Record{Event: relaylens.Event{Kind: relaylens.KindDelivered, QueueID: "4F1A2B3C", Recipient: "b@example.net", Enhanced: "2.0.0", Text: "delivered to mailbox"}}},
		{"postfix/local[1]: 4F1A2B3C: to=<b@example.net>, orig_to=<c d@example.net>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)",
			relaylens.Record{Event: relaylens.Event{Kind: relaylens.KindDelivered, QueueID: "4F1A2B3C", Recipient: "b@example.net", Enhanced: "2.0.0", Text: "delivered to mailbox"}}},
		{"postfix/local[1]: 4F1A2B3C: to=<b c@example.net>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)",
			relaylens.Record{Event: relaylens.Event{Kind: relaylens.KindDelivered, QueueID: "4F1A2B3C", Recipient: "b c@example.net", Enhanced: "2.0.0", Text: "delivered to mailbox"}}},
	})
}

func TestCleanup(t *testing.T) {
	envelope := func(reason relaylens.Reason, action relaylens.Action, e relaylens.Event) relaylens.Record {
		e.Reason, e.Action, e.Stage, e.QueueID = reason, action, relaylens.StageEOD, "4F1A2B3C"
		e.Sender, e.Recipient = "a@example.org", "b@example.com"
		if e.Class == 0 {
			e.Class = relaylens.Class5xx
		}
		return refused(e)
	}
	const tail = "; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<pc>"
	lost := func(why string) relaylens.Record {
		return refused(relaylens.Event{Reason: relaylens.ReasonResources, Stage: relaylens.StageEOD, Class: relaylens.Class4xx, QueueID: "4F1A2B3C", Text: why})
	}
	readAll(t, []reading{
		{"postfix/cleanup[1]: 4F1A2B3C: reject: header Subject: hi from good.example.com[192.0.2.1]; from=<ceo@example.com> from unknown[203.0.113.9]" + tail + ": 5.7.1 no",
			envelope(relaylens.ReasonContent, 0, relaylens.Event{Proto: "ESMTP", Helo: "pc", Enhanced: "5.7.1", Text: "no"})},
		{"postfix/cleanup[1]: 4F1A2B3C: reject: body x from y[192.0.2.1]; from=<c@example.com> to=<d@example.com> proto=ESMTP helo=<z>: 5.7.1 yes from unknown[203.0.113.9]" + tail + ": 4.7.1 later",
			envelope(relaylens.ReasonContent, 0, relaylens.Event{Class: relaylens.Class4xx, Proto: "ESMTP", Helo: "pc", Enhanced: "4.7.1", Text: "later"})},
		// A sender that looks like the fields and the text behind them.
		{`postfix/cleanup[1]: 4F1A2B3C: reject: header Subject: hi from unknown[203.0.113.9]; from=<"x; from=<ceo@example.com> to=<v@example.com> proto=SMTP helo=<z>: 4.7.1 y"@example.org> to=<b@example.com> proto=ESMTP helo=<pc>: 5.7.1 no`,
			tainted(refused(relaylens.Event{Reason: relaylens.ReasonContent, Stage: relaylens.StageEOD, QueueID: "4F1A2B3C", Class: relaylens.Class5xx}))},
		{"postfix/cleanup[1]: 4F1A2B3C: warning: header Subject: x from local" + tail,
			envelope(relaylens.ReasonContent, relaylens.ActionWarn, relaylens.Event{Proto: "ESMTP", Helo: "pc"})},
		{"postfix/cleanup[1]: 4F1A2B3C: milter-reject: END-OF-MESSAGE from unknown[203.0.113.9]: 5.7.1 Virus found: Eicar" + tail,
			envelope(relaylens.ReasonMilter, 0, relaylens.Event{ClientIP: ip("203.0.113.9"), Proto: "ESMTP", Helo: "pc", Enhanced: "5.7.1", Text: "Virus found: Eicar"})},
		// The tag was cut at its slash: the same line is cleanup's by its stage.
		{"postfix[1]: 4F1A2B3C: milter-reject: END-OF-MESSAGE from unknown[203.0.113.9]: 4.7.1 Service unavailable - try again later" + tail,
			wanting(relaylens.HelperMilter, envelope(relaylens.ReasonMilter, 0, relaylens.Event{ClientIP: ip("203.0.113.9"), Class: relaylens.Class4xx, Proto: "ESMTP", Helo: "pc", Enhanced: "4.7.1", Text: "Service unavailable - try again later"}).Event)},
		{"postfix/cleanup[1]: 4F1A2B3C: milter-hold: END-OF-MESSAGE from unknown[203.0.113.9]: milter triggers HOLD action" + tail,
			envelope(relaylens.ReasonMilter, relaylens.ActionHold, relaylens.Event{ClientIP: ip("203.0.113.9"), Proto: "ESMTP", Helo: "pc", Text: "milter triggers HOLD action"})},
		{"postfix/cleanup[1]: 4F1A2B3C: milter-header-reject: header Subject: x from unknown[203.0.113.9]" + tail + ": 5.7.1 no",
			envelope(relaylens.ReasonMilter, 0, relaylens.Event{Proto: "ESMTP", Helo: "pc", Enhanced: "5.7.1", Text: "no"})},
		{"postfix/cleanup[1]: 4F1A2B3C: reject: mime-error improper use of 8-bit data in message header: Subject: x from unknown[203.0.113.9]; from=<a@example.org> to=<b@example.com>",
			envelope(relaylens.ReasonContent, 0, relaylens.Event{})},
		{"postfix/cleanup[1]: warning: 4F1A2B3C: message rejected: hopcount exceeded",
			refused(relaylens.Event{Reason: relaylens.ReasonContent, Stage: relaylens.StageEOD, Class: relaylens.Class5xx, QueueID: "4F1A2B3C", Text: "hopcount exceeded"})},
		{"postfix/cleanup[1]: warning: 4F1A2B3C: virtual_alias_maps map lookup problem for b@example.com -- message not accepted, try again later",
			wanting(relaylens.HelperTable, relaylens.Event{Reason: relaylens.ReasonResources, Stage: relaylens.StageEOD, Class: relaylens.Class4xx, QueueID: "4F1A2B3C", RemoteHost: "virtual_alias_maps", Text: "virtual_alias_maps map lookup problem for b@example.com -- message not accepted, try again later"})},
		{"postfix/cleanup[1]: warning: 4F1A2B3C: unreasonable virtual_alias_maps map nesting for b@example.com -- message not accepted, try again later",
			lost("unreasonable virtual_alias_maps map nesting for b@example.com -- message not accepted, try again later")},
		{"postfix/cleanup[1]: warning: 4F1A2B3C: message not accepted, try again later", lost("message not accepted, try again later")},
		{"postfix/cleanup[1]: warning: 4F1A2B3C: write queue file: No space left on device", ofDisk(lost("write queue file: No space left on device"))},
	})
}

func TestPostscreen(t *testing.T) {
	client := ip("203.0.113.9")
	rejected := func(reason relaylens.Reason, stage relaylens.Stage, code uint16, enhanced, text string) relaylens.Record {
		return refused(relaylens.Event{Reason: reason, Stage: stage, ClientIP: client, ClientPort: 4711, Sender: "a@example.com", Recipient: "b@example.net", Proto: "ESMTP",
			Helo: `x, to=<v@example.com>, helo=<"y`, Code: code, Enhanced: enhanced, Text: text})
	}
	alone := func(reason relaylens.Reason, stage relaylens.Stage, class relaylens.Class, text string) relaylens.Record {
		return refused(relaylens.Event{Reason: reason, Stage: stage, Class: class, ClientIP: client, ClientPort: 4711, Text: text})
	}
	full := func(text string) relaylens.Record {
		r := alone(relaylens.ReasonResources, relaylens.StageConnect, relaylens.Class4xx, text)
		r.Event.RemoteHost = relaylens.Capacity
		return r
	}
	presumed := func(reason relaylens.Reason, text string) relaylens.Record {
		r := alone(reason, relaylens.StageConnect, relaylens.Class5xx, text)
		r.Presumed = true
		return r
	}
	const head, tail = "postfix/postscreen[1]: NOQUEUE: reject: RCPT from [203.0.113.9]:4711: ", `; from=<a@example.com>, to=<b@example.net>, proto=ESMTP, helo=<x, to=<v@example.com>, helo=<"y>`
	readAll(t, []reading{
		{head + "550 5.7.1 Service unavailable; client [203.0.113.9] blocked using bl.example.org" + tail, rejected(relaylens.ReasonDNSBL, relaylens.StageRcpt, 550, "5.7.1", "Service unavailable; client [203.0.113.9] blocked using bl.example.org")},
		{head + "450 4.3.2 Service currently unavailable" + tail, rejected(relaylens.ReasonGreylist, relaylens.StageRcpt, 450, "4.3.2", "Service currently unavailable")},
		{head + "550 5.3.2 Service currently unavailable" + tail, rejected(relaylens.ReasonClientPolicy, relaylens.StageRcpt, 550, "5.3.2", "Service currently unavailable")},
		{head + "550 5.5.1 Protocol error" + tail, rejected(relaylens.ReasonProtocol, relaylens.StageConnect, 550, "5.5.1", "Protocol error")},
		{"postfix/postscreen[1]: NOQUEUE: reject: CONNECT from [203.0.113.9]:4711: too many connections", alone(relaylens.ReasonRateLimit, relaylens.StageConnect, relaylens.Class4xx, "too many connections")},
		{"postfix/postscreen[1]: NOQUEUE: reject: CONNECT from [203.0.113.9]:4711: all server ports busy", full("all server ports busy")},
		{"postfix/postscreen[1]: reject: connect from [203.0.113.9]:4711: all screening ports busy", full("all screening ports busy")},
		{"postfix/postscreen[1]: DENYLISTED [203.0.113.9]:4711", presumed(relaylens.ReasonClientPolicy, "DENYLISTED")},
		{"postfix/postscreen[1]: BLACKLISTED [203.0.113.9]:4711", presumed(relaylens.ReasonClientPolicy, "BLACKLISTED")},
		{`postfix/postscreen[1]: PREGREET 11 after 0.1 from [203.0.113.9]:4711: EHLO x from [192.0.2.1]:1\r\n`, presumed(relaylens.ReasonProtocol, "PREGREET")},
		{"postfix/postscreen[1]: DNSBL rank 3 for [203.0.113.9]:4711", presumed(relaylens.ReasonDNSBL, "DNSBL rank")},
		{"postfix/postscreen[1]: PASS OLD [203.0.113.9]:4711", relaylens.Record{Presumed: true, Event: relaylens.Event{ClientIP: client, ClientPort: 4711}}},
		{"postfix/postscreen[1]: HANGUP after 0.3 from [203.0.113.9]:4711 in tests before SMTP handshake", relaylens.Record{Presumed: true, Event: relaylens.Event{ClientIP: client, ClientPort: 4711}}},
		{"postfix/postscreen[1]: DISCONNECT [203.0.113.9]:4711", relaylens.Record{Fact: relaylens.FactSessionEnd,
			Event: relaylens.Event{Kind: relaylens.KindConnection, ClientIP: client, ClientPort: 4711, Text: "DISCONNECT"}}},
		{`postfix/postscreen[1]: COMMAND PIPELINING from [203.0.113.9]:4711 after EHLO: RSET from [192.0.2.1]:1\r\n`, func() relaylens.Record {
			r := presumed(relaylens.ReasonProtocol, "COMMAND PIPELINING")
			r.Event.Stage = relaylens.StageNone
			return r
		}()},
		{"postfix/postscreen[1]: BARE NEWLINE from [203.0.113.9]:4711 after EHLO x", func() relaylens.Record {
			r := presumed(relaylens.ReasonProtocol, "BARE NEWLINE")
			r.Event.Stage = relaylens.StageNone
			return r
		}()},
		{"postfix/postscreen[1]: NON-SMTP COMMAND from [203.0.113.9]:4711 after CONNECT: GET / HTTP/1.1", alone(relaylens.ReasonProtocol, 0, relaylens.Class5xx, "NON-SMTP COMMAND")},
		{"postfix/postscreen[1]: COMMAND COUNT LIMIT from [203.0.113.9]:4711 after NOOP", alone(relaylens.ReasonRateLimit, 0, relaylens.Class4xx, "COMMAND COUNT LIMIT")},
		{"postfix/postscreen[1]: DATA without valid RCPT from [203.0.113.9]:4711", alone(relaylens.ReasonProtocol, relaylens.StageData, relaylens.Class5xx, "DATA without valid RCPT")},
	})
}
