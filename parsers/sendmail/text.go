package sendmail

import (
	"strings"

	"github.com/relaylens/relaylens/internal/swar"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// maxID is longer than any queue id.
const maxID = 33

// cutID splits the queue id from a record. id is empty for "NOQUEUE: …" and
// where sm_syslog was given none.
func cutID(s string) (id, text string) {
	i := strings.IndexByte(s[:min(len(s), maxID+1)], ':')
	if i < 0 || i+1 >= len(s) || s[i+1] != ' ' {
		return "", s
	}
	switch {
	case s[:i] == "NOQUEUE":
		return "", s[i+2:]
	case isID(s[:i]):
		return s[:i], s[i+2:]
	}
	return "", s
}

// isID tells a queue id: eight letters or digits of time and sequence and the
// process id, or the older two or three letters and number. queue.c:assign_queueid
func isID(s string) bool {
	if !smtp.Alphanumeric(s) {
		return false
	}
	const process = 8 // where its id begins
	if len(s) >= process+6 {
		return numeric(s[process:])
	}
	switch {
	case len(s) >= 8 && s[0] >= 'a' && s[0] <= 'z':
		return upper(s[1]) && upper(s[2]) && numeric(s[3:])
	case len(s) >= 7:
		return upper(s[0]) && upper(s[1]) && numeric(s[2:])
	}
	return false
}

// numeric reports whether s is of digits alone.
func numeric(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < '0' || c > '9' {
			return false
		}
	}
	return true
}

var alphanumerics = func() (t [256]bool) {
	for _, c := range []byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
		t[c] = true
	}
	return t
}()

func alphanumeric(c byte) bool { return alphanumerics[c] }

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }

// escaped reports whether there is something for unescape to undo.
func escaped(s string) bool { return strings.IndexByte(s, '\\') >= 0 }

// unescape undoes sm_syslog's str2prt: \\ \t \n \r and \ooo. It allocates only
// when there is something to undo.
func unescape(s string) string {
	at := strings.IndexByte(s, '\\')
	if at < 0 {
		return s
	}
	b := make([]byte, at, len(s))
	copy(b, s)
	for i := at; i < len(s); i++ {
		c := s[i]
		if c != '\\' || i+1 == len(s) {
			b = append(b, c)
			continue
		}
		i++
		switch d := s[i]; {
		case d == 't':
			b = append(b, '\t')
		case d == 'n':
			b = append(b, '\n')
		case d == 'r':
			b = append(b, '\r')
		case d >= '0' && d <= '3' && i+2 < len(s) && octal(s[i+1]) && octal(s[i+2]):
			b = append(b, (d-'0')<<6|(s[i+1]-'0')<<3|(s[i+2]-'0'))
			i += 2
		default:
			b = append(b, d)
		}
	}
	return string(b)
}

func octal(c byte) bool { return c >= '0' && c <= '7' }

// number reads decimal digits at the start of s.
func number(s string) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && i < 10 && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int(s[i]-'0')
		i++
	}
	return n, s[i:], i > 0
}

// lastIndex is [strings.LastIndex] for a sep that begins with a rare character.
func lastIndex(s, sep string) int {
	for end := len(s); ; {
		i := swar.LastIndexByte(s[:end], sep[0])
		if i < 0 || strings.HasPrefix(s[i:], sep) {
			return i
		}
		end = i
	}
}
