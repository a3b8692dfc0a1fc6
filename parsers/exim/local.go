package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// cutIdent reads what Exim writes in place of a host string where a program of
// the same machine speaks SMTP over a pipe (-bs): the login name of who started it,
// with U= where a host would have H=. It is one word; a host string has brackets in
// it, and a space or one of those before anything of the client's.
// host.c, host_and_ident
func cutIdent(s string, fits func(rest string) bool) (rest string, ok bool) {
	end := 0
	for end < len(s) && hostChars[s[end]] {
		if s[end] == ':' && strings.HasPrefix(s[end+1:], " ") {
			break
		}
		end++
	}
	if end == 0 || !fits(s[end:]) {
		return "", false
	}
	return s[end:], true
}

// oneClient is oneHost where the client may be a program of the same machine,
// which has no address.
func oneClient(s string, fits func(rest string) bool) (h host, rest string, n int) {
	if h, rest, n = oneHost(s, fits); n == 0 {
		if after, ok := cutIdent(s, fits); ok {
			return host{}, after, 1
		}
	}
	return h, rest, n
}

// local finds " U=ident" behind a command that no host string follows.
func (c *command) local(s string, fits func(rest string) bool) {
	at := strings.LastIndex(s, `" U=`)
	if at < 0 {
		return
	}
	if rest, ok := cutIdent(s[at+len(`" U=`):], fits); ok {
		c.text, c.rest, c.n, c.ends = s[:at], rest, 1, 1
	}
}

// localLine reads a line that begins with U=; s is what follows that.
func (g *Grammar) localLine(s string, id bool, rec *relaylens.Record) relaylens.Verdict {
	var c claim
	rest, ok := cutIdent(s, func(rest string) bool { return readClaim(rest, id, true, &c) })
	if !ok {
		return unread(s)
	}
	return g.sole(&host{}, rest, &c, rec)
}
