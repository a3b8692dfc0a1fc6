package syslog

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// shown finds the line of a log within what a tool shows of it behind a stamp of its own:
// the name of a stream (aws logs tail), or Loki's labels (logcli -o raw with stamps). env is
// s as it would be read without it, which has no tag.
func (d *Decoder) shown(s string, env *relaylens.Envelope) (rest string, ok bool) {
	if s != "" && s[0] == '{' {
		_, rest, ok = strings.Cut(s, `"} `)
		return rest, ok && d.stamped(rest)
	}
	return env.Text, d.stamped(env.Text)
}

// cutSource reads what tools put before the lines of several logs: "file:" of grep, with
// the line's number where that was asked for, "[pod] " of kubetail, "pod container " of stern,
// "container " of podman logs --names.
func (d *Decoder) cutSource(s string) (rest string, ok bool) {
	const longest = 256
	for i := 0; i < len(s) && i < longest; i++ {
		switch c := s[i]; {
		case c == ':':
		case c == ' ' && i > 0 && namesOnly(s[:i]):
		default:
			continue
		}
		if rest = strings.TrimLeft(s[i+1:], " "); d.stamped(rest) {
			return rest, true
		}
		if s[i] == ' ' && strings.IndexByte(s[:i], ' ') >= 0 {
			break // a third word
		}
	}
	return "", false
}

// namesOnly reports whether s can be one or two names.
func namesOnly(s string) bool {
	if s[0] == '[' {
		s = strings.TrimSuffix(s[1:], "]")
	}
	for i := range len(s) {
		if c := s[i]; !hostByte(c) && c != ' ' && c != '@' {
			return false
		}
	}
	return s != ""
}
