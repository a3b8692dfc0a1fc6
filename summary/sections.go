package summary

import (
	"strconv"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
)

// maxCauses, maxReasons and maxShownFindings are what a screen has room for; the closed lists are
// not much longer.
const (
	maxCauses  = 12
	maxReasons = 8

	maxShownFindings = 4
)

// totals is the table of kinds, with the time line of each.
func (r *Report) totals() section {
	s := section{title: "What", table: table{columns: []column{{}, {title: "events", right: true}, {title: "before", right: true, late: 3},
		{title: "change", right: true, late: 2}, {title: "a step is " + r.Timeline.Step, flex: true, least: 24, late: 1}}}}
	if r.Before == nil {
		s.table.columns[2].title, s.table.columns[3].title = "", ""
	}
	lines := []struct {
		name   string
		now    int64
		before *int64
		of     func(*Bucket) int64
		style  style
	}{
		{name: "relay_denied", of: func(b *Bucket) int64 { return b.RelayDenied }},
		{name: "sender_verify", of: func(b *Bucket) int64 { return b.SenderVerify }},
		{name: "auth_failed", of: func(b *Bucket) int64 { return b.AuthFailed }},
		{name: "rejected", of: func(b *Bucket) int64 { return b.Rejected }},
		{name: "all", of: func(b *Bucket) int64 { return b.Events }, style: bold},
		{name: "by other servers", of: func(b *Bucket) int64 { return b.Remote }},
	}
	for i := range lines {
		l := &lines[i]
		switch {
		case i < len(r.Kinds):
			l.now, l.before = r.Kinds[i].Events, r.Kinds[i].Before
		case l.name == "all":
			l.now = r.Refusals
			if r.Before != nil {
				l.before = &r.Before.Refusals
			}
		default:
			l.now, l.before = r.Remote.Refusals, r.Remote.Before
		}
		s.table.rows = append(s.table.rows, []cell{{l.name, l.style}, {Number(l.now), l.style}, before(l.before), changed(l.now, l.before),
			{sparkline(r.Timeline.Buckets, l.of), cyan}})
	}
	s.table.rows = append(s.table.rows, []cell{{}, {}, {}, {}, {r.Timeline.axis(), dim}})
	return s
}

func before(n *int64) cell {
	if n == nil {
		return cell{}
	}
	return cell{Number(*n), dim}
}

// changed is how much more there is than before; what has doubled stands out.
func changed(now int64, before *int64) cell {
	c := cell{text: Change(now, before)}
	switch {
	case before == nil:
	case now >= 2**before && now > 0 && now != *before:
		c.style = red
	case now*2 <= *before && now != *before:
		c.style = green
	}
	return c
}

// sparkline draws a line of buckets, the highest as a full block. A dot is none
// at all.
func sparkline(buckets []Bucket, of func(*Bucket) int64) string {
	var most int64
	for i := range buckets {
		most = max(most, of(&buckets[i]))
	}
	levels := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for i := range buckets {
		if n := of(&buckets[i]); n == 0 {
			b.WriteByte('.')
		} else {
			b.WriteRune(levels[min(int(float64(n)*float64(len(levels))/float64(most)), len(levels)-1)])
		}
	}
	return b.String()
}

// axis labels the steps of a time line, as many as there is room for; where
// another day begins comes first.
func (t *Timeline) axis() string {
	axis := []byte(strings.Repeat(" ", len(t.Buckets)))
	put := func(i int) {
		label := t.Label(i)
		from, to := max(i-1, 0), min(i+len(label)+1, len(axis))
		if i+len(label) <= len(axis) && strings.TrimSpace(string(axis[from:to])) == "" {
			copy(axis[i:], label)
		}
	}
	for i := range t.Buckets {
		if t.newDay(i) {
			put(i)
		}
	}
	for i := range t.Buckets {
		if !strings.HasSuffix(t.Step, "h") || t.Step == "1h" {
			put(i)
		}
	}
	return strings.TrimRight(string(axis), " ")
}

// newDay reports whether another day begins with a step.
func (t *Timeline) newDay(i int) bool {
	return i > 0 && t.Buckets[i].Time.YearDay() != t.Buckets[i-1].Time.YearDay()
}

// Label is the beginning of a step as it stands on the axis: the hour, and the
// date where another day begins.
func (t *Timeline) Label(i int) string {
	at := t.Buckets[i].Time
	switch {
	case strings.HasSuffix(t.Step, "y"):
		return at.Format("2006")
	case strings.HasSuffix(t.Step, "mo"):
		return at.Format("2006-01")
	case strings.HasSuffix(t.Step, "d"):
		return at.Format("Jan 2")
	case t.newDay(i):
		return at.Format("Jan 2")
	case strings.HasSuffix(t.Step, "s"):
		return at.Format("15:04:05")
	}
	return at.Format("15:04")
}

var faultStyles = map[relaylens.Fault]style{relaylens.FaultServer: red, relaylens.FaultClient: yellow, relaylens.FaultRemote: yellow}

// faultNames say whose doing a cause is to the owner of the server.
var faultNames = map[relaylens.Fault]string{relaylens.FaultServer: "server: yours to mend", relaylens.FaultClient: "client",
	relaylens.FaultRemote: "remote server", relaylens.FaultAttacker: "attacker", relaylens.FaultNone: "-"}

func (r *Report) causes() section {
	s := section{title: "Causes", table: table{columns: []column{{title: "events", right: true}, {title: "change", right: true, late: 1}, {title: "cause"}, {title: "fault", late: 2}}}}
	for i, c := range r.Causes {
		if i == maxCauses-1 && len(r.Causes) > maxCauses {
			s.table.rows = append(s.table.rows, others(sum(r.Causes[i:]), len(r.Causes)-i, 4))
			break
		}
		name := c.Cause.String()
		if c.Cause == relaylens.CauseNone {
			name = "not classified"
		}
		s.table.rows = append(s.table.rows, []cell{{text: Number(c.Events)}, changed(c.Events, c.Before), {name, faultStyles[c.Fault]}, {text: faultNames[c.Fault]}})
	}
	return r.uncompared(s)
}

// uncompared leaves out the column of changes where there is nothing to compare.
func (r *Report) uncompared(s section) section {
	if r.Before == nil {
		s.table.columns = append(s.table.columns[:1:1], s.table.columns[2:]...)
		for i, row := range s.table.rows {
			s.table.rows[i] = append(row[:1:1], row[2:]...)
		}
	}
	return s
}

// findings are the problems that the refusals point to, each with what to try
// first below it.
func (r *Report) findings() section {
	s := section{title: "Findings", table: table{columns: []column{{title: "events", right: true}, {title: "fault", late: 1},
		{title: "about", flex: true, least: 12}, {title: "what is wrong, and what to try first", flex: true, wrap: true, least: 24}}}}
	for i := range r.Findings {
		d := &r.Findings[i]
		if i == maxShownFindings {
			break
		}
		events := Number(int64(max(d.Events, d.Errors)))
		if d.Partial {
			events += "+"
		}
		title := cell{d.Title, faultStyles[d.Fault]}
		if d.Status == relaylens.StatusResolved {
			title = cell{"resolved: " + d.Title, dim}
		}
		s.table.rows = append(s.table.rows, []cell{{text: events}, {text: d.Fault.String()}, {text: shown(About(d.Entity))}, title})
		if d.Fix != "" {
			s.table.rows = append(s.table.rows, []cell{{}, {}, {}, {"→ " + d.Fix, dim}})
		}
	}
	if more := r.FindingsTotal - maxShownFindings; more > 0 && len(s.table.rows) > 0 {
		s.table.rows = append(s.table.rows, []cell{{}, {}, {}, {Number(int64(more)) + " more, see relaylens diagnose", dim}})
	}
	return s
}

func sum(counts []Count) (n int64) {
	for _, c := range counts {
		n += c.Events
	}
	return n
}

// others is the row of what is not listed; width is how many cells it has.
func others(events int64, values, width int) []cell {
	row := make([]cell, width)
	row[0] = cell{Number(events), dim}
	row[2] = cell{"others", dim}
	switch {
	case values == 1:
		row[2].text = "1 other"
	case values > 1:
		row[2].text = Number(int64(values)) + " others"
	}
	return row
}

// lists are what this server refused, by what it said and who was concerned.
func (r *Report) lists() []section {
	titles := []string{"Clients", "Networks", "Users", "Sender domains", "Recipient domains"}
	sections := []section{r.clients(titles[0], &r.Lists[0]), r.reasons("Reasons", r.Reasons)}
	for i := 1; i < len(r.Lists); i++ {
		sections = append(sections, r.values(titles[i], &r.Lists[i]))
	}
	return sections
}

func (r *Report) reasons(title string, reasons []Count) section {
	s := section{title: title, half: true, table: table{columns: []column{{title: "events", right: true}, {title: "change", right: true, late: 1},
		{title: "reason", flex: true, least: 12}}}}
	for i, c := range reasons {
		if i == maxReasons-1 && len(reasons) > maxReasons {
			s.table.rows = append(s.table.rows, others(sum(reasons[i:]), len(reasons)-i, 3))
			break
		}
		s.table.rows = append(s.table.rows, []cell{{text: Number(c.Events)}, changed(c.Events, c.Before), {text: reasonName(c)}})
	}
	return r.uncompared(s)
}

// reasonName is the reason, or the kind that has none. "policy" alone would be
// taken for the cause.
func reasonName(c Count) string {
	switch c.Reason {
	case relaylens.ReasonNone:
		return c.Kind.String()
	case relaylens.ReasonAuthPolicy:
		return c.Kind.String() + "/" + c.Reason.String()
	}
	return c.Reason.String()
}

func (r *Report) clients(title string, l *List) section {
	s := section{title: title, table: table{columns: []column{{title: "events", right: true}, {title: "change", right: true, late: 2}, {title: "client"},
		{title: "name", flex: true, least: 12}, {title: "network", late: 4}, {title: "mostly", late: 3}, {title: "first", late: 1}, {title: "last", late: 1}}}}
	for i := range l.Values {
		v := &l.Values[i]
		s.table.rows = append(s.table.rows, []cell{{text: counted(v)}, changed(v.Events, v.Before), {text: shown(v.Value)}, {text: shown(v.Name)},
			{text: v.Network}, {text: v.Mostly}, {text: r.moment(v.First)}, {text: r.moment(v.Last)}})
	}
	return r.uncompared(r.rest(s, l))
}

func (r *Report) values(title string, l *List) section {
	s := section{title: title, half: true, table: table{columns: []column{{title: "events", right: true}, {title: "change", right: true, late: 1},
		{title: strings.ReplaceAll(strings.TrimPrefix(l.Field, "client_"), "_", " "), flex: true, least: 12}}}}
	for i := range l.Values {
		v := &l.Values[i]
		s.table.rows = append(s.table.rows, []cell{{text: counted(v)}, changed(v.Events, v.Before), {text: shown(v.Value)}})
	}
	return r.uncompared(r.rest(s, l))
}

// rest adds the row of the values that are not listed.
func (r *Report) rest(s section, l *List) section {
	if l.Others > 0 && len(l.Values) > 0 {
		values := l.Distinct - len(l.Values)
		if l.AtLeast {
			values = 0
		}
		row := others(l.Others, values, len(s.table.columns))
		if l.About && values > 1 {
			row[2].text = "about " + row[2].text
		}
		s.table.rows = append(s.table.rows, row)
	}
	return s
}

// inexact reports whether a value can have a hundredth more events than it is
// certain to have.
func (v *Item) inexact() bool { return v.Error*100 > v.Events }

// counted is how many events a value has; + where it can be notably more.
func counted(v *Item) string {
	if v.inexact() {
		return Number(v.Events) + "+"
	}
	return Number(v.Events)
}

// moment is a time as exactly as the span needs it.
func (r *Report) moment(t time.Time) string {
	switch span := r.Until.Sub(r.Since); {
	case span <= time.Hour:
		return t.Format("15:04:05")
	case span <= 24*time.Hour:
		return t.Format("15:04")
	case span <= 180*24*time.Hour:
		return t.Format("Jan _2 15:04")
	}
	return t.Format("2006-01-02")
}

func (r *Report) news() section {
	s := section{title: "New: not in the span before", table: table{columns: []column{{title: "events", right: true}, {title: "field"},
		{title: "value", flex: true, least: 12}, {title: "name", flex: true, least: 8, late: 2}, {title: "first", late: 1}}}}
	for i := range r.New {
		n := &r.New[i]
		first := ""
		if !n.First.IsZero() {
			first = r.moment(n.First)
		}
		s.table.rows = append(s.table.rows, []cell{{text: Number(n.Events)}, {text: n.Field}, {text: shown(n.Value)}, {text: shown(n.Name)}, {text: first}})
	}
	return s
}

func (r *Report) remote() section {
	s := section{title: "Refused by other servers", table: table{columns: []column{{title: "events", right: true}, {title: "change", right: true, late: 2},
		{title: "server", flex: true, least: 20}, {title: "last", late: 1}, {title: "last answer", flex: true, least: 16, late: 3}}}}
	for i := range r.Remote.Servers.Values {
		v := &r.Remote.Servers.Values[i]
		s.table.rows = append(s.table.rows, []cell{{text: counted(v)}, changed(v.Events, v.Before), {text: shown(v.Value)}, {text: r.moment(v.Last)}, {text: shown(v.Answer)}})
	}
	return r.uncompared(r.rest(s, &r.Remote.Servers))
}

// share is how much of total n is, in percent.
func share(n, total int64) string {
	if total <= 0 {
		return ""
	}
	return strconv.FormatFloat(float64(n)*100/float64(total), 'f', 1, 64) + "%"
}
