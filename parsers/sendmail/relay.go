package sendmail

import (
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/swar"
	"github.com/relaylens/relaylens/parsers/smtp"
)

const forged = " (may be forged)"

// relay is the value that names a peer, macro $_ (daemon.c:getauthinfo):
// "host [ip]", "[ip]", "ident@host [ip]", each with " (may be forged)" when the
// name does not map back to the address, or "user@localhost" for a local
// submission.
type relay struct {
	ip   netip.Addr
	name string // verified, empty otherwise
}

func (r relay) set(e *relaylens.Event) { e.ClientIP, e.ClientName = r.ip, r.name }

// parseRelay reads a whole value. The address is the last group in brackets:
// source route options stand before it, and so does a host name that somebody
// else's DNS chose. ok is false when s is cut or is no such value.
func parseRelay(s string) (r relay, ok bool) {
	s, isForged := strings.CutSuffix(s, forged)
	if s == "" {
		return relay{}, false
	}
	if s[len(s)-1] != ']' {
		// Without brackets it can only be a local submission.
		return relay{}, !isForged && strings.IndexByte(s, '[') < 0 && strings.IndexByte(s, ',') < 0
	}
	open := strings.LastIndexByte(s, '[')
	if open < 0 {
		return relay{}, false
	}
	inner := s[open+1 : len(s)-1]
	ip, isIP := smtp.ParseIP(inner)
	if !isIP {
		return relay{}, inner == "RESPONSE" && open == 0
	}
	if open > 0 && s[open-1] != ' ' && (s[open-1] != '@' || strings.IndexByte(s[:open], ' ') >= 0) {
		return relay{}, false // the brackets are part of a name
	}
	r.ip = ip
	if !isForged && open > 1 && s[open-1] == ' ' {
		r.name = hostName(s[:open-1])
	}
	return r, true
}

// parseCut reads a value that was cut at 100 characters, as most lines about
// AUTH and TLS have it. A name of that length hides the address, and then who is
// connected is not told: half a bracket is never believed, nor one that ends
// where the cut is, which a host name could imitate.
func parseCut(s string) (r relay, ok bool) {
	if len(s) >= maxCut {
		return relay{}, false
	}
	return parseRelay(s)
}

const maxCut = 100

// hostName is the name of a peer without an RFC 1413 reply. It is empty when
// what stands there cannot be one.
func hostName(s string) string {
	if strings.IndexByte(s, '@') >= 0 {
		s = s[strings.LastIndexByte(s, '@')+1:]
	}
	if !ofName(s) {
		return ""
	}
	return s
}

func ofName(s string) bool {
	for ; len(s) >= 8; s = s[8:] {
		if !smtp.EightOfName(swar.First(s)) {
			return false
		}
	}
	for i := range len(s) {
		if !hostChars[s[i]] {
			return false
		}
	}
	return true
}

// hostChars are the bytes of a host name, of other alphabets as well.
var hostChars = func() (set [256]bool) {
	for c := range set {
		set[c] = c >= 0x80 || alphanumerics[c] || c == '.' || c == '-' || c == '_'
	}
	return set
}()

// cutHost reads the value that a line begins with. A space ends a host name and
// an ident reply: the resolver library writes one in a name as \032, and Sendmail
// takes none from an ident server (daemon.c:getauthinfo, util.c:cleanstrcpy). So
// what follows the first space tells the name from the address, and neither can
// hold what ends the value. ok is false when s does not begin with one.
func cutHost(s string) (value, rest string, ok bool) {
	end := strings.IndexByte(s, ' ')
	if end < 0 {
		return "", s, false
	}
	word, named := s[:end], strings.HasPrefix(s[end+1:], "[")
	if !named && !strings.HasSuffix(word, "]") && !strings.HasSuffix(word, "]:") || keeps(word) {
		return "", s, false
	}
	switch {
	case named:
		for strings.HasPrefix(s[end:], " [") { // source route options, the address
			n := strings.IndexByte(s[end:], ']')
			if n < 0 {
				return "", s, false
			}
			end += n + 1
		}
	case word[end-1] == ':':
		end--
	}
	if strings.HasPrefix(s[end:], forged) {
		end += len(forged)
	}
	return s[:end], s[end:], true
}

// keeps tells a word whose space belongs to a client's own text, behind which
// anything may stand: to an address in brackets, quotes or a comment, to a command
// ("<-- …"). No resolver lets these characters into a name but behind a backslash.
func keeps(word string) bool {
	_, open := scan(unescape(word), ' ')
	return open || word == "setsender:"
}

// maxRelay is more than a relay value can have: an ident reply, the longest name
// that DNS knows, an address.
const maxRelay = 1024

// cutRelay reads the value at the start of s that some mark ends, and returns
// what follows it, mark included. A mark inside of the value does not count.
func cutRelay(s string, isMark func(string) bool, read func(string) (relay, bool)) (r relay, rest string, ok bool) {
	for i := 0; i < len(s); i++ {
		next := strings.IndexByte(s[i:], ',')
		if next < 0 {
			break
		}
		if i += next; i > maxRelay {
			break
		}
		if isMark(s[i:]) {
			if r, ok = read(s[:i]); ok {
				return r, s[i:], true
			}
		}
	}
	return relay{}, "", false
}
