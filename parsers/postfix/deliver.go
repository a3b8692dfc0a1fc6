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
	if id == "" || len(rest) < 8 {
		return relaylens.Ignored
	}
	switch {
	case strings.HasPrefix(rest, "to=<"):
	case strings.HasPrefix(rest, "host "):
		return tryNext(id, rest, rec)
	default:
		return relaylens.Ignored
	}
	address, rest, ok := cutTo(rest[4:])
	if !ok {
		return relaylens.Ignored
	}
	if i := strings.Index(rest, ", relay="); i >= 0 {
		rest = rest[i+len(", relay="):]
	}
	relay := rest
	i := strings.Index(rest, ", dsn=")
	if i < 0 {
		return relaylens.Ignored
	}
	dsn, rest, ok := strings.Cut(rest[i+len(", dsn="):], ", status=")
	if !ok {
		return relaylens.Ignored
	}
	status, reason, ok := strings.Cut(rest, " (")
	if !ok {
		return relaylens.Ignored
	}
	reason = strings.TrimSuffix(reason, ")")
	ev := &rec.Event
	switch status {
	case "sent":
		ev.Kind, ev.Text = relaylens.KindDelivered, reason
		if strings.IndexByte(relay[:i], '[') > 0 {
			cutHost(relay[:i], ev)
		}
		ev.Enhanced = dsn
	case "deferred", "bounced", "SOFTBOUNCE":
		if !remote(reason, ev) {
			return relaylens.Ignored
		}
		if ev.Enhanced == "" && ev.Code == 0 {
			ev.Enhanced = dsn
		}
	default: // address probes: deliverable, undeliverable
		return relaylens.Ignored
	}
	ev.QueueID, ev.Recipient = id, address
	return relaylens.Parsed
}

// cutTo reads a recipient and what follows it. An unquoted one is read up to the
// first field that can follow.
func cutTo(s string) (address, rest string, ok bool) {
	address, rest, ok = cutAddr(s)
	if ok && (strings.HasPrefix(rest, ", relay=") || strings.HasPrefix(rest, ", orig_to=<")) {
		return address, rest, true
	}
	for _, next := range [...]string{">, orig_to=<", ">, relay="} {
		if i := strings.Index(s, next); i >= 0 {
			return s[:i], s[i+1:], true
		}
	}
	return "", s, false
}

// tryNext reads "host H[IP] said: …" without a recipient: the next server is
// tried. The recipient is known when the remote server names it.
func tryNext(id, rest string, rec *relaylens.Record) relaylens.Verdict {
	ev := &rec.Event
	if !remote(rest, ev) {
		return relaylens.Ignored
	}
	ev.QueueID = id
	return relaylens.Parsed
}

// remote reads a reason for which another server is answerable. ok is false for
// all others: no connection, DNS, local trouble, and old answers that are
// repeated while a destination is suspended.
func remote(reason string, ev *relaylens.Event) (ok bool) {
	s, auth := strings.CutPrefix(reason, "SASL authentication failed; server ")
	if !auth {
		if s, ok = strings.CutPrefix(reason, "host "); !ok {
			return false
		}
	}
	s, ok = cutHost(s, ev)
	if !ok {
		*ev = relaylens.Event{}
		return false
	}
	reply, said := strings.CutPrefix(s, " said: ")
	refused := false
	if !said {
		reply, refused = strings.CutPrefix(s, " refused to talk to me: ")
	}
	if !said && !refused {
		*ev = relaylens.Event{}
		return false
	}
	command := ""
	switch {
	case auth:
		ev.Stage = relaylens.StageAuth
	case refused:
		ev.Stage = relaylens.StageConnect
	default:
		reply, command = cutInReply(reply)
		ev.Stage = remoteStage(command)
	}
	ev.Direction = relaylens.Outbound
	setRemote(reply, ev)
	if auth && ev.Reason == relaylens.ReasonRemoteOther {
		ev.Reason = relaylens.ReasonAuthRequired
	}
	return true
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
