package summary

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier/knowledge"
)

// Reply is what a server said, in parts. Kind and Reason are what its wording
// means, where that is known.
type Reply struct {
	Code     uint16
	Enhanced string
	Text     string // without the address that it begins with
	Kind     relaylens.Kind
	Reason   relaylens.Reason
}

// ExplainReply explains a reply, or a text without codes. Known is false for a
// text alone of which nothing is known.
func ExplainReply(r Reply, mta relaylens.MTA) *Explanation {
	x := &Explanation{What: "reply", mta: mta, WrittenBy: knowledge.Wordings(mta, r.Code, r.Enhanced, r.Text)}
	event := &relaylens.Event{Kind: r.Kind, Reason: r.Reason, Direction: relaylens.Inbound}
	if len(x.WrittenBy) > 0 {
		event.Kind, event.Reason = kindOf(x.WrittenBy[0].Kind, x.WrittenBy[0].Reason)
	}
	x.Title = strings.Join(strings.Fields(strings.Join([]string{zeroEmpty(r.Code), r.Enhanced, r.Text}, " ")), " ")
	if r.Code != 0 {
		x.Parts = append(x.Parts, Part{"code", strconv.Itoa(int(r.Code)), codeMeans(strconv.Itoa(int(r.Code)))})
	}
	if r.Enhanced != "" {
		x.Parts = append(x.Parts, Part{"enhanced", r.Enhanced, enhancedMeans(r.Enhanced)})
	}
	if r.Text != "" {
		x.Parts = append(x.Parts, Part{"text", r.Text, knowledge.Means("field", "text")})
	}
	if event.Kind == relaylens.KindNone {
		x.causesOfCodes(r)
		x.Known = r.Code != 0 || r.Enhanced != ""
		if r.Text != "" {
			x.Notes = append(x.Notes, "The text is not one that is known; the codes alone say the rest.")
		}
		return x
	}
	x.Known = true
	x.Parts = append(x.Parts, Part{"kind", event.Kind.String(), knowledge.Means("kind", event.Kind.String())})
	if event.Reason != relaylens.ReasonNone {
		x.Parts = append(x.Parts, Part{"reason", event.Reason.String(), knowledge.Means("reason", event.Reason.String())})
	}
	causes := knowledge.Candidates(event)
	event.Direction = relaylens.Outbound
	for _, c := range knowledge.Candidates(event) {
		if event.Kind == relaylens.KindRelayDenied && !slices.Contains(causes, c) {
			causes = append(causes, c)
		}
	}
	x.suspect(nil, causes)
	x.Sure = len(causes) == 1
	x.Notes = append(x.Notes, "A reply alone does not say who was refused, or where. Give the whole line of the log for more.")
	return x
}

// causesOfCodes is what is left where a text says nothing.
func (x *Explanation) causesOfCodes(r Reply) {
	code, ok := knowledge.CodeOf(r.Code)
	if detail, known := knowledge.EnhancedOf(r.Enhanced); known && len(detail.CausesOf()) > 0 {
		code, ok = detail, true
	}
	if ok {
		x.suspect(nil, code.CausesOf())
	}
}

func kindOf(kindName, reasonName string) (relaylens.Kind, relaylens.Reason) {
	kind, err := relaylens.ParseKind(kindName)
	if err != nil {
		return relaylens.KindNone, relaylens.ReasonNone
	}
	reason, err := relaylens.ParseReason(reasonName)
	if err != nil {
		reason = relaylens.ReasonNone
	}
	return kind, reason
}

func zeroEmpty(code uint16) string {
	if code == 0 {
		return ""
	}
	return strconv.Itoa(int(code))
}

// ExplainCode explains a reply code, or an enhanced one. Known is false for
// codes that nobody registered; their class is explained all the same.
func ExplainCode(code string) *Explanation {
	x := &Explanation{What: "code", Title: "Reply code " + code}
	var entry knowledge.Code
	if strings.Contains(code, ".") {
		x.What, x.Title = "enhanced", "Enhanced status code "+code
		entry, x.Known = knowledge.EnhancedOf(code)
		x.Parts = []Part{{"enhanced", code, enhancedMeans(code)}}
	} else {
		n, err := strconv.ParseUint(code, 10, 16)
		if err == nil {
			entry, x.Known = knowledge.CodeOf(uint16(n))
		}
		x.Parts = []Part{{"code", code, codeMeans(code)}}
	}
	for _, name := range entry.Kinds {
		x.Parts = append(x.Parts, Part{"used for", name, knowledge.Means("kind", name)})
	}
	for _, name := range entry.Reasons {
		x.Parts = append(x.Parts, Part{"used for", name, knowledge.Means("reason", name)})
	}
	x.suspect(nil, entry.CausesOf())
	switch {
	case !x.Known:
		x.Notes = append(x.Notes, "No standard registers this code. Only what its digits say is known.")
	case len(x.Causes) > 0:
		x.Notes = append(x.Notes, "A code alone says little: servers use it for several things. The text behind it says more.")
	}
	return x
}

func codeMeans(code string) string {
	n, err := strconv.ParseUint(code, 10, 16)
	if err != nil {
		return ""
	}
	class := knowledge.ClassMeans(code[0])
	if c, ok := knowledge.CodeOf(uint16(n)); ok {
		return fmt.Sprintf("%s (%cxx, %s)", c.Means, code[0], class)
	}
	return fmt.Sprintf("not registered (%cxx, %s)", code[0], class)
}

func enhancedMeans(code string) string {
	c, ok := knowledge.EnhancedOf(code)
	class := knowledge.ClassMeans(code[0])
	switch {
	case ok:
		return fmt.Sprintf("%s (%c.x.x, %s)", c.Means, code[0], class)
	case c.Means != "":
		return fmt.Sprintf("detail not registered; subject: %s (%c.x.x, %s)", c.Means, code[0], class)
	}
	return fmt.Sprintf("not registered (%c.x.x, %s)", code[0], class)
}

// ExplainWord explains a name of the program's own: of a cause, reason, kind,
// stage, action, direction or field. A name of several lists has several
// explanations, and one of none has none.
func ExplainWord(name string, mta relaylens.MTA) []*Explanation {
	var xs []*Explanation
	if c, err := relaylens.ParseCause(name); err == nil {
		x := &Explanation{What: "cause", Known: true, Title: name, mta: mta, Sure: true}
		x.suspect(nil, []relaylens.Cause{c})
		xs = append(xs, x)
	}
	if k, err := relaylens.ParseKind(name); err == nil {
		x := word("kind", name, mta)
		causes := knowledge.Candidates(&relaylens.Event{Kind: k})
		for _, c := range knowledge.Candidates(&relaylens.Event{Kind: k, Direction: relaylens.Outbound}) {
			if !slices.Contains(causes, c) {
				causes = append(causes, c)
			}
		}
		x.suspect(nil, causes)
		for _, r := range k.Reasons() {
			if r != relaylens.ReasonNone {
				x.Parts = append(x.Parts, Part{"reason", r.String(), knowledge.Means("reason", r.String())})
			}
		}
		xs = append(xs, x)
	}
	if r, err := relaylens.ParseReason(name); err == nil {
		x := word("reason", name, mta)
		x.Parts = append(x.Parts, Part{"kind", r.Kind().String(), knowledge.Means("kind", r.Kind().String())})
		x.suspect(nil, knowledge.Candidates(&relaylens.Event{Kind: r.Kind(), Reason: r}))
		x.Sure = len(x.Causes) == 1
		xs = append(xs, x)
	}
	for _, what := range []string{"stage", "action", "direction", "field"} {
		if knowledge.Means(what, name) != "" {
			xs = append(xs, word(what, name, mta))
		}
	}
	return xs
}

func word(what, name string, mta relaylens.MTA) *Explanation {
	return &Explanation{What: what, Known: true, Title: name, mta: mta, Notes: []string{sentence(knowledge.Means(what, name))}}
}

// LogLine is a line that is no event.
type LogLine struct {
	MTA  relaylens.MTA // MTANone: of no mail server that is known
	Text string        // the program's own
	// Event holds the fields that the line tells.
	Event relaylens.Event
	// Wrong says that the line should have been understood and was not.
	Wrong bool
}

// ExplainLine explains a line that tells no event.
func ExplainLine(l *LogLine) *Explanation {
	x := &Explanation{What: "line", mta: l.MTA, Parts: eventParts(&l.Event), Title: l.Text}
	line, ok := knowledge.LineOf(l.MTA, l.Text)
	switch {
	case l.MTA != relaylens.MTANone && ok:
		x.Known = true
		x.Notes = append(x.Notes, line.Means)
		event := l.Event
		if kind, reason := kindOf(line.Kind, line.Reason); event.Kind == relaylens.KindNone {
			event.Kind, event.Reason, event.Direction = kind, reason, relaylens.Inbound
		}
		if event.Kind != relaylens.KindNone {
			x.suspect(&l.Event, knowledge.Candidates(&event))
			x.Sure = len(x.Causes) == 1
		}
	case l.Wrong:
		x.Notes = append(x.Notes, "This looks like a line that relaylens should understand, and it does not: it was cut, or changed on its way, or is written by a version that nobody has shown it. Please report it.")
	case l.MTA != relaylens.MTANone && l.Event.Kind == relaylens.KindNone && len(x.Parts) > contextParts:
		x.Known = true
		x.Notes = append(x.Notes, "This line tells no refusal. relaylens remembers what it says of the session or message, for the lines that follow.")
	case l.MTA != relaylens.MTANone:
		x.Notes = append(x.Notes, fmt.Sprintf("A line of %s that says nothing of a refusal. What it means is not known here.", mtaName(l.MTA)))
	default:
		x.Notes = append(x.Notes, "This is no line of Postfix, Exim or Sendmail that is known.")
	}
	return x
}

// ExplainPiece explains a piece of a record that syslog could not take whole.
func ExplainPiece(input string) *Explanation {
	return &Explanation{What: "line", Known: true, Title: input, Notes: []string{
		"A piece of a record that was too long for one line. Give the pieces before and after it as well, in order, on standard input."}}
}

// contextParts are the fields that every line has: time, host, mta, service, pid.
const contextParts = 5

func mtaName(m relaylens.MTA) string {
	switch m {
	case relaylens.Postfix:
		return "Postfix"
	case relaylens.Exim:
		return "Exim"
	case relaylens.Sendmail:
		return "Sendmail"
	}
	return ""
}

// Unexplained is the answer to an input that means nothing here.
func Unexplained(input string) *Explanation {
	x := &Explanation{What: "unknown", Title: input}
	x.Notes = append(x.Notes, "This is no log line, reply, code or name that is known, and guessing would not help.")
	names := relaylens.FieldNames()
	for _, field := range []string{"cause", "kind", "reason", "stage", "action", "direction"} {
		names = append(names, relaylens.FieldValues(field)...)
	}
	if len(input) <= 40 {
		if meant := relaylens.Suggest(input, names); meant != "" {
			x.Notes = append(x.Notes, "Did you mean "+meant+"?")
		}
	}
	return x
}
