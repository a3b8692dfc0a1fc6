package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// hostLine reads a line that begins with H=; text is what follows that.
func (g *Grammar) hostLine(text string, rec *relaylens.Record) relaylens.Verdict {
	h, rest, strict := cutHost(text)
	var c claim
	if strict {
		strict = readClaim(rest, &c)
		if strict && c.clean() && (!c.ident || strings.Count(rest, " rejected ") < 2) {
			return g.claimed(&h, &c, rec)
		}
	}
	if !strict && !strings.Contains(text, " rejected ") && !strings.Contains(text, " sender verify ") {
		return relaylens.Ignored
	}
	own := -1
	if strict {
		own = len(rest)
	}
	readings := junkHosts(text, own)
	switch {
	case strict && len(readings) == 0:
		return g.doubtful(&h, text, &c, rec)
	case strict:
		// A HELO that may be anything (helo_accept_junk_hosts), or a text that
		// quotes what the client or another server said.
		return g.disputed(text, append(readings, reading{h, c}), rec)
	case len(readings) == 1 && keyLength(strings.TrimPrefix(rest, " ")) < 0:
		return g.claimed(&readings[0].host, &readings[0].claim, rec)
	}
	return g.disputed(text, readings, rec)
}

// reading is one way to read a line.
type reading struct {
	host  host
	claim claim
}

// maxReadings bounds the work that a hostile line makes.
const maxReadings = 8

// junkHosts looks for the host string's address where the HELO keeps no rules:
// any address that is followed by what follows a host string. The one that is
// followed by own bytes has been read already.
func junkHosts(text string, own int) (readings []reading) {
	for i := 0; len(readings) < maxReadings; {
		at := strings.IndexByte(text[i:], '[')
		if at < 0 {
			break
		}
		i += at + 1
		if i > 1 && text[i-2] != ' ' {
			continue
		}
		var r reading
		rest, ok := r.host.cutAddr(text[i-1:])
		if ok && len(rest) != own && readClaim(rest, &r.claim) && r.claim.clean() && r.host.junkNames(text[:i-1]) {
			readings = append(readings, r)
		}
	}
	return readings
}

// junkNames takes name and HELO from what stands before the address.
func (h *host) junkNames(s string) bool {
	if s == "" {
		return true
	}
	s = s[:len(s)-1]
	name := s
	if strings.HasSuffix(s, ")") {
		at := 0
		if s[0] != '(' {
			if at = strings.Index(s, " (") + 1; at == 0 {
				return false
			}
			name = s[:at-1]
		} else {
			name = ""
		}
		h.helo = s[at+1 : len(s)-1]
	}
	for i := 0; i < len(name); i++ {
		if !hostChar(name[i]) {
			return true
		}
	}
	h.name = name
	return true
}

// doubtful reports a claim whose client is certain, and whose other fields may
// come from an ident answer or a certificate.
func (g *Grammar) doubtful(h *host, text string, c *claim, rec *relaylens.Record) relaylens.Verdict {
	if !c.ident && !c.doubted && c.auth == "" {
		return g.claimed(h, c, rec)
	}
	if !g.agreed(text, c) {
		return relaylens.Malformed
	}
	c.auth, c.sender, c.hasSender, c.recipient = "", "", false, ""
	rec.Tainted = true
	return g.claimed(h, c, rec)
}

// disputed reports a refusal of somebody unknown, if the readings agree at
// least on what was refused.
func (g *Grammar) disputed(text string, readings []reading, rec *relaylens.Record) relaylens.Verdict {
	for i := range readings {
		c := &readings[i].claim
		if c.verb != rejected || !g.agreed(text, c) {
			return relaylens.Malformed
		}
	}
	if len(readings) == 0 {
		return relaylens.Malformed
	}
	c := &readings[0].claim
	rec.Tainted = true
	return g.claimed(&host{}, &claim{verb: rejected, temporary: c.temporary, stage: c.stage, msg: c.msg}, rec)
}

// agreed reports that whichever of the refusals in the line is the real one, it
// is of the same kind as c.
func (g *Grammar) agreed(text string, c *claim) bool {
	kind, _ := g.judge(c)
	for {
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
	if c.verb == discarded {
		e.Class, e.Code = relaylens.ClassNone, 0
	}
	calloutServer(e)
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

// localRejection reads F=<S> rejected by non-SMTP ACL, which has no client; s
// begins with the bracket.
func (g *Grammar) localRejection(s string, rec *relaylens.Record) relaylens.Verdict {
	var c claim
	sender, rest, ok := smtp.CutPath(s)
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
