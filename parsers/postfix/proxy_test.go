package postfix

import (
	"testing"

	"github.com/relaylens/relaylens"
)

func passedOn(e relaylens.Event) relaylens.Record {
	r := refused(e)
	r.PassedOn = true
	return r
}

// Postfix 3.7 wrote these of a filter before the queue.
func TestProxy(t *testing.T) {
	const tail = "; from=<a@example.com> to=<b@example.net> proto=ESMTP helo=<x>"
	envelope := func(e relaylens.Event) relaylens.Record {
		e.Stage, e.Sender, e.Recipient, e.Proto, e.Helo = relaylens.StageEOD, "a@example.com", "b@example.net", "ESMTP", "x"
		return passedOn(e)
	}
	gone := func(text, filter string) relaylens.Record {
		r := refused(relaylens.Event{Reason: relaylens.ReasonResources, Stage: relaylens.StageRcpt, Class: relaylens.Class4xx, Text: text, RemoteHost: filter})
		r.Presumed = true
		return r
	}
	answered := func(e relaylens.Event) relaylens.Record {
		r := passedOn(e)
		r.Presumed = true
		return r
	}
	explainedBy := func(r relaylens.Record) relaylens.Record { r.Explained = true; return r }
	readAll(t, []reading{
		{"postfix/smtpd[1]: proxy-reject: END-OF-MESSAGE: 550 5.7.1 Spam" + tail + " sasl_username=<joe>", func() relaylens.Record {
			r := envelope(relaylens.Event{Reason: relaylens.ReasonContent, Code: 550, Enhanced: "5.7.1", Text: "Spam"})
			r.Event.User = "joe"
			return r
		}()},
		{"postfix/smtpd[1]: proxy-reject: END-OF-MESSAGE: 451 4.3.0 Error: queue file write error" + tail,
			envelope(relaylens.Event{Reason: relaylens.ReasonResources, Code: 451, Enhanced: "4.3.0", Text: "Error: queue file write error"})},
		// The filter's last answer is none to the message: smtpd refused it itself.
		{"postfix/smtpd[1]: proxy-reject: END-OF-MESSAGE: 354 End data with <CR><LF>.<CR><LF>" + tail,
			explainedBy(envelope(relaylens.Event{Reason: relaylens.ReasonContent, Class: relaylens.Class5xx}))},
		{"postfix/smtpd[1]: warning: NOQUEUE: queue file size limit exceeded",
			fact(relaylens.FactDetail, relaylens.Event{Kind: relaylens.KindRejected, Direction: relaylens.Inbound, Stage: relaylens.StageEOD, Class: relaylens.Class5xx,
				Reason: relaylens.ReasonSize, Text: "queue file size limit exceeded"})},
		{"postfix/smtpd[1]: proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: queued as 5F1A2B3C; from=<\"x queued as 6F1A2B3C\"@example.com> to=<b@example.net> proto=ESMTP helo=<x>",
			fact(relaylens.FactMessage, relaylens.Event{QueueID: "5F1A2B3C"})},
		{`postfix/smtpd[1]: warning: proxy 127.0.0.1:10024 rejected "RCPT TO:<b@example.net> NOTIFY=NEVER": "550 5.1.1 <b@example.net>: Recipient address rejected: User unknown in virtual mailbox table"`,
			answered(relaylens.Event{Reason: relaylens.ReasonUnknownRecipient, Stage: relaylens.StageRcpt, Recipient: "b@example.net", Code: 550, Enhanced: "5.1.1",
				Text: "Recipient address rejected: User unknown in virtual mailbox table"})},
		{`postfix/smtpd[1]: warning: proxy unix:/run/filter rejected "MAIL FROM:<a@example.com> SIZE=100": "554 5.7.1 <a@example.com>: Sender address rejected: bad sender"`,
			answered(relaylens.Event{Reason: relaylens.ReasonSenderPolicy, Stage: relaylens.StageRcpt, Sender: "a@example.com", Code: 554, Enhanced: "5.7.1", Text: "Sender address rejected: bad sender"})},
		{`postfix/smtpd[1]: warning: proxy 127.0.0.1:10024 rejected "MAIL FROM:<>": "450 4.7.1 Greylisted"`,
			answered(relaylens.Event{Reason: relaylens.ReasonGreylist, Stage: relaylens.StageRcpt, NullSender: true, Code: 450, Enhanced: "4.7.1", Text: "Greylisted"})},
		{`postfix/smtpd[1]: warning: proxy 127.0.0.1:10024 rejected "rcpt to: <b@example.net>": "554 5.7.1 <b@example.net>: Relay access denied"`,
			answered(relaylens.Event{Kind: relaylens.KindRelayDenied, Stage: relaylens.StageRcpt, Recipient: "b@example.net", Code: 554, Enhanced: "5.7.1", Text: "Relay access denied"})},
		{`postfix/smtpd[1]: warning: proxy 127.0.0.1:10024 rejected "DATA": "450 4.7.1 <a@example.com>: Sender address rejected: not now"`,
			answered(relaylens.Event{Reason: relaylens.ReasonSenderPolicy, Stage: relaylens.StageData, Code: 450, Enhanced: "4.7.1", Text: "Sender address rejected: not now"})},
		// The client hears 451 to a command. Of the end of a message a line follows.
		{`postfix/smtpd[1]: warning: proxy 127.0.0.1:10024 rejected "connection request": "554 5.3.2 too busy"`, gone("554 5.3.2 too busy", "")},
		{"postfix/smtpd[1]: warning: connect to proxy filter 127.0.0.1:10024: Connection refused", gone("connect to proxy filter 127.0.0.1:10024: Connection refused", "127.0.0.1:10024")},
		{"postfix/smtpd[1]: warning: lost connection with proxy 127.0.0.1:10024", gone("lost connection with proxy 127.0.0.1:10024", "127.0.0.1:10024")},
		{"postfix/smtpd[1]: warning: timeout talking to proxy unix:/run/filter", gone("timeout talking to proxy unix:/run/filter", "unix:/run/filter")},
		// The client's words look like the answer's beginning.
		{`postfix/smtpd[1]: warning: proxy 127.0.0.1:10024 rejected "RCPT TO:<"x": "450 4.7.1 y"@example.net>": "554 5.7.1 no"`,
			answered(relaylens.Event{Reason: relaylens.ReasonOther, Stage: relaylens.StageRcpt, Recipient: `"x": "450 4.7.1 y"@example.net`, Code: 554, Enhanced: "5.7.1", Text: "no"})},
		{`postfix/smtpd[1]: warning: proxy 127.0.0.1:10024 rejected "RCPT TO:x": "450 4.7.1 <ceo@example.com>: Relay access denied": "554 5.7.1 no"`,
			tainted(answered(relaylens.Event{Reason: relaylens.ReasonOther, Stage: relaylens.StageRcpt, Class: relaylens.Class5xx}))},
	})
}
