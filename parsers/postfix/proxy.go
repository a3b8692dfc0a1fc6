package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// The lines that smtpd writes of a content filter before the queue. They name no
// client: the session does. What the filter refused may be what a server behind
// it refused, whose own line was written before.

// proxyReject reads the answer to the end of a message.
//
// Source: smtpd/smtpd.c common_post_message_handling.
func (g *Grammar) proxyReject(id, rest string, rec *relaylens.Record) relaylens.Verdict {
	where, rest, ok := strings.Cut(rest, ": ")
	stage, known := stageOf(where)
	if !ok || !known {
		return relaylens.Malformed
	}
	ev := &rec.Event
	ev.QueueID, ev.Stage, ev.Direction, rec.PassedOn = id, stage, relaylens.Inbound, true
	var f fields
	text, proven := split(rest, stage, styleSMTPD, 0, &f)
	if proven {
		f.set(ev)
	} else {
		rec.Tainted = true
		text, _, _ = strings.Cut(rest, fromMarker)
	}
	ev.Text = cutReply(text, ev)
	ev.Kind, ev.Reason = g.custom(ev.Text, relaylens.ReasonContent)
	if ev.Text == "Error: queue file write error" { // the filter is away
		ev.Reason = relaylens.ReasonResources
	}
	if strings.HasPrefix(text, "354 ") {
		// The filter never got to answer: smtpd refused the message by itself.
		ev.Kind, ev.Reason, ev.Text, rec.Explained = relaylens.KindRejected, relaylens.ReasonContent, "", true
	}
	return relaylens.Parsed
}

// proxyAccept reads the queue id that a message got behind the filter: it is the
// session's, and so is its login.
func proxyAccept(rest string, rec *relaylens.Record) relaylens.Verdict {
	const queued = "queued as "
	reply, _, _ := strings.Cut(rest, fromMarker)
	i := strings.LastIndex(reply, queued)
	if i < 0 || !queueID(reply[i+len(queued):]) {
		return relaylens.Ignored
	}
	rec.Event.QueueID, rec.Fact = reply[i+len(queued):], relaylens.FactMessage
	return relaylens.Parsed
}

// proxyWarning reads how a filter refused a command before the end of the
// message, or could not be asked. smtpd passes the answer on, except to a refused
// connection, and writes no other line. By default it turns to the filter when
// it has a recipient (smtpd_delay_open_until_valid_rcpt).
//
// Source: smtpd/smtpd_proxy.c smtpd_proxy_cmd_error, smtpd_proxy_connect,
// smtpd_proxy_rdwr_error.
func (g *Grammar) proxyWarning(rest string, rec *relaylens.Record) relaylens.Verdict {
	ev := &rec.Event
	for _, p := range [...]string{"connect to proxy filter ", "lost connection with proxy ", "timeout talking to proxy "} {
		if name, ok := strings.CutPrefix(rest, p); ok {
			// Commands are then answered 451 without a line. With smtpd_proxy_options =
			// speed_adjust the filter is asked when the message ended, of which there is one.
			refuse(ev, relaylens.StageRcpt, relaylens.ReasonResources, relaylens.Class4xx, rest)
			rec.Presumed = true
			if ev.RemoteHost = oneName(name); p[0] == 'c' {
				ev.RemoteHost = beforeWhy(name)
			}
			return relaylens.Parsed
		}
	}
	service, ok := strings.CutPrefix(rest, "proxy ")
	service, rest, found := strings.Cut(service, ` rejected "`)
	if !ok || !found || strings.IndexByte(service, ' ') >= 0 {
		return relaylens.Ignored
	}
	if reply, ok := strings.CutPrefix(rest, `connection request": "`); ok {
		refuse(ev, relaylens.StageRcpt, relaylens.ReasonResources, relaylens.Class4xx, strings.TrimSuffix(reply, `"`))
		rec.Presumed = true
		return relaylens.Parsed
	}
	ev.Direction, ev.Stage, rec.PassedOn, rec.Presumed = relaylens.Inbound, relaylens.StageRcpt, true, true
	var f fields
	where, rest := cutCommand(rest, &f)
	if where == "DATA" {
		ev.Stage = relaylens.StageData
	}
	f.set(ev)
	const separator = `": "`
	_, reply, ok := strings.Cut(rest, separator)
	if !ok || strings.Contains(reply, separator) {
		rec.Tainted = true
		ev.Kind, ev.Reason, ev.Class = relaylens.KindRejected, relaylens.ReasonOther, relaylens.Class5xx
		return relaylens.Parsed
	}
	g.classify(cutReply(strings.TrimSuffix(reply, `"`), ev), where, &f, "", ev)
	return relaylens.Parsed
}

// cutCommand reads a command as the client sent it, up to the path of MAIL and
// RCPT.
func cutCommand(s string, f *fields) (where, rest string) {
	for _, verb := range [...]string{"RCPT TO:", "MAIL FROM:"} {
		if len(s) < len(verb) || !strings.EqualFold(s[:len(verb)], verb) {
			continue
		}
		address, after, ok := smtp.CutPath(strings.TrimLeft(s[len(verb):], " "))
		if !ok {
			return "", s
		}
		if verb[0] == 'R' {
			f.recipient, f.hasRecipient = address, true
		} else {
			f.sender, f.hasSender = address, true
		}
		return "", after
	}
	if rest, ok := strings.CutPrefix(s, "DATA"); ok {
		return "DATA", rest
	}
	return "", s
}
