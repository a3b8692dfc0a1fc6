package summary

import (
	"fmt"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier/knowledge"
)

const (
	// widestText is what lines of prose are broken at on a wide terminal.
	widestText = 100
	// nameWidth is the column that values begin in.
	nameWidth = 14
	// valueWidth is what values of one line with their meaning are filled up to.
	valueWidth = 15
	// maxValue is how many bytes of one value are shown.
	maxValue = 500
)

// AppendText adds x as text. What came from a log is escaped and cut.
func (x *Explanation) AppendText(dst []byte, o TextOptions) []byte {
	t := &explainText{dst: dst, width: min(max(o.Width, leastWidth), widestText), color: o.Color}
	t.wrap("", relaylens.Escaped(x.Title, maxValue), bold)
	for _, n := range x.Notes {
		t.blank()
		t.wrap("", relaylens.Escaped(n, maxValue), plain)
	}
	t.parts(x)
	t.writtenBy(x)
	if x.Sure && len(x.Causes) > 0 {
		t.cause(&x.Causes[0], x)
		t.otherwise(x)
	} else {
		t.suspects(x)
	}
	return t.dst
}

type explainText struct {
	dst   []byte
	width int
	color bool
}

func (t *explainText) blank() { t.dst = append(t.dst, '\n') }

func (t *explainText) head(title string) {
	t.blank()
	t.dst = append(append(t.dst, paint(title, bold, t.color)...), '\n')
}

// wrap writes words in lines of the width. The first begins with first, those
// behind it are indented as far.
func (t *explainText) wrap(first, text string, s style) {
	lines := wrapped(text, t.width-columns(first))
	for i, l := range lines {
		prefix := first
		if i > 0 {
			prefix = strings.Repeat(" ", columns(first))
		}
		t.dst = append(append(t.dst, prefix...), paint(l, s, t.color)...)
		t.dst = append(t.dst, '\n')
	}
}

// wrapped breaks text at spaces into lines of at most width columns; what has
// none is longer.
func wrapped(text string, width int) []string {
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(text) {
		n := columns(word)
		if used > 0 && used+1+n > width {
			lines, line, used = append(lines, line), "", 0
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	return append(lines, line)
}

func (t *explainText) parts(x *Explanation) {
	if len(x.Parts) == 0 {
		return
	}
	t.head("WHAT IT SAYS")
	for _, p := range x.Parts {
		name, value := "  "+pad(p.Name, nameWidth-2), relaylens.Escaped(p.Value, maxValue)
		if columns(value) <= valueWidth && nameWidth+valueWidth+2+columns(p.Means) <= t.width {
			t.dst = append(append(t.dst, name+pad(value, valueWidth)+"  "+paint(p.Means, dim, t.color)...), '\n')
			continue
		}
		t.wrap(name, value, plain)
		if p.Means != "" {
			t.wrap(strings.Repeat(" ", nameWidth+2), p.Means, dim)
		}
	}
}

func (t *explainText) writtenBy(x *Explanation) {
	if len(x.WrittenBy) == 0 {
		return
	}
	t.head("WHICH SETTING WRITES IT")
	for _, w := range x.WrittenBy {
		name := w.MTA
		if name == "" {
			name = "other"
		}
		t.wrap("  "+pad(name, nameWidth-2), w.By, plain)
		if len(w.Settings) > 0 {
			t.wrap(strings.Repeat(" ", nameWidth), "settings: "+strings.Join(w.Settings, ", "), dim)
		}
		if len(w.Codes) > 0 {
			t.wrap(strings.Repeat(" ", nameWidth), "usual codes: "+strings.Join(w.Codes, ", "), dim)
		}
	}
}

// suspects lists the causes that it may be, with what tells them apart.
func (t *explainText) suspects(x *Explanation) {
	if len(x.Causes) == 0 {
		return
	}
	t.head("LIKELY CAUSES, THE MOST FREQUENT FIRST")
	for i := range x.Causes {
		c := &x.Causes[i]
		t.wrap(fmt.Sprintf("%3d. ", i+1), fmt.Sprintf("%s (%s): %s", c.Cause, knowledge.FaultText(c.Fault), c.Title), plain)
		for _, p := range c.Proof {
			t.wrap("       it is, if: ", p, dim)
		}
		for _, p := range c.Against {
			t.wrap("       not, if:   ", p, dim)
		}
	}
	t.head("WHAT TO CHECK NEXT")
	for i := range x.Causes[:min(len(x.Causes), suspectsChecked)] {
		t.checks(&x.Causes[i], x.mta)
	}
	t.head("WHAT NOT TO DO")
	for i := range x.Causes[:min(len(x.Causes), suspectsChecked)] {
		t.deadEnds(&x.Causes[i])
	}
	t.blank()
	t.wrap("", fmt.Sprintf("\"relaylens explain %s\" has the fixes of a cause.", x.Causes[0].Cause), plain)
}

// suspectsChecked is of how many possible causes the checks are shown.
const suspectsChecked = 2

// cause writes all that is known of one.
func (t *explainText) cause(c *knowledge.Entry, x *Explanation) {
	t.head("WHY: " + c.Title)
	t.wrap("  ", c.Text, plain)
	t.wrap("  ", sentence(knowledge.FaultText(c.Fault)), plain)
	t.head("WHAT TELLS IT")
	for _, p := range c.Proof {
		t.wrap("  it is, if: ", p, plain)
	}
	for _, p := range c.Against {
		t.wrap("  not, if:   ", p, plain)
	}
	t.head("WHAT HELPS")
	for i := range c.Fixes {
		t.fix(i+1, &c.Fixes[i], x.mta)
	}
	t.head("WHAT TO CHECK")
	t.checks(c, x.mta)
	t.head("WHAT NOT TO DO")
	t.deadEnds(c)
	t.head("READ")
	t.wrap("  ", strings.Join(c.References, "; "), plain)
	if c.Versions != "" {
		t.wrap("  ", "Versions: "+c.Versions, plain)
	}
}

// otherwise names the causes that were less likely.
func (t *explainText) otherwise(x *Explanation) {
	if len(x.Causes) < 2 {
		return
	}
	var names []string
	for _, c := range x.Causes[1:] {
		names = append(names, c.Cause.String())
	}
	t.blank()
	t.wrap("", "If that does not fit: "+strings.Join(names, ", ")+".", plain)
}

func (t *explainText) fix(n int, f *knowledge.Fix, mta relaylens.MTA) {
	title := f.Title
	if f.Rate > 0 {
		title += fmt.Sprintf(" (works for %d %%)", f.Rate)
	}
	t.wrap(fmt.Sprintf("%3d. ", n), title, bold)
	if mta != relaylens.MTANone {
		t.steps("", f.Steps(mta))
	} else {
		t.steps("", f.Any)
		t.steps("Postfix", f.Postfix)
		t.steps("Exim", f.Exim)
		t.steps("Sendmail", f.Sendmail)
	}
	for _, p := range f.Products() {
		t.steps(p.Name, p.Steps)
	}
}

func (t *explainText) steps(name string, steps []knowledge.Step) {
	if len(steps) == 0 {
		return
	}
	if name != "" {
		t.wrap("     ", name+":", dim)
	}
	for _, s := range steps {
		switch {
		case s.Say != "":
			t.wrap("     ", s.Say, plain)
		case s.Run != "":
			t.command("       ", s.Run)
		default:
			t.wrap("     ", "In "+s.File+":", plain)
			for line := range strings.Lines(s.Text) {
				t.dst = append(append(t.dst, "       | "...), line...)
			}
		}
	}
}

func (t *explainText) checks(c *knowledge.Entry, mta relaylens.MTA) {
	for i := range c.Checks {
		check := &c.Checks[i]
		if !check.For(mta) {
			continue
		}
		what := check.What
		if check.MTA != "" && mta == relaylens.MTANone {
			m, _ := relaylens.ParseMTA(check.MTA) // the file's own tests read it
			what += " (" + mtaName(m) + ")"
		}
		t.wrap("  ", what+":", plain)
		t.command("    ", check.Run)
	}
}

func (t *explainText) deadEnds(c *knowledge.Entry) {
	for _, d := range c.DeadEnds {
		title := d.Title
		if d.Rate > 0 {
			title += fmt.Sprintf(" (fails for %d %%)", d.Rate)
		}
		t.wrap("  - ", title+". "+d.Why, plain)
	}
}

// command writes a line for the shell. A long one goes on behind a backslash, so
// that it can still be copied.
func (t *explainText) command(indent, run string) {
	for i, l := range brokenCommand(run, t.width-len(indent)-4) {
		if i > 0 {
			t.dst = append(t.dst, " \\\n    "...)
		}
		t.dst = append(append(t.dst, indent...), paint(l, bold, t.color)...)
	}
	t.dst = append(t.dst, '\n')
}

// brokenCommand breaks a command at spaces outside of quotes.
func brokenCommand(run string, width int) []string {
	var words []string
	start := 0
	single, double, escaped := false, false, false
	for i := range len(run) {
		c := run[i]
		switch {
		case escaped:
			escaped = false
		case c == '\\' && !single:
			escaped = true
		case c == '\'' && !double:
			single = !single
		case c == '"' && !single:
			double = !double
		case c == ' ' && !single && !double:
			words = append(words, run[start:i])
			start = i + 1
		}
	}
	words = append(words, run[start:])
	var lines []string
	line := words[0]
	for _, w := range words[1:] {
		if columns(line)+1+columns(w) > width {
			lines, line = append(lines, line), w
			continue
		}
		line += " " + w
	}
	return append(lines, line)
}

// AppendJSON adds x as one JSON object on a line.
func (x *Explanation) AppendJSON(dst []byte) ([]byte, error) { return appendLine(dst, x) }
