package syslog

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// tagCut is where rsyslog's forwarding templates cut a tag: %syslogtag:1:32%.
// The colon goes first, then the pid.
const tagCut = 32

// header reads "host tag[pid]: text". The host is missing in raw datagrams, the
// tag in some lines that are no MTA's: Program is then empty.
func header(s string, env *relaylens.Envelope) {
	if s != "" && s[0] == '<' { // FreeBSD's syslogd -v: "<mail.info> "
		if at := strings.IndexByte(s, ' '); at > 0 && s[at-1] == '>' {
			s = s[at+1:]
		}
	}
	i := 0
	for i < len(s) && s[i] != ' ' && s[i] != ':' && s[i] != '[' {
		i++
	}
	if i < len(s) && s[i] != ' ' {
		if hostless(s, i) {
			cutTag(s, env)
			return
		}
		for i < len(s) && s[i] != ' ' {
			i++
		}
	}
	if i > 0 {
		env.Host = s[:i]
	}
	if i < len(s) {
		s = s[i+1:]
	} else {
		s = ""
	}
	if rest, ok := cutLevel(s); ok {
		s = rest
	}
	s = cutForwarded(s, env)
	if cutTag(s, env) {
		return
	}
	if rest, ok := cutSelector(s); ok && rest[0] == ' ' && cutTag(rest[1:], env) { // busybox
		return
	}
	env.Text = trimMessage(s)
}

// hostless reports whether s begins with a tag that ends or has its pid at s[i],
// and not with a host. Hosts may be IPv6 addresses.
func hostless(s string, i int) bool {
	if i == 0 {
		return false
	}
	if s[i] == ':' {
		return i+1 == len(s) || s[i+1] == ' '
	}
	_, end, told := cutPID(s, i)
	return told || end == tagCut
}

// cutTag reads "tag[pid]: text" and reports whether s has that form.
func cutTag(s string, env *relaylens.Envelope) bool {
	i := 0
	for i < len(s) && s[i] != ' ' && s[i] != ':' && s[i] != '[' {
		i++
	}
	if i == 0 || i == len(s) {
		return false
	}
	switch s[i] {
	case ':':
		env.Program, env.Text = s[:i], trimMessage(s[i+1:])
		return true
	case ' ':
		if i != tagCut {
			return false
		}
		env.Program, env.Text = s[:i], trimMessage(s[i+1:])
		return true
	}
	pid, end, told := cutPID(s, i)
	if !told && end == 0 {
		return cutOddTag(s, i, env)
	}
	env.Program, env.PID, env.Text = s[:i], pid, trimMessage(s[end:])
	return true
}

// cutPID reads "[pid]:" at s[i:], where the colon, or bracket and colon, may
// have been cut off. end is the position of the text, 0 when there is no pid.
// A pid that may have lost digits is not told.
func cutPID(s string, i int) (pid int32, end int, told bool) {
	j := i + 1
	n := int64(0)
	for end := min(len(s), i+11); j < end && s[j]-'0' <= 9; j++ {
		n = n*10 + int64(s[j]-'0')
	}
	if j > i+1 && j+1 < len(s) && s[j] == ']' && s[j+1] == ':' && n <= 1<<31-1 {
		return int32(n), j + 2, true
	}
	if n > 1<<31-1 {
		n = 0
	}
	digits := j > i+1
	switch {
	case j == len(s) || s[j] == ' ':
		if digits || j == tagCut {
			return 0, j, false
		}
	case !digits:
	case s[j] == ':':
		return int32(n), j + 1, true
	case s[j] == ']' && (j+1 == len(s) || s[j+1] == ' '):
		return int32(n), j + 1, true
	case s[j] == ']' && s[j+1] == ':':
		return int32(n), j + 2, true
	}
	return 0, 0, false
}

// cutOddTag reads a tag whose brackets hold no number: "name[worker-1]: text".
func cutOddTag(s string, i int, env *relaylens.Envelope) bool {
	const longest = 64
	for j := i + 1; j+1 < len(s) && j-i < longest && s[j] != ' '; j++ {
		if s[j] == ']' {
			if s[j+1] != ':' {
				return false
			}
			env.Program, env.Text = s[:i], trimMessage(s[j+2:])
			return true
		}
	}
	return false
}

// trimMessage drops the space after the colon. rsyslog's %msg% begins with one
// too, so templates make it none, one or two.
func trimMessage(s string) string {
	if len(s) > 0 && s[0] == ' ' {
		s = s[1:]
		if len(s) > 0 && s[0] == ' ' {
			s = s[1:]
		}
	}
	return s
}

// cutPriority reads "<pri>".
func cutPriority(s string) (rest string, ok bool) {
	i := 1
	for i < len(s) && i < 4 && digit(s[i]) {
		i++
	}
	if i == 1 || i >= len(s) || s[i] != '>' {
		return s, false
	}
	return s[i+1:], true
}

// rfc5424 reads what follows the version: "ts host app procid msgid sd msg".
func (d *Decoder) rfc5424(line *relaylens.Line, s string, env *relaylens.Envelope) Status {
	var f [5]string
	for i := range f {
		field, rest, ok := strings.Cut(s, " ")
		if !ok || field == "" {
			return Malformed
		}
		if field != "-" {
			f[i] = field
		}
		s = rest
	}
	if f[0] != "" {
		st, ok := d.clock.iso(f[0])
		if !ok || st.n != len(f[0]) {
			return Malformed
		}
		env.Time, env.TimeDigits = d.clock.at(&st), st.digits
	}
	msg, ok := cutStructuredData(s)
	if !ok {
		return Malformed
	}
	if f[1] != "" {
		env.Host = f[1]
	}
	env.Program, env.PID = f[2], parsePID(f[3])
	env.Text = trimMessage(strings.TrimPrefix(trimMessage(msg), bom))
	if env.Program == "" {
		cutTag(env.Text, env)
	}
	return d.finish(line, env)
}

// cutStructuredData skips "-" or "[id name="value"]…": a ] within quotes does
// not end an element, a \ takes the next byte with it.
func cutStructuredData(s string) (msg string, ok bool) {
	i := 0
	if strings.HasPrefix(s, "-") {
		i = 1
	}
	for i < len(s) && s[i] == '[' {
		quoted := false
		for i++; i < len(s) && (quoted || s[i] != ']'); i++ {
			switch s[i] {
			case '\\':
				i++
			case '"':
				quoted = !quoted
			}
		}
		if i >= len(s) {
			return "", false
		}
		i++
	}
	if i == 0 || (i < len(s) && s[i] != ' ') {
		return "", false
	}
	return s[i:], true
}

// parsePID is the number s is, 0 when it is none.
func parsePID(s string) int32 {
	if s == "" || len(s) > 10 {
		return 0
	}
	n := int64(0)
	for i := range len(s) {
		if !digit(s[i]) {
			return 0
		}
		n = n*10 + int64(s[i]-'0')
	}
	if n > 1<<31-1 {
		return 0
	}
	return int32(n)
}

// cutForwarded reads "Message forwarded from {host}: " of AIX's syslogd, and the same of BSD's.
func cutForwarded(s string, env *relaylens.Envelope) (rest string) {
	for _, mark := range [...]string{"Message forwarded from ", "Forwarded from "} {
		if after, ok := strings.CutPrefix(s, mark); ok {
			if host, rest, ok := strings.Cut(after, ": "); ok && strings.IndexByte(host, ' ') < 0 {
				env.Host = host
				return rest
			}
		}
	}
	return s
}
