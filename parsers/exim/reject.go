package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// hostLine reads a line that begins with H=; text is what follows that. Only
// the lines about a message have an id.
func (g *Grammar) hostLine(text string, id bool, rec *relaylens.Record) relaylens.Verdict {
	h, rest, strict := cutHost(text)
	if !strict || h.several(rest) {
		return g.hostsLine(text, id, rec)
	}
	var c claim
	if !readClaim(rest, id, h.greeted, &c) {
		if id && !followsHost(rest) {
			return relaylens.Ignored // another server, that was tried
		}
		return unread(text)
	}
	return g.sole(&h, rest, &c, rec)
}

// unread is the verdict on a line in which no claim can be read.
func unread(text string) relaylens.Verdict {
	if strings.Contains(text, " rejected ") || strings.Contains(text, " sender verify ") {
		return relaylens.Malformed
	}
	return relaylens.Ignored
}

// sole reads a claim whose client is certain; text is the line from there on.
func (g *Grammar) sole(h *host, text string, c *claim, rec *relaylens.Record) relaylens.Verdict {
	tainted := c.odd
	c.greeting = h.helo
	if c.odd && !g.settleOdd(c) || c.twice && !g.alikeWhole(c) {
		return relaylens.Malformed
	}
	if c.doubted || c.auth != "" && saysRejected(c) {
		// The other fields may come from an ident answer, a certificate or a login.
		if c.verb != rejected || c.mixed || !g.agreed(text, c) {
			return relaylens.Malformed
		}
		c.auth, c.sender, c.hasSender, c.recipient = "", "", false, ""
		tainted = true
	}
	v := g.claimed(h, c, rec)
	if v == relaylens.Parsed && tainted {
		rec.Tainted = true
	}
	return v
}

// settleOdd settles what a refusal says whose text has no certain beginning. That
// of a command that can be refused for one kind of reason only says nothing then.
func (g *Grammar) settleOdd(c *claim) bool {
	if c.stage != relaylens.StageRcpt && c.stage != relaylens.StageMail {
		c.msg, c.helo = "", ""
		return true
	}
	tries := 0
	for msg, more := c.msg, true; more; tries++ {
		if tries > maxClaims || !g.alike(c, msg) {
			return false
		}
		_, msg, more = strings.Cut(msg, ": ")
	}
	return true
}

// alike reports that the refusal is of the same kind with msg for its text.
func (g *Grammar) alike(c *claim, msg string) bool {
	kind, _ := g.judge(c)
	other := *c
	other.msg = msg
	k, _ := g.judge(&other)
	return k == kind
}

// alikeWhole reports that the refusal is of the same kind if its argument was
// not cut.
func (g *Grammar) alikeWhole(c *claim) bool {
	kind, _ := g.judge(c)
	other := *c
	other.msg, other.argument, other.cut = c.alt, c.whole, false
	other.recipient = argumentAddress(c.whole)
	k, _ := g.judge(&other)
	return k == kind
}

// agreed reports that whichever of the refusals in the text is the real one, it
// is of the same kind as c.
func (g *Grammar) agreed(text string, c *claim) bool {
	kind, _ := g.judge(c)
	for tries := 0; tries < maxClaims; tries++ {
		i := strings.Index(text, " rejected ")
		if i < 0 {
			return true
		}
		var other claim
		if readVerb(text[i:], &other) {
			if k, _ := g.judge(&other); k != kind {
				return false
			}
		}
		text = text[i+1:]
	}
	return false
}

// claimed fills the record.
func (g *Grammar) claimed(h *host, c *claim, rec *relaylens.Record) relaylens.Verdict {
	e := &rec.Event
	switch c.verb {
	case unrelated:
		return relaylens.Ignored
	case verified:
		rec.Copied = true
		return verifyDetail(h, c, rec)
	case warned:
		return g.warning(h, c, rec)
	case discarded:
		e.Action = relaylens.ActionDiscard
	}
	h.setClient(e)
	rec.Copied = true
	e.Stage = c.stage
	e.Recipient = c.recipient
	if c.hasSender {
		e.SetSender(c.sender)
	}
	if c.helo != "" {
		e.Helo = c.helo
	}
	e.AuthMethod, e.User, _ = strings.Cut(c.auth, ":")
	if c.mechanism != "" {
		e.AuthMethod = c.mechanism
	}
	e.Kind, e.Reason = g.judge(c)
	rec.Explained = explained(e)
	e.Class = relaylens.Class5xx
	if c.temporary {
		e.Class = relaylens.Class4xx
	}
	e.Code, e.Enhanced, e.Text = cutCode(c.msg, c.temporary)
	switch {
	case c.verb == discarded:
		e.Class, e.Code = relaylens.ClassNone, 0
	case c.answered && e.Code == 0:
		e.Class = relaylens.ClassNone
	}
	if calloutServer(e); !e.RemoteIP.IsValid() {
		lacking(c, rec)
	}
	return relaylens.Parsed
}

// explained reports that a "sender verify" line of the session tells why: the
// refusal says so itself, or its text is the site's own.
func explained(e *relaylens.Event) bool {
	if e.Kind == relaylens.KindSenderVerify {
		return true
	}
	return e.Kind == relaylens.KindRejected && e.Reason == relaylens.ReasonOther && e.HasSender() &&
		(e.Stage == relaylens.StageRcpt || e.Stage == relaylens.StageMail)
}

// cutCode splits the codes that a site writes into its texts. Exim uses them
// only when they are of the class of the refusal.
func cutCode(msg string, temporary bool) (code uint16, enhanced, text string) {
	if msg == "" || msg[0] < '0' || msg[0] > '9' {
		return 0, "", msg
	}
	code, enhanced, text = smtp.CutReply(msg)
	if code == 0 {
		enhanced, text = smtp.CutEnhanced(msg)
	}
	if code != 0 && (code >= 500) == temporary || code != 0 && code < 400 {
		return 0, "", msg
	}
	return code, enhanced, text
}

// warning reports what a warn statement complains of, when it says something
// that a refusal could say.
func (g *Grammar) warning(h *host, c *claim, rec *relaylens.Record) relaylens.Verdict {
	kind, reason := g.judge(c)
	if kind == relaylens.KindRejected && reason == relaylens.ReasonOther || strings.HasPrefix(c.msg, "ACL \"warn\" statement skipped") {
		return relaylens.Ignored
	}
	e := &rec.Event
	h.setClient(e)
	e.Kind, e.Reason, e.Action = kind, reason, relaylens.ActionWarn
	e.Text = c.msg
	return relaylens.Parsed
}

// refusedApart reads what a recipient's own ACL said of the message: "ADDRESS
// text", where it has none "R=<ADDRESS> refusal". The code is not logged. The line
// that the message is taken with names the client, if another recipient took it.
// receive.c, receive_msg
func (g *Grammar) refusedApart(s string, rec *relaylens.Record) relaylens.Verdict {
	c := claim{stage: relaylens.StageEOD}
	class := relaylens.ClassNone
	if rest, ok := strings.CutPrefix(s, "R="); ok && strings.HasPrefix(rest, "<") {
		var what string
		if c.recipient, what, ok = cutPath(rest); !ok {
			return relaylens.Malformed
		}
		switch what {
		case " refusal":
			class = relaylens.Class5xx
		case " temporary refusal":
			class, c.temporary = relaylens.Class4xx, true
		default:
			return relaylens.Ignored
		}
	} else {
		var rest string
		if c.recipient, rest, ok = cutAddress(s); !ok || rest == "" {
			return relaylens.Malformed
		}
		c.msg = rest[1:]
		c.temporary = strings.HasPrefix(c.msg, "4")
	}
	e := &rec.Event
	e.Direction, e.Stage, e.Recipient, e.Class = relaylens.Inbound, c.stage, c.recipient, class
	e.Kind, e.Reason = g.judge(&c)
	e.Code, e.Enhanced, e.Text = cutCode(c.msg, c.temporary)
	switch {
	case e.Code >= 500:
		e.Class = relaylens.Class5xx
	case e.Code >= 400:
		e.Class = relaylens.Class4xx
	}
	rec.Apart, rec.Hold = true, true
	return relaylens.Parsed
}

// localRejection reads F=<S> rejected by non-SMTP ACL, which has no client; s
// begins with the bracket.
func (g *Grammar) localRejection(s string, rec *relaylens.Record) relaylens.Verdict {
	var c claim
	sender, rest, ok := cutPath(s)
	if !ok {
		return relaylens.Ignored
	}
	if rest, ok = strings.CutPrefix(rest, " rejected by "); !ok {
		return relaylens.Ignored
	}
	if what, ok := strings.CutPrefix(rest, "non-SMTP ACL"); ok {
		rest = what
	} else if rest, ok = strings.CutPrefix(rest, "local_scan()"); !ok {
		return relaylens.Ignored
	}
	if !readMessage(rest, &c) {
		return relaylens.Malformed
	}
	c.stage, c.hasSender, c.sender = relaylens.StageEOD, true, sender
	return g.claimed(&host{}, &c, rec)
}
