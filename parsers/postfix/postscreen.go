package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// screened sets kind and reason of a recipient that postscreen refused. The
// answer was settled before the first command; it only waits for a recipient.
//
// Source: postscreen/postscreen_early.c, postscreen_smtpd.c psc_rcpt_cmd.
func (g *Grammar) screened(body string, ev *relaylens.Event) {
	ev.Text = body
	ev.Kind, ev.Reason = relaylens.KindRejected, relaylens.ReasonOther
	switch {
	case body == "Protocol error":
		// What was said too early, before the greeting.
		ev.Reason, ev.Stage = relaylens.ReasonProtocol, relaylens.StageConnect
	case strings.Contains(body, " blocked using "):
		ev.Reason = relaylens.ReasonDNSBL
	case body == "Service currently unavailable" && ev.Code < 500:
		ev.Reason = relaylens.ReasonGreylist
	case body == "Service currently unavailable":
		ev.Reason = relaylens.ReasonClientPolicy
	case body == "too many connections", body == "all server ports busy":
		ev.Reason, ev.Class = relaylens.ReasonRateLimit, relaylens.Class4xx
		if body[0] == 'a' {
			ev.Reason, ev.RemoteHost = relaylens.ReasonResources, relaylens.Capacity
		}
	default:
		ev.Kind, ev.Reason = g.custom(body, relaylens.ReasonOther)
	}
}

// test is a line that says which test a client failed. Of the presumed ones
// the outcome is configuration: a reject line that follows (enforce), a hang-up
// without one (drop), or nothing (ignore, the default for a denylist).
type test struct {
	prefix   string
	stage    relaylens.Stage
	reason   relaylens.Reason
	class    relaylens.Class
	presumed bool
}

var tests = [...]test{
	{"DENYLISTED ", relaylens.StageConnect, relaylens.ReasonClientPolicy, relaylens.Class5xx, true},
	{"BLACKLISTED ", relaylens.StageConnect, relaylens.ReasonClientPolicy, relaylens.Class5xx, true},
	{"PREGREET ", relaylens.StageConnect, relaylens.ReasonProtocol, relaylens.Class5xx, true},
	{"DNSBL rank ", relaylens.StageConnect, relaylens.ReasonDNSBL, relaylens.Class5xx, true},
	{"COMMAND PIPELINING from ", relaylens.StageNone, relaylens.ReasonProtocol, relaylens.Class5xx, true},
	{"BARE NEWLINE from ", relaylens.StageNone, relaylens.ReasonProtocol, relaylens.Class5xx, true},
	{"reject: connect from ", relaylens.StageConnect, relaylens.ReasonResources, relaylens.Class4xx, false},
	{"NON-SMTP COMMAND from ", relaylens.StageNone, relaylens.ReasonProtocol, relaylens.Class5xx, false},
	{"COMMAND COUNT LIMIT from ", relaylens.StageNone, relaylens.ReasonRateLimit, relaylens.Class4xx, false},
	{"COMMAND LENGTH LIMIT from ", relaylens.StageNone, relaylens.ReasonProtocol, relaylens.Class4xx, false},
	{"DATA without valid RCPT from ", relaylens.StageData, relaylens.ReasonProtocol, relaylens.Class5xx, false},
	{"BDAT without valid RCPT from ", relaylens.StageData, relaylens.ReasonProtocol, relaylens.Class5xx, false},
}

// postscreenLine reads the lines of postscreen that begin with no id.
//
// Source: postscreen/postscreen.c psc_endpt_lookup_done, postscreen_smtpd.c,
// postscreen_early.c psc_early_event, postscreen_misc.c psc_conclude.
func postscreenLine(text string, rec *relaylens.Record) relaylens.Verdict {
	if strings.HasPrefix(text, "PASS ") { // most of them
		if rec.Presumed = passed(text, &rec.Event); rec.Presumed {
			return relaylens.Parsed
		}
		rec.Event = relaylens.Event{}
		return relaylens.Ignored
	}
	for i := range tests {
		t := &tests[i]
		if text[0] != t.prefix[0] || !strings.HasPrefix(text, t.prefix) {
			continue
		}
		client := text[len(t.prefix):]
		if t.presumed && !strings.HasPrefix(client, "[") {
			client = afterTest(client)
		}
		why, ok := cutBracketed(client, &rec.Event)
		if !ok {
			return relaylens.Malformed
		}
		if why, ok = strings.CutPrefix(why, ": "); !ok || t.prefix[0] != 'r' {
			why = strings.TrimSuffix(t.prefix[:len(t.prefix)-1], " from")
		}
		if t.reason == relaylens.ReasonResources {
			rec.Event.RemoteHost = relaylens.Capacity
		}
		rec.Presumed = t.presumed
		refuse(&rec.Event, t.stage, t.reason, t.class, why)
		return relaylens.Parsed
	}
	return screenedEnd(text, rec)
}

// afterTest skips what stands before the client in PREGREET and DNSBL lines:
// numbers of postscreen's own, "18 after 0.1 from " and "2 for ".
func afterTest(s string) string {
	for _, word := range [...]string{" from ", " for "} {
		if i := strings.Index(s, word); i >= 0 && strings.IndexByte(s, '[') > i {
			return s[i+len(word):]
		}
	}
	return s
}

// passed reads "PASS {OLD∣NEW} {client}", and reports whether that is what text is.
func passed(text string, ev *relaylens.Event) bool {
	_, client, ok := strings.Cut(text[len("PASS "):], " ")
	if ok {
		_, ok = cutBracketed(client, ev)
	}
	return ok
}

// screenedEnd reads how a client's stay with postscreen ends: DISCONNECT is
// postscreen's doing unless the client hung up or passed before.
func screenedEnd(text string, rec *relaylens.Record) relaylens.Verdict {
	rest, ended := strings.CutPrefix(text, "DISCONNECT ")
	if !ended {
		var left bool
		if rest, left = strings.CutPrefix(text, "HANGUP after "); !left {
			return relaylens.Ignored
		}
		rest = afterTest(rest)
	}
	if _, ok := cutBracketed(rest, &rec.Event); !ok {
		rec.Event = relaylens.Event{}
		return relaylens.Ignored
	}
	if ended {
		rec.Fact, rec.Event.Kind, rec.Event.Text = relaylens.FactSessionEnd, relaylens.KindConnection, "DISCONNECT"
	} else {
		rec.Presumed = true
	}
	return relaylens.Parsed
}
