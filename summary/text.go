package summary

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
)

// TextOptions say how a report is laid out for a terminal.
type TextOptions struct {
	Width         int // columns of the terminal
	Color         bool
	ProblemsFirst bool // causes, what is new and remote refusals before the totals
}

const (
	leastWidth = 40
	// pairWidth is the least that two lists fit beside each other in.
	pairWidth = 76
	// totalsWidth is what the table of totals takes beside its time line.
	totalsWidth = 50
)

// TextSteps is how many steps a time line has room for on a terminal.
func TextSteps(width int) int { return min(max(width-totalsWidth, 24), maxLine) }

// section is a titled part of the text.
type section struct {
	title string
	table table
	half  bool // may stand beside another one
}

// AppendText adds r as text. What came from a log is escaped and cut.
func (r *Report) AppendText(dst []byte, o TextOptions) []byte {
	o.Width = max(o.Width, leastWidth)
	head := r.head()
	for _, l := range head {
		dst = appendWrapped(dst, l, o.Width)
	}
	if r.empty() {
		if len(head) > 0 {
			dst = append(dst, '\n')
		}
		dst = append(dst, "No refusals.\n"...)
		if len(r.Findings) == 0 {
			return dst
		}
		for _, l := range layOut([]section{r.findings()}, o) { // of what the server says itself
			dst = append(append(append(dst, '\n'), l.text...), '\n')
		}
		return dst
	}
	totals, problems, lists := []section{r.totals()}, []section{r.causes(), r.findings(), r.news(), r.remote()}, r.lists()
	order := append(append(totals, problems[:2]...), append(lists, problems[2:]...)...)
	if o.ProblemsFirst {
		order = append(append(problems, totals...), lists...)
	}
	for _, l := range layOut(order, o) {
		dst = append(append(dst, l.text...), '\n')
	}
	for _, note := range r.notes() {
		dst = appendWrapped(append(dst, '\n'), note, o.Width)
	}
	return dst
}

// appendWrapped adds s in lines of at most width columns, broken between words.
func appendWrapped(dst []byte, s string, width int) []byte {
	used := 0
	for i, word := range strings.Fields(s) {
		w := columns(word)
		switch {
		case i > 0 && used+1+w > width:
			dst, used = append(dst, '\n'), 0
		case i > 0:
			dst, used = append(dst, ' '), used+1
		}
		dst, used = append(dst, fit(word, width)...), used+w
	}
	return append(dst, '\n')
}

func (r *Report) empty() bool {
	return r.Refusals == 0 && r.Remote.Refusals == 0 && (r.Before == nil || r.Before.Refusals == 0 && *r.Remote.Before == 0)
}

// layOut puts sections below each other, and half ones in pairs.
func layOut(sections []section, o TextOptions) []line {
	var lines []line
	var waiting []line
	put := func(more []line) {
		lines = append(append(lines, line{}), more...)
	}
	for _, s := range sections {
		if len(s.table.rows) == 0 {
			continue
		}
		half := s.half && o.Width >= pairWidth
		width := o.Width
		if half {
			width = (o.Width - gap) / 2
		}
		text := append([]line{{paint(s.title, bold, o.Color), columns(s.title)}}, s.table.lines(width, o.Color)...)
		switch {
		case half && waiting == nil:
			waiting = text
		case half:
			put(beside(waiting, text, width+gap))
			waiting = nil
		default:
			if waiting != nil {
				put(waiting)
				waiting = nil
			}
			put(text)
		}
	}
	if waiting != nil {
		put(waiting)
	}
	return lines
}

// head says what is counted: when, where, and what it is compared with.
func (r *Report) head() []string {
	if r.Since.IsZero() {
		return nil // an open span without an event
	}
	const layout = "Mon 2006-01-02 15:04:05"
	lines := []string{fmt.Sprintf("Refusals from %s to %s", r.Since.Format(layout), r.Until.Format(layout+" MST"))}
	var about []string
	if len(r.Hosts) > 0 {
		about = append(about, "on "+shown(strings.Join(some(r.Hosts, 4), ", ")))
	}
	if len(r.MTAs) > 0 {
		about = append(about, "by "+strings.Join(r.MTAs, ", "))
	}
	if r.Before != nil {
		about = append(about, "compared with the "+length(r.Until.Sub(r.Since))+" before")
	}
	if len(about) > 0 {
		lines = append(lines, strings.Join(about, ", "))
	}
	return lines
}

// some is the first n of names and how many more there are.
func some(names []string, n int) []string {
	if len(names) <= n {
		return names
	}
	return append(append([]string{}, names[:n]...), fmt.Sprintf("%d more", len(names)-n))
}

// length is a span as people say it: 24h, 7d, 90m.
func length(d time.Duration) string {
	d = d.Round(time.Second)
	day := 24 * time.Hour
	switch {
	case d >= 2*day && d%day == 0:
		return strconv.Itoa(int(d/day)) + "d"
	case d >= time.Hour && d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d >= time.Minute && d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d >= 20*day:
		return fmt.Sprintf("%.0fd", d.Hours()/24)
	case d >= 2*day:
		return fmt.Sprintf("%.1fd", d.Hours()/24)
	}
	return d.String()
}

// notes explain marks and tell what else the log holds.
func (r *Report) notes() []string {
	var notes []string
	if note := sharedNote(r.Shared); note != "" {
		notes = append(notes, note)
	}
	if most := r.mostError(); most > 0 {
		notes = append(notes, inexactNote(most))
	}
	if len(r.Context) > 0 {
		var parts []string
		for _, c := range r.Context {
			parts = append(parts, Number(c.Events)+" "+contextName(c))
		}
		notes = append(notes, "Besides: "+strings.Join(parts, ", ")+".")
	}
	return notes
}

// sharedNote says which hosts several servers have; empty where there is none.
func sharedNote(hosts []string) string {
	switch n := len(hosts); n {
	case 0:
		return ""
	case 1:
		return "The refusals of " + shown(hosts[0]) + " are at several of the servers, and are counted once."
	default:
		return fmt.Sprintf("The refusals of %d hosts (%s) are at several of the servers, and are counted once.", n, shown(strings.Join(some(hosts, 4), ", ")))
	}
}

var contextNames = map[relaylens.Kind]string{relaylens.KindAccepted: "messages accepted", relaylens.KindDelivered: "deliveries",
	relaylens.KindAuthOK: "logins", relaylens.KindBackendError: "backend errors"}

func contextName(c Count) string {
	switch c.Action {
	case relaylens.ActionWarn:
		return "warned about only"
	case relaylens.ActionHold:
		return "held"
	case relaylens.ActionDiscard:
		return "discarded"
	}
	return contextNames[c.Kind]
}

func (r *Report) mostError() (most int64) {
	for _, l := range append(r.Lists[:len(r.Lists):len(r.Lists)], r.Remote.Servers) {
		for i := range l.Values {
			if l.Values[i].inexact() {
				most = max(most, l.Values[i].Error)
			}
		}
	}
	return most
}

// Number is n with thousands apart.
func Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Change is how much more there is than before.
func Change(now int64, before *int64) string {
	switch {
	case before == nil:
		return ""
	case now == *before:
		return "="
	case *before == 0:
		return "new"
	case now >= 10**before:
		return "×" + Number(now / *before)
	}
	percent := float64(now-*before) * 100 / float64(*before)
	switch {
	case percent > -1 && percent < 1:
		return map[bool]string{true: "+<1%", false: "-<1%"}[percent > 0]
	case percent < -99 && now > 0:
		return "->99%"
	}
	return fmt.Sprintf("%+.0f%%", percent)
}
