package exim

import (
	"strconv"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// authFailed reads "for HOST: CODE MSG", from 4.99 on "for H=HOST: CODE MSG".
// name is the driver's. smtp_in.c, AUTH_CMD
func authFailed(name, s string, rec *relaylens.Record) relaylens.Verdict {
	s, ok := strings.CutPrefix(s, "for ")
	if !ok {
		if h, ok := strings.CutPrefix(s, "H="); ok {
			return smarthostAuth(name, h, rec)
		}
		return relaylens.Ignored
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "H="), "U=")
	h, rest, n := oneClient(s, replyFollows)
	if n == 0 {
		return relaylens.Malformed
	}
	reply, places := follow(rest, isReply)
	sure := n == 1 && places == 1
	if n > 1 && !plainHost(s) {
		h = host{}
	}
	e := &rec.Event
	h.setClient(e)
	rec.Copied = true
	e.Kind, e.Stage, e.AuthMethod = relaylens.KindAuthFailed, relaylens.StageAuth, name
	if !sure {
		// The user may be part of what hides the client, the reply too.
		e.Reason = relaylens.ReasonCredentials
		if c := sameCode(s); c != 0 {
			e.Code, e.Reason = c, smtp.AuthReason(c)
		}
		rec.Tainted = true
		return relaylens.Parsed
	}
	user, text, sure := cutUser(reply[2:])
	e.Code, e.Enhanced, e.Text = smtp.CutReply(text)
	e.Reason = authReason(e.Code, e.Text)
	if !sure {
		rec.Tainted = true
		return relaylens.Parsed
	}
	e.User = unprinted(user)
	return relaylens.Parsed
}

// plainHost reports that s begins with a host string whose HELO keeps the rules,
// and behind it and what Exim adds the reply. What looks like another host string is in the
// user's name then, where any client can have it; only where any HELO is taken
// (helo_accept_junk_hosts) it may be in that.
func plainHost(s string) bool {
	_, rest, strict := cutHost(s)
	t, rest := cutTokens(rest, true)
	return strict && !t.ident && isReply(rest)
}

// replyFollows reports that fields may follow a host string, and then a reply.
func replyFollows(s string) bool {
	_, n := follow(s, isReply)
	return n > 0
}

func isReply(s string) bool {
	return strings.HasPrefix(s, ": ") && code(s[2:])
}

// sameCode is the code of all replies in s, or 0 when they differ.
func sameCode(s string) (code uint16) {
	for i := 0; i < len(s); i++ {
		if !isReply(s[i:]) {
			continue
		}
		c, _, _ := smtp.CutReply(s[i+2:])
		if code != 0 && c != code {
			return 0
		}
		code = c
	}
	return code
}

// code reports a refusing SMTP reply code.
func code(s string) bool {
	return len(s) >= 3 && (s[0] == '4' || s[0] == '5') && digits(s[:3]) && (len(s) == 3 || s[3] == ' ')
}

// cutUser splits the user off: "535 Incorrect authentication data (set_id=U)",
// "435 Unable to authenticate at present (set_id=U): reason". sure is false
// when U could end in several places.
func cutUser(reply string) (user, text string, sure bool) {
	i := strings.Index(reply, " (set_id=")
	if i < 0 {
		return "", reply, true
	}
	text, rest := reply[:i], reply[i+len(" (set_id="):]
	if !hasAnyPrefix(reply, "435 ", "4") {
		if !strings.HasSuffix(rest, ")") {
			return "", text, false
		}
		return rest[:len(rest)-1], text, true
	}
	end := strings.Index(rest, "): ")
	if end < 0 {
		if !strings.HasSuffix(rest, ")") {
			return "", text, false
		}
		return rest[:len(rest)-1], text, true
	}
	for at := end + 3; ; {
		next := strings.Index(rest[at:], "): ")
		if next < 0 {
			return rest[:end], text, true
		}
		if at += next + 3; !systemError(rest[at:]) {
			return "", text, false
		}
	}
}

// systemError reports strerror(3), which reasons that name a file or a socket
// in parentheses end with.
func systemError(s string) bool {
	switch s {
	case "No such file or directory", "Connection refused", "Permission denied", "Connection timed out", "Connection reset by peer",
		"Resource temporarily unavailable", "No such process", "Not a directory", "Network is unreachable", "No route to host":
		return true
	}
	return false
}

func authReason(code uint16, text string) relaylens.Reason {
	switch {
	case strings.HasPrefix(text, "Authentication cancelled"):
		return relaylens.ReasonCancelled
	case code == 501, code == 553:
		return relaylens.ReasonMalformed
	}
	return smtp.AuthReason(code)
}

// mechanism is the mechanism that an AUTH command names. What stands there
// otherwise may be a password.
func mechanism(s string) string {
	end := 0
	upper, lower := false, false
	for end < len(s) && s[end] != ' ' && s[end] != ':' && s[end] != '"' {
		c := s[end]
		switch {
		case c >= 'A' && c <= 'Z':
			upper = true
		case c >= 'a' && c <= 'z':
			lower = true
		case c != '-' && c != '_' && (c < '0' || c > '9'):
			return ""
		}
		end++
	}
	if end > 20 || upper && lower { // RFC 4422, 3.1: 1 to 20
		return ""
	}
	return s[:end]
}

// unprinted undoes the escapes of string_printing, \ooo. A backslash itself is
// not escaped, so what also holds others, as DOMAIN\name, stays.
func unprinted(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i+4 > len(s) {
			return s
		}
		v, err := strconv.ParseUint(s[i+1:i+4], 8, 8)
		if err != nil || v >= ' ' && v < 0x7f {
			return s
		}
		b.WriteByte(byte(v))
		i += 3
	}
	return b.String()
}
