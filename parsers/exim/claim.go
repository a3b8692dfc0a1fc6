package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
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
	verb      verb
	temporary bool
	stage     relaylens.Stage
	hasSender bool
	sender    string
	recipient string
	helo      string // the argument of EHLO
	auth      string // A=, driver and id
	mechanism string // of AUTH
	argument  string // of RCPT or MAIL, or the path that was verified, as it stands in the line
	whole     string // what the argument is if it was not cut after all; only with twice
	greeting  string // the HELO of the session
	msg       string
	alt       string // what msg is then
	cut       bool   // the argument is not all there
	twice     bool   // the argument may not be cut after all
	answered  bool   // with 252, unless the text has a code: VRFY, globals.c, acl_wherecodes
	odd       bool   // where the argument ends and msg begins is not certain
	ident     bool   // text of the client's stands between the host string and the claim
	doubted   bool   // another claim can be read behind that
	mixed     bool   // one that says that something else was done
}

// maxClaims bounds the work that a hostile line makes.
const maxClaims = 16

// readClaim reads what follows the host string; ok is false when it is nothing
// that follows one. Where an ident answer or a certificate's name stands before
// the claim, that is the first that can be read, and doubted if there is another.
// id tells that the line is about a message, greeted that a HELO came before.
func readClaim(s string, id, greeted bool, c *claim) (ok bool) {
	if !strings.HasPrefix(s, " F=<") {
		var t tokens
		t, s = cutTokens(s, true)
		c.ident = t.ident
	}
	if !c.ident {
		return readFrom(s, c)
	}
	tries := 0
	for i := 1; i < len(s); i++ {
		if s[i] != ' ' || !claimBegins(s[i:]) {
			continue
		}
		var other claim
		if tries++; tries > maxClaims {
			c.doubted, c.mixed = ok, ok
			break
		}
		if !readFrom(s[i:], &other) || !other.possible(id, greeted) {
			continue
		}
		if ok {
			c.doubted, c.mixed = true, c.mixed || other.verb != c.verb
			continue
		}
		*c, ok = other, true
	}
	c.ident = true
	return ok
}

// possible reports that the claim can stand where it does: before HELO only the
// connection is refused, and what is refused after DATA is refused of a message.
func (c *claim) possible(id, greeted bool) bool {
	if c.verb == unrelated || c.verb == warned || c.verb == verified {
		return true
	}
	return !(greeted && c.stage == relaylens.StageConnect) && (c.stage == relaylens.StageEOD) == id
}

func claimBegins(s string) bool {
	return hasAnyPrefix(s, " F=<", " rejected ", " temporarily rejected ", " sender verify ", " Warning: ", " dropped by ", " incomplete transaction (")
}

func readFrom(s string, c *claim) (ok bool) {
	switch {
	case strings.HasPrefix(s, " sender verify "):
		return readVerify(s[len(" sender verify "):], c)
	case strings.HasPrefix(s, " incomplete transaction ("):
		return readIncomplete(s[len(" incomplete transaction ("):], c)
	case !strings.HasPrefix(s, " F=<"):
		return readVerb(s, c) && !c.needsSender()
	}
	if c.sender, s, ok = cutPath(s[3:]); !ok {
		return false
	}
	c.hasSender = true
	if strings.HasPrefix(s, " A=") {
		return readLogin(s, c)
	}
	return readVerb(cutMarks(s), c) && c.mayHaveSender()
}

// readLogin reads " A=driver:id rejected …". The id may have spaces.
func readLogin(s string, c *claim) bool {
	for end, tries := len(" A="), 0; tries < maxClaims; end++ {
		n := strings.IndexByte(s[end:], ' ')
		if n < 0 {
			return false
		}
		end += n
		rest := cutMarks(s[end:])
		if !strings.HasPrefix(rest, " rejected ") && !strings.HasPrefix(rest, " temporarily rejected ") {
			continue
		}
		if readVerb(rest, c) && c.mayHaveSender() {
			c.auth = s[len(" A="):end]
			return true
		}
		*c = claim{sender: c.sender, hasSender: true}
		tries++
	}
	return false
}

// needsSender reports the refusals that are never logged without F=.
// smtp_in.c, smtp_handle_acl_fail
func (c *claim) needsSender() bool {
	return c.stage == relaylens.StageRcpt && c.verb == rejected
}

// mayHaveSender reports the claims that F= may stand before.
func (c *claim) mayHaveSender() bool {
	return c.stage == relaylens.StageRcpt || c.stage == relaylens.StageData || c.stage == relaylens.StageEOD
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
	var rest string
	if c.sender, rest, ok = cutPath(s); !ok {
		return false
	}
	c.hasSender, c.argument = true, s[:len(s)-len(rest)]
	return readMessage(rest, c)
}

// readIncomplete reads "QUIT) from <a@example.com> for b@example.net".
// smtp_in.c, incomplete_transaction_log
func readIncomplete(s string, c *claim) bool {
	c.verb = unrelated
	why, rest, ok := strings.Cut(s, ")")
	if !ok || strings.ContainsAny(why, `()[]<>"=`) {
		return false
	}
	if from, has := strings.CutPrefix(rest, " from "); has {
		if _, rest, ok = cutPath(from); !ok {
			return false
		}
	}
	return rest == "" || strings.HasPrefix(rest, " for ") && balanced(rest)
}

// readDiscard reads "<b@example.net>: discarded by RCPT ACL: text".
func readDiscard(s string, c *claim) (ok bool) {
	c.verb, c.stage = discarded, relaylens.StageRcpt
	end := argumentEnd(s)
	if end < 0 {
		return false
	}
	c.argument, c.recipient = s[:end], argumentAddress(s[:end])
	if s, ok = strings.CutPrefix(s[end:], ": discarded by "); !ok {
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
		c.recipient = c.readArgument(rest)
		return true
	}
	for i := range stages {
		if rest, ok := strings.CutPrefix(s, stages[i].what); ok {
			c.stage = stages[i].stage
			// An argument that is not there leaves its space.
			return readMessage(strings.TrimPrefix(rest, " "), c)
		}
	}
	command, rest, ok := strings.Cut(s, " ")
	if !ok {
		return false
	}
	switch command {
	case "MAIL":
		c.stage = relaylens.StageMail
		c.sender = c.readArgument(rest)
		c.hasSender = c.sender != "" || strings.Contains(c.argument, "<>")
	case "AUTH":
		c.stage = relaylens.StageAuth
		c.mechanism = mechanism(rest)
		c.readRaw(rest)
	case "EHLO":
		return readHelo(rest, c)
	case "VRFY", "EXPN", "ETRN", "WELLKNOWN", "ATRN":
		c.stage = commandStage(command)
		c.temporary = c.temporary || command == "ETRN" // 458: globals.c, acl_wherecodes
		c.readRaw(rest)
		c.answered = command == "VRFY" && !c.temporary
	default:
		return false
	}
	return true
}

// readHelo reads "or HELO NAME: text", where NAME is the first word of what the
// client said.
func readHelo(s string, c *claim) bool {
	s, ok := strings.CutPrefix(s, "or HELO ")
	if !ok {
		return false
	}
	c.stage = relaylens.StageHelo
	c.helo, c.msg, ok = strings.Cut(s, ": ")
	c.odd = ok && strings.IndexByte(c.helo, ' ') >= 0
	return true
}

// readArgument reads an argument and the text behind it, and gives the address.
func (c *claim) readArgument(s string) (address string) {
	if path, rest, ok := cutPath(s); ok && strings.HasPrefix(rest, ": ") && len(s)-len(rest) < argumentLength {
		c.argument, c.msg = s[:len(s)-len(rest)], rest[2:]
		return path
	}
	end := argumentEnd(s)
	cut := len(s) >= argumentLength && (len(s) == argumentLength || strings.HasPrefix(s[argumentLength:], ": "))
	switch {
	case end < 0 && !cut:
		c.odd, c.cut = true, true
		_, c.msg, _ = strings.Cut(s, ": ")
		return ""
	case end < 0 || end > argumentLength && cut:
		c.cut = true
		c.argument, c.msg = s[:argumentLength], s[min(len(s), argumentLength+2):]
		if c.twice = end >= 0; c.twice {
			c.whole, c.alt = s[:end], s[min(len(s), end+2):]
		}
		return ""
	}
	c.argument, c.msg = s[:end], s[min(len(s), end+2):]
	return argumentAddress(c.argument)
}

// readRaw reads the text behind an argument that may be anything.
func (c *claim) readRaw(s string) {
	_, c.msg, _ = strings.Cut(s, ": ")
	c.odd = strings.Contains(c.msg, ": ")
}
