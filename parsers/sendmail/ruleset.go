package sendmail

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

const relayMark = ", relay="

// refusal is a line of rscheck taken apart.
type refusal struct {
	arg1, arg2 string
	typed      bool // arg1 is an address as the client typed it, beyond doubt
	client     relay
	action     relaylens.Action
	code       uint16
	enhanced   string
	text       string // with the address it begins with
	said       string // without it
	tainted    bool
}

// ruleset reads what follows "ruleset=". parseaddr.c:rscheck
func (g *Grammar) ruleset(id, s string, rec *relaylens.Record) relaylens.Verdict {
	name, args, ok := strings.Cut(s, ", ")
	if !ok {
		return relaylens.Ignored
	}
	rule, ok := ruleOf(name)
	if !ok {
		return relaylens.Ignored
	}
	var r refusal
	if !r.parse(unescape(args), rule.arg1 != argOther) {
		return relaylens.Malformed
	}
	e := &rec.Event
	e.Direction, e.Stage, e.Action = relaylens.Inbound, rule.stage, r.action
	if rule.warns && e.Action == relaylens.ActionRefuse {
		e.Action = relaylens.ActionWarn
	}
	r.client.set(e)
	e.Code, e.Enhanced = r.code, r.enhanced
	rec.Tainted = r.tainted
	rule.address(e, &r)
	if e.Text = r.said; r.tainted {
		e.Text = ending(r.text)
	}
	g.judge(e, rule.fallback)
	switch name {
	case "check_relay":
		// The connection is closed with 421 at once; any other refusal answers MAIL.
		if e.Code != 421 {
			e.Stage = relaylens.StageMail
		}
	case "tls_client":
		e.Stage = relaylens.StageMail // what is refused of STARTTLS answers the commands behind it
	}
	if e.Enhanced == "4.3.0" && (strings.HasPrefix(e.Text, systemFailure) || e.Text == lookupFailure) {
		rec.Helper, e.RemoteHost = relaylens.HelperTable, name // unless an error before it tells the map
	}
	rec.Hold = id != "" && !e.HasSender()
	return relaylens.Parsed
}

// systemFailure is what the rules say where a map does not answer. cf/m4/cfhead.m4, _TMPFMSG_
const systemFailure = "Temporary system failure"

// lookupFailure is what sites let their own rules say of it, with the code for the
// state of the mail system (RFC 3463, 3.4), as those of the default configuration.
const lookupFailure = "Temporary lookup failure"

// rule is what is known of a ruleset: the command that it judges, and what its
// refusal means when the text does not say.
type rule struct {
	stage    relaylens.Stage
	fallback relaylens.Reason
	arg1     arg
	warns    bool // its verdict does not become the answer to the command
}

// arg is what the first argument of a ruleset is.
type arg uint8

const (
	argOther arg = iota
	argSender
	argRecipient
)

// ruleOf knows the rulesets of the default configuration. Those that judge a
// server this one delivers to are no refusals; one with any other name is a
// site's own check of a header. cf/README, "HEADER CHECKS"
func ruleOf(name string) (rule, bool) {
	switch name {
	case "check_rcpt":
		return rule{relaylens.StageRcpt, relaylens.ReasonRecipientPolicy, argRecipient, false}, true
	case "check_mail":
		return rule{relaylens.StageMail, relaylens.ReasonSenderPolicy, argSender, false}, true
	case "check_relay":
		return rule{relaylens.StageConnect, relaylens.ReasonClientPolicy, argOther, false}, true
	case "check_data":
		return rule{relaylens.StageData, relaylens.ReasonOther, argOther, false}, true
	case "check_eoh", "check_eom":
		return rule{relaylens.StageEOD, relaylens.ReasonContent, argOther, false}, true
	case "check_compat":
		return rule{relaylens.StageNone, relaylens.ReasonRecipientPolicy, argSender, false}, true
	case "check_vrfy", "check_expn":
		return rule{relaylens.StageVrfy, relaylens.ReasonClientPolicy, argOther, false}, true
	case "check_etrn":
		return rule{relaylens.StageEtrn, relaylens.ReasonClientPolicy, argOther, false}, true
	case "check_other":
		return rule{relaylens.StageNone, relaylens.ReasonProtocol, argOther, false}, true
	case "tls_client":
		return rule{relaylens.StageHelo, relaylens.ReasonTLSRequired, argOther, false}, true
	case "trust_auth":
		return rule{relaylens.StageMail, relaylens.ReasonSenderLoginMismatch, argOther, true}, true
	case "srv_features", "tls_srv_features", "greet_pause":
		return rule{relaylens.StageConnect, relaylens.ReasonClientPolicy, argOther, false}, true
	case "try_tls", "tls_server", "tls_rcpt", "oc_rate", "oc_conc", "authinfo", "tls_clt_features", "bcc", "queuegroup":
		return rule{}, false
	}
	return rule{relaylens.StageEOD, relaylens.ReasonContent, argOther, false}, true
}

// address gives e the address that the ruleset was asked about.
func (r *rule) address(e *relaylens.Event, f *refusal) {
	switch {
	case r.arg1 == argOther || f.tainted && !f.typed:
	case r.arg1 == argRecipient:
		e.Recipient = mailbox(f.arg1)
	default:
		e.SetSender(mailbox(f.arg1))
		e.Recipient = mailbox(f.arg2) // of check_compat
	}
}

// parse takes apart "arg1=A1, arg2=A2, relay=REL, reject=…". The arguments are
// the client's own text, they come first, and the answer at the end repeats
// them, so neither the first nor the last ", relay=" is right. Where addresses
// are asked about, each ends at its first space.
func (r *refusal) parse(s string, addresses bool) bool {
	rest, ok := strings.CutPrefix(s, "arg1=")
	if !ok {
		rest, ok = strings.CutPrefix(s, "relay=")
		return ok && r.tail(rest)
	}
	if !addresses {
		return r.search(rest)
	}
	end, open := scan(rest, ' ')
	if open {
		return r.search(rest) && r.disown()
	}
	r.arg1, r.typed = strings.CutSuffix(rest[:end], ",")
	after := rest[len(r.arg1):]
	if value, ok := strings.CutPrefix(after, ", arg2="); ok && r.typed {
		if second, behind, ok := cutTyped(value, ","); ok {
			r.arg2, after = second, behind
		}
	}
	if value, ok := strings.CutPrefix(after, relayMark); ok && r.tail(value) || r.typed && isOutcome(after) && r.outcome(after) {
		return true
	}
	r.typed = true
	return r.search(after) // parameters behind the address
}

// disown drops everything of a line whose argument cannot be read: what was found
// may stand inside of it.
func (r *refusal) disown() bool {
	*r = refusal{action: r.action, text: r.text, tainted: true}
	return true
}

// maxCandidates bounds the work on an argument that is made of marks.
const maxCandidates = 16

// search looks for the relay behind an argument whose end nothing marks. When
// what it finds is ambiguous, neither client nor reply are told.
func (r *refusal) search(s string) bool {
	var found refusal
	n := 0
	for at, tries := 0, 0; ; at, tries = at+len(relayMark), tries+1 {
		i := strings.Index(s[at:], relayMark)
		if i < 0 {
			break
		}
		if tries == maxCandidates {
			return r.disown()
		}
		at += i
		c := refusal{arg1: s[:at]}
		if r.typed {
			c.arg1 = r.arg1
		}
		if !c.tail(s[at+len(relayMark):]) {
			continue
		}
		n++
		if n > 1 {
			c.tainted = true
			if c.client.ip != found.client.ip {
				c.client = relay{}
			}
		}
		found = c
	}
	if n == 0 {
		return false
	}
	if found.tainted {
		found.code, found.enhanced, found.arg1 = 0, "", ""
	}
	found.arg1, found.arg2, _ = strings.Cut(found.arg1, ", arg2=")
	if r.typed {
		found.arg1, found.typed = r.arg1, true
	}
	*r = found
	return true
}

// tail reads "REL, reject=…".
func (r *refusal) tail(s string) bool {
	client, rest, ok := cutRelay(s, isOutcome, parseRelay)
	if !ok {
		return false
	}
	r.client = client
	return r.outcome(rest)
}

// outcome reads ", reject=…". Where Sendmail does not know its peer, that follows
// the arguments.
func (r *refusal) outcome(rest string) bool {
	rest = rest[len(", "):]
	if reason, ok := strings.CutPrefix(rest, "quarantine="); ok {
		r.action, r.text, r.said = relaylens.ActionHold, reason, reason
		return true
	}
	if rest == "discard" {
		r.action = relaylens.ActionDiscard
		return true
	}
	reply, refused := strings.CutPrefix(rest, "reject=")
	if !refused {
		reply = strings.TrimPrefix(rest, "status=")
		r.action = relaylens.ActionWarn
	}
	r.code, r.enhanced, r.text = smtp.CutReply(reply)
	if r.code < 400 {
		return false
	}
	r.said = subject(r.text, r.arg1)
	r.distrust()
	return true
}

// isOutcome tells what ends the relay value of rscheck's lines.
func isOutcome(s string) bool {
	return strings.HasPrefix(s, ", reject=") || strings.HasPrefix(s, ", status=") ||
		s == ", discard" || strings.HasPrefix(s, ", quarantine=")
}

// distrust drops the client when the reply seems to hold a second relay value:
// the first one was part of something else then. The sender that some replies
// end with may look like that, and its place is known.
func (r *refusal) distrust() {
	said := r.said
	at := strings.Index(said, ", reject=")
	if at < 1 || said[at-1] != ']' && said[at-1] != ')' || strings.HasPrefix(said, "Domain ") || strings.HasPrefix(said, "Real domain ") {
		return
	}
	r.client, r.code, r.enhanced, r.tainted = relay{}, 0, "", true
}

// ending is what the server says at the end of a text whose beginning somebody
// else wrote.
func ending(text string) string {
	if _, said, ok := cutLast(text, ">... "); ok {
		return said
	}
	if _, reply, ok := cutLast(text, ", reject="); ok {
		_, _, text = smtp.CutReply(reply)
	}
	return text
}

// subject drops the address that many replies begin with. It is the argument of
// the ruleset as typed; that of trust_auth has no brackets.
func subject(text, typed string) string {
	if said, ok := cutEcho(text, typed); ok || text == "" || text[0] != '<' {
		return said
	}
	if _, rest, ok := cutTyped(text, ellipsis); ok {
		return rest[len("... "):]
	}
	said, _ := smtp.CutSubject(text, typed)
	return said
}
