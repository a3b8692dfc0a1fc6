package summary

import (
	"fmt"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier/knowledge"
)

// Explanation says what an input means, and what to do about it. Text from a log
// is verbatim in it.
type Explanation struct {
	Input string `json:"input,omitempty"`
	// What was explained: event, line, reply, code, enhanced, or the name of a
	// closed list: cause, reason, kind, stage, action, direction, field.
	What  string           `json:"what"`
	Known bool             `json:"known"`
	Title string           `json:"title"`
	Notes []string         `json:"notes,omitempty"`
	Event *relaylens.Event `json:"event,omitempty"`
	// Parts are what the input consists of.
	Parts     []Part              `json:"parts,omitempty"`
	WrittenBy []knowledge.Wording `json:"written_by,omitempty"`
	// Causes are the likely ones, the most likely first, with placeholders filled.
	Causes []knowledge.Entry `json:"causes,omitempty"`
	// Sure says that the first of Causes is the one.
	Sure bool `json:"sure"`

	mta relaylens.MTA // whose settings are shown; MTANone for all
}

// Part is a piece of the input and what it means.
type Part struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Means string `json:"means,omitempty"`
}

// ExplainEvent explains what the parser and the classifier made of a log line.
func ExplainEvent(e *relaylens.Event) *Explanation {
	x := &Explanation{What: "event", Known: true, Event: e, Title: eventTitle(e), mta: e.MTA, Parts: eventParts(e), WrittenBy: knowledge.WrittenBy(e)}
	if e.Action != relaylens.ActionRefuse {
		x.Notes = append(x.Notes, sentence("no refusal: "+knowledge.Means("action", e.Action.String())))
	}
	x.suspect(e, knowledge.Candidates(e))
	x.Sure = e.Cause != relaylens.CauseNone && e.Cause != relaylens.CauseUnknown
	if e.Cause == relaylens.CauseUnknown {
		x.Notes = append(x.Notes, "One line does not say why. What tells the causes apart is named below; the rest of the log does, given to \"relaylens explain\" on standard input.")
	}
	return x
}

// About adds what the line's own text means, where that is known.
func (x *Explanation) About(mta relaylens.MTA, text string) {
	if line, ok := knowledge.LineOf(mta, text); ok {
		x.Notes = append(x.Notes, line.Means)
	}
}

// suspect lists causes, filled from e.
func (x *Explanation) suspect(e *relaylens.Event, causes []relaylens.Cause) {
	for _, c := range causes {
		if entry := knowledge.OfEvent(e, c); entry != nil {
			x.Causes = append(x.Causes, entry.Fill(e))
		}
	}
}

func eventTitle(e *relaylens.Event) string {
	title := e.Kind.String()
	if e.Reason != relaylens.ReasonNone {
		title += "/" + e.Reason.String()
	}
	if e.Direction == relaylens.Outbound {
		title = "remote " + title
	}
	said := strings.TrimSpace(strings.Join([]string{codeText(e), e.Enhanced, e.Text}, " "))
	said = strings.Join(strings.Fields(said), " ")
	if said == "" {
		return title
	}
	return title + ": " + said
}

func codeText(e *relaylens.Event) string {
	if e.Code == 0 {
		return ""
	}
	return fmt.Sprint(e.Code)
}

// unshown are the fields that say where the line stood, not what it means.
var unshown = map[string]bool{"id": true, "source": true, "line": true, "offset": true, "raw": true}

// eventParts goes through the event field by field.
func eventParts(e *relaylens.Event) []Part {
	var parts []Part
	for _, name := range relaylens.FieldNames() {
		value, err := e.Field(name)
		if err != nil || unshown[name] || name == "class" && e.Code != 0 {
			continue
		}
		if name == "sender" && e.NullSender {
			parts = append(parts, Part{name, "<>", "the null sender: a bounce or another automatic notice"})
			continue
		}
		if value != "" {
			parts = append(parts, Part{name, value, fieldMeans(name, value)})
		}
	}
	return parts
}

// fieldMeans is the meaning of a value where that is known, else of its field.
func fieldMeans(name, value string) string {
	switch name {
	case "kind", "reason", "direction", "stage", "action":
		return knowledge.Means(name, value)
	case "cause":
		if c, err := relaylens.ParseCause(value); err == nil {
			return knowledge.Of(c).Title
		}
	case "code":
		return codeMeans(value)
	case "enhanced":
		return enhancedMeans(value)
	}
	return knowledge.Means("field", name)
}

func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
