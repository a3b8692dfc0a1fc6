package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// verb is what a line says was done.
type verb uint8

const (
	rejected  verb = iota
	discarded      // accepted and thrown away
	dropped        // refused, and the connection closed
	warned         // only logged
	verified       // the sender verification whose refusal follows
	unrelated      // none of these
)

// claim is what stands behind the host string.
type claim struct {
	tokens
	verb      verb
	temporary bool
	stage     relaylens.Stage
	hasSender bool
	sender    string
	recipient string
	helo      string // the argument of EHLO
	mechanism string // of AUTH
	msg       string
}

// readClaim reads what follows the host string; ok is false when it is nothing
// that follows one.
func readClaim(s string, c *claim) (ok bool) {
	switch {
	case strings.HasPrefix(s, " sender verify "):
		return readVerify(s[len(" sender verify "):], c)
	case strings.HasPrefix(s, " incomplete transaction"):
		c.verb = unrelated
		return true
	}
	if !strings.HasPrefix(s, " F=<") {
		c.tokens, s = cutTokens(s)
		c.auth = "" // the login stands behind the sender
	}
	if strings.HasPrefix(s, " F=<") {
		if c.sender, s, ok = smtp.CutPath(s[3:]); !ok {
			return false
		}
		c.hasSender = true
		if strings.HasPrefix(s, " A=") {
			i := strings.Index(s, " rejected ")
			if i < 0 {
				return false
			}
			c.auth = strings.TrimSuffix(s[3:i], " temporarily")
			s = s[3+len(c.auth):]
		}
	}
	return readVerb(s, c)
}

func readVerb(s string, c *claim) bool {
	if rest, ok := strings.CutPrefix(s, " temporarily rejected "); ok {
		c.temporary, c.verb = true, rejected
		return readWhat(rest, c)
	}
	if rest, ok := strings.CutPrefix(s, " rejected "); ok {
		c.verb = rejected
		return readWhat(rest, c)
	}
	if rest, ok := strings.CutPrefix(s, " Warning: "); ok {
		c.verb, c.msg = warned, rest
		return true
	}
	if rest, ok := strings.CutPrefix(s, " dropped by 'connect' ACL"); ok {
		c.verb, c.stage = dropped, relaylens.StageConnect
		return readMessage(rest, c)
	}
	if rest, ok := strings.CutPrefix(s, " RCPT "); ok && c.hasSender {
		return readDiscard(rest, c)
	}
	return false
}

// readVerify reads "fail for <a@example.net>: detail".
func readVerify(s string, c *claim) (ok bool) {
	c.verb, c.stage = verified, relaylens.StageRcpt
	if s, ok = strings.CutPrefix(s, "fail for "); !ok {
		c.temporary = true
		if s, ok = strings.CutPrefix(s, "defer for "); !ok {
			return false
		}
	}
	if c.sender, s, ok = smtp.CutPath(s); !ok {
		return false
	}
	c.hasSender = true
	return readMessage(s, c)
}

// readDiscard reads "<b@example.net>: discarded by RCPT ACL: text".
func readDiscard(s string, c *claim) (ok bool) {
	c.verb, c.stage = discarded, relaylens.StageRcpt
	if c.recipient, s, ok = smtp.CutPath(s); !ok {
		if c.recipient, s, ok = cutBare(s); !ok {
			return false
		}
	}
	_, s, ok = strings.Cut(s, ": discarded by ")
	if !ok {
		return false
	}
	if rest, ok := strings.CutPrefix(s, "RCPT ACL"); ok {
		return readMessage(rest, c)
	}
	if rest, ok := strings.CutPrefix(s, "MAIL ACL"); ok {
		return readMessage(rest, c)
	}
	return false
}

// readMessage reads the end of a line: nothing, or a colon and the text.
func readMessage(s string, c *claim) bool {
	if s == "" || s == ":" {
		return true
	}
	rest, ok := strings.CutPrefix(s, ": ")
	c.msg = rest
	return ok
}

// stages are the WHATs that have no argument. acl.c, acl_wherenames
var stages = []struct {
	what  string
	stage relaylens.Stage
}{
	{"after DATA PRDR", relaylens.StageEOD},
	{"after DATA", relaylens.StageEOD},
	{"during MIME ACL checks", relaylens.StageEOD},
	{`connection in "connect" ACL`, relaylens.StageConnect},
	{"by local_scan()", relaylens.StageEOD},
	{"DATA", relaylens.StageData},
	{"DKIM", relaylens.StageEOD},
	{"STARTTLS", relaylens.StageHelo},
}

// readWhat reads which command was rejected, and why.
func readWhat(s string, c *claim) bool {
	if rest, ok := strings.CutPrefix(s, "RCPT "); ok {
		c.stage = relaylens.StageRcpt
		c.recipient, rest = cutArgument(rest)
		return readParameters(rest, c)
	}
	for i := range stages {
		if rest, ok := strings.CutPrefix(s, stages[i].what); ok {
			c.stage = stages[i].stage
			return readMessage(rest, c)
		}
	}
	command, rest, ok := strings.Cut(s, " ")
	if !ok {
		return false
	}
	switch command {
	case "MAIL":
		c.stage, c.hasSender = relaylens.StageMail, true
		if !strings.HasPrefix(rest, "<") {
			c.hasSender = !strings.HasPrefix(rest, ":") && rest != ""
		}
		c.sender, rest = cutArgument(rest)
		return readParameters(rest, c)
	case "AUTH":
		c.stage = relaylens.StageAuth
		c.mechanism = mechanism(rest)
		return readParameters(rest, c)
	case "EHLO":
		return readHelo(rest, c)
	case "VRFY", "EXPN", "ETRN", "WELLKNOWN":
		c.stage = commandStage(command)
		return readParameters(rest, c)
	}
	return false
}

func readHelo(s string, c *claim) bool {
	s, ok := strings.CutPrefix(s, "or HELO ")
	if !ok {
		return false
	}
	c.stage = relaylens.StageHelo
	c.helo, c.msg, _ = strings.Cut(s, ": ")
	return true
}

// readParameters skips what stands before the text: ESMTP parameters, the rest
// of an argument.
func readParameters(s string, c *claim) bool {
	if i := strings.Index(s, ": "); i >= 0 {
		c.msg = s[i+2:]
	}
	return true
}

// argumentLength is where Exim cuts an argument from 4.95 on; ≤ 4.94 did not.
// smtp_in.c, smtp_handle_acl_fail
const argumentLength = 100

// cutArgument splits the address from what follows it. It is empty when Exim
// cut it off.
func cutArgument(s string) (address, rest string) {
	if s == "" || s[0] != '<' {
		if address, rest, ok := cutBare(s); ok {
			return address, rest
		}
		return "", s[min(len(s), argumentLength):]
	}
	address, rest, ok := smtp.CutPath(s)
	cutOff := len(s) >= argumentLength && (len(s) == argumentLength || strings.HasPrefix(s[argumentLength:], ": "))
	switch {
	case ok && (!cutOff || len(s)-len(rest) <= argumentLength):
		return address, rest
	case cutOff:
		return "", s[argumentLength:]
	}
	return "", ""
}

// cutBare reads an address that the client sent without angle brackets.
func cutBare(s string) (address, rest string, ok bool) {
	address, rest, ok = smtp.CutAddress(s)
	if ok && strings.HasSuffix(address, ":") {
		address = address[:len(address)-1]
		rest = s[len(address):]
	}
	return address, rest, ok && address != "" && address[0] != '<'
}

// clean reports that the text has nothing in it that could be the real end of
// the line: what stands before may then not be taken for something of the
// client's. An address of the claim that the text repeats does no harm.
func (c *claim) clean() bool {
	if !strings.Contains(c.msg, " rejected ") {
		return !c.doubted
	}
	for msg := c.msg; msg != ""; {
		var part string
		if part, msg = cutOwn(msg, c); saysRejected(part) {
			return false
		}
	}
	return !c.doubted
}

func saysRejected(s string) bool {
	for {
		i := strings.Index(s, " rejected ")
		if i < 0 {
			return false
		}
		s = s[i+len(" rejected "):]
		var probe claim
		if !strings.HasPrefix(s, "by ") && readWhat(s, &probe) {
			return true
		}
	}
}
