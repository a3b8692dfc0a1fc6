package exim

import "strings"

// cutOwn splits msg at the first value of the client's that it repeats.
func cutOwn(msg string, c *claim) (part, rest string) {
	at, n := len(msg), 0
	found := func(i, length int) {
		if i >= 0 && i < at {
			at, n = i, length
		}
	}
	for _, v := range [...]string{c.sender, c.recipient, c.helo, c.greeting} {
		if len(v) < 3 {
			continue
		}
		found(strings.Index(msg, v), len(v))
		if v[0] == '"' {
			found(indexUnquoted(msg, v))
		}
	}
	if c.cut && len(c.argument) > 3 {
		// What is missing of it may follow, so there is nothing known behind it.
		v := strings.TrimPrefix(c.argument, "<")
		found(strings.Index(msg, v), len(msg))
		if v[0] == '"' {
			i, _ := indexUnquoted(msg, v)
			found(i, len(msg))
		}
	}
	return msg[:at], msg[min(len(msg), at+n):]
}

// maxSteps bounds the work that a hostile address makes.
const maxSteps = 1 << 18

// indexUnquoted finds what the quoted string that v begins with says, or -1.
// When that is too much work, all of msg is taken for it.
func indexUnquoted(msg, v string) (at, length int) {
	v = v[1:]
	if end := closingQuote(v, -1); end >= 0 {
		v = v[:end]
	}
	if len(v) < 3 {
		return -1, 0
	}
	steps := 0
	for at := range len(msg) {
		if steps > maxSteps {
			return 0, len(msg)
		}
		i, j := at, 0
		for i < len(msg) && j < len(v) {
			if v[j] == '\\' && j+1 < len(v) {
				j++
			}
			if msg[i] != v[j] {
				break
			}
			i, j = i+1, j+1
		}
		if j >= len(v) {
			return at, i - at
		}
		steps += j
	}
	return -1, 0
}

// saysRejected reports that the text has something in it that could be the real
// claim. An address of the claim that the text repeats does no harm.
func saysRejected(c *claim) bool {
	tries := 0
	for msg := c.msg; strings.Contains(msg, " rejected "); {
		var part string
		for part, msg = cutOwn(msg, c); ; {
			i := strings.Index(part, " rejected ")
			if i < 0 {
				break
			}
			part = part[i+len(" rejected "):]
			var probe claim
			if tries++; tries > maxClaims || !strings.HasPrefix(part, "by ") && readWhat(part, &probe) {
				return true
			}
		}
	}
	return false
}
