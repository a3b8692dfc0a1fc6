package api

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/summary"
)

const (
	// pageTop is how many values of a list the page shows, and how many findings.
	pageTop = 10
	// pageShown is how much of a text, pageValue of one in a list.
	pageShown = 300
	pageValue = 100
)

// view is what the template shows. It escapes all of it for HTML; what would be
// unsafe to show anywhere is escaped here.
type view struct {
	Style         template.CSS
	Live          bool
	LiveURL, Span string
	As, Hosts     string
	Version, Zone string
	Spans         []link
	Matches       []chip
	Totals        []tile
	Findings      []finding
	FindingsMore  string
	Bars          []bar
	ChartWidth    int
	Axis          []string
	Step          string
	Causes        []cause
	Lists         []list
	Sources       []source
	Stored        string
	Empty         bool
	APISummary    string
	APIEvents     string
}

type link struct{ Text, URL string }

type chip struct{ Text, Raw, URL string }

type tile struct{ Label, Events, Change, Class string }

type finding struct {
	Title, About, Fault, Class, Events, When, Text, Confidence, Why string

	Evidence []string
	Fixes    []summary.DiagnosisFix
}

type bar struct {
	Title, From string
	Events      int64
	X           int
	Parts       []part
}

type part struct {
	Class     string
	Y, Height float64
}

type cause struct {
	Value                             link
	Fault, FaultClass, Events, Change string
	Class                             string
}

type list struct {
	ID, Title, Column string
	Rows              []row
	More              string
}

type row struct {
	Value                       link
	Note, Events, Change, Class string
	Share                       int
}

type source struct{ Name, State, Class, Lag, Last string }

func shown(s string) string { return relaylens.Escaped(s, pageShown) }

// view puts facts into words.
func (a *API) view(q pageQuestion, f *pageFacts) *view {
	report := f.summary.Report(summary.PageSteps)
	v := &view{Style: template.CSS(style), //nolint:gosec // the embedded file
		Live: q.live, Span: q.span.name, Version: a.o.Version, Zone: f.now.Format("MST"),
		As:      "The " + q.span.text + " until " + f.now.Format("2006-01-02 15:04:05 MST"),
		Hosts:   shown(strings.Join(firstFew(report.Hosts, 4), ", ")),
		LiveURL: q.with(func(q *pageQuestion) { q.live = !q.live }),
		Empty:   report.Refusals == 0 && report.Remote.Refusals == 0, Step: report.Timeline.Step}
	for _, s := range pageSpans {
		l := link{Text: s.text, URL: q.with(func(q *pageQuestion) { q.span = s })}
		if s == q.span {
			l.URL = ""
		}
		v.Spans = append(v.Spans, l)
	}
	for i, m := range q.matches {
		v.Matches = append(v.Matches, chip{Text: shown(m), Raw: m, URL: q.with(func(q *pageQuestion) { q.matches = slices.Delete(slices.Clone(q.matches), i, i+1) })})
	}
	for _, t := range f.totals {
		text, class := changed(t.now, &t.before)
		v.Totals = append(v.Totals, tile{t.label, summary.Number(t.now), text, class})
	}
	v.chart(&report.Timeline)
	v.causes(q, report)
	v.lists(q, report)
	v.findings(f.summary.Findings(), report.FindingsTotal, f.now)
	v.sources(a, f)
	api := url.Values{"since": {"-" + q.span.name}, "match": q.matches}.Encode()
	v.APISummary, v.APIEvents = "api/v1/summary?"+api, "api/v1/events?"+api
	return v
}

// with is the URL of the page after a change of what it is about.
func (q pageQuestion) with(change func(*pageQuestion)) string {
	change(&q)
	values := url.Values{"span": {q.span.name}}
	if len(q.matches) > 0 {
		values["match"] = q.matches
	}
	if !q.live {
		values.Set("live", "off")
	}
	return "./?" + values.Encode()
}

// only is a value that leads to the page about it alone. Of what is cut or no
// text there is no such page.
func (q pageQuestion) only(field, value string) link {
	l := link{Text: relaylens.Escaped(value, pageValue)}
	if len(value) <= 200 && utf8.ValidString(value) && !slices.Contains(q.matches, field+"="+value) {
		l.URL = q.with(func(q *pageQuestion) { q.matches = append(slices.Clip(slices.Clone(q.matches)), field+"="+value) })
	}
	return l
}

// firstFew is the first n of names and how many more there are.
func firstFew(names []string, n int) []string {
	if len(names) <= n {
		return names
	}
	return append(slices.Clone(names[:n]), fmt.Sprintf("%d more", len(names)-n))
}

// changed is how much more there is than before, and how it looks.
func changed(now int64, before *int64) (text, class string) {
	switch text = summary.Change(now, before); {
	case before == nil:
	case now >= 2**before && now != *before:
		class = "bad"
	case now*2 <= *before && now != *before:
		class = "good"
	}
	return text, class
}

func (v *view) chart(t *summary.Timeline) {
	var most int64
	for i := range t.Buckets {
		most = max(most, t.Buckets[i].Events+t.Buckets[i].Remote)
	}
	if most == 0 {
		return
	}
	v.ChartWidth = 10 * len(t.Buckets)
	for i := range t.Buckets {
		b := &t.Buckets[i]
		all := b.Events + b.Remote
		from := b.Time.Format("Mon 2006-01-02 15:04")
		one := bar{Title: from + ": " + summary.Number(all), From: from, Events: all, X: 10 * i}
		y := 100.0
		for _, p := range []struct {
			class string
			n     int64
		}{{"relay_denied", b.RelayDenied}, {"sender_verify", b.SenderVerify}, {"auth_failed", b.AuthFailed}, {"rejected", b.Rejected}, {"remote", b.Remote}} {
			if p.n > 0 {
				height := float64(p.n) * 100 / float64(most)
				y -= height
				one.Parts = append(one.Parts, part{p.class, max(y, 0), height})
			}
		}
		v.Bars = append(v.Bars, one)
	}
	last := len(t.Buckets) - 1
	v.Axis = []string{t.Label(0), t.Label(last / 2), t.Label(last)}
}

var (
	faultClasses = map[relaylens.Fault]string{relaylens.FaultServer: "bad", relaylens.FaultClient: "warn", relaylens.FaultRemote: "warn"}
	faultNames   = map[relaylens.Fault]string{relaylens.FaultNone: "–", relaylens.FaultServer: "this server"}
)

func faultName(f relaylens.Fault) string { return cmp.Or(faultNames[f], f.String()) }

func (v *view) causes(q pageQuestion, r *summary.Report) {
	for _, c := range r.Causes {
		text, class := changed(c.Events, c.Before)
		one := cause{Fault: faultName(c.Fault), FaultClass: faultClasses[c.Fault], Events: summary.Number(c.Events), Change: text, Class: class}
		one.Value = q.only("cause", c.Cause.String())
		if c.Cause == relaylens.CauseNone {
			one.Value.Text = "not classified"
		}
		one.Value.Text = strings.ReplaceAll(one.Value.Text, "_", " ")
		v.Causes = append(v.Causes, one)
	}
}

var listTitles = map[string]string{"client_ip": "Clients", "client_net": "Networks", "user": "Users", "sender_domain": "Sender domains",
	"recipient_domain": "Recipient domains", "remote_host": "Servers that refused"}

func (v *view) lists(q pageQuestion, r *summary.Report) {
	for _, l := range append(slices.Clip(slices.Clone(r.Lists)), r.Remote.Servers) {
		one := list{ID: "h-" + l.Field, Title: listTitles[l.Field], Column: strings.ReplaceAll(l.Field, "_", " ")}
		for i := range l.Values {
			item := &l.Values[i]
			text, class := changed(item.Events, item.Before)
			one.Rows = append(one.Rows, row{Value: q.only(l.Field, item.Value), Note: relaylens.Escaped(cmp.Or(item.Name, item.Answer), pageValue), Events: summary.Number(item.Events),
				Change: text, Class: class, Share: int(item.Events * 100 / max(l.Values[0].Events, 1))})
		}
		if l.Others > 0 {
			one.More = summary.Number(l.Others) + " refusals of others"
		}
		v.Lists = append(v.Lists, one)
	}
}

func (v *view) findings(all []*summary.Diagnosis, total int, now time.Time) {
	for _, d := range all {
		one := finding{Title: shown(d.Title), About: relaylens.Escaped(summary.About(d.Entity), pageValue), Fault: faultName(d.Fault), Class: faultClasses[d.Fault],
			Events: summary.Number(int64(d.Events)), When: moment(d.First, now),
			Text: relaylens.Escaped(d.Text, 0), Confidence: fmt.Sprintf("%.0f %%", d.Confidence*100), Why: shown(d.Why)}
		if last := moment(d.Last, now); last != one.When {
			one.When += " to " + last
		}
		switch {
		case d.Partial:
			one.Events += " refusals or more"
		case d.Events == 1:
			one.Events += " refusal"
		default:
			one.Events += " refusals"
		}
		if d.Status == relaylens.StatusResolved {
			one.When += ", resolved"
		}
		for i := range d.Evidence {
			e := d.Evidence[i]
			e.Time = e.Time.In(now.Location())
			one.Evidence = append(one.Evidence, string(summary.AppendShort(nil, &e)))
		}
		for _, fix := range d.Fixes {
			told := summary.DiagnosisFix{Title: fix.Title, Rate: fix.Rate}
			for _, step := range fix.Steps {
				told.Steps = append(told.Steps, lines(step))
			}
			one.Fixes = append(one.Fixes, told)
		}
		v.Findings = append(v.Findings, one)
	}
	if more := total - len(all); more > 0 {
		v.FindingsMore = summary.Number(int64(more)) + " more: relaylens diagnose, or api/v1/findings, tells all"
	}
}

// lines escapes text whose line breaks are meant.
func lines(text string) string {
	parts := strings.Split(text, "\n")
	for i, p := range parts {
		parts[i] = relaylens.Escaped(p, 0)
	}
	return strings.Join(parts, "\n")
}

// moment is t as shortly as it can be told now.
func moment(t, now time.Time) string {
	t = t.In(now.Location())
	if now.Sub(t) < 12*time.Hour {
		return t.Format("15:04")
	}
	return t.Format("Jan 2 15:04")
}

func (v *view) sources(a *API, f *pageFacts) {
	if a.o.Sources == nil {
		return
	}
	for _, s := range a.o.Sources() {
		one := source{Name: shown(s.Name), State: "followed", Class: "good", Last: "–", Lag: "–"}
		if !s.Up {
			one.State, one.Class = "down", "bad"
		}
		if s.Lag >= 0 {
			one.Lag = summary.Number(int64(s.Lag)) + " B"
		}
		if !s.Last.IsZero() {
			one.Last = moment(s.Last, f.now)
		}
		v.Sources = append(v.Sources, one)
	}
	v.Stored = fmt.Sprintf("The store holds %s refusals in %s MB", summary.Number(f.stats.Events), summary.Number(f.stats.Bytes/1_000_000))
	if !f.stats.Oldest.IsZero() {
		v.Stored += ", the oldest of " + f.stats.Oldest.In(f.now.Location()).Format("2006-01-02 15:04")
	}
	v.Stored += "."
}
