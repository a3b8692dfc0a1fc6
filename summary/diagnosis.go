package summary

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
)

// Diagnosis is a finding with what to do about it.
type Diagnosis struct {
	relaylens.Finding
	Title string         `json:"title"`
	Text  string         `json:"text"`
	Fixes []DiagnosisFix `json:"fixes"`
	// Partial says that the latest refusals of this cause were looked at only:
	// there may be more events and clients, and earlier ones.
	Partial bool `json:"partial,omitempty"`
}

// DiagnosisFix is one way to make a finding go away.
type DiagnosisFix struct {
	Title string `json:"title"`
	Rate  int    `json:"rate,omitempty"` // per cent of those whom it helped
	// Steps are lines to do, run or write, ready to be shown.
	Steps []string `json:"steps"`
}

// MarshalJSON adds the evidence as events.
func (d *Diagnosis) MarshalJSON() ([]byte, error) {
	type plain Diagnosis
	evidence := make([]json.RawMessage, len(d.Evidence))
	for i := range d.Evidence {
		evidence[i] = d.Evidence[i].AppendJSON(nil)
	}
	return json.Marshal(struct {
		*plain
		Evidence []json.RawMessage `json:"evidence"`
	}{(*plain)(d), evidence})
}

// AppendJSON adds d as one JSON object and a newline. What is unsafe to show is
// escaped, as in the JSON of events.
func (d *Diagnosis) AppendJSON(dst []byte) ([]byte, error) { return appendLine(dst, d) }

// About says what a finding is about: its entity, or that it is no server's in
// particular. It may be a client's text.
func About(e relaylens.Entity) string {
	switch {
	case e.Kind == relaylens.EntityNone:
		return "many servers"
	case e.Kind == relaylens.EntityServer && e.Value == "":
		return "this server" // Exim's own files do not name it
	}
	return e.Value
}

// AppendDiagnosis adds d as a person reads it: what, whom, how sure, why, the
// evidence and what to do. Times are shown in the zone.
func AppendDiagnosis(dst []byte, d *Diagnosis, zone *time.Location) []byte {
	dst = fmt.Appendf(dst, "%s [%s, fault: %s]\n", d.Title, d.Cause, faultName(d.Fault))
	if d.Entity.Kind == relaylens.EntityNone || d.Entity.Value == "" {
		dst = append(append(dst, "  "...), About(d.Entity)...)
	} else {
		dst = relaylens.AppendEscaped(fmt.Appendf(dst, "  %s: ", strings.ReplaceAll(d.Entity.Kind.String(), "_", " ")), d.Entity.Value, maxShown)
	}
	if d.Host != "" && d.Entity.Kind != relaylens.EntityServer {
		dst = relaylens.AppendEscaped(append(dst, ", at "...), d.Host, maxShown)
	}
	dst = append(dst, '\n')
	whose := ""
	if d.Clients > 0 { // else the log does not tell
		whose = " from " + count(d.Clients, "client")
	}
	first, last := d.First.In(zone).Format(time.DateTime), d.Last.In(zone).Format(time.DateTime)
	if last != first {
		last = first + " to " + last
	}
	dst = fmt.Appendf(dst, "  %s%s, %s\n", evidenceOf(&d.Finding), whose, last)
	dst = appendStanding(dst, &d.Finding, zone)
	dst = fmt.Appendf(dst, "  %.0f %% sure: %s\n", d.Confidence*100, d.Why)
	for i := range d.Evidence {
		e := d.Evidence[i]
		e.Time = e.Time.In(zone)
		dst = append(AppendShort(append(dst, "    "...), &e), '\n')
	}
	for _, f := range d.Fixes {
		dst = append(dst, "  fix: "...)
		dst = append(dst, f.Title...)
		if f.Rate > 0 {
			dst = fmt.Appendf(dst, " (helped %d %%)", f.Rate)
		}
		dst = append(dst, '\n')
		for _, step := range f.Steps {
			for line := range strings.Lines(step) {
				dst = append(append(append(dst, "      "...), strings.TrimSuffix(line, "\n")...), '\n')
			}
		}
	}
	return dst
}

// appendStanding tells of a problem that is over, or that came back.
func appendStanding(dst []byte, f *relaylens.Finding, zone *time.Location) []byte {
	back := ""
	if f.Returns > 0 {
		back = "; it came back " + times(f.Returns) + ", last at " + f.Since.In(zone).Format(time.DateTime)
	}
	switch {
	case f.Status == relaylens.StatusResolved:
		return fmt.Appendf(dst, "  resolved: quiet since %s%s\n", f.Last.In(zone).Format(time.DateTime), back)
	case back != "":
		return fmt.Appendf(dst, "  open%s\n", back)
	}
	return dst
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return count(n, "time")
}

func faultName(f relaylens.Fault) string {
	if f == relaylens.FaultNone {
		return "nobody"
	}
	return f.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// evidenceOf is how much shows a problem.
func evidenceOf(f *relaylens.Finding) string {
	switch {
	case f.Errors == 0:
		return count(f.Events, "refusal")
	case f.Events == 0:
		return count(f.Errors, "error") + " of its own"
	}
	return count(f.Events, "refusal") + " and " + count(f.Errors, "error") + " of its own"
}
