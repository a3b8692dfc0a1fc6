package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// delivery reads what became of one recipient of a message, and the refusals of
// a first server when there are more to try.
//
// Source: global/log_adhoc.c; smtp/smtp_trouble.c.
func delivery(id, rest string, rec *relaylens.Record) relaylens.Verdict {
	if id == "" {
		return relaylens.Ignored
	}
	if !strings.HasPrefix(rest, "to=<") {
		return tryNext(id, rest, rec)
	}
	var o outcome
	if v := o.read(rest); v != relaylens.Parsed {
		return v
	}
	ev := &rec.Event
	switch o.status {
	case "sent":
		o.sent(ev)
		ev.Kind = relaylens.KindDelivered
	case "deferred", "bounced", "SOFTBOUNCE":
		if !remote(o.reason, ev) {
			if o.status != "deferred" || !o.notStored(ev) {
				return relaylens.Ignored
			}
			ev.Recipient = o.address
			break
		}
		if ev.Enhanced == "" && ev.Code == 0 {
			ev.Enhanced = o.dsn
		}
		ev.Recipient = o.address
	default: // address probes: deliverable, undeliverable
		return relaylens.Ignored
	}
	ev.QueueID = id
	return relaylens.Parsed
}

// outcome is what became of a recipient.
type outcome struct{ address, fields, relay, dsn, status, reason string }

// read reads "to=<R>⟦, orig_to=<R>⟧, relay=R⟦, conn_use=n⟧, delay=…, dsn=D, status=S (reason)".
func (o *outcome) read(rest string) relaylens.Verdict {
	address, rest, ok := cutTo(rest[len("to=<"):])
	if !ok {
		if strings.Contains(rest, ", status=") {
			return relaylens.Malformed
		}
		return relaylens.Ignored
	}
	if o.address = address; !o.readStatus(rest) {
		return relaylens.Ignored
	}
	return relaylens.Parsed
}

// sent sets what is told of a delivery.
func (o *outcome) sent(ev *relaylens.Event) {
	cutHost(o.relay, ev)
	ev.Recipient, ev.Enhanced, ev.Text = o.address, o.dsn, o.reason
}

// readStatus reads all that stands behind the addresses. Nothing before the reason is
// another's words.
func (o *outcome) readStatus(s string) (ok bool) {
	const relay, dsn, status = ", relay=", "dsn=", "status="
	if !strings.HasPrefix(s, relay) {
		return false
	}
	o.fields = s
	o.relay, s, ok = smtp.CutField(s[len(relay):])
	for ok && !strings.HasPrefix(s, dsn) {
		_, s, ok = smtp.CutField(s)
	}
	if !ok {
		return false
	}
	o.dsn, s, ok = smtp.CutField(s[len(dsn):])
	if !ok || !strings.HasPrefix(s, status) {
		return false
	}
	o.status, o.reason, ok = strings.Cut(s[len(status):], " (")
	o.reason = strings.TrimSuffix(o.reason, ")")
	return ok
}

// cutTo reads a recipient and skips the one that it was before aliasing. An
// unquoted address is read up to the next field, if only one place looks so.
func cutTo(s string) (address, rest string, ok bool) {
	const orig, relay = ", orig_to=<", ", relay="
	address, rest, ok = cutAddr(s)
	if ok && strings.HasPrefix(rest, relay) {
		return address, rest, true
	}
	if ok && strings.HasPrefix(rest, orig) {
		if _, after, ok := cutAddr(rest[len(orig):]); ok && strings.HasPrefix(after, relay) {
			return address, after, true
		}
	}
	i := strings.Index(s, ">"+relay)
	if i < 0 || strings.Contains(s[i+1:], ">"+relay) {
		return "", s, false
	}
	rest = s[i+1:]
	if i = strings.Index(s[:i], ">"+orig); i >= 0 && !strings.Contains(s[i+1:], ">"+orig) {
		return s[:i], rest, true
	}
	if i >= 0 {
		return "", s, false
	}
	return s[:len(s)-len(rest)-1], rest, true
}

// tryNext reads "host H[IP] said: …" and its kin without a recipient: the next server is
// tried. The recipient is known when the remote server names it.
func tryNext(id, rest string, rec *relaylens.Record) relaylens.Verdict {
	ev := &rec.Event
	if !remote(rest, ev) {
		return relaylens.Ignored
	}
	ev.QueueID, rec.Retried = id, true
	return relaylens.Parsed
}

// remote reads a reason for which another server is answerable. ok is false for
// all others: no connection, DNS, local trouble, and old answers that are
// repeated while a destination is suspended.
func remote(reason string, ev *relaylens.Event) (ok bool) {
	for i := range replies {
		form := &replies[i]
		host, is := strings.CutPrefix(reason, form.before)
		if !is {
			continue
		}
		if host, is = cutHost(host, ev); is {
			if reply, is := strings.CutPrefix(host, form.after); is {
				form.read(reply, ev)
				return true
			}
		}
		*ev = relaylens.Event{}
	}
	return false
}

// replyForm is how a remote server's reply is reported: its name and address
// stand between before and after, the reply follows.
type replyForm struct {
	before, after string
	stage         relaylens.Stage  // StageNone where the line tells the command
	reason        relaylens.Reason // of a reply that says nothing known
}

// Source: smtp/smtp_trouble.c, smtp/smtp_proto.c smtp_helo, smtp/smtp_sasl_glue.c.
var replies = [...]replyForm{
	{before: "host ", after: " said: "},
	{before: "host ", after: " refused to talk to me: ", stage: relaylens.StageConnect},
	{before: "SASL authentication failed; server ", after: " said: ", stage: relaylens.StageAuth},
	{"TLS is required, but host ", " refused to start TLS: ", relaylens.StageHelo, relaylens.ReasonTLSRequired},
	{"Sender requested REQUIRETLS, but host ", " refused to start TLS: ", relaylens.StageHelo, relaylens.ReasonTLSRequired},
}

func (f *replyForm) read(reply string, ev *relaylens.Event) {
	ev.Direction, ev.Stage = relaylens.Outbound, f.stage
	if f.stage == relaylens.StageNone {
		var command string
		reply, command = cutInReply(reply)
		ev.Stage = remoteStage(command)
	}
	setRemote(reply, ev)
	if ev.Stage == relaylens.StageAuth { // as Exim says it
		code, _, _ := smtp.CutReply(reply)
		ev.Kind, ev.Reason = relaylens.KindAuthFailed, smtp.AuthReason(code)
	}
	if ev.Reason == relaylens.ReasonRemoteOther && f.reason != relaylens.ReasonNone {
		ev.Reason = f.reason
	}
}

// setRemote reads a remote server's reply. The address it begins with, if any,
// is the recipient when it answers RCPT TO.
func setRemote(reply string, ev *relaylens.Event) {
	var body string
	ev.Code, ev.Enhanced, body = smtp.CutReply(reply)
	text := body
	if strings.HasPrefix(body, "<") {
		if address, after, ok := cutAddr(body[1:]); ok && strings.HasPrefix(after, ": ") {
			text = after[2:]
			if ev.Stage == relaylens.StageRcpt && strings.IndexByte(address, '@') > 0 {
				ev.Recipient = address
			}
		}
	}
	ev.Text = text
	ev.Kind, ev.Reason = smtp.Remote(ev.Code, ev.Enhanced, text)
	if ev.Code < 400 { // no reply, or one that is none to this command
		ev.Code, ev.Class = 0, relaylens.Class4xx
	}
}

// remoteStage maps the command that a remote server answered.
//
// Source: smtp/smtp_proto.c, xfer_request and smtp_helo.
func remoteStage(command string) relaylens.Stage {
	switch command {
	case "RCPT TO":
		return relaylens.StageRcpt
	case "MAIL FROM":
		return relaylens.StageMail
	case "DATA":
		return relaylens.StageData
	case "end of DATA", "end of DATA command", "BDAT":
		return relaylens.StageEOD
	case "EHLO", "HELO", "LHLO", "STARTTLS":
		return relaylens.StageHelo
	case "AUTH":
		return relaylens.StageAuth
	}
	return relaylens.StageNone
}
