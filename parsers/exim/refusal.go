package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
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
	case hasAnyPrefix(s, "ridiculously long message header received from ", "overlong message header line received from "):
		v = longHeader(s, rec)
	case strings.HasPrefix(s, "unqualified "):
		v = unqualified(s[len("unqualified "):], rec)
	case strings.HasPrefix(s, "VRFY failed for "):
		v = vrfyFailed(s[len("VRFY failed for "):], rec)
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
	case hasAnyPrefix(s, "MAIL command H=", "MAIL command U="):
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
		rest, _ = follow(rest, isInvalid)
	} else {
		h = host{}
		rest, _ = cutIdent(s, isInvalid)
	}
	if rest, ok = strings.CutPrefix(rest, ": "); !ok {
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

func isInvalid(s string) bool { return strings.HasPrefix(s, ": syntactically invalid argument(s)") }

// rejectedFrom reads "HOST: why".
func rejectedFrom(s string, stage relaylens.Stage, rec *relaylens.Record) relaylens.Verdict {
	h, rest, n := oneClient(s, whyFollows)
	if n == 0 {
		return relaylens.Malformed
	}
	rest, _ = follow(rest, isWhy)
	rest = rest[2:]
	reason := relaylens.ReasonProtocol
	if rest == tooMany {
		reason = relaylens.ReasonRateLimit
	}
	if n > 1 {
		h, rest, rec.Tainted = host{}, "", true
	}
	rec.Copied = true
	refused(&h, stage, reason, rest, rec)
	if reason == relaylens.ReasonRateLimit {
		rec.Event.Class = relaylens.Class4xx // 421
	}
	return relaylens.Parsed
}

const tooMany = "too many messages in one connection"

// isWhy reports the end of the line: for MAIL, one of two texts.
func isWhy(s string) bool {
	s, ok := strings.CutPrefix(s, ": ")
	return ok && (s == tooMany || s == "no HELO/EHLO given" || !strings.Contains(s, tooMany))
}

func whyFollows(s string) bool {
	_, n := follow(s, isWhy)
	return n > 0
}

// tooBig reads "<S> H=HOST: message too big: …" and its kin. Before "Too many
// Received headers" the space is missing. smtp_in.c; receive.c
func tooBig(s string, stage relaylens.Stage, rec *relaylens.Record) relaylens.Verdict {
	sender, rest, ok := cutPath(s)
	if !ok {
		return relaylens.Malformed
	}
	var h host
	n := 1
	if after, has := strings.CutPrefix(strings.TrimPrefix(rest, " "), "H="); has {
		h, rest, n = oneHost(after, sizeFollows)
	}
	reason := sizeReason(rest)
	if n == 0 || reason == relaylens.ReasonNone {
		return relaylens.Malformed
	}
	if n > 1 {
		h, rec.Tainted = host{}, true
	}
	rec.Copied = true
	refused(&h, stage, reason, rest[sizeText(rest)+2:], rec)
	rec.Event.SetSender(sender)
	return relaylens.Parsed
}

// sizeFollows reports that the line ends with one of these texts, with fields or
// nothing before it.
func sizeFollows(s string) bool {
	if strings.HasPrefix(s, "U=") {
		return sizeText(s) > 0
	}
	_, n := follow(s, isSize)
	return n > 0
}

func isSize(s string) bool { return sizeText(s) == 0 }

// sizeText finds the last of the texts, which end the line.
func sizeText(s string) int {
	i := strings.LastIndex(s, ": message too big: ")
	if i < 0 {
		if i = strings.LastIndex(s, ": Too many "); i < 0 {
			i = strings.LastIndex(s, ": Non-CRLF-terminated header")
		}
	}
	return i
}

func sizeReason(s string) relaylens.Reason {
	i := sizeText(s)
	switch {
	case i < 0:
		return relaylens.ReasonNone
	case strings.HasPrefix(s[i:], ": message too big"):
		return relaylens.ReasonSize
	case strings.HasPrefix(s[i:], ": Too many"):
		return relaylens.ReasonContent
	}
	return relaylens.ReasonProtocol
}

// rejectedCommand reads `EHLO NAME" from HOST`. The same words about WELLKNOWN
// name the HELO where the client should be, so nothing is taken from them.
// smtp_in.c, smtp_setup_msg; smtp_wellknown_handler
func rejectedCommand(s string, rec *relaylens.Record) relaylens.Verdict {
	if stage := commandStage(s); stage != relaylens.StageHelo {
		rec.Copied = true
		return refused(&host{}, relaylens.StageNone, relaylens.ReasonProtocol, "", rec)
	}
	h, command, n := hostAtEnd(s, `" from `)
	if n == 0 {
		return relaylens.Malformed
	}
	if n > 1 {
		h = host{}
	}
	rec.Tainted = n > 1 || command == ""
	rec.Copied = true
	refused(&h, relaylens.StageHelo, relaylens.ReasonHelo, "", rec)
	if len(command) > 5 {
		rec.Event.Helo = command[5:]
	}
	return relaylens.Parsed
}

// hostAtEnd finds the host string that follows mark and ends the line; n is how
// many could be it. What stands before it is empty when it has no certain end.
func hostAtEnd(s, mark string) (h host, before string, n int) {
	tries, last := 0, 0
	for i := 0; ; {
		at := strings.Index(s[i:], mark)
		if at < 0 {
			return h, before, n
		}
		at += i
		i = at + 1
		if tries++; tries > maxHosts {
			return h, "", 2
		}
		th, rest, found := oneHost(s[at+len(mark):], endFollows)
		switch {
		case found == 0:
		case n == 0:
			h, before, n, last = th, s[:at], found, len(rest)
		case len(rest) != last:
			return h, "", 2
		default:
			before, h.name, h.helo = "", "", ""
			n = max(n, found)
		}
	}
}

// isEnd reports the end of a line, which may tell why the host has no name.
// host.c, host_lookup_msg
func isEnd(s string) bool {
	return s == "" || strings.HasPrefix(s, " (") && s[len(s)-1] == ')' && strings.IndexByte(s, '[') < 0
}

func endFollows(s string) bool {
	_, n := follow(s, isEnd)
	return n > 0
}

// refusedConnection reads "HOST (why)" and "HOST: why". There was no HELO yet.
func refusedConnection(s string, rec *relaylens.Record) relaylens.Verdict {
	h, rest, ok := cutHost(s)
	if !ok || h.greeted {
		return relaylens.Malformed
	}
	_, rest = cutTokens(rest, false)
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
	if !ok || h.greeted {
		return relaylens.Ignored
	}
	_, rest = cutTokens(rest, false)
	rest, ok = strings.CutPrefix(rest, " refused")
	if !ok {
		return relaylens.Ignored
	}
	text := strings.Trim(rest, ":() ")
	refused(&h, relaylens.StageConnect, relaylens.ReasonClientPolicy, text, rec)
	e := &rec.Event
	switch {
	case strings.HasPrefix(text, "too many"):
		if e.Reason, e.Class = relaylens.ReasonRateLimit, relaylens.Class4xx; text == "too many connections" { // of all clients together
			e.RemoteHost = relaylens.Capacity
		}
	case strings.HasPrefix(text, "load average"):
		e.Reason, e.Class, e.RemoteHost = relaylens.ReasonResources, relaylens.Class4xx, relaylens.Capacity
	}
	return relaylens.Parsed
}

// tooManyRecipients reads "excess temporarily rejected: sender=<S> H=HOST".
func tooManyRecipients(s string, rec *relaylens.Record) relaylens.Verdict {
	text, rest, ok := strings.Cut(s, ": sender=")
	if !ok {
		return relaylens.Ignored
	}
	sender, rest, ok := cutPath(rest)
	h, n := hostBehind(rest)
	if !ok || n == 0 {
		return relaylens.Malformed
	}
	rec.Tainted = n > 1
	rec.Copied = true
	refused(&h, relaylens.StageRcpt, relaylens.ReasonRateLimit, text, rec)
	if strings.Contains(text, "temporarily") {
		rec.Event.Class = relaylens.Class4xx
	}
	rec.Event.SetSender(sender)
	return relaylens.Parsed
}

// longHeader reads "… received from HOST (more than 1048576 characters): message
// abandoned", which is answered 552. receive.c, receive_msg
func longHeader(s string, rec *relaylens.Record) relaylens.Verdict {
	said, rest, _ := strings.Cut(s, " received from ")
	h, _, n := oneClient(rest, isAbandoned)
	if n == 0 {
		return relaylens.Malformed
	}
	if n > 1 {
		h, rec.Tainted = host{}, true
	}
	rec.Copied = true
	return refused(&h, relaylens.StageEOD, relaylens.ReasonSize, said, rec)
}

func isAbandoned(s string) bool {
	s, ok := strings.CutPrefix(s, " (more than ")
	n, is := strings.CutSuffix(s, " characters): message abandoned")
	return ok && is && digits(n)
}

// hostBehind reads " H=HOST" or " U=ident" at the end of a line; none when there
// are several.
func hostBehind(s string) (h host, n int) {
	if ident, ok := strings.CutPrefix(s, " U="); ok {
		if _, ok = cutIdent(ident, endFollows); ok {
			return h, 1
		}
	}
	if s, ok := strings.CutPrefix(s, " H="); ok {
		if h, _, n = oneHost(s, endFollows); n > 1 {
			h = host{}
		}
	}
	return h, n
}

// unqualified reads "recipient rejected: <A> H=HOST", and of VRFY "verify
// rejected". smtp_in.c, smtp_setup_msg, qualify_recipient
func unqualified(s string, rec *relaylens.Record) relaylens.Verdict {
	tag, s, ok := strings.Cut(s, " rejected: ")
	if !ok || tag != "recipient" && tag != "sender" && tag != "verify" {
		return relaylens.Ignored
	}
	address, rest, ok := cutPath(s)
	h, n := hostBehind(rest)
	if !ok || n == 0 {
		return relaylens.Malformed
	}
	rec.Tainted = n > 1
	rec.Copied = true
	switch tag {
	case "recipient":
		refused(&h, relaylens.StageRcpt, relaylens.ReasonAddressSyntax, "", rec)
		rec.Event.Recipient = address
	case "sender":
		refused(&h, relaylens.StageMail, relaylens.ReasonAddressSyntax, "", rec)
		rec.Event.SetSender(address)
	default:
		refused(&h, relaylens.StageVrfy, relaylens.ReasonAddressSyntax, "", rec)
	}
	return relaylens.Parsed
}

// vrfyFailed reads "A H=HOST". smtp_in.c
func vrfyFailed(s string, rec *relaylens.Record) relaylens.Verdict {
	h, argument, n := hostAtEnd(s, " H=")
	if n == 0 {
		return relaylens.Malformed
	}
	if n > 1 {
		h = host{}
	}
	rec.Tainted = n > 1 || argument == ""
	return refused(&h, relaylens.StageVrfy, relaylens.ReasonUnknownRecipient, "", rec)
}
