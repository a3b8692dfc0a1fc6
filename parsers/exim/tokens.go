package exim

import "strings"

// tokens are the fields after the host string: an open set of KEY=value and a
// few flags.
type tokens struct {
	auth    string // A=, driver and id
	proto   string // P=
	ident   bool   // U=, DN= or a quoted SNI= is there: text of the client's, before what we look for
	doubted bool   // one of those may be the end of it
}

// cutTokens reads the fields from s on and stops before one that is none of
// them. s begins with a space. Fields with text of the client's have no certain
// end: with hold it stops before them, with ident set.
func cutTokens(s string, hold bool) (t tokens, rest string) {
	rest = t.cut(s, hold)
	return t, rest
}

// cut is [cutTokens] behind the fields that t has.
func (t *tokens) cut(s string, hold bool) (rest string) {
	for len(s) > 3 && s[0] == ' ' {
		eq := 1 // most keys are one letter
		if s[2] != '=' || !alphanumeric(s[1]) {
			eq = keyLength(s[1:])
		}
		end := strings.IndexByte(s[1:], ' ')
		if end < 0 {
			end = len(s) - 1
		}
		if eq < 0 {
			if !flag(s[1 : end+1]) {
				return s
			}
			s = s[end+1:]
			continue
		}
		quoted := eq+2 < len(s) && s[eq+2] == '"'
		ident := eq == 1 && s[1] == 'U'
		switch {
		case hold && (quoted || ident):
			t.ident = true
			return s
		case quoted && !ident:
			n, sure := quotedLength(s[eq+2:])
			if n < 0 {
				t.doubted = true
				return s
			}
			t.ident, t.doubted = true, t.doubted || !sure
			end = eq + 1 + n
		case eq == 1:
			if end = t.take(s[1], s, end); end < 0 {
				return s
			}
		default:
			if end = longer(s[1:eq+1], s[eq+2:end+1], end); end < 0 {
				return s
			}
		}
		s = s[end+1:]
	}
	return s
}

// take reads the field of one letter that s begins with, behind a space, up to end or
// as far as it reaches; -1 when it is none.
func (t *tokens) take(key byte, s string, end int) int {
	value := s[len(" K=") : end+1]
	switch key {
	case 'F':
		return -1
	case 'S':
		if digits(value) {
			return -1
		}
	case 'A':
		end = fieldLength(s[1:])
		t.doubted = t.doubted || t.auth != ""
		t.auth = s[3 : end+1]
	case 'U':
		end = fieldLength(s[1:])
		t.ident = true
	case 'I':
		if strings.HasSuffix(value, ":") {
			end, value = end-1, value[:len(value)-1] // the text begins
		}
		if !interfaceForm(value) {
			return -1
		}
	case 'P':
		// A login is told after the protocol.
		t.doubted = t.doubted || t.proto != "" || t.auth != ""
		t.proto = value
		fallthrough
	case 'D', 'X':
		if !wordForm(value) {
			return -1
		}
	}
	return end
}

// longer is take of a field with a longer key.
func longer(key, value string, end int) int {
	switch key {
	case "Ci":
		if strings.HasSuffix(value, ":") {
			end, value = end-1, value[:len(value)-1] // the text begins
		}
		if !wordForm(value) {
			return -1
		}
	case "CV":
		if value != "yes" && value != "no" && value != "dane" {
			return -1
		}
	}
	return end
}

// wordForm reports a word that has no sign at either end, but for the mark of a
// resumed session's cipher.
func wordForm(s string) bool {
	if s == "" || !alphanumeric(s[0]) {
		return false
	}
	last := s[len(s)-1]
	return alphanumeric(last) || last == '*'
}

func alphanumeric(c byte) bool { return alphanumerics[c] }

var alphanumerics = func() (set [256]bool) {
	for _, c := range []byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
		set[c] = true
	}
	return set
}()

// interfaceForm reports [ip]:port.
func interfaceForm(s string) bool {
	if s == "" || s[0] != '[' {
		return false
	}
	end := strings.IndexByte(s, ']')
	return end > 2 && strings.HasPrefix(s[end:], "]:") && digits(s[end+2:])
}

// fieldLength is the length of a field whose value may have spaces in it, a
// login or an ident answer: it ends before the next field.
func fieldLength(s string) int {
	for n := 0; ; {
		end := strings.IndexByte(s[n:], ' ')
		if end < 0 {
			return len(s)
		}
		n += end
		next := s[n+1:]
		if i := strings.IndexByte(next, ' '); i >= 0 {
			next = next[:i]
		}
		if keyLength(next) > 0 || flag(next) {
			return n
		}
		n++
	}
}

// keyLength is the length of K in "K=value", or -1.
func keyLength(word string) int {
	for i := 0; i < len(word) && i <= len("DMARC"); i++ {
		c := word[i]
		if c == '=' {
			if i == 0 {
				return -1
			}
			return i
		}
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return -1
		}
	}
	return -1
}

// flag reports the fields that are words: DNSSEC, pipelining, TCP fast open,
// PRDR, chunking, and what was verified.
func flag(word string) bool {
	switch word {
	case "DS", "L", "L*", "L.", "L-", "L.-", "L*-", "TFO", "TFO*", "PRDR", "K", "SPF", "DMARC":
		return true
	}
	return false
}

// cutMarks skips what log_selector has Exim 4.100 tell of a message behind its sender
// or its login: " SPF=none", " DMARC", " DSN=ret,envid". Each stands there once, with words of Exim's own.
func cutMarks(s string) string {
	for _, mark := range [...]string{" SPF", " DMARC", " DSN"} {
		rest, ok := strings.CutPrefix(s, mark)
		if !ok {
			continue
		}
		if value, ok := strings.CutPrefix(rest, "="); ok {
			n := 0
			for n < len(value) && (value[n]-'a' < 26 || value[n] == ',' || value[n] == '_') {
				n++
			}
			if n == 0 {
				return s
			}
			rest = value[n:]
		}
		if rest == "" || rest[0] != ' ' {
			return s
		}
		s = rest
	}
	return s
}

// quotedLength is the length of a quoted value. Inner quotes may not be escaped,
// so its end is known by what follows it; sure is false when that is found again.
func quotedLength(s string) (n int, sure bool) {
	n = -1
	for i := 1; i < len(s); i++ {
		if s[i] != '"' || !fieldBegins(s[i+1:]) {
			continue
		}
		if n >= 0 {
			return n, false
		}
		n = i + 1
	}
	return n, true
}

func fieldBegins(s string) bool {
	return s == "" || s[0] == ' ' && hasAnyPrefix(s, " SNI=", " A=", " S=", " K ", " PRDR ", " PRX=", " Ci=", " DN=", " C=")
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// follow skips the fields behind a host string up to what is; n is how many
// places that could be. Only an ident answer makes it more than one: then tail is
// the first.
func follow(s string, is func(string) bool) (tail string, n int) {
	if s == "" || s[0] != ' ' {
		if is(s) {
			n = 1
		}
		return s, n
	}
	t, s := cutTokens(s, true)
	if !t.ident {
		if is(s) {
			n = 1
		}
		return s, n
	}
	for i := len(" U="); i <= len(s) && n < 2; i++ {
		if is(s[i:]) {
			if n++; n == 1 {
				tail = s[i:]
			}
		}
	}
	return tail, n
}
