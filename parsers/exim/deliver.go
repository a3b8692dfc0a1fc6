package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// cutRecipient reads the address that a delivery line begins with:
// {final} ({parents}) <{original}> F=<{sender}>. deliver.c, string_log_address
func cutRecipient(s string, e *relaylens.Event) (rest string, ok bool) {
	final, s, ok := cutAddress(s)
	if !ok {
		return s, false
	}
	e.Recipient = strings.TrimSuffix(final, ":") // what went wrong follows at once
	if strings.HasPrefix(s, " (") {
		if i := strings.Index(s, ") "); i >= 0 {
			s = s[i+1:]
		}
	}
	if strings.HasPrefix(s, " <") {
		original, after, ok := cutPath(s[1:])
		if !ok {
			return s, false
		}
		if strings.IndexByte(final, '@') < 0 {
			e.Recipient = original
		}
		s = after
	}
	if strings.HasPrefix(s, " F=<") {
		sender, after, ok := cutPath(s[3:])
		if !ok {
			return s, false
		}
		e.SetSender(sender)
		s = after
	}
	if strings.HasPrefix(s, " P=<") {
		if _, s, ok = cutPath(s[3:]); !ok {
			return s, false
		}
	}
	return s, true
}

// setRemoteHost finds H=name [ip] among the fields of a delivery.
func setRemoteHost(s string, e *relaylens.Event) {
	i := strings.Index(s, " H=")
	if i < 0 {
		return
	}
	s = s[i+3:]
	name := nameLength(s)
	address := strings.TrimPrefix(strings.TrimPrefix(s[name:], " DS"), " ")
	var h host
	if _, ok := h.cutAddr(address); ok {
		e.RemoteHost, e.RemoteIP = s[:name], h.ip
	}
}

// delivered reads a message that reached a mailbox, a program or the next
// server; s is what follows the flag.
func delivered(s string, rec *relaylens.Record) relaylens.Verdict {
	e := &rec.Event
	rest, ok := cutRecipient(s, e)
	if !ok {
		*rec = relaylens.Record{}
		return relaylens.Malformed
	}
	e.Kind = relaylens.KindDelivered
	setRemoteHost(rest, e)
	return relaylens.Parsed
}

// refusedAbroad reads a bounce or a deferral. Only what another server answered
// is an event; the rest is the network's or our own doing.
func refusedAbroad(s string, rec *relaylens.Record) relaylens.Verdict {
	mark := remoteErrorAt(s)
	if mark < 0 {
		return relaylens.Ignored
	}
	e := &rec.Event
	rest, ok := cutRecipient(s, e)
	if !ok {
		*rec = relaylens.Record{}
		return relaylens.Malformed
	}
	if mark -= len(s) - len(rest); mark < 0 {
		mark = remoteErrorAt(rest)
	}
	if mark > 1 && !repeated(rest[:mark]) {
		r, isReply := cutRemoteError(rest[mark-1:])
		if isReply && r.setReply(e) {
			e.Direction = relaylens.Outbound
			setRemoteHost(rest[:mark-1], e)
			if rec.Apart = r.apart; r.apart && e.RemoteIP.IsValid() {
				e.Stage = relaylens.StageEOD // transports/smtp.c names the command that began the message
			}
			return relaylens.Parsed
		}
	}
	*rec = relaylens.Record{}
	return relaylens.Ignored
}

// withoutTime drops " DT=0.5s" at the end of a bounce's line, which is how long the
// delivery took (log_selector = +deliver_time), no part of the answer.
func withoutTime(s string) string {
	if i := strings.LastIndex(s, " DT="); i >= 0 && strings.Trim(s[i+len(" DT="):], "0123456789.smhdw") == "" {
		return s[:i]
	}
	return s
}

// retryBase is the first of the error numbers that mean that a host's retry
// time has not come; they repeat an old error. macros.h, ERRNO_RETRY_BASE: -51,
// in 4.98 -52.
const retryBase = 51

// repeated reports a deferral for which no server was asked; s is what stands
// between the address and the error.
func repeated(s string) bool {
	i := strings.Index(s, " defer (-")
	if i < 0 {
		return false
	}
	n := 0
	for _, c := range []byte(s[i+len(" defer (-"):]) {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n >= retryBase || strings.Contains(s, "retry time not reached")
}

// tried reads what a server answered when there are others to try:
// name [ip]:port: MSG or name [ip]:port MSG. transports/smtp.c, write_logs
func tried(s string, rec *relaylens.Record) relaylens.Verdict {
	h, rest, ok := cutHost(s)
	if !ok || h.greeted {
		return relaylens.Ignored
	}
	rest = strings.TrimPrefix(rest, ":")
	if len(rest) < len(remoteMark) || rest[0] != ' ' {
		return relaylens.Ignored
	}
	r, ok := cutRemoteError(rest[1:])
	if !ok {
		return relaylens.Ignored
	}
	e := &rec.Event
	h.setRemote(e)
	if r.stage == relaylens.StageRcpt {
		_, to, _ := strings.Cut(rest, " RCPT TO:")
		e.Recipient, _, _ = cutPath(to)
	}
	if !r.setReply(e) {
		*rec = relaylens.Record{}
		return relaylens.Ignored
	}
	rec.Retried = true
	return relaylens.Parsed
}

// smarthostAuth reads the refusal of our own login; s is what follows H=.
// transports/smtp.c, try_authenticator
func smarthostAuth(name, s string, rec *relaylens.Record) relaylens.Verdict {
	h, rest, ok := cutHost(s)
	if !ok || h.greeted || !strings.HasPrefix(rest, " ") {
		return relaylens.Malformed
	}
	code, enhanced, text := smtp.CutReply(rest[1:])
	if code < 400 {
		return relaylens.Ignored
	}
	e := &rec.Event
	h.setRemote(e)
	e.Kind, e.Reason, e.Stage = relaylens.KindAuthFailed, smtp.AuthReason(code), relaylens.StageAuth
	e.AuthMethod, e.Code, e.Enhanced, e.Text = name, code, enhanced, text
	return relaylens.Parsed
}
