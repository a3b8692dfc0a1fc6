package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// verifyDetail reads the line that says why a sender could not be verified. It
// is written once for each sender of a connection, before the refusals.
func verifyDetail(h *host, c *claim, rec *relaylens.Record) relaylens.Verdict {
	e := &rec.Event
	h.setClient(e)
	rec.Fact = relaylens.FactDetail
	e.Kind, e.Stage = relaylens.KindSenderVerify, c.stage
	if c.hasSender {
		e.SetSender(c.sender)
	}
	e.Class = relaylens.Class5xx
	if c.temporary {
		e.Class = relaylens.Class4xx
	}
	text := strings.TrimPrefix(c.msg, "Could not complete sender verify callout")
	text = strings.TrimPrefix(text, ": ")
	e.Text = text
	e.Reason = verifyReason(text, c)
	if calloutServer(e) {
		var reply string
		e.Code, e.Enhanced, reply = calloutReply(e.Text[strings.Index(e.Text, "] : ")+len("] : "):])
		if e.Code == 0 {
			e.Reason = relaylens.ReasonCalloutNoConnection
			return relaylens.Parsed
		}
		e.Text, _ = smtp.CutSubject(reply, c.sender)
		e.Reason = smtp.Callout(e.Code, e.Enhanced, e.Text)
		if e.Code < 400 {
			e.Code, e.Enhanced = 0, ""
		}
	}
	return relaylens.Parsed
}

// verifyReason reads a detail that names no other server. verify.c, dnslookup.c
func verifyReason(text string, c *claim) relaylens.Reason {
	switch {
	case text == "" && c.msg != "":
		return relaylens.ReasonCalloutTempfail
	case text == "", strings.Contains(text, "(cached)"), strings.Contains(text, "earlier callout"):
		return relaylens.ReasonCalloutCached
	case strings.Contains(text, "no SMTP service"):
		return relaylens.ReasonNullMX
	case strings.Contains(text, "host lookup did not complete"):
		return relaylens.ReasonDomainTempfail
	case strings.Contains(text, "timed out"), strings.Contains(text, "onnection refused"), strings.Contains(text, "No route to host"):
		return relaylens.ReasonCalloutNoConnection
	case c.temporary:
		return relaylens.ReasonDomainTempfail
	}
	return relaylens.ReasonUnrouteable
}

// calloutServer takes the server that was asked from a text that begins with
// it: "mx.example.net [192.0.2.1] : what it said".
func calloutServer(e *relaylens.Event) bool {
	if !strings.Contains(e.Text, "] : ") {
		return false
	}
	h, rest, ok := cutHost(e.Text)
	if !ok || h.greeted || !strings.HasPrefix(rest, " : ") {
		return false
	}
	e.RemoteIP, e.RemoteHost = h.ip, h.name
	return true
}

// calloutReply finds the reply in what follows the server's address. verify.c, do_callout
func calloutReply(s string) (code uint16, enhanced, text string) {
	if rest, ok := strings.CutPrefix(s, `response to "`); ok {
		if i := strings.LastIndex(rest, `" was: `); i >= 0 {
			return smtp.CutReply(rest[i+len(`" was: `):])
		}
	}
	if r, ok := cutRemoteError(s); ok {
		return smtp.CutReply(r.reply)
	}
	return 0, "", s
}
