package alertmanager

import (
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier/knowledge"
)

// Describer puts alerts into words: labels, which say which alert it is and are
// the same as long as it lasts, and annotations, which tell a person.
type Describer struct {
	// Labels are added to every alert.
	Labels map[string]string
	// Links; empty ones are left out. Runbook is followed by # and the cause.
	External, Dashboard, Runbook string
}

// Labels are the labels of a: alertname, severity and, where they apply, kind,
// cause, fault, host and entity, whose value reads as a match, client_ip=192.0.2.7.
func (d *Describer) labels(a *relaylens.Alert) map[string]string {
	labels := maps.Clone(d.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	entity := ""
	if a.Entity.Kind != relaylens.EntityNone {
		entity = a.Entity.Kind.String() + "=" + labelValue(a.Entity.Value)
	}
	for name, value := range map[string]string{
		"alertname": a.Name, "severity": a.Severity.String(), "kind": a.Kind.String(), "cause": a.Cause.String(),
		"fault": a.Fault.String(), "host": labelValue(a.Host), "entity": entity,
	} {
		if value != "" {
			labels[name] = value
		}
	}
	return labels
}

// Describe gives the labels and annotations of a. Text that a client chose is
// escaped, cut, and means nothing to templates and markup.
func (d *Describer) Describe(a *relaylens.Alert) (labels, annotations map[string]string) {
	annotations = map[string]string{
		"summary":     summary(a),
		"description": description(a),
		"evidence":    evidence(a),
		"fixes":       fixes(a),
		"ask":         ask(a),
		"runbook_url": d.runbook(a),
	}
	if d.Dashboard != "" {
		annotations["dashboard_url"] = d.dashboard(a)
	}
	for name, text := range annotations {
		if text == "" {
			delete(annotations, name)
		}
	}
	return d.labels(a), annotations
}

// ask is the command that tells more. The store has refusals only: errors of the server's own
// stand in its log, which is named where a shell takes the name as it is.
func ask(a *relaylens.Alert) string {
	command := "relaylens diagnose --since " + strconv.Quote(a.StartsAt.Format(time.DateTime))
	if f := a.Finding; f != nil && f.Events == 0 && len(f.Evidence) > 0 {
		if log := f.Evidence[0].Source; strings.HasPrefix(log, "/") && strings.Trim(log, "/.-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			command += " " + log
		}
	}
	return command
}

func (d *Describer) runbook(a *relaylens.Alert) string {
	if d.Runbook == "" || a.Cause == relaylens.CauseNone {
		return d.Runbook
	}
	return d.Runbook + "#" + a.Cause.String()
}

// dashboard is the link to it, from an hour before the alert began.
func (d *Describer) dashboard(a *relaylens.Alert) string {
	u, err := url.Parse(d.Dashboard)
	if err != nil {
		return ""
	}
	q := u.Query()
	if a.Host != "" {
		q.Set("var-host", a.Host)
	}
	q.Set("from", strconv.FormatInt(a.StartsAt.Add(-time.Hour).UnixMilli(), 10))
	q.Set("to", "now")
	if !a.EndsAt.IsZero() {
		q.Set("to", strconv.FormatInt(a.EndsAt.Add(time.Hour).UnixMilli(), 10))
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// summary is the one line that everybody reads.
func summary(a *relaylens.Alert) string {
	var b strings.Builder
	b.WriteString(title(a))
	if a.Entity.Kind != relaylens.EntityNone && (a.Entity.Kind != relaylens.EntityServer || a.Entity.Value != a.Host) {
		fmt.Fprintf(&b, ": %s %s", strings.ReplaceAll(a.Entity.Kind.String(), "_", " "), quoted(a.Entity.Value, maxQuoted))
	}
	if a.Host != "" {
		b.WriteString(", at " + quoted(a.Host, maxQuoted))
	}
	switch {
	case a.Finding != nil && a.Finding.Clients > 0:
		fmt.Fprintf(&b, " (%s from %s)", amount(a.Finding), count(a.Finding.Clients, "client"))
	case a.Finding != nil:
		fmt.Fprintf(&b, " (%s)", amount(a.Finding))
	case a.Value > 0:
		fmt.Fprintf(&b, " (%s in %s, expected %s)", count(int(a.Value), "refusal"), span(a.Window), number(a.Expected))
	}
	return b.String()
}

func title(a *relaylens.Alert) string {
	if entry := entryOf(a); entry != nil && entry.Title != "" {
		return entry.Title
	}
	switch a.Kind {
	case relaylens.KindRelayDenied:
		return "Many more relay denials than usual, for no reason that the log tells"
	case relaylens.KindSenderVerify:
		return "Many more senders than usual cannot be verified"
	case relaylens.KindAuthFailed:
		return "Many more failed logins than usual"
	}
	if f := a.Finding; f != nil && len(f.Evidence) > 0 && f.Evidence[0].Reason != relaylens.ReasonNone {
		return "Many more refusals than usual, such as " + f.Evidence[0].Reason.String()
	}
	return "Many more refusals than usual"
}

// entryOf is what is known of the cause, of the finding's where the alert began
// without one; nil where that is nothing of use.
func entryOf(a *relaylens.Alert) *knowledge.Entry {
	cause := a.Cause
	if a.Finding != nil && (cause == relaylens.CauseNone || cause == relaylens.CauseUnknown) {
		cause = a.Finding.Cause
	}
	if f := a.Finding; cause == relaylens.CausePolicy && f != nil && f.Fault == relaylens.FaultServer && len(f.Evidence) > 0 && relaylens.HelperOf(&f.Evidence[0]) != relaylens.HelperNone {
		return knowledge.OfEvent(&f.Evidence[0], cause)
	}
	if cause == relaylens.CausePolicy || cause == relaylens.CauseUnknown {
		return nil
	}
	if f := a.Finding; f != nil && f.Cause == cause && f.Fault == a.Fault && len(f.Evidence) > 0 {
		return knowledge.OfFinding(f)
	}
	return knowledge.Of(cause)
}

// amount is how much shows a problem.
func amount(f *relaylens.Finding) string {
	switch {
	case f.Errors == 0:
		return count(f.Events, "refusal")
	case f.Events == 0:
		return count(f.Errors, "error") + " of its own"
	}
	return count(f.Events, "refusal") + " and " + count(f.Errors, "error") + " of its own"
}

func description(a *relaylens.Alert) string {
	var parts []string
	if a.Value > 0 {
		parts = append(parts, fmt.Sprintf("Within %s there were %s; the time of day and week lets expect %s.",
			span(a.Window), count(int(a.Value), "refusal"), number(a.Expected)))
	}
	if f := a.Finding; f != nil {
		text := fmt.Sprintf("%s since %s", amount(f), a.StartsAt.Format("2006-01-02 15:04:05 -07:00"))
		if f.Users > 0 {
			text += fmt.Sprintf(", %s", count(f.Users, "user"))
		}
		text += ". "
		if f.Confidence > 0 {
			text += fmt.Sprintf("%.0f %% sure: ", f.Confidence*100)
		}
		if f.Confidence == 0 && f.Why != "" {
			text += "Why: "
		}
		if f.Why != "" {
			text += quoted(f.Why, 0) + "."
		}
		text = strings.TrimSpace(text)
		parts = append(parts, text)
	}
	if entry := entryOf(a); entry != nil {
		parts = append(parts, entry.Text)
	}
	if a.Fault != relaylens.FaultNone {
		parts = append(parts, "Whose fault: "+a.Fault.String()+".")
	}
	return strings.Join(parts, "\n")
}

// evidence are the events that prove it, one a line.
func evidence(a *relaylens.Alert) string {
	if a.Finding == nil {
		return ""
	}
	var lines []string
	for i := range a.Finding.Evidence {
		lines = append(lines, line(&a.Finding.Evidence[i]))
	}
	return cutAtLine(strings.Join(lines, "\n"), maxEvidence)
}

// line is one event as a person reads it.
func line(e *relaylens.Event) string {
	var b strings.Builder
	b.WriteString(e.Time.Format(time.DateTime))
	add := func(name, value string) {
		if value != "" {
			b.WriteString(" " + name + quoted(value, maxQuoted))
		}
	}
	add("", e.Host)
	add("", e.Kind.String())
	if e.ClientIP.IsValid() {
		add("client=", e.ClientIP.String())
	}
	add("user=", e.User)
	if e.NullSender {
		b.WriteString(" from=‹›")
	}
	add("from=", e.Sender)
	add("to=", e.Recipient)
	add("remote=", e.RemoteHost)
	if e.Code > 0 {
		add("", strconv.Itoa(int(e.Code)))
	}
	add("", e.Enhanced)
	add("", e.Text)
	return b.String()
}

// maxFirst is how many of the fixes are told; the runbook has them all.
const maxFirst = 2

// fixes are the first things to try, filled in from the evidence.
func fixes(a *relaylens.Alert) string {
	entry := entryOf(a)
	if entry == nil {
		return strings.TrimSuffix(cutAtLine(unbraced.Replace(ruleFixes(a)), maxFixes), "\n")
	}
	var event *relaylens.Event
	mta := relaylens.MTANone
	if f := a.Finding; f != nil {
		mta = f.MTA
		if len(f.Evidence) > 0 {
			event = plain(&f.Evidence[0])
		}
	}
	filled := entry.Fill(event)
	var b strings.Builder
	for i := range filled.Fixes[:min(maxFirst, len(filled.Fixes))] {
		fix := &filled.Fixes[i]
		fmt.Fprintf(&b, "%d. %s", i+1, fix.Title)
		if fix.Rate > 0 {
			fmt.Fprintf(&b, " (helped %d %%)", fix.Rate)
		}
		b.WriteByte('\n')
		for _, step := range fix.Steps(mta) {
			b.WriteString(stepText(&step))
		}
	}
	return strings.TrimSuffix(cutAtLine(unbraced.Replace(b.String()), maxFixes), "\n")
}

// plain is e without the names that hold markup: a command that is changed would
// be wrong, so its placeholder stays.
func plain(e *relaylens.Event) *relaylens.Event {
	p := *e
	for _, s := range []*string{&p.User, &p.Sender, &p.Recipient} {
		if harmless.Replace(*s) != *s {
			*s = ""
		}
	}
	return &p
}

// unbraced keeps the braces of configuration files from being taken for a
// template's.
var unbraced = strings.NewReplacer("{{", "{ {", "}}", "} }")

// stepText is a step, each of its lines indented.
func stepText(s *knowledge.Step) string {
	text := s.Say
	switch {
	case s.Run != "":
		text = "# " + s.Run
	case s.File != "":
		text = s.File + ":\n" + s.Text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("   " + strings.TrimSuffix(line, "\n") + "\n")
	}
	return b.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func number(f float64) string {
	if f >= 10 || f == 0 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.1f", f)
}

// span is a duration without the zeros that its String ends with.
func span(d time.Duration) string {
	if d >= time.Hour && d%time.Hour == 0 {
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	if d >= time.Minute && d%time.Minute == 0 {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return d.String()
}
