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
			ev.Reason = relaylens.ReasonResources
		}
	default:
		ev.Kind, ev.Reason = g.custom(body, relaylens.ReasonOther)
	}
}

// tests are lines after which postscreen hangs up; no reject line follows.
type test struct {
	prefix string
	stage  relaylens.Stage
	reason relaylens.Reason
	class  relaylens.Class
}

var tests = [...]test{
	{"DENYLISTED ", relaylens.StageConnect, relaylens.ReasonClientPolicy, relaylens.Class5xx},
	{"BLACKLISTED ", relaylens.StageConnect, relaylens.ReasonClientPolicy, relaylens.Class5xx},
	{"reject: connect from ", relaylens.StageConnect, relaylens.ReasonResources, relaylens.Class4xx},
	{"NON-SMTP COMMAND from ", relaylens.StageNone, relaylens.ReasonProtocol, relaylens.Class5xx},
	{"COMMAND COUNT LIMIT from ", relaylens.StageNone, relaylens.ReasonRateLimit, relaylens.Class4xx},
	{"COMMAND LENGTH LIMIT from ", relaylens.StageNone, relaylens.ReasonProtocol, relaylens.Class4xx},
	{"DATA without valid RCPT from ", relaylens.StageData, relaylens.ReasonProtocol, relaylens.Class5xx},
	{"BDAT without valid RCPT from ", relaylens.StageData, relaylens.ReasonProtocol, relaylens.Class5xx},
}

// postscreenLine reads the lines of postscreen that begin with no id. Those of
// tests that only decide the later answer, as PREGREET and DNSBL, are no
// refusals by themselves.
//
// Source: postscreen/postscreen.c psc_endpt_lookup_done, postscreen_smtpd.c.
func postscreenLine(text string, rec *relaylens.Record) relaylens.Verdict {
	for i := range tests {
		t := &tests[i]
		if text[0] != t.prefix[0] || !strings.HasPrefix(text, t.prefix) {
			continue
		}
		why, ok := cutBracketed(text[len(t.prefix):], &rec.Event)
		if !ok {
			return relaylens.Malformed
		}
		if why, ok = strings.CutPrefix(why, ": "); !ok || t.prefix[0] != 'r' {
			why = strings.TrimSuffix(t.prefix[:len(t.prefix)-1], " from")
		}
		refuse(&rec.Event, t.stage, t.reason, t.class, why)
		return relaylens.Parsed
	}
	return relaylens.Ignored
}
