package relaylens

import "strings"

// blocklistMarks stand before the name of a list where a server says that a client is on it:
// those of Postfix, of Sendmail's FEATUREs, and of Exim's own and Debian's configure file.
var blocklistMarks = [...]string{" blocked using ", " listed at ", " is listed in ", " is listed on ", "found in ", " black list at ", " blacklist at "}

// Blocklist is the zone of the list in DNS that an event's text names, and what follows it,
// which is the list's own text as a rule. The zone is empty where the text names none.
func Blocklist(e *Event) (zone, said string) {
	if e.Reason != ReasonDNSBL {
		return "", ""
	}
	for _, mark := range blocklistMarks {
		at := strings.Index(e.Text, mark)
		if at < 0 {
			continue
		}
		// An address that a client wrote may stand before it.
		for { // which is quicker than from behind
			next := strings.Index(e.Text[at+1:], mark)
			if next < 0 {
				break
			}
			at += 1 + next
		}
		rest, n := e.Text[at+len(mark):], 0
		for n < len(rest) && (rest[n] == '.' || rest[n] == '-' || rest[n] == '_' || '0' <= rest[n] && rest[n] <= '9' || 'a' <= rest[n]|0x20 && rest[n]|0x20 <= 'z') {
			n++
		}
		if zone = strings.Trim(rest[:n], "."); strings.Contains(zone, ".") {
			return zone, rest[n:]
		}
	}
	return "", ""
}
