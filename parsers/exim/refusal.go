package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// refusalLine reads the refusals that Exim makes without an ACL.
func (g *Grammar) refusalLine(text string, rec *relaylens.Record) relaylens.Verdict {
	s := text
	rest, temporary := strings.CutPrefix(s, "temporarily ")
	if temporary {
		s = rest
	}
	v := relaylens.Ignored
	switch {
	case strings.HasPrefix(s, "rejected "):
		v = g.rejectedLine(s[len("rejected "):], rec)
	case strings.HasPrefix(s, "refused connection from "):
		v = refusedConnection(s[len("refused connection from "):], rec)
	case hasAnyPrefix(s, "connection from ", "Connection from "):
		v = connectionRefused(s[len("connection from "):], rec)
	case strings.HasPrefix(s, "too many recipients: "):
		v = tooManyRecipients(s[len("too many recipients: "):], rec)
	}
	if v == relaylens.Parsed && temporary {
		rec.Event.Class = relaylens.Class4xx
	}
	return v
}

// rejectedLine reads what follows "rejected ".
func (g *Grammar) rejectedLine(s string, rec *relaylens.Record) relaylens.Verdict {
	switch {
	case hasAnyPrefix(s, "HELO from ", "EHLO from "):
		return rejectedHelo(s[len("EHLO from "):], rec)
	case strings.HasPrefix(s, "MAIL from "):
		return rejectedFrom(s[len("MAIL from "):], relaylens.StageMail, rec)
	case strings.HasPrefix(s, "MAIL command H="):
		return rejectedFrom(s[len("MAIL command H="):], relaylens.StageMail, rec)
	case strings.HasPrefix(s, "XCLIENT from "):
		return rejectedFrom(s[len("XCLIENT from "):], relaylens.StageNone, rec)
	case strings.HasPrefix(s, "MAIL FROM:<"):
		return tooBig(s[len("MAIL FROM:"):], relaylens.StageMail, rec)
	case strings.HasPrefix(s, "from <"):
		return tooBig(s[len("from "):], relaylens.StageEOD, rec)
	case strings.HasPrefix(s, `"`):
		return rejectedCommand(s[1:], rec)
	}
	return relaylens.Ignored
}

// rejectedHelo reads "HOST: syntactically invalid argument(s): ARG".
func rejectedHelo(s string, rec *relaylens.Record) relaylens.Verdict {
	h, rest, ok := cutHost(s)
	if ok {
		_, rest = cutTokens(rest)
		rest, ok = strings.CutPrefix(rest, ": ")
	}
	if !ok {
		return relaylens.Malformed
	}
	text, arg, _ := strings.Cut(rest, ": ")
	rec.Copied = true
	refused(&h, relaylens.StageHelo, relaylens.ReasonHelo, text, rec)
	rec.Event.Helo = arg
	if arg == "(no argument given)" {
		rec.Event.Helo = ""
	}
	return relaylens.Parsed
}

// rejectedFrom reads "HOST: why".
func rejectedFrom(s string, stage relaylens.Stage, rec *relaylens.Record) relaylens.Verdict {
	h, rest, ok := cutHost(s)
	if ok {
		_, rest = cutTokens(rest)
		rest, ok = strings.CutPrefix(rest, ": ")
	}
	if !ok {
		return relaylens.Malformed
	}
	reason := relaylens.ReasonProtocol
	if strings.HasPrefix(rest, "too many messages") {
		reason = relaylens.ReasonRateLimit
	}
	rec.Copied = true
	refused(&h, stage, reason, rest, rec)
	if reason == relaylens.ReasonRateLimit {
		rec.Event.Class = relaylens.Class4xx // 421
	}
	return relaylens.Parsed
}

// tooBig reads "<S> H=HOST: message too big: …" and its kin. Before "Too many
// Received headers" the space is missing. smtp_in.c; receive.c
func tooBig(s string, stage relaylens.Stage, rec *relaylens.Record) relaylens.Verdict {
	sender, rest, ok := smtp.CutPath(s)
	if !ok {
		return relaylens.Malformed
	}
	var h host
	if after, has := strings.CutPrefix(strings.TrimPrefix(rest, " "), "H="); has {
		if h, rest, ok = cutHost(after); !ok {
			return relaylens.Malformed
		}
	}
	if !strings.HasPrefix(rest, ": ") {
		if strings.HasPrefix(rest, "U=") {
			rest = " " + rest
		}
		_, rest, ok = strings.Cut(rest, ": ")
		if !ok {
			return relaylens.Malformed
		}
	} else {
		rest = rest[2:]
	}
	reason := relaylens.ReasonProtocol
	switch {
	case strings.HasPrefix(rest, "message too big"):
		reason = relaylens.ReasonSize
	case strings.HasPrefix(rest, "Too many"):
		reason = relaylens.ReasonContent
	}
	rec.Copied = true
	refused(&h, stage, reason, rest, rec)
	rec.Event.SetSender(sender)
	return relaylens.Parsed
}

// rejectedCommand reads `EHLO NAME" from HOST`. The same words about WELLKNOWN
// name the HELO where the client should be, so nothing is taken from them.
// smtp_in.c, smtp_setup_msg; smtp_wellknown_handler
func rejectedCommand(s string, rec *relaylens.Record) relaylens.Verdict {
	if stage := commandStage(s); stage != relaylens.StageHelo {
		rec.Copied = true
		return refused(&host{}, relaylens.StageNone, relaylens.ReasonProtocol, "", rec)
	}
	h, command, ok := hostAtEnd(s, `" from `)
	if !ok {
		return relaylens.Malformed
	}
	rec.Copied = true
	refused(&h, relaylens.StageHelo, relaylens.ReasonHelo, "", rec)
	if len(command) > 5 {
		rec.Event.Helo = command[5:]
	}
	return relaylens.Parsed
}

// hostAtEnd finds the host string that follows mark and ends the line.
func hostAtEnd(s, mark string) (h host, before string, ok bool) {
	for end := len(s); ; {
		i := strings.LastIndex(s[:end], mark)
		if i < 0 {
			return h, "", false
		}
		h, rest, ok := cutHost(s[i+len(mark):])
		if ok {
			if _, rest = cutTokens(rest); rest == "" || strings.HasPrefix(rest, " (") {
				return h, s[:i], true
			}
		}
		end = i
	}
}

// refusedConnection reads "HOST (why)" and "HOST: why".
func refusedConnection(s string, rec *relaylens.Record) relaylens.Verdict {
	h, rest, ok := cutHost(s)
	if !ok {
		return relaylens.Malformed
	}
	_, rest = cutTokens(rest)
	text := strings.Trim(rest, ":() ")
	rec.Copied = true
	reason := relaylens.ReasonClientPolicy
	if strings.Contains(text, "reserve") {
		reason = relaylens.ReasonRateLimit
	}
	return refused(&h, relaylens.StageConnect, reason, text, rec)
}

// connectionRefused reads "HOST refused: too many connections" and "HOST
// refused (IP options)". daemon.c, handle_smtp_call
func connectionRefused(s string, rec *relaylens.Record) relaylens.Verdict {
	h, rest, ok := cutHost(s)
	if !ok {
		return relaylens.Ignored
	}
	_, rest = cutTokens(rest)
	rest, ok = strings.CutPrefix(rest, " refused")
	if !ok {
		return relaylens.Ignored
	}
	text := strings.Trim(rest, ":() ")
	refused(&h, relaylens.StageConnect, relaylens.ReasonClientPolicy, text, rec)
	e := &rec.Event
	switch {
	case strings.HasPrefix(text, "too many"):
		e.Reason, e.Class = relaylens.ReasonRateLimit, relaylens.Class4xx
	case strings.HasPrefix(text, "load average"):
		e.Reason, e.Class = relaylens.ReasonResources, relaylens.Class4xx
	}
	return relaylens.Parsed
}

// tooManyRecipients reads "excess temporarily rejected: sender=<S> H=HOST".
func tooManyRecipients(s string, rec *relaylens.Record) relaylens.Verdict {
	text, rest, ok := strings.Cut(s, ": sender=")
	if !ok {
		return relaylens.Ignored
	}
	sender, rest, ok := smtp.CutPath(rest)
	var h host
	if ok {
		if rest, ok = strings.CutPrefix(rest, " H="); ok {
			h, _, ok = cutHost(rest)
		}
	}
	if !ok {
		return relaylens.Malformed
	}
	rec.Copied = true
	refused(&h, relaylens.StageRcpt, relaylens.ReasonRateLimit, text, rec)
	if strings.Contains(text, "temporarily") {
		rec.Event.Class = relaylens.Class4xx
	}
	rec.Event.SetSender(sender)
	return relaylens.Parsed
}

// unqualified reads "recipient rejected: <A> H=HOST". smtp_in.c, smtp_setup_msg
func unqualified(s string, rec *relaylens.Record) relaylens.Verdict {
	s, recipient := strings.CutPrefix(s, "recipient rejected: ")
	if !recipient {
		var ok bool
		if s, ok = strings.CutPrefix(s, "sender rejected: "); !ok {
			return relaylens.Ignored
		}
	}
	address, rest, ok := smtp.CutPath(s)
	var h host
	if ok {
		if rest, ok = strings.CutPrefix(rest, " H="); ok {
			h, _, ok = cutHost(rest)
		}
	}
	if !ok {
		return relaylens.Malformed
	}
	rec.Copied = true
	if recipient {
		refused(&h, relaylens.StageRcpt, relaylens.ReasonAddressSyntax, "", rec)
		rec.Event.Recipient = address
		return relaylens.Parsed
	}
	refused(&h, relaylens.StageMail, relaylens.ReasonAddressSyntax, "", rec)
	rec.Event.SetSender(address)
	return relaylens.Parsed
}

// vrfyFailed reads "A H=HOST". smtp_in.c
func vrfyFailed(s string, rec *relaylens.Record) relaylens.Verdict {
	h, _, ok := hostAtEnd(s, " H=")
	if !ok {
		return relaylens.Malformed
	}
	return refused(&h, relaylens.StageVrfy, relaylens.ReasonUnknownRecipient, "", rec)
}
