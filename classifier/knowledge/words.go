package knowledge

import (
	"slices"
	"strconv"
	"strings"

	"github.com/relaylens/relaylens"
)

// Code is the meaning of a reply code or an enhanced status code, and what
// servers say with it.
type Code struct {
	Means   string   `yaml:"means" json:"means,omitempty"`
	Kinds   []string `yaml:"kinds" json:"kinds,omitempty"`
	Reasons []string `yaml:"reasons" json:"reasons,omitempty"`
}

// CodeOf is the meaning of a reply code (RFC 5321, RFC 4954).
func CodeOf(code uint16) (Code, bool) {
	c, ok := load().Codes[code]
	return c, ok
}

// EnhancedOf is the meaning of an enhanced status code (RFC 3463), "5.7.1". The
// meaning of one whose detail is not registered is that of its subject; ok is
// then false.
func EnhancedOf(enhanced string) (c Code, ok bool) {
	_, rest, _ := strings.Cut(enhanced, ".")
	if c, ok := load().Enhanced[rest]; ok {
		return c, true
	}
	subject, _, _ := strings.Cut(rest, ".")
	return Code{Means: load().Subjects[subject]}, false
}

// ClassMeans is what the first digit of either code says.
func ClassMeans(digit byte) string {
	switch digit {
	case '2':
		return "it succeeded"
	case '3':
		return "go on"
	case '4':
		return "for now: the client may try again"
	case '5':
		return "for good: trying again changes nothing"
	}
	return ""
}

// CausesOf are the causes of what a code is used for, the most frequent first.
func (c *Code) CausesOf() []relaylens.Cause {
	var causes []relaylens.Cause
	add := func(list []string) {
		for _, cause := range parseCauses(list) {
			if !slices.Contains(causes, cause) {
				causes = append(causes, cause)
			}
		}
	}
	for _, k := range c.Kinds {
		add(load().Kinds[k].Inbound)
	}
	for _, r := range c.Reasons {
		add(load().Reasons[r].Causes)
	}
	return causes
}

// Means is the meaning of a kind, reason, direction, stage, action or field, of
// which what says which: "kind". Empty for what is none.
func Means(what, name string) string {
	b := load()
	switch what {
	case "kind":
		return b.Kinds[name].Means
	case "reason":
		return b.Reasons[name].Means
	case "direction":
		return b.Directions[name]
	case "stage":
		return b.Stages[name]
	case "action":
		return b.Actions[name]
	case "field":
		return b.Fields[name]
	}
	return ""
}

// Wording is a text of a server's replies, and what writes it.
type Wording struct {
	MTA      string   `yaml:"mta" json:"mta,omitempty"` // empty: other servers
	Kind     string   `yaml:"kind" json:"kind,omitempty"`
	Reason   string   `yaml:"reason" json:"reason,omitempty"`
	Codes    []string `yaml:"codes" json:"codes,omitempty"` // "554 5.7.1", "550"; those that it has by default
	Text     string   `yaml:"text" json:"text,omitempty"`   // * stands for anything
	By       string   `yaml:"by" json:"by,omitempty"`
	Settings []string `yaml:"settings" json:"settings,omitempty"`
}

// maxWordings is how many settings are named for one text.
const maxWordings = 4

// Wordings says which settings write a text with these codes. Of a server those
// come first whose codes fit; a text in general terms counts only where no
// exact one does. mta MTANone asks all servers.
func Wordings(mta relaylens.MTA, code uint16, enhanced, text string) []Wording {
	var found []Wording
	for _, m := range []string{"postfix", "exim", "sendmail", ""} {
		if mta == relaylens.MTANone || m == mta.String() {
			found = append(found, wordingsOf(m, code, enhanced, text)...)
		}
	}
	if len(found) > 1 && found[len(found)-1].MTA == "" && found[0].MTA != "" {
		found = found[:len(found)-1]
	}
	return found[:min(len(found), maxWordings)]
}

func wordingsOf(mta string, code uint16, enhanced, text string) []Wording {
	var all, fit []Wording
	text = strings.ToLower(text)
	for _, w := range load().Texts {
		if w.MTA != mta || !like(strings.ToLower(w.Text), text) {
			continue
		}
		if len(all) > 0 && w.Text != all[0].Text {
			break
		}
		all = append(all, w)
		if w.hasCode(code, enhanced) {
			fit = append(fit, w)
		}
	}
	if len(fit) > 0 {
		return fit
	}
	return all
}

func (w *Wording) hasCode(code uint16, enhanced string) bool {
	for _, c := range w.Codes {
		digits, dsn, _ := strings.Cut(c, " ")
		if code != 0 && digits == strconv.Itoa(int(code)) || code == 0 && enhanced != "" && dsn == enhanced {
			return true
		}
	}
	return false
}

// usual says where texts of a kind are configured.
type usual struct {
	MTA      string   `yaml:"mta"`
	Reason   string   `yaml:"reason"`
	Stage    string   `yaml:"stage"`
	By       string   `yaml:"by"`
	Settings []string `yaml:"settings"`
}

// WrittenBy says which settings write the text of a refusal: those that are known
// to, or else the place where such texts are configured.
func WrittenBy(e *relaylens.Event) []Wording {
	if e.Direction == relaylens.Outbound {
		// Which program the other server is, nobody says.
		return Wordings(relaylens.MTANone, e.Code, e.Enhanced, e.Text)
	}
	if found := Wordings(e.MTA, e.Code, e.Enhanced, e.Text); len(found) > 0 && e.MTA != relaylens.MTANone {
		return found
	}
	if !e.Kind.Refusal() {
		return nil
	}
	for _, u := range load().Usual {
		if u.MTA == e.MTA.String() && (u.Reason == "" || u.Reason == e.Reason.String()) && (u.Stage == "" || u.Stage == e.Stage.String()) {
			return []Wording{{MTA: u.MTA, Kind: e.Kind.String(), Reason: e.Reason.String(), Text: "*", By: u.By, Settings: u.Settings}}
		}
	}
	return nil
}

// Line is a log line that tells no refusal by itself.
type Line struct {
	MTA    string `yaml:"mta" json:"mta,omitempty"`
	Text   string `yaml:"text" json:"text,omitempty"` // * stands for anything
	Means  string `yaml:"means" json:"means,omitempty"`
	Kind   string `yaml:"kind" json:"kind,omitempty"`
	Reason string `yaml:"reason" json:"reason,omitempty"`
}

// LineOf says what a line's own text means, without what stands around it.
func LineOf(mta relaylens.MTA, text string) (Line, bool) {
	for _, l := range load().Lines {
		if (mta == relaylens.MTANone || l.MTA == mta.String()) && like(l.Text, text) {
			return l, true
		}
	}
	return Line{}, false
}

// like reports whether text is pattern, in which * stands for anything and ** for
// two asterisks.
func like(pattern, text string) bool {
	const asterisks = "\x00"
	pattern, text = strings.ReplaceAll(pattern, "**", asterisks), strings.ReplaceAll(text, "**", asterisks)
	head, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, head)
	for ok {
		var part string
		part, rest, wild = strings.Cut(rest, "*")
		if !wild {
			return strings.HasSuffix(text, part)
		}
		_, text, ok = strings.Cut(text, part)
	}
	return false
}
