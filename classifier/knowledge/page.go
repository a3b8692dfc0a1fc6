package knowledge

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/relaylens/relaylens"
)

const pageHead = `# Causes

Made from classifier/knowledge/knowledge.yaml by ` + "`make docs`" + `; do not edit.

Why mail is refused, what proves it, what helps and what does not. ` + "`relaylens explain`" + ` shows the same for a log line, with its
names filled in. It was read from ` + Versions + `.

Rates are per cent of those who tried. They come from published field notes about "relay access denied" and hold for that error
as a whole; nobody measured them for one cause. Where no figure was published there is none here. Names in braces stand for what
the log tells, and ` + "`{log}`" + ` for the log: ` + "`/var/log/mail.log`, or Exim's `/var/log/exim4/mainlog`" + `.

`

// Page is the knowledge as Markdown: docs/causes.md.
func Page() string {
	p := &page{}
	p.WriteString(pageHead)
	p.WriteString("| cause | whose doing | |\n|---|---|---|\n")
	for _, c := range relaylens.Causes() {
		e := Of(c)
		p.printf("| [`%s`](#%s) | %s | %s |\n", c, c, faultName(e.Fault), e.Title)
	}
	for _, c := range relaylens.Causes() {
		p.entry(c.String(), Of(c))
		if own := load().Own[c.String()]; own != nil {
			p.entry(c.String()+", the server's own", own)
		}
		if c == relaylens.CausePolicy {
			p.helpers()
		}
	}
	p.texts()
	p.codes()
	return p.String()
}

// FaultText says who has to act.
func FaultText(f relaylens.Fault) string {
	switch f {
	case relaylens.FaultServer:
		return "the owner of this server has to act"
	case relaylens.FaultClient:
		return "the owner of the client has to act"
	case relaylens.FaultRemote:
		return "the owner of the other server has to act"
	case relaylens.FaultAttacker:
		return "an attack, refused as it should be"
	}
	return "nobody in particular has to act"
}

func faultName(f relaylens.Fault) string {
	if f == relaylens.FaultNone {
		return "–"
	}
	return f.String()
}

type page struct{ strings.Builder }

func (p *page) printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

// helpers are the findings about policy.
func (p *page) helpers() {
	for _, h := range relaylens.Helpers() {
		p.entry("policy, "+strings.ReplaceAll(h.String(), "_", " "), load().Helpers[h.String()])
	}
}

func (p *page) entry(name string, e *Entry) {
	p.printf("\n## %s\n\n**%s**: %s.\n\n%s\n", name, e.Title, FaultText(e.Fault), e.Text)
	p.list("What proves it", e.Proof)
	p.list("What speaks against it", e.Against)
	p.printf("\n### What helps\n")
	for i := range e.Fixes {
		p.fix(i+1, &e.Fixes[i])
	}
	p.printf("\n### What does not help\n\n")
	for _, d := range e.DeadEnds {
		p.printf("* %s%s. %s\n", d.Title, rate(d.Rate, "fails for"), d.Why)
	}
	p.printf("\n### What to check\n\n")
	for _, c := range e.Checks {
		p.printf("* %s%s:\n\n      %s\n\n", c.What, forMTA(c.MTA), c.Run)
	}
	if e.Versions != "" {
		p.printf("Versions: %s.\n\n", e.Versions)
	}
	p.printf("Read: %s.\n", strings.Join(e.References, "; "))
}

func (p *page) list(title string, items []string) {
	p.printf("\n### %s\n\n", title)
	for _, item := range items {
		p.printf("* %s\n", item)
	}
}

func (p *page) fix(n int, f *Fix) {
	p.printf("\n%d. **%s**%s\n", n, f.Title, rate(f.Rate, "works for"))
	p.steps("", f.Any)
	p.steps("Postfix", f.Postfix)
	p.steps("Exim", f.Exim)
	p.steps("Sendmail", f.Sendmail)
	for _, product := range f.Products() {
		p.steps(product.Name, product.Steps)
	}
}

func (p *page) steps(name string, steps []Step) {
	if len(steps) == 0 {
		return
	}
	if name != "" {
		p.printf("\n   %s:\n", name)
	}
	for _, s := range steps {
		switch {
		case s.Say != "":
			p.printf("\n   %s\n", s.Say)
		case s.Run != "":
			p.printf("\n       %s\n", s.Run)
		default:
			p.printf("\n   In %s:\n\n", s.File)
			for line := range strings.Lines(s.Text) {
				p.printf("       %s\n", strings.TrimSuffix(line, "\n"))
			}
		}
	}
}

func (p *page) texts() {
	p.printf("\n## Texts, and what writes them\n\nAn asterisk stands for anything.\n\n| server | text | codes | written by |\n|---|---|---|---|\n")
	for _, w := range load().Texts {
		p.printf("| %s | `%s` | %s | %s |\n", w.MTA, cell(w.Text), strings.Join(w.Codes, ", "), cell(w.By))
	}
}

func (p *page) codes() {
	p.printf("\n## Reply codes\n\nRFC 5321, RFC 4954 and others.\n\n| code | meaning |\n|---|---|\n")
	var codes []int
	for c := range load().Codes {
		codes = append(codes, int(c))
	}
	slices.Sort(codes)
	for _, c := range codes {
		p.printf("| %d | %s |\n", c, cell(load().Codes[uint16(c)].Means))
	}
	p.printf("\n## Enhanced codes\n\nRFC 3463 and the IANA registry. In place of x stands 2 (success), 4 (for now) or 5 (for good).\n\n| code | meaning |\n|---|---|\n")
	var details []string
	for d := range load().Enhanced {
		details = append(details, d)
	}
	slices.SortFunc(details, func(a, b string) int { return detailNumber(a) - detailNumber(b) })
	for _, d := range details {
		p.printf("| x.%s | %s |\n", d, cell(load().Enhanced[d].Means))
	}
}

// detailNumber orders 1.10 after 1.9.
func detailNumber(s string) int {
	subject, detail, _ := strings.Cut(s, ".")
	n, _ := strconv.Atoi(subject) // the schema test has seen that these are numbers
	m, _ := strconv.Atoi(detail)
	return 1000*n + m
}

func rate(percent int, what string) string {
	if percent == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s %d %%)", what, percent)
}

func forMTA(name string) string {
	if name == "" {
		return ""
	}
	return " (" + displayNames[name] + ")"
}

var displayNames = map[string]string{"postfix": "Postfix", "exim": "Exim", "sendmail": "Sendmail"}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
