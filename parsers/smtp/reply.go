package smtp

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// CutReply splits what a server answered: "554 5.7.1 no" gives 554, "5.7.1" and
// "no". Enhanced status codes are RFC 3463's. code is 0 and text all of s when s
// does not begin with a reply code. The first line's "550-" form is read as well;
// further lines of a multi-line reply stay in text.
func CutReply(s string) (code uint16, enhanced, text string) {
	if len(s) < 3 || s[0] < '2' || s[0] > '5' || !digit(s[1]) || !digit(s[2]) {
		return 0, "", s
	}
	if len(s) > 3 && s[3] != ' ' && s[3] != '-' {
		return 0, "", s
	}
	code = uint16(s[0]-'0')*100 + uint16(s[1]-'0')*10 + uint16(s[2]-'0')
	if len(s) == 3 {
		return code, "", ""
	}
	enhanced, text = CutEnhanced(s[4:])
	return code, enhanced, text
}

// CutEnhanced splits an RFC 3463 status code from the start of s. enhanced is
// empty and text all of s when there is none.
func CutEnhanced(s string) (enhanced, text string) {
	if len(s) < 5 || (s[0] != '2' && s[0] != '4' && s[0] != '5') || s[1] != '.' {
		return "", s
	}
	if len(s) > 5 && digit(s[2]) && s[3] == '.' && digit(s[4]) && s[5] == ' ' { // as most are
		return s[:5], s[6:]
	}
	i := 2
	for part := 0; part < 2; part++ {
		start := i
		for i < len(s) && digit(s[i]) {
			i++
		}
		if i == start || i-start > 3 {
			return "", s
		}
		if part == 0 {
			if i >= len(s) || s[i] != '.' {
				return "", s
			}
			i++
		}
	}
	if i == len(s) {
		return s, ""
	}
	if s[i] != ' ' && s[i] != '-' {
		return "", s
	}
	return s[:i], s[i+1:]
}

// CutSubject drops the address or host that many replies begin with:
// "<a@example.com>: Relay access denied" and Sendmail's "<a@example.com>... Relaying
// denied" give the address and the text behind it. The address may hold any
// text of the client's, unquoted, so the last separator counts that is followed
// by no further one; known then tells whether address is what stood in brackets.
func CutSubject(s, address string) (text string, known bool) {
	if s == "" || s[0] != '<' {
		return s, false
	}
	if len(s) > len(address)+2 && s[1:1+len(address)] == address && s[1+len(address)] == '>' {
		if t, ok := cutSeparator(s[2+len(address):]); ok {
			return t, true
		}
	}
	at := -1
	for _, sep := range []string{">: ", ">... "} {
		if i := strings.LastIndex(s, sep); i >= 0 && i+len(sep) > at {
			at = i + len(sep)
		}
	}
	if at < 0 {
		return s, false
	}
	return s[at:], false
}

func cutSeparator(s string) (string, bool) {
	if t, ok := strings.CutPrefix(s, ": "); ok {
		return t, true
	}
	return strings.CutPrefix(s, "... ")
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// AuthReason is what a reply code to AUTH says by itself. RFC 4954, 6
func AuthReason(code uint16) relaylens.Reason {
	switch {
	case code == 504:
		return relaylens.ReasonMechanism
	case code == 501:
		return relaylens.ReasonMalformed
	case code < 500:
		return relaylens.ReasonBackend
	case code == 530, code == 538, code == 534:
		return relaylens.ReasonAuthPolicy
	}
	return relaylens.ReasonCredentials
}
