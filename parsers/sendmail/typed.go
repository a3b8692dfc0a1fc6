package sendmail

import (
	"strings"

	"github.com/relaylens/relaylens/parsers/smtp"
)

// Sendmail logs addresses as they were typed, comments and all, and takes one up
// to the first space outside of angle brackets, quotes and comments. A quote in a
// comment is none, nor is one behind a backslash; a backslash does not keep a
// space. parseaddr.c:prescan with delim ' '

// scan finds the first stop, a space or comma, that nothing encloses. Where there
// is none, i is the length of s, and open tells whether something is not closed.
func scan(s string, stop byte) (i int, open bool) {
	if s == "" || s[0] != '<' {
		return scanFrom(s, 0, stop)
	}
	i = plainEnd(s)
	if i == len(s) || s[i] != '>' {
		return scanFrom(s, 0, stop)
	}
	// An address without quotes and the like, which nearly all are. Mostly a comma
	// and the space follow.
	if i++; i < len(s) && s[i] == stop {
		return i, false
	}
	if i+1 < len(s) && s[i] == ',' && s[i+1] == stop {
		return i + 1, false
	}
	return scanFrom(s, i, stop)
}

// plainEnd is where in s, behind its first character, the first special one is.
func plainEnd(s string) int {
	i := 1 + smtp.PlainLength(s[1:])
	for i < len(s) && !special[s[i]] {
		i++
	}
	return i
}

// scanFrom is scan from an i on where nothing is open.
func scanFrom(s string, i int, stop byte) (end int, open bool) {
	quote, comment, angle := false, 0, 0
	for ; i < len(s); i++ {
		c := s[i]
		if !special[c] {
			continue
		}
		switch {
		case c == stop && !quote && comment == 0 && angle == 0:
			return i, false
		case c == '\\':
			if i+1 < len(s) && s[i+1] != ' ' {
				i++
			}
		case quote:
			quote = c != '"'
		case c == '(':
			comment++
		case c == ')':
			comment = max(comment-1, 0)
		case comment > 0:
		case c == '"':
			quote = true
		case c == '<':
			angle++
		case c == '>':
			angle = max(angle-1, 0)
		}
	}
	return len(s), quote || comment > 0 || angle > 0
}

// special are the characters that scan looks at.
var special = func() (t [256]bool) {
	for _, c := range []byte(` ,"()<>\`) {
		t[c] = true
	}
	return t
}()

// cutTyped splits an address that mark and a space end from what follows, mark
// included. ok is false when the first space does not stand behind a mark.
func cutTyped(s, mark string) (address, rest string, ok bool) {
	i, _ := scan(s, ' ')
	if i == len(s) || !strings.HasSuffix(s[:i], mark) {
		return "", s, false
	}
	i -= len(mark)
	return s[:i], s[i:], true
}

// cutPlain is cutTyped and mailbox of "<address>" without quotes, comments and
// spaces, which nearly all are.
func cutPlain(s string) (address, rest string, ok bool) {
	if s == "" || s[0] != '<' {
		return "", s, false
	}
	i := plainEnd(s)
	if i == len(s) || s[i] != '>' {
		return "", s, false
	}
	return s[1:i], s[i+1:], true
}

// mailbox is the address proper of what was typed: what its angle brackets hold,
// without the comments around it.
func mailbox(typed string) string {
	bare := smtp.TrimPath(typed)
	for i := 0; i < len(bare); i++ {
		if special[bare[i]] {
			return core(typed)
		}
	}
	return bare
}

// core is mailbox of anything.
func core(typed string) string {
	first, last, angle, comment, quote := -1, -1, 0, 0, false
	for i := 0; i < len(typed); i++ {
		at, c, plain := i, typed[i], comment == 0
		switch {
		case c == '\\' && i+1 < len(typed):
			i++
		case quote:
			quote = c != '"'
		case c == '(':
			comment++
			plain = false
		case c == ')' && comment > 0:
			comment--
		case comment > 0:
		case c == '"':
			quote = true
		case c == ' ' || c == '\t':
			plain = false
		case c == '<':
			if angle++; angle == 1 {
				first, last = -1, -1
				continue
			}
		case c == '>' && angle > 0:
			if angle--; angle == 0 {
				return typed[max(first, 0) : last+1]
			}
		}
		if plain {
			if first < 0 {
				first = at
			}
			last = i
		}
	}
	return typed[max(first, 0) : last+1]
}

// Replies repeat an address up to this length; of a longer one they have the
// first 100 characters, "..." and the last 100. libsmutil/snprintf.c:shortenstring
const (
	maxShort  = 203
	shortHead = 100
	ellipsis  = "..."
)

// shortEcho tells a reply that begins with a shortened address. How much of its
// quoting was left out is not known, but its length is.
func shortEcho(text string) bool {
	return len(text) >= maxShort+len("... ") && text[shortHead:shortHead+len(ellipsis)] == ellipsis && text[maxShort:maxShort+len("... ")] == "... "
}

// cutEcho drops the address, as typed, that many replies begin with. err.c:fmtmsg
func cutEcho(text, typed string) (said string, ok bool) {
	if len(typed) < maxShort {
		if n := len(typed); n > 0 && len(text) >= n+len("... ") && echoes(text[:n], typed) && text[n:n+len("... ")] == "... " {
			return text[n+len("... "):], true
		}
		return text, false
	}
	if shortEcho(text) && echoes(text[:shortHead], typed[:shortHead]) && echoes(text[maxShort-shortHead:maxShort], typed[len(typed)-shortHead:]) {
		return text[maxShort+len("... "):], true
	}
	return text, false
}

// echoes compares what a reply, in which 8-bit characters lose their high bit,
// repeats with what was typed.
func echoes(said, typed string) bool {
	if said == typed {
		return true
	}
	for i := 0; i < len(said); i++ {
		if said[i] != typed[i] && said[i] != typed[i]&0x7f {
			return false
		}
	}
	return true
}
