package postfix

import (
	"strings"

	"github.com/relaylens/relaylens/parsers/smtp"
)

// cutAddr reads an address of a log field up to the bracket that closes it; s
// begins behind the opening one. Postfix 3.5 and later quote a local part as a
// whole when it needs it, so a quoted string stands at the start or nowhere.
// Anything else is not read: it is the older, unquoted form with characters that
// could as well belong to the line.
//
// Source: global/info_log_addr_form.c, quote_822_local.c.
func cutAddr(s string) (address, rest string, ok bool) {
	if n := smtp.PlainLength(s); n < len(s) && s[n] == '>' {
		return s[:n], s[n+1:], true
	}
	i := 0
	if s != "" && s[0] == '"' {
		for i = 1; i < len(s) && s[i] != '"'; i++ {
			if s[i] == '\\' {
				i++
			}
		}
		i++
		if i >= len(s) || s[i] != '@' && s[i] != '>' {
			return "", s, false
		}
	}
	end := strings.IndexByte(s[i:], '>')
	if end < 0 {
		return "", s, false
	}
	if bare := s[i : i+end]; strings.IndexByte(bare, ' ') >= 0 || strings.IndexByte(bare, '<') >= 0 || strings.IndexByte(bare, '"') >= 0 {
		return "", s, false
	}
	return s[:i+end], s[i+end+1:], true
}

// cutInternal removes the unquoted form of address from the start of s. Replies
// repeat addresses that way, whatever the form of the fields.
func cutInternal(s, address string) (rest string, ok bool) {
	if address == "" || address[0] != '"' {
		return strings.CutPrefix(s, address)
	}
	i := 1
	for ; i < len(address) && address[i] != '"'; i++ {
		if address[i] == '\\' && i+1 < len(address) {
			i++
		}
		if s == "" || s[0] != address[i] {
			return s, false
		}
		s = s[1:]
	}
	if i >= len(address) {
		return s, false
	}
	return strings.CutPrefix(s, address[i+1:])
}

// cutSubject removes "<name>: " from the start of s when name is the unquoted
// form of address.
func cutSubject(s, address string) (rest string, ok bool) {
	if s == "" || s[0] != '<' {
		return s, false
	}
	if end := 1 + len(address); (address == "" || address[0] != '"') && (len(s) <= end || s[end] != '>') {
		return s, false
	}
	rest, ok = cutInternal(s[1:], address)
	if !ok || !strings.HasPrefix(rest, ">: ") {
		return s, false
	}
	return rest[3:], true
}
