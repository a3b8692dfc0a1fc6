package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// action is the word behind the queue id of a smtpd line.
type action struct {
	name   string
	did    relaylens.Action
	milter bool
	coded  bool // the text begins with the reply code
	ignore bool
}

// actions of smtpd. What is only routed differently is no refusal, and neither
// is a session that was dropped without an answer.
//
// Source: smtpd/smtpd_check.c check_table_result, smtpd/smtpd.c check_milter_reply.
var actions = [...]action{
	{name: "reject", coded: true},
	{name: "reject_warning", did: relaylens.ActionWarn, coded: true},
	{name: "milter-reject", milter: true, coded: true},
	{name: "milter-hold", did: relaylens.ActionHold, milter: true},
	{name: "milter-discard", did: relaylens.ActionDiscard, milter: true},
	{name: "hold", did: relaylens.ActionHold},
	{name: "discard", did: relaylens.ActionDiscard},
	{name: "warn", did: relaylens.ActionWarn},
	{name: "filter", ignore: true},
	{name: "redirect", ignore: true},
	{name: "bcc", ignore: true},
	{name: "info", ignore: true},
	{name: "hangup", ignore: true},
	{name: "permit", ignore: true},
}

// cutAction splits "reject: RCPT from …".
func cutAction(s string) (a *action, known bool, rest string) {
	i := strings.IndexByte(s, ':')
	if i < 3 || i > 14 || i+2 > len(s) || s[i+1] != ' ' {
		return nil, false, s
	}
	for k := range actions {
		if actions[k].name == s[:i] {
			return &actions[k], true, s[i+2:]
		}
	}
	return nil, false, s
}

// reject reads the family of lines that smtpd writes of a command it answered,
// and postscreen's imitation of it.
//
// Source: smtpd/smtpd_check.c log_whatsup; smtpd/smtpd.c smtpd_whatsup.
func (g *Grammar) reject(d daemon, env *relaylens.Envelope, id string, a *action, rest string, rec *relaylens.Record) relaylens.Verdict {
	if a.ignore {
		return relaylens.Ignored
	}
	i := strings.Index(rest[:min(len(rest), len("END-OF-MESSAGE from "))], " from ")
	if i < 0 {
		return unreadable(d)
	}
	stage, ok := stageOf(rest[:i])
	if !ok {
		return unreadable(d)
	}
	where := rest[:i]
	ev := &rec.Event
	rest = rest[i+6:]
	st := styleSMTPD
	if rest != "" && rest[0] == '[' && d != daemonSMTPD {
		st = stylePostscreen
		rest, ok = cutBracketed(rest, ev)
	} else {
		rest, ok = g.client(env.PID, rest, ev)
	}
	if rest, found := strings.CutPrefix(rest, ": "); ok && found {
		if st == styleSMTPD && stage == relaylens.StageHelo {
			st = styleRawHelo
		}
		ev.QueueID, ev.Stage, ev.Direction, ev.Action = id, stage, relaylens.Inbound, a.did
		g.rejection(env, a, where, rest, st, rec)
		switch {
		case !a.milter || !a.coded:
		case !answered(where, ev.Code):
			*rec = relaylens.Record{}
			return relaylens.Ignored
		case stage == relaylens.StageConnect:
			greet(ev)
		}
		return relaylens.Parsed
	}
	return relaylens.Malformed
}

// answered reports whether the client heard of a milter's refusal then and there.
// Before MAIL it does not: unless the session is to end, the greeting and EHLO are
// answered as ever, and the commands that follow are refused, each with a line of
// its own.
//
// Source: smtpd/smtpd.c smtpd_proto, helo_cmd, ehlo_cmd.
func answered(where string, code uint16) bool {
	switch where {
	case "CONNECT":
		return code == 421 || code >= 500
	case "HELO", "EHLO":
		return code == 421
	}
	return true
}

// greet makes a milter's refusal of a connection what the client is greeted with: who
// may not connect at all is told so in smtpd's own words.
//
// Source: smtpd/smtpd.c smtpd_proto.
func greet(ev *relaylens.Event) {
	if ev.Enhanced = ""; ev.Code >= 500 {
		ev.Code = 554
	}
}

// unreadable is the verdict on a line that has the word of a rejection, but not
// its shape: of smtpd that matters, of a program not known it may be another's.
func unreadable(d daemon) relaylens.Verdict {
	if d == daemonSMTPD || d == daemonPostscreen {
		return relaylens.Malformed
	}
	return relaylens.Ignored
}

// rejection reads text and fields of a rejection whose client and stage are
// already known.
func (g *Grammar) rejection(env *relaylens.Envelope, a *action, where, rest string, st style, rec *relaylens.Record) {
	ev := &rec.Event
	var f fields
	text, proven := split(rest, ev.Stage, st, len(env.Text), &f)
	if proven {
		f.set(ev)
	} else {
		rec.Tainted = true
	}
	body := text
	if a.coded {
		body = cutReply(text, ev)
		if a.milter && ev.Code == 0 { // cleanup's, whose program was cut off the tag
			ev.Enhanced, body = smtp.CutEnhanced(body)
			ev.Class = classOf(ev.Enhanced)
		}
	}
	if !proven && (body == "" || body[0] != '<') {
		// The text begins with the server's own words; they go on to the first
		// field, unless the client wrote one into them.
		body, _, _ = strings.Cut(body, fromMarker)
		proven = true
	}
	switch {
	case !proven:
		ev.Kind, ev.Reason, ev.Text = taintedKind(body)
		if a.milter && ev.Kind == relaylens.KindRejected {
			ev.Reason = relaylens.ReasonMilter
		}
	case a.milter:
		ev.Text = body
		ev.Kind, ev.Reason = g.custom(body, relaylens.ReasonMilter)
	case st == stylePostscreen:
		g.screened(body, ev)
	default:
		if !g.classify(body, where, &f, env.Program, ev) {
			rec.Tainted = true
		}
		if ev.Text == noStorage {
			ev.RemoteHost = relaylens.Disk
		}
	}
	rec.Helper = wanted(ev)
}

// cutReply reads the codes of a refusal. A text without them, as that of a bare
// line feed, or with those of no refusal, was answered 5xx.
func cutReply(text string, ev *relaylens.Event) (body string) {
	ev.Code, ev.Enhanced, body = smtp.CutReply(text)
	if ev.Code < 400 {
		ev.Code, ev.Class = 0, relaylens.Class5xx
	}
	return body
}

// taintedKind says what a line was about when its text cannot be told from the
// words of the client in it. Every place where the text could end is looked at;
// those that end like a known text must say the same, and so must the first
// place that begins like one.
func taintedKind(body string) (relaylens.Kind, relaylens.Reason, string) {
	kind, reason, text := relaylens.KindNone, relaylens.ReasonNone, ""
	for at := strings.Index(body, "; "); at >= 0; {
		head := body[:at]
		if c := strings.LastIndex(head, ">: "); c >= 0 {
			if k, r, ok := knownEnd(head[c+3:]); ok {
				if kind != relaylens.KindNone && (kind != k || reason != r) {
					return relaylens.KindRejected, relaylens.ReasonOther, ""
				}
				kind, reason, text = k, r, head[c+3:]
			}
		}
		next := strings.Index(body[at+1:], "; ")
		if next < 0 {
			break
		}
		at += 1 + next
	}
	if kind == relaylens.KindNone || kind != knownStart(body) {
		return relaylens.KindRejected, relaylens.ReasonOther, ""
	}
	return kind, reason, text
}

// knownStart is the kind of the first known text in body.
func knownStart(body string) relaylens.Kind {
	for from := 0; ; {
		i := strings.Index(body[from:], ">: ")
		if i < 0 {
			return relaylens.KindNone
		}
		from += i + 3
		why, _, _ := strings.Cut(body[from:], "; ")
		if quoted, ok := cutUnverified(strings.TrimPrefix(why, senderRule.prefix)); ok && len(quoted) < len(why) {
			return relaylens.KindSenderVerify
		}
		if kind, _, ok := knownEnd(why); ok {
			return kind
		}
	}
}
