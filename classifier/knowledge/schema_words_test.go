package knowledge

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

func TestWordsComplete(t *testing.T) {
	for what, names := range map[string][]string{
		"kind": names(relaylens.Kinds()), "reason": names(relaylens.Reasons()), "direction": names(relaylens.Directions()),
		"stage": names(relaylens.Stages()), "action": names(relaylens.Actions()), "field": relaylens.FieldNames(),
	} {
		for _, name := range names {
			if Means(what, name) == "" {
				t.Errorf("%s %s has no meaning", what, name)
			}
		}
	}
	b := load()
	for have, want := range map[int]int{len(b.Kinds): len(relaylens.Kinds()), len(b.Reasons): len(relaylens.Reasons()), len(b.Fields): len(relaylens.FieldNames())} {
		if have != want {
			t.Errorf("%d entries for %d words", have, want)
		}
	}
	for _, k := range relaylens.RefusalKinds() {
		for _, r := range k.Reasons() {
			if len(Candidates(&relaylens.Event{Kind: k, Reason: r, Direction: relaylens.Inbound})) == 0 {
				t.Errorf("no cause for %s/%s", k, r)
			}
		}
		if len(Candidates(&relaylens.Event{Kind: k, Direction: relaylens.Outbound})) == 0 {
			t.Errorf("no cause for an outbound %s", k)
		}
	}
}

func names[T interface{ String() string }](values []T) []string {
	var ns []string
	for _, v := range values {
		ns = append(ns, v.String())
	}
	return ns
}

// TestNames: every cause, kind and reason that the file speaks of exists.
func TestNames(t *testing.T) {
	b := load()
	causes := func(where string, list []string) {
		for i, name := range list {
			if _, err := relaylens.ParseCause(name); err != nil || slices.Contains(list[:i], name) {
				t.Errorf("%s: cause %q: %v", where, name, err)
			}
		}
	}
	said := func(where, kind, reason string) {
		k, err := relaylens.ParseKind(kind)
		if err != nil {
			t.Errorf("%s: %v", where, err)
		}
		if r, err := relaylens.ParseReason(reason); reason != "" && (err != nil || r.Kind() != k) {
			t.Errorf("%s: reason %s of kind %s: %v", where, reason, kind, err)
		}
	}
	for name, k := range b.Kinds {
		causes(name, k.Inbound)
		causes(name, k.Outbound)
	}
	for name, r := range b.Reasons {
		causes(name, r.Causes)
		if len(r.Causes) == 0 {
			t.Errorf("reason %s has no cause", name)
		}
	}
	for code, c := range b.Codes {
		if code < 200 || code > 599 || c.Means == "" {
			t.Errorf("code %d: %+v", code, c)
		}
		checkCode(t, c)
	}
	for detail, c := range b.Enhanced {
		if !regexp.MustCompile(`^[0-7]\.\d{1,2}$`).MatchString(detail) || c.Means == "" {
			t.Errorf("enhanced code %s: %+v", detail, c)
		}
		checkCode(t, c)
	}
	for _, w := range b.Texts {
		said(w.Text, w.Kind, w.Reason)
	}
	for _, l := range b.Lines {
		if l.Kind != "" {
			said(l.Text, l.Kind, l.Reason)
		}
	}
}

func checkCode(t *testing.T, c Code) {
	t.Helper()
	for _, k := range c.Kinds {
		if _, err := relaylens.ParseKind(k); err != nil {
			t.Errorf("%s: %v", c.Means, err)
		}
	}
	for _, r := range c.Reasons {
		if _, err := relaylens.ParseReason(r); err != nil {
			t.Errorf("%s: %v", c.Means, err)
		}
	}
}

var codeForm = regexp.MustCompile(`^[45]\d\d( [45]\.\d{1,2}\.\d{1,2})?$`)

func TestTexts(t *testing.T) {
	seen := map[string]bool{}
	for i, w := range load().Texts {
		key := w.MTA + "|" + w.Text + "|" + strings.Join(w.Codes, ",")
		if seen[key] || w.Text == "" || w.By == "" || w.Text == "*" {
			t.Errorf("text %+v is there twice or incomplete", w)
		}
		seen[key] = true
		if w.MTA != "" && displayNames[w.MTA] == "" {
			t.Errorf("text %q: unknown MTA %q", w.Text, w.MTA)
		}
		for _, c := range w.Codes {
			if !codeForm.MatchString(c) {
				t.Errorf("text %q: code %q", w.Text, c)
			}
		}
		for _, earlier := range load().Texts[:i] {
			if earlier.MTA == w.MTA && earlier.Text != w.Text && like(strings.ToLower(earlier.Text), strings.ToLower(strings.ReplaceAll(w.Text, "*", "x"))) {
				t.Errorf("%s: %q is hidden by %q before it", w.MTA, w.Text, earlier.Text)
			}
		}
	}
	for i, l := range load().Lines {
		if l.Text == "" || l.Means == "" || displayNames[l.MTA] == "" {
			t.Errorf("line %+v is incomplete", l)
		}
		for _, earlier := range load().Lines[:i] {
			if earlier.MTA == l.MTA && like(earlier.Text, example.Replace(l.Text)) {
				t.Errorf("%s: line %q is hidden by %q before it", l.MTA, l.Text, earlier.Text)
			}
		}
	}
}

// TestUsual: every refusal of every server is configured somewhere.
func TestUsual(t *testing.T) {
	for _, mta := range relaylens.MTAs() {
		for _, stage := range relaylens.Stages() {
			e := &relaylens.Event{MTA: mta, Stage: stage, Kind: relaylens.KindRejected, Reason: relaylens.ReasonOther, Text: "no, thanks", Direction: relaylens.Inbound}
			if len(WrittenBy(e)) != 1 {
				t.Errorf("%s, %s: no setting", mta, stage)
			}
		}
	}
	for _, u := range load().Usual {
		_, reasonErr := relaylens.ParseReason(u.Reason)
		_, stageErr := relaylens.ParseStage(u.Stage)
		if reasonErr != nil && u.Reason != "" || stageErr != nil && u.Stage != "" || u.By == "" || displayNames[u.MTA] == "" {
			t.Errorf("usual %+v", u)
		}
	}
}

// example is a line that a pattern is meant for.
var example = strings.NewReplacer("**", "**", "*", "x")
