package syslog

import "strings"

// Some loggers write what facility and severity a record has: busybox behind the
// host, FreeBSD's syslogd -v in angle brackets before it, socklog in front of all.

// cutSelector reads "mail.info", which something follows.
func cutSelector(s string) (rest string, ok bool) {
	facility, severity, ok := strings.Cut(s[:min(len(s), maxSelector)], ".")
	if !ok || !isFacility(facility) {
		return "", false
	}
	end := 0
	for end < len(severity) && severity[end]-'a' < 26 {
		end++
	}
	rest = s[len(facility)+1+end:]
	return rest, rest != "" && isSeverity(severity[:end])
}

// maxSelector is more than the longest one has.
const maxSelector = 24

func isFacility(s string) bool {
	switch s {
	case "mail", "daemon", "user", "syslog", "auth", "authpriv", "security", "kern", "lpr", "news", "uucp", "cron", "ftp":
		return true
	}
	n, ok := strings.CutPrefix(s, "local")
	return ok && len(n) == 1 && n[0] >= '0' && n[0] <= '7'
}

func isSeverity(s string) bool {
	switch s {
	case "emerg", "panic", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug":
		return true
	}
	return false
}

// cutSocklog reads "mail.info: " before a stamp of RFC 3164, and before it what
// runit's svlogd adds: a stamp in UTC, or TAI64N.
func (d *Decoder) cutSocklog(s string) (rest string, ok bool) {
	const tai64n = len("@400000006776023500000000")
	switch {
	case len(s) > tai64n && s[0] == '@' && s[tai64n] == ' ':
		s = s[tai64n+1:]
	case len(s) > len("2025-01-02_") && s[10] == '_' && digit(s[0]):
		_, s, _ = strings.Cut(s, " ")
	}
	rest, ok = cutSelector(s)
	if !ok {
		return "", false
	}
	rest, ok = strings.CutPrefix(rest, ": ")
	return rest, ok && d.stamped(rest)
}

// messageID begins what Solaris and illumos write before a text: a number made of the
// format, and facility and severity. msgid(8), log(4D)
const messageID = "[ID "

// withoutMessageID drops "[ID 197553 mail.info] ".
func withoutMessageID(s string) string {
	i := len(messageID)
	for i < len(s) && digit(s[i]) {
		i++
	}
	if i == len(messageID) || i == len(s) || s[i] != ' ' {
		return s
	}
	rest, known := cutSelector(s[i+1:])
	rest, closed := strings.CutPrefix(rest, "] ")
	if !known || !closed {
		return s
	}
	return rest
}

// cutLevel reads the "mail:info " of AIX's syslogd.
func cutLevel(s string) (rest string, ok bool) {
	facility, rest, ok := strings.Cut(s, ":")
	if !ok || !isFacility(facility) {
		return s, false
	}
	severity, rest, ok := strings.Cut(rest, " ")
	return rest, ok && isSeverity(severity)
}

// endsEscaped reports whether s ends like a control character that rsyslog escaped.
func endsEscaped(s string) bool { return len(s) > 4 && s[len(s)-4] == '#' && s[len(s)-3] == '0' }

// withoutEscapedEnd drops the end of the line where it is part of the message: a sender that
// adds one, or Windows' two. rsyslog, runtime/parser.c
func withoutEscapedEnd(s string) string {
	for endsEscaped(s) && (strings.HasSuffix(s, "#012") || strings.HasSuffix(s, "#015") || strings.HasSuffix(s, "#000")) {
		s = s[:len(s)-4]
	}
	return s
}
