package postfix

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
)

func TestReject(t *testing.T) {
	const (
		rcpt = relaylens.StageRcpt
		relp = relaylens.KindRelayDenied
	)
	readAll(t, []reading{
		{"postfix/smtpd[1234]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 454 4.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<pc.example.com>",
			refused(relaylens.Event{Kind: relp, Stage: rcpt, ClientIP: ip("203.0.113.9"), Helo: "pc.example.com", Proto: "ESMTP",
				Sender: "a@example.com", Recipient: "b@example.net", Code: 454, Enhanced: "4.7.1", Text: "Relay access denied"})},
		{"postfix/submission/smtpd[1234]: 4F1A2B3C: reject: RCPT from host.example.com[2001:db8::5]:51234: 554 5.7.1 <b@example.net>: Relay access denied; from=<\"a b\"@example.com> to=<b@example.net> proto=ESMTP helo=<[192.0.2.7]> sasl_method=PLAIN sasl_username=joe@example.com",
			refused(relaylens.Event{Kind: relp, Stage: rcpt, QueueID: "4F1A2B3C", Service: "submission/smtpd", ClientIP: ip("2001:db8::5"), ClientName: "host.example.com", ClientPort: 51234,
				Helo: "[192.0.2.7]", Proto: "ESMTP", User: "joe@example.com", AuthMethod: "PLAIN", Sender: `"a b"@example.com`, Recipient: "b@example.net", Code: 554, Enhanced: "5.7.1", Text: "Relay access denied"})},
		{"postfix-mx/smtpd[1]: NOQUEUE: reject: RCPT from unknown[unknown]:unknown: 554 5.7.1 <b@example.net>: Recipient address rejected: Relay access denied; from=<> to=<b@example.net> proto=SMTP helo=<x>",
			refused(relaylens.Event{Kind: relp, Stage: rcpt, Helo: "x", Proto: "SMTP", NullSender: true, Recipient: "b@example.net", Code: 554, Enhanced: "5.7.1", Text: "Recipient address rejected: Relay access denied"})},
		{"postfix/smtpd[1]: NOQUEUE: reject_warning: RCPT from unknown[203.0.113.9]: 554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using bl.example.org; see https://bl.example.org/?ip=203.0.113.9; from=<> to=<b@example.com> proto=SMTP helo=<x>",
			refused(relaylens.Event{Reason: relaylens.ReasonDNSBL, Action: relaylens.ActionWarn, Stage: rcpt, ClientIP: ip("203.0.113.9"), Helo: "x", Proto: "SMTP", NullSender: true, Recipient: "b@example.com",
				Code: 554, Enhanced: "5.7.1", Text: "Service unavailable; Client host [203.0.113.9] blocked using bl.example.org; see https://bl.example.org/?ip=203.0.113.9"})},
		{"postfix/smtpd[1]: NOQUEUE: reject: CONNECT from unknown[203.0.113.9]: 554 5.7.1 <unknown[203.0.113.9]>: Client host rejected: Access denied; proto=SMTP",
			refused(relaylens.Event{Reason: relaylens.ReasonClientPolicy, Stage: relaylens.StageConnect, ClientIP: ip("203.0.113.9"), Proto: "SMTP", Code: 554, Enhanced: "5.7.1", Text: "Client host rejected: Access denied"})},
		{"postfix/smtpd[1]: NOQUEUE: reject: EHLO from unknown[203.0.113.9]: 504 5.5.2 <nodots>: Helo command rejected: need fully-qualified hostname; proto=SMTP helo=<nodots>",
			refused(relaylens.Event{Reason: relaylens.ReasonHelo, Stage: relaylens.StageHelo, ClientIP: ip("203.0.113.9"), Proto: "SMTP", Helo: "nodots", Code: 504, Enhanced: "5.5.2", Text: "Helo command rejected: need fully-qualified hostname"})},
		{"postfix/smtpd[1]: NOQUEUE: reject: CONNECT from unknown[203.0.113.9]: 421 4.3.0 mx.example.com Server local data error",
			wanting(relaylens.HelperTable, relaylens.Event{Reason: relaylens.ReasonResources, Stage: relaylens.StageConnect, ClientIP: ip("203.0.113.9"), Code: 421, Enhanced: "4.3.0", Text: "mx.example.com Server local data error"})},
		{"postfix/smtpd[1]: 4F1A2B3C: reject: BDAT content from unknown[203.0.113.9]: bare <LF> received; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<x>",
			refused(relaylens.Event{Reason: relaylens.ReasonProtocol, Stage: relaylens.StageEOD, QueueID: "4F1A2B3C", ClientIP: ip("203.0.113.9"), Class: relaylens.Class5xx,
				Sender: "a@example.com", Recipient: "b@example.net", Proto: "ESMTP", Helo: "x", Text: "bare <LF> received"})},
		{"postfix/smtpd[1]: 4F1A2B3C: reject: DATA from unknown[203.0.113.9]: 503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining; from=<a@example.com> proto=ESMTP helo=<x>",
			refused(relaylens.Event{Reason: relaylens.ReasonProtocol, Stage: relaylens.StageData, QueueID: "4F1A2B3C", ClientIP: ip("203.0.113.9"), Sender: "a@example.com", Proto: "ESMTP", Helo: "x",
				Code: 503, Enhanced: "5.5.0", Text: "Data command rejected: Improper use of SMTP command pipelining"})},
		{"postfix/smtpd[1]: NOQUEUE: reject: VRFY from unknown[203.0.113.9]: 550 5.1.1 <b@example.net>: Recipient address rejected: User unknown in local recipient table; to=<b@example.net> proto=SMTP helo=<x>",
			refused(relaylens.Event{Reason: relaylens.ReasonUnknownRecipient, Stage: relaylens.StageVrfy, ClientIP: ip("203.0.113.9"), Recipient: "b@example.net", Proto: "SMTP", Helo: "x",
				Code: 550, Enhanced: "5.1.1", Text: "Recipient address rejected: User unknown in local recipient table"})},
		{"postfix/smtpd[1]: NOQUEUE: reject: VRFY from unknown[203.0.113.9]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=SMTP helo=<x>",
			refused(relaylens.Event{Kind: relp, Stage: relaylens.StageVrfy, ClientIP: ip("203.0.113.9"), Sender: "a@example.com", Recipient: "b@example.net", Proto: "SMTP", Helo: "x",
				Code: 554, Enhanced: "5.7.1", Text: "Relay access denied"})},
		// A milter's refusal to connect is answered in smtpd's words.
		{"postfix/smtpd[1]: NOQUEUE: milter-reject: CONNECT from unknown[203.0.113.9]: 550 5.7.1 not you; proto=SMTP",
			refused(relaylens.Event{Reason: relaylens.ReasonMilter, Stage: relaylens.StageConnect, ClientIP: ip("203.0.113.9"), Proto: "SMTP", Code: 554, Text: "not you"})},
		{"postfix/smtpd[1]: NOQUEUE: milter-reject: CONNECT from unknown[203.0.113.9]: 421 4.7.1 not now; proto=SMTP",
			refused(relaylens.Event{Reason: relaylens.ReasonMilter, Stage: relaylens.StageConnect, ClientIP: ip("203.0.113.9"), Proto: "SMTP", Code: 421, Text: "not now"})},
		{"postfix/smtpd[1]: NOQUEUE: milter-reject: UNKNOWN from unknown[203.0.113.9]: 550 5.7.1 Command rejected; from=<a@example.com> proto=SMTP helo=<x>",
			refused(relaylens.Event{Reason: relaylens.ReasonMilter, ClientIP: ip("203.0.113.9"), Sender: "a@example.com", Proto: "SMTP", Helo: "x", Code: 550, Enhanced: "5.7.1", Text: "Command rejected"})},
		{`postfix/smtpd[1]: NOQUEUE: reject: VRFY from unknown[203.0.113.9]: 550 5.1.1 <x; from=<ceo@example.com> to=<v@example.com>: Recipient address rejected: User unknown; to=<"x; from=<ceo@example.com> to=<v"@example.com> proto=SMTP helo=<x>`,
			refused(relaylens.Event{Reason: relaylens.ReasonUnknownRecipient, Stage: relaylens.StageVrfy, ClientIP: ip("203.0.113.9"), Recipient: `"x; from=<ceo@example.com> to=<v"@example.com`, Proto: "SMTP", Helo: "x",
				Code: 550, Enhanced: "5.1.1", Text: "Recipient address rejected: User unknown"})},
		// A tag of 32 characters has lost the rest of the program's name.
		{"postfix/submission-external/smtp: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 454 4.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<pc.example.com>",
			refused(relaylens.Event{Kind: relp, Stage: rcpt, ClientIP: ip("203.0.113.9"), Helo: "pc.example.com", Proto: "ESMTP",
				Sender: "a@example.com", Recipient: "b@example.net", Code: 454, Enhanced: "4.7.1", Text: "Relay access denied"})},
		{"postfix/amavis-reinjection-in/sm: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 454 4.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<pc.example.com>",
			refused(relaylens.Event{Kind: relp, Stage: rcpt, ClientIP: ip("203.0.113.9"), Helo: "pc.example.com", Proto: "ESMTP",
				Sender: "a@example.com", Recipient: "b@example.net", Code: 454, Enhanced: "4.7.1", Text: "Relay access denied"})},
		{"postfix/smtpd[1]: NOQUEUE: discard: RCPT from unknown[203.0.113.9]: <a@example.com>: Sender address triggers DISCARD action; from=<a@example.com> to=<b@example.net> proto=SMTP helo=<x>",
			refused(relaylens.Event{Reason: relaylens.ReasonSenderPolicy, Action: relaylens.ActionDiscard, Stage: rcpt, ClientIP: ip("203.0.113.9"), Sender: "a@example.com", Recipient: "b@example.net", Proto: "SMTP", Helo: "x",
				Text: "Sender address triggers DISCARD action"})},
		{"postfix/smtpd[1]: NOQUEUE: milter-reject: RCPT from unknown[203.0.113.9]: 451 4.7.1 Service unavailable - try again later; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<x> sasl_username=<joe smith>",
			wanting(relaylens.HelperMilter, relaylens.Event{Reason: relaylens.ReasonMilter, Stage: rcpt, ClientIP: ip("203.0.113.9"), Sender: "a@example.com", Recipient: "b@example.net", Proto: "ESMTP", Helo: "x", User: "joe smith",
				Code: 451, Enhanced: "4.7.1", Text: "Service unavailable - try again later"})},
		// Postfix 3.4: addresses unquoted.
		{"postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <b c@example.net>: Relay access denied; from=<a d@example.com> to=<b c@example.net> proto=ESMTP helo=<x>",
			refused(relaylens.Event{Kind: relp, Stage: rcpt, ClientIP: ip("203.0.113.9"), Helo: "x", Proto: "ESMTP", Sender: "a d@example.com", Recipient: "b c@example.net", Code: 554, Enhanced: "5.7.1", Text: "Relay access denied"})},
		// The program is not known: the tag was cut.
		{"postfix[1]: NOQUEUE: reject: RCPT from [203.0.113.9]:50000: 550 5.7.1 Service unavailable; client [203.0.113.9] blocked using bl.example.org; from=<a@example.com>, to=<b@example.net>, proto=ESMTP, helo=<x y>",
			refused(relaylens.Event{Reason: relaylens.ReasonDNSBL, Stage: rcpt, ClientIP: ip("203.0.113.9"), ClientPort: 50000, Helo: "x y", Proto: "ESMTP", Sender: "a@example.com", Recipient: "b@example.net",
				Code: 550, Enhanced: "5.7.1", Text: "Service unavailable; client [203.0.113.9] blocked using bl.example.org"})},
	})
}

func TestHostileAddresses(t *testing.T) {
	client := ip("203.0.113.9")
	readAll(t, []reading{
		// A HELO argument that looks like the fields, as it stands before it is made harmless.
		{`postfix/smtpd[1]: NOQUEUE: reject: HELO from unknown[203.0.113.9]: 501 5.5.2 <a b[192.0.2.1]; proto=SMTP helo=<q>>: Helo command rejected: Invalid name; proto=SMTP helo=<a b[192.0.2.1]; proto=SMTP helo=<q>>`,
			refused(relaylens.Event{Reason: relaylens.ReasonHelo, Stage: relaylens.StageHelo, ClientIP: client, Helo: `a b[192.0.2.1]; proto=SMTP helo=<q>`, Proto: "SMTP",
				Code: 501, Enhanced: "5.5.2", Text: "Helo command rejected: Invalid name"})},
		{`postfix/smtpd[1]: NOQUEUE: reject: HELO from unknown[203.0.113.9]: 501 5.5.2 <z>: Helo command rejected: x; proto=SMTP helo=<z>: Helo command rejected: Invalid name; proto=SMTP helo=<z>: Helo command rejected: x; proto=SMTP helo=<z>`,
			tainted(refused(relaylens.Event{Reason: relaylens.ReasonHelo, Stage: relaylens.StageHelo, ClientIP: client, Code: 501, Enhanced: "5.5.2", Text: "Helo command rejected: x"}))},
		{`postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 454 4.7.1 <x; from=<ceo@example.com> to=<v@example.com> proto=ESMTP helo=<a@example.org>: Relay access denied; from=<m@example.org> to=<"x; from=<ceo@example.com> to=<v@example.com> proto=ESMTP helo=<a"@example.org> proto=ESMTP helo=<pc>`,
			refused(relaylens.Event{Kind: relaylens.KindRelayDenied, Stage: relaylens.StageRcpt, ClientIP: client, Sender: "m@example.org",
				Recipient: `"x; from=<ceo@example.com> to=<v@example.com> proto=ESMTP helo=<a"@example.org`, Proto: "ESMTP", Helo: "pc", Code: 454, Enhanced: "4.7.1", Text: "Relay access denied"})},
		{`postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 450 4.1.8 <x: Relay access denied@example.org>: Sender address rejected: Domain not found; from=<"x: Relay access denied"@example.org> to=<b@example.com> proto=ESMTP helo=<pc>`,
			refused(relaylens.Event{Reason: relaylens.ReasonDomainNotFound, Stage: relaylens.StageRcpt, ClientIP: client, Sender: `"x: Relay access denied"@example.org`, Recipient: "b@example.com",
				Proto: "ESMTP", Helo: "pc", Code: 450, Enhanced: "4.1.8", Text: "Sender address rejected: Domain not found"})},
		// sasl_sender is what any client says.
		{`postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<pc> sasl_sender=<x sasl_method=PLAIN sasl_username=ceo@example.com`,
			refused(relaylens.Event{Kind: relaylens.KindRelayDenied, Stage: relaylens.StageRcpt, ClientIP: client, Sender: "a@example.com", Recipient: "b@example.net",
				Proto: "ESMTP", Helo: "pc", Code: 554, Enhanced: "5.7.1", Text: "Relay access denied"})},
		// A raw HELO argument.
		{`postfix/smtpd[1]: NOQUEUE: milter-reject: EHLO from unknown[203.0.113.9]: 421 4.7.1 Command rejected; proto=SMTP helo=<x> from=<ceo@example.com> to=<v@example.com> sasl_username=<ceo>`,
			refused(relaylens.Event{Reason: relaylens.ReasonMilter, Stage: relaylens.StageHelo, ClientIP: client, Proto: "SMTP", Helo: "x> from=<ceo@example.com> to=<v@example.com> sasl_username=<ceo",
				Code: 421, Enhanced: "4.7.1", Text: "Command rejected"})},
		// Unquoted addresses that cannot be told apart.
		{`postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a b> to=<c d> to=<b@example.org> proto=ESMTP helo=<pc>`,
			tainted(refused(relaylens.Event{Kind: relaylens.KindRelayDenied, Stage: relaylens.StageRcpt, ClientIP: client, Code: 554, Enhanced: "5.7.1", Text: "Relay access denied"}))},
		// One reading says relay denied, another sender rejected.
		{`postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <a b>: Relay access denied; from=<c>: Sender address rejected: Access denied; from=<a b>: Relay access denied; from=<c> to=<b d@example.org> proto=ESMTP helo=<pc>`,
			tainted(refused(relaylens.Event{Reason: relaylens.ReasonOther, Stage: relaylens.StageRcpt, ClientIP: client, Code: 554, Enhanced: "5.7.1"}))},
	})
}

// A record of 2000 bytes may end anywhere.
func TestCutLine(t *testing.T) {
	long := make([]byte, 1800)
	for i := range long {
		long[i] = 'a'
	}
	head := "postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <" + string(long) + "@example.net>: Relay access denied; from=<x@example.com>"
	want := refused(relaylens.Event{Kind: relaylens.KindRelayDenied, Stage: relaylens.StageRcpt, ClientIP: ip("203.0.113.9"), Sender: "x@example.com",
		Recipient: string(long) + "@example.net", Code: 554, Enhanced: "5.7.1", Text: "Relay access denied"})
	readAll(t, []reading{{head + " to=<" + string(long[:20]), want}})
	want.Event.Recipient = ""
	readAll(t, []reading{{head, want}, {head + " to", want}})
}

// No line of Postfix's is longer than 2000 bytes, so that none takes long to read.
func TestLongLine(t *testing.T) {
	for _, words := range []string{`; from=<"`, "; from=<a> to=<b>", "; proto=SMTP helo=<a>", "<x>: Recipient address rejected: ; from=<"} {
		for _, head := range []string{
			"postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <x>: Relay access denied",
			"postfix/smtpd[1]: NOQUEUE: reject: HELO from unknown[203.0.113.9]: 554 5.7.1 <x>: Helo command rejected: no",
			"postfix/cleanup[1]: 4F1A2B3C: reject: header X: ",
			"postfix/cleanup[1]: 4F1A2B3C: milter-reject: END-OF-MESSAGE from unknown[203.0.113.9]: 5.7.1 no",
		} {
			t.Run(head+words, func(t *testing.T) {
				g := New(relaylens.Texts{})
				long := parsertest.Syslog(head + strings.Repeat(words, relaylens.MaxLine/len(words)))
				short := parsertest.Syslog(head + strings.Repeat(words, maxRecord/len(words)))
				short.Text, long.Text = (short.Text + words)[:maxRecord], long.Text[:relaylens.MaxLine-len(words)]
				var want, got relaylens.Record
				if g.Parse(&short, &want) != relaylens.Parsed || g.Parse(&long, &got) != relaylens.Parsed {
					t.Fatal("not parsed")
				}
				if diff := cmp.Diff(want, got, equateAddr); diff != "" {
					t.Errorf("what goes on beyond %d bytes was read (-want +got)\n%s", maxRecord, diff)
				}
			})
		}
	}
}

func TestRejectTexts(t *testing.T) {
	tests := []struct {
		text   string
		kind   relaylens.Kind
		reason relaylens.Reason
		remote string
	}{
		{"450 4.1.8 <S>: Sender address rejected: Domain not found", 0, relaylens.ReasonDomainNotFound, ""},
		{"550 5.7.27 <S>: Sender address rejected: Domain example.com does not accept mail (nullMX)", 0, relaylens.ReasonNullMX, ""},
		{"450 4.1.8 <S>: Sender address rejected: Malformed DNS server reply", 0, relaylens.ReasonDomainTempfail, ""},
		{"450 4.1.7 <S>: Sender address rejected: address verification problem", 0, relaylens.ReasonUnverified, ""},
		{"450 4.1.7 <S>: Sender address rejected: unverified address: Address verification in progress", 0, relaylens.ReasonCalloutTempfail, ""},
		{"450 4.1.7 <S>: Sender address rejected: unverified address: host mx.example.net[198.51.100.25] said: 550 5.1.1 <S>: User unknown (in reply to RCPT TO command)", 0, relaylens.ReasonCalloutUnknownUser, "mx.example.net"},
		{"450 4.1.7 <S>: Sender address rejected: unverified address: host mx.example.net[198.51.100.25] said: 454 4.7.1 <S>: Relay access denied (in reply to RCPT TO command)", 0, relaylens.ReasonCalloutTempfail, "mx.example.net"},
		{"450 4.1.7 <S>: Sender address rejected: unverified address: host mx.example.net[198.51.100.25] said: 554 5.7.1 <S>: Relay access denied (in reply to RCPT TO command)", 0, relaylens.ReasonCalloutRefused, "mx.example.net"},
		{"550 5.1.7 <S>: Sender address rejected: undeliverable address: host mx.example.net[198.51.100.25] said: 550 5.1.1 no (in reply to RC", 0, relaylens.ReasonCalloutUnknownUser, "mx.example.net"},
		{"450 4.1.7 <S>: Sender address rejected: unverified address: host mx.example.net[198.51.100.25] refused to talk to me: 554 5.7.1 no", 0, relaylens.ReasonCalloutRefused, "mx.example.net"},
		{"450 4.1.7 <S>: Sender address rejected: unverified address: host mx.example.net[198.51.100.25] refused to talk to me: 421 no", 0, relaylens.ReasonCalloutTempfail, "mx.example.net"},
		{"450 4.1.7 <S>: Sender address rejected: unverified address: connect to mx.example.net[198.51.100.25]:25: Connection refused", 0, relaylens.ReasonCalloutNoConnection, "mx.example.net"},
		{"450 4.1.7 <S>: Sender address rejected: unverified address: conversation with mx.example.net[198.51.100.25] timed out while receiving the initial server greeting", 0, relaylens.ReasonCalloutNoConnection, "mx.example.net"},
		{"450 4.1.7 <S>: Sender address rejected: unverified address: Host or domain name not found. Name service error for name=x type=MX: Host not found, try again", 0, relaylens.ReasonDomainTempfail, ""},
		{"450 4.1.7 <S>: Sender address rejected: unverified address: Host or domain name not found. Name service error for name=x type=A: Host not found", 0, relaylens.ReasonDomainNotFound, ""},
		{"450 4.1.7 <S>: Sender address rejected: unverified address: mail for example.com loops back to myself", 0, relaylens.ReasonUnrouteable, ""},
		{`450 4.1.7 <S>: Sender address rejected: unverified address: unknown user: "a@example.com"`, 0, relaylens.ReasonCalloutUnknownUser, ""},
		{"450 4.1.7 <S>: Sender address rejected: unverified address: User unknown in virtual alias table", 0, relaylens.ReasonCalloutUnknownUser, ""},
		{"504 5.5.2 <S>: Sender address rejected: need fully-qualified address", 0, relaylens.ReasonAddressSyntax, ""},
		{"553 5.7.1 <S>: Sender address rejected: not logged in", 0, relaylens.ReasonSenderLoginMismatch, ""},
		{"550 5.1.0 <S>: Sender address rejected: User unknown in local recipient table", 0, relaylens.ReasonSenderPolicy, ""},
		{"554 5.7.1 <S>: Sender address rejected: Access denied", 0, relaylens.ReasonSenderPolicy, ""},
		{"554 5.7.1 <S>: Sender address rejected: denied by policy, see relay access denied FAQ", 0, relaylens.ReasonSenderPolicy, ""},
		{"450 4.1.2 <R>: Recipient address rejected: Domain not found", 0, relaylens.ReasonUnknownDomain, ""},
		{"556 5.1.10 <R>: Recipient address rejected: Domain example.net does not accept mail (nullMX)", 0, relaylens.ReasonUnknownDomain, ""},
		{"550 5.1.1 <R>: Recipient address rejected: User unknown", 0, relaylens.ReasonUnknownRecipient, ""},
		{"450 4.1.1 <R>: Recipient address rejected: unverified address: host x[192.0.2.1] said: 550 5.1.1 no", 0, relaylens.ReasonUnknownRecipient, ""},
		{"450 4.2.0 <R>: Recipient address rejected: Greylisted, see http://example.org/", 0, relaylens.ReasonGreylist, ""},
		{"550 5.7.23 <R>: Recipient address rejected: Message rejected due to: SPF fail - not authorized", 0, relaylens.ReasonSenderPolicy, ""},
		{"550 5.1.1 <R>: Recipient address rejected: no such user at the server behind", 0, relaylens.ReasonUnknownRecipient, ""},
		{"550 5.1.0 <S>: Sender address rejected: no such user here", 0, relaylens.ReasonSenderPolicy, ""},
		{"451 4.3.5 <R>: Recipient address rejected: Server configuration problem", 0, relaylens.ReasonPolicyService, ""},
		{"452 4.2.2 <R>: Recipient address rejected: Mailbox full", 0, relaylens.ReasonQuota, ""},
		{"554 5.7.1 <R>: Recipient address rejected: Policy: not authorized to relay from this client", 0, relaylens.ReasonRecipientPolicy, ""},
		{"554 5.7.1 <R>: Recipient address rejected: Relaying denied", relaylens.KindRelayDenied, 0, ""},
		{"554 5.7.1 <R>: Recipient address rejected: Relaying denied, please authenticate first", relaylens.KindRelayDenied, 0, ""},
		{"550 5.7.1 <R>: Recipient address rejected: relay not allowed for you", relaylens.KindRelayDenied, 0, ""},
		{"450 4.7.1 <R>: Recipient address rejected: sorry, max 20 recipients per hour", 0, relaylens.ReasonRateLimit, ""},
		{"452 4.5.3 <S>: Sender address rejected: too many mails for user joe", 0, relaylens.ReasonRateLimit, ""},
		{"554 5.7.1 <S>: Sender address rejected: blacklisted here", 0, relaylens.ReasonSenderPolicy, ""},
		{"451 4.7.1 <R>: Recipient address rejected: Intentional policy rejection, please try again later", 0, relaylens.ReasonGreylist, ""},
		{"553 5.7.1 <S>: Sender address rejected: Sender login mismatch", 0, relaylens.ReasonSenderLoginMismatch, ""},
		{"550 5.5.3 <R>: Recipient address rejected: Multi-recipient bounce", 0, relaylens.ReasonProtocol, ""},
		{"451 4.3.0 <R>: Temporary lookup failure", 0, relaylens.ReasonResources, ""},
		{"451 4.3.5 <R>: Recipient address rejected: Server configuration error", 0, relaylens.ReasonResources, ""},
		{"451 4.3.5 Server configuration problem", 0, relaylens.ReasonPolicyService, ""},
		{"451 4.3.5 Server configuration error", 0, relaylens.ReasonResources, ""},
		{"452 4.3.1 Insufficient system storage", 0, relaylens.ReasonResources, relaylens.Disk},
		{"552 5.3.4 Message size exceeds fixed limit", 0, relaylens.ReasonSize, ""},
		{"450 4.7.1 Session encryption is required", 0, relaylens.ReasonTLSRequired, ""},
		{"450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", 0, relaylens.ReasonClientPolicy, ""},
		{"554 5.7.1 <c.example.com[192.0.2.1]>: Client host rejected: Access denied", 0, relaylens.ReasonClientPolicy, ""},
		{"554 5.7.1 <192.0.2>: Client host rejected: dynamic range", 0, relaylens.ReasonClientPolicy, ""},
		{"554 5.7.1 <c.example.com[192.0.2.1]>: Unverified Client host rejected: no", 0, relaylens.ReasonClientPolicy, ""},
		{"554 5.7.1 <joe>: SASL login name rejected: no", 0, relaylens.ReasonClientPolicy, ""},
		{"554 5.7.1 <h>: Helo command rejected: You are not me", 0, relaylens.ReasonHelo, ""},
		{"450 4.7.1 <h>: Helo command rejected: Host not found", 0, relaylens.ReasonHelo, ""},
		{"554 5.7.1 Service unavailable; Sender address [S] blocked using dbl.example.org; spam", 0, relaylens.ReasonDNSBL, ""},
		{"554 5.7.1 Service unavailable; Helo command [h] blocked using dbl.example.org", 0, relaylens.ReasonDNSBL, ""},
		{"554 5.7.1 something of the site's own", 0, relaylens.ReasonOther, ""},
	}
	g := New(relaylens.Texts{})
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			env := parsertest.Syslog("postfix/smtpd[1]: NOQUEUE: reject: RCPT from c.example.com[192.0.2.1]: " + tt.text + "; from=<S> to=<R> proto=ESMTP helo=<h>")
			var rec relaylens.Record
			if v := g.Parse(&env, &rec); v != relaylens.Parsed || rec.Tainted {
				t.Fatalf("verdict %s, tainted %v", v, rec.Tainted)
			}
			e, kind := &rec.Event, tt.kind
			if kind == 0 {
				kind = tt.reason.Kind()
			}
			if e.Kind != kind || e.Reason != tt.reason || e.RemoteHost != tt.remote || e.Sender != "S" || e.Recipient != "R" {
				t.Errorf("got %s/%s remote %q from %q to %q, want %s/%s remote %q from S to R", e.Kind, e.Reason, e.RemoteHost, e.Sender, e.Recipient, kind, tt.reason, tt.remote)
			}
			if err := parsertest.Check(g, env); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRejectNamesUserAndService(t *testing.T) {
	g := New(relaylens.Texts{})
	env := parsertest.Syslog("postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 553 5.7.1 <a@example.com>: Sender address rejected: not owned by user joe@example.com; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<x>")
	var rec relaylens.Record
	g.Parse(&env, &rec)
	if rec.Event.User != "joe@example.com" || rec.Event.Reason != relaylens.ReasonSenderLoginMismatch {
		t.Errorf("got user %q, reason %s", rec.Event.User, rec.Event.Reason)
	}
	for program, want := range map[string]relaylens.Reason{
		"postfix/submission/smtpd": relaylens.ReasonAuthRequired, "mx2/smtps/smtpd": relaylens.ReasonAuthRequired,
		"postfix/submissions/smtpd": relaylens.ReasonAuthRequired, "postfix/smtpd": relaylens.ReasonClientPolicy,
	} {
		env := parsertest.Syslog(program + "[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<x>")
		var rec relaylens.Record
		if g.Parse(&env, &rec); rec.Event.Reason != want {
			t.Errorf("%s: reason %s, want %s", program, rec.Event.Reason, want)
		}
	}
}
