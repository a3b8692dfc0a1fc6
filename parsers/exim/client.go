package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// smtpLine reads the lines that begin with "SMTP "; s is what follows.
func smtpLine(s string, rec *relaylens.Record) relaylens.Verdict {
	if rest, ok := strings.CutPrefix(s, "connection"); ok {
		return connection(rest, rec)
	}
	if rest, ok := strings.CutPrefix(s, "call from "); ok {
		return callDropped(rest, rec)
	}
	if rest, ok := strings.CutPrefix(s, "syntax error in \""); ok {
		return syntaxError(rest, rec)
	}
	if rest, ok := strings.CutPrefix(s, "protocol error in \""); ok {
		if len(rest) < 5 || !strings.EqualFold(rest[:4], "AUTH") || rest[4] != ' ' && rest[4] != '"' {
			return relaylens.Ignored
		}
		return authProtocolError(rest, rec)
	}
	if rest, ok := strings.CutPrefix(s, "protocol synchronization error ("); ok {
		return tooSoon(rest, rec)
	}
	return relaylens.Ignored
}

// refused fills a refusal of an SMTP command that is no ACL's.
func refused(h *host, stage relaylens.Stage, reason relaylens.Reason, text string, rec *relaylens.Record) relaylens.Verdict {
	e := &rec.Event
	h.setClient(e)
	e.Kind, e.Reason, e.Stage, e.Class, e.Text = relaylens.KindRejected, reason, stage, relaylens.Class5xx, text
	return relaylens.Parsed
}

// connection reads " from HOST (TCP/IP connection count = 1)" and " from HOST
// closed by QUIT". daemon.c, handle_smtp_call; smtp_in.c, log_close_event
func connection(s string, rec *relaylens.Record) relaylens.Verdict {
	if i := strings.Index(s, " from "); i >= 0 && i < 32 {
		s = s[i+len(" from "):]
	}
	h, rest, ok := cutHost(s)
	if !ok {
		return relaylens.Ignored
	}
	_, rest = cutTokens(rest)
	rest = strings.TrimPrefix(rest, " (via inetd)")
	closed := hasAnyPrefix(rest, " closed ", " lost", " TFO lost", " D=")
	if !closed && !strings.HasPrefix(rest, " (TCP/IP connection count") {
		return relaylens.Ignored
	}
	e := &rec.Event
	h.setClient(e)
	e.Kind, e.Direction = relaylens.KindConnection, relaylens.DirectionNone
	e.Text = strings.TrimPrefix(rest, " ")
	if closed {
		// The count is written by the daemon, whose process is no session.
		rec.Fact = relaylens.FactSessionEnd
	}
	return relaylens.Parsed
}

// callDropped reads "HOST dropped: too many …". smtp_in.c
func callDropped(s string, rec *relaylens.Record) relaylens.Verdict {
	h, rest, ok := cutHost(s)
	if ok {
		_, rest = cutTokens(rest)
		rest, ok = strings.CutPrefix(rest, " dropped: ")
	}
	if !ok {
		if !strings.Contains(s, " dropped: ") {
			return relaylens.Ignored
		}
		if h, rest, ok = junkBefore(s, " dropped: "); !ok {
			return relaylens.Malformed
		}
		rest = rest[len(" dropped: "):]
	}
	// What follows quotes the last command, which may hold a password.
	text, _, _ := strings.Cut(rest, " (last ")
	rec.Copied = true
	return refused(&h, relaylens.StageNone, relaylens.ReasonProtocol, text, rec)
}

// junkBefore finds the one address whose host string ends right before mark.
func junkBefore(s, mark string) (h host, rest string, ok bool) {
	n := 0
	for i := 0; ; {
		at := strings.IndexByte(s[i:], '[')
		if at < 0 {
			return h, rest, n == 1
		}
		i += at + 1
		if i > 1 && s[i-2] != ' ' {
			continue
		}
		var th host
		after, found := th.cutAddr(s[i-1:])
		if !found {
			continue
		}
		if _, after = cutTokens(after); strings.HasPrefix(after, mark) && th.junkNames(s[:i-1]) {
			n++
			h, rest = th, after
		}
	}
}

// quoted finds the host string after a quoted command: `CMD" H=HOST`. CMD is the
// client's, raw, and what follows the host may repeat it. sure is false when
// that leaves two readings.
func quoted(s string) (command string, h host, rest string, n int, sure bool) {
	sure = true
	for i := 0; ; {
		at := strings.Index(s[i:], `" H=`)
		if at < 0 {
			return command, h, rest, n, sure
		}
		at += i
		i = at + 1
		th, tail, ok := cutHost(s[at+4:])
		if !ok {
			continue
		}
		if n > 0 && (th.ip != h.ip || !sure) {
			// The later one is an echo if the command before the first one holds it.
			sure = sure && !strings.Contains(command, s[at:len(s)-len(tail)])
		}
		command, h, rest = s[:at], th, tail
		n++
	}
}

// syntaxError reads `CMD" H=HOST why`. smtp_in.c, synprot_error
func syntaxError(s string, rec *relaylens.Record) relaylens.Verdict {
	stage := commandStage(s)
	if stage == relaylens.StageNone {
		return relaylens.Ignored
	}
	command, h, rest, n, sure := quoted(s)
	if n == 0 {
		return relaylens.Malformed
	}
	_, rest = cutTokens(rest)
	if n > 1 {
		rec.Tainted = true
		if !sure {
			h = host{}
		}
	}
	e := &rec.Event
	reason := relaylens.ReasonProtocol
	text := strings.TrimPrefix(rest, " ")
	switch stage {
	case relaylens.StageAuth:
		refused(&h, stage, 0, "", rec)
		e.Kind, e.Reason = relaylens.KindAuthFailed, relaylens.ReasonMalformed
		return relaylens.Parsed
	case relaylens.StageMail, relaylens.StageRcpt:
		reason = relaylens.ReasonAddressSyntax
	case relaylens.StageHelo:
		reason = relaylens.ReasonHelo
	}
	refused(&h, stage, reason, text, rec)
	if n == 1 {
		setArgument(e, command)
	}
	return relaylens.Parsed
}

// setArgument takes the address or the name from the command that was refused.
func setArgument(e *relaylens.Event, command string) {
	switch e.Stage {
	case relaylens.StageMail:
		if a, ok := pathArgument(command); ok {
			e.SetSender(a)
		}
	case relaylens.StageRcpt:
		e.Recipient, _ = pathArgument(command)
	case relaylens.StageHelo:
		if len(command) > 5 && command[4] == ' ' {
			e.Helo = command[5:]
		}
	}
}

// pathArgument is the address of "MAIL FROM:<a@example.net>", however wrong it is.
func pathArgument(command string) (string, bool) {
	colon := strings.IndexByte(command, ':')
	if colon < 0 {
		return "", false
	}
	s := strings.TrimLeft(command[colon+1:], " ")
	if len(s) > 1 && s[0] == '<' && s[len(s)-1] == '>' {
		return s[1 : len(s)-1], true
	}
	return s, s != ""
}

// commandStage is the stage of the SMTP command that s begins with.
func commandStage(s string) relaylens.Stage {
	if len(s) < 4 {
		return relaylens.StageNone
	}
	if len(s) > 4 && s[4] != ' ' && s[4] != '"' && s[4] != ':' {
		if len(s) >= 8 && strings.EqualFold(s[:8], "STARTTLS") {
			return relaylens.StageHelo
		}
		return relaylens.StageNone
	}
	var word [4]byte
	for i := range word {
		word[i] = s[i] &^ 0x20
	}
	switch string(word[:]) {
	case "EHLO", "HELO":
		return relaylens.StageHelo
	case "AUTH":
		return relaylens.StageAuth
	case "MAIL":
		return relaylens.StageMail
	case "RCPT":
		return relaylens.StageRcpt
	case "DATA", "BDAT":
		return relaylens.StageData
	case "ETRN":
		return relaylens.StageEtrn
	case "VRFY", "EXPN":
		return relaylens.StageVrfy
	}
	return relaylens.StageNone
}

// unsupported is what Exim says of a mechanism it does not have; the name
// before it is the client's and may be a password.
const unsupported = "authentication mechanism not supported"

// authProtocolError reads `AUTH …" H=HOST why`.
func authProtocolError(s string, rec *relaylens.Record) relaylens.Verdict {
	_, h, rest, n, sure := quoted(s)
	if n == 0 {
		return relaylens.Malformed
	}
	if n > 1 {
		rec.Tainted = true
		if !sure {
			h = host{}
		}
	}
	_, rest = cutTokens(rest)
	e := &rec.Event
	h.setClient(e)
	e.Kind, e.Reason = relaylens.KindAuthFailed, relaylens.ReasonAuthPolicy
	e.Stage, e.Class = relaylens.StageAuth, relaylens.Class5xx
	e.AuthMethod = mechanism(strings.TrimPrefix(s[4:], " "))
	switch {
	case strings.HasSuffix(rest, unsupported):
		e.Reason, e.Text = relaylens.ReasonMechanism, unsupported
	case hasAnyPrefix(rest, " AUTH command used when not advertised", " already authenticated", " not permitted in mail transaction"):
		e.Text = rest[1:]
	}
	return relaylens.Parsed
}

// tooSoon reads a client that does not wait for its turn. Behind the host Exim
// shows what the client had sent. smtp_in.c, smtp_start_session, smtp_setup_msg
func tooSoon(s string, rec *relaylens.Record) relaylens.Verdict {
	if rest, ok := strings.CutPrefix(s, "input sent without waiting for greeting): rejected connection from H="); ok {
		h, _, ok := cutHost(rest)
		if !ok {
			return relaylens.Malformed
		}
		rec.Copied = true
		return refused(&h, relaylens.StageConnect, relaylens.ReasonProtocol, s[:len("input sent without waiting for greeting")], rec)
	}
	text, rest, ok := strings.Cut(s, `): rejected "`)
	if !ok {
		return relaylens.Ignored
	}
	_, h, _, n, _ := quoted(rest)
	if n == 0 {
		return relaylens.Malformed
	}
	if n > 1 {
		h, rec.Tainted = host{}, true
	}
	rec.Copied = true
	return refused(&h, commandStage(rest), relaylens.ReasonProtocol, text, rec)
}
