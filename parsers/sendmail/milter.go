package sendmail

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// milter reads what follows "Milter": the answers that a filter gave through
// srvrsmtp.c, or a filter that failed, "Milter (name): error text" of milter.c.
func milter(id, s string, rec *relaylens.Record) relaylens.Verdict {
	if _, said, ok := strings.Cut(s, "): "); ok && strings.HasPrefix(s, " (") {
		if milterBroken(said) {
			rec.Helper, rec.Event.RemoteHost = relaylens.HelperMilter, unescape(s[len(" ("):len(s)-len(said)-len("): ")])
			return backend(s[1:], rec)
		}
		return relaylens.Ignored
	}
	s, ok := strings.CutPrefix(s, ": ")
	if !ok || s == "no active filter" {
		return relaylens.Ignored
	}
	if rest, ok := strings.CutPrefix(s, "connect: host="); ok {
		return milterConnect(rest, rec)
	}
	if rest, ok := strings.CutPrefix(s, "initialization failed"); ok {
		return milterInit(id, s, rest, rec)
	}
	command, argument, value := milterCommand(s)
	if command == relaylens.StageNone {
		return relaylens.Ignored
	}
	var a answer
	if !a.parse(value) {
		return relaylens.Ignored
	}
	if s[0] == 'd' && a.action == relaylens.ActionRefuse {
		// The to= line of each recipient tells the refusal; this one has its code.
		e := &rec.Event
		e.Stage, e.Reason, e.Code, e.Enhanced, e.Text = command, relaylens.ReasonMilter, a.code, a.enhanced, a.text
		e.Direction = relaylens.Inbound
		rec.Fact, rec.Helper = relaylens.FactDetail, unanswered(&a)
		return relaylens.Parsed
	}
	milterRefusal(&rec.Event, command, &a)
	milterArgument(&rec.Event, argument)
	rec.Hold, rec.Helper, rec.Filtered = id != "", unanswered(&a), command == relaylens.StageRcpt
	return relaylens.Parsed
}

// milterArgument gives e what its command was about.
func milterArgument(e *relaylens.Event, argument string) {
	switch e.Stage {
	case relaylens.StageMail:
		e.SetSender(argument)
	case relaylens.StageRcpt:
		e.Recipient = argument
	case relaylens.StageHelo:
		e.Helo = argument
		if e.Action == relaylens.ActionRefuse && e.Code != 421 {
			e.Stage = relaylens.StageMail // HELO is taken, the commands behind it are not
		}
	}
}

// milterRefusal fills in what all refusals of a filter share. Greylisting is
// done by filters, and says so.
func milterRefusal(e *relaylens.Event, stage relaylens.Stage, a *answer) {
	e.Kind, e.Reason, e.Direction, e.Stage = relaylens.KindRejected, relaylens.ReasonMilter, relaylens.Inbound, stage
	e.Action, e.Code, e.Enhanced, e.Class, e.Text = a.action, a.code, a.enhanced, a.class, a.text
	if _, reason, _ := smtp.Wording(a.text); reason == relaylens.ReasonGreylist {
		e.Reason = reason
	}
}

// milterCommand splits the command and the client's argument from the answer.
// An address ends at its first space; another argument at the last answer, since
// what a filter says is the server's text.
func milterCommand(s string) (stage relaylens.Stage, argument, answer string) {
	s = unescape(s)
	for _, c := range [...]struct {
		prefix string
		stage  relaylens.Stage
	}{{"to=", relaylens.StageRcpt}, {"from=", relaylens.StageMail}, {"helo=", relaylens.StageHelo}} {
		value, ok := strings.CutPrefix(s, c.prefix)
		if !ok {
			continue
		}
		if typed, rest, ok := cutTyped(value, ","); ok && c.stage != relaylens.StageHelo {
			return c.stage, mailbox(typed), rest
		}
		at := max(strings.LastIndex(value, ", reject="), strings.LastIndex(value, ", discard"))
		if at < 0 {
			return relaylens.StageNone, "", ""
		}
		return c.stage, value[:at], value[at:]
	}
	if rest, ok := strings.CutPrefix(s, "cmd=data"); ok && strings.HasPrefix(rest, ", ") {
		return relaylens.StageData, "", rest
	}
	for _, p := range []string{"data", "eoh", "header", "body"} {
		if rest, ok := strings.CutPrefix(s, p); ok && strings.HasPrefix(rest, ", ") {
			return relaylens.StageEOD, "", rest
		}
	}
	return relaylens.StageNone, "", ""
}

// answer is what a filter had Sendmail do.
type answer struct {
	action   relaylens.Action
	code     uint16
	enhanced string
	class    relaylens.Class
	text     string
	later    bool // it is MAIL that is answered so
}

// parse reads ", reject=…", ", discard" and the words of the connect form.
func (a *answer) parse(s string) bool {
	s, ok := strings.CutPrefix(s, ", ")
	if !ok {
		return false
	}
	if reply, ok := strings.CutPrefix(s, "reject="); ok {
		reply = strings.TrimSuffix(reply, ", errormode=4") // the filter wants the connection closed
		if a.code, a.enhanced, a.text = smtp.CutReply(reply); a.code == 0 {
			a.class = relaylens.Class5xx
		}
		return a.code == 0 || a.code >= 400
	}
	what, reply, said := strings.Cut(s, "=")
	if said {
		if a.code, a.enhanced, a.text = smtp.CutReply(reply); a.code < 400 {
			return false
		}
	} else if what != "discard" {
		a.text = what
	}
	switch what {
	case "discard":
		a.action = relaylens.ActionDiscard
		return !said
	case "rejecting commands":
		a.class = relaylens.Class5xx
		return !said
	case "temp failing commands":
		a.later = true
		fallthrough
	case "shutdown", "closing connection":
		if !said {
			a.class = relaylens.Class4xx
		}
		return true
	}
	return false
}

// greeting is the stage of what is answered before there was a command.
func (a *answer) greeting() relaylens.Stage {
	if a.later {
		return relaylens.StageMail
	}
	return relaylens.StageConnect
}

// milterConnect reads "{h}, addr={ip}, answer". The name may be anything that
// the client's DNS says.
func milterConnect(s string, rec *relaylens.Record) relaylens.Verdict {
	s = unescape(s)
	_, value, ok := cutLast(s, ", addr=")
	if !ok {
		return relaylens.Ignored
	}
	comma := strings.Index(value, ", ")
	if comma < 0 {
		return relaylens.Ignored
	}
	var a answer
	if !a.parse(value[comma:]) {
		return relaylens.Ignored
	}
	e := &rec.Event
	milterRefusal(e, a.greeting(), &a)
	e.ClientIP, _ = smtp.ParseIP(value[:comma])
	if a.code == 0 {
		rec.Helper = relaylens.HelperMilter
	}
	return relaylens.Parsed
}

// milterInit reads "initialization failed, answer", whose answer rest is: a filter
// that every session needs does not work. Whose session it is, others of its lines
// tell: one that is refused a command, or its end.
func milterInit(id, s, rest string, rec *relaylens.Record) relaylens.Verdict {
	var a answer
	if !a.parse(rest) {
		return relaylens.Ignored
	}
	a.text = s
	milterRefusal(&rec.Event, a.greeting(), &a)
	rec.Hold, rec.Helper = id != "", relaylens.HelperMilter
	return relaylens.Parsed
}

// tryLater is what Sendmail says for a filter that fails, and for one that has no words
// of its own. srvrsmtp.c, MSG_TEMPFAIL
const tryLater = "Please try again later"

func unanswered(a *answer) relaylens.Helper {
	if a.action == relaylens.ActionRefuse && a.text == tryLater {
		return relaylens.HelperMilter
	}
	return relaylens.HelperNone
}

// milterAction reads what follows "milter=". The refusals of these lines, which
// name no client, are told by the ones of milter as well; a quarantine is not.
// milter.c:milter_getsymlist, milter_quarantine
func milterAction(s string, rec *relaylens.Record) relaylens.Verdict {
	name, reason, ok := strings.Cut(s, ", quarantine=")
	if !ok || strings.IndexByte(name, ',') >= 0 {
		return relaylens.Ignored
	}
	e := &rec.Event
	milterRefusal(e, relaylens.StageEOD, &answer{action: relaylens.ActionHold, text: unescape(reason)})
	return relaylens.Parsed
}

// milterErrors begin what milter.c writes of a filter that does not work. Other
// lines of the same form quote headers.
var milterErrors = []string{
	"error connecting to filter", "to error state", "timeout before data", "select(", "poll(", "read(", "write(",
	"socket closed", "connection refused", "local socket ", "unknown socket type", "connect: ", "unexpected reply",
}

func milterBroken(said string) bool {
	for _, p := range milterErrors {
		if strings.HasPrefix(said, p) {
			return true
		}
	}
	return false
}

// cutLast is [strings.Cut] at the last sep.
func cutLast(s, sep string) (before, after string, ok bool) {
	if i := lastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
