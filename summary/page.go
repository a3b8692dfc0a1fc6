package summary

import (
	"bytes"
	_ "embed" // for the page
	"fmt"
	"html/template"
	"time"
)

// PageSteps is how many steps the time line of a page has at most.
const PageSteps = 72

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the template shows. It escapes all of it.
type page struct {
	Title    string
	Head     []string
	Bars     []bar
	Step     string
	Sections []pageSection
	Notes    []string
}

// bar is one step of the time line: its parts from the top, in pixels.
type bar struct {
	Title string
	Parts []barPart
	Label string
}

type barPart struct {
	Class  string
	Height int
}

type pageSection struct {
	Title   string
	Columns []pageColumn
	Rows    [][]pageCell
}

type pageColumn struct {
	Title string
	Right bool
}

type pageCell struct {
	Text  string
	Class string
	Right bool
	Wraps bool
}

var styleClasses = map[style]string{bold: "all", dim: "dim", red: "bad", green: "good", yellow: "warn"}

// AppendHTML adds r as a page that needs nothing else: no scripts, no images, no
// fonts. It may be sent by mail. All that came from a log is escaped.
func (r *Report) AppendHTML(dst []byte, o TextOptions) ([]byte, error) {
	title := "Refusals"
	if !r.Since.IsZero() {
		title += " " + r.Since.Format("2006-01-02 15:04") + " – " + r.Until.Format("2006-01-02 15:04")
	}
	p := page{Title: title, Head: r.head(), Notes: r.notes(), Step: r.Timeline.Step, Bars: r.bars()}
	if r.empty() {
		p.Notes = append([]string{"No refusals."}, p.Notes...)
		return p.append(dst)
	}
	totals := r.totals()
	totals.table.columns = totals.table.columns[:4]
	totals.table.rows = totals.table.rows[:len(totals.table.rows)-1]
	order := append(append([]section{r.uncomparedTotals(totals), r.causes(), r.findings()}, r.lists()...), r.news(), r.remote())
	if o.ProblemsFirst {
		order = append([]section{r.causes(), r.findings(), r.news(), r.remote(), r.uncomparedTotals(totals)}, r.lists()...)
	}
	for _, s := range order {
		if len(s.table.rows) > 0 {
			p.Sections = append(p.Sections, pageOf(s))
		}
	}
	return p.append(dst)
}

// uncomparedTotals leaves out the columns of the span before where there is none.
func (r *Report) uncomparedTotals(s section) section {
	if r.Before == nil {
		s.table.columns = s.table.columns[:2]
	}
	return s
}

// AppendHTML adds t as a page of its own.
func (t *GroupTable) AppendHTML(dst []byte) ([]byte, error) {
	tab, note := t.table()
	p := page{Title: "Refusals by " + joined(t.By), Sections: []pageSection{pageOf(section{title: "By " + joined(t.By), table: tab})}}
	if note != "" {
		p.Notes = []string{note}
	}
	return p.append(dst)
}

func (p *page) append(dst []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return dst, fmt.Errorf("write summary as HTML: %w", err)
	}
	return append(dst, b.Bytes()...), nil
}

func pageOf(s section) pageSection {
	p := pageSection{Title: s.title}
	for _, c := range s.table.columns {
		p.Columns = append(p.Columns, pageColumn{c.title, c.right})
	}
	for _, row := range s.table.rows {
		var cells []pageCell
		for i, c := range row[:len(p.Columns)] {
			cells = append(cells, pageCell{c.text, styleClasses[c.style], s.table.columns[i].right, s.table.columns[i].flex})
		}
		p.Rows = append(p.Rows, cells)
	}
	return p
}

// barHeight is how high the highest bar is, in pixels.
const barHeight = 120

func (r *Report) bars() []bar {
	var most int64
	for _, b := range r.Timeline.Buckets {
		most = max(most, b.Events+b.Remote)
	}
	if most == 0 {
		return nil
	}
	bars := make([]bar, len(r.Timeline.Buckets))
	every := (len(bars) + 7) / 8
	for i, b := range r.Timeline.Buckets {
		bars[i].Title = fmt.Sprintf("%s: %s", b.Time.Format(time.DateTime), Number(b.Events+b.Remote))
		if i%every == 0 && len(bars)-i >= every { // the last one needs room, too
			bars[i].Label = r.Timeline.Label(i)
		}
		for _, part := range []struct {
			class string
			n     int64
		}{{"remote", b.Remote}, {"rejected", b.Rejected}, {"auth_failed", b.AuthFailed}, {"sender_verify", b.SenderVerify}, {"relay_denied", b.RelayDenied}} {
			if part.n > 0 {
				bars[i].Parts = append(bars[i].Parts, barPart{part.class, max(int(float64(part.n)/float64(most)*barHeight), 1)})
			}
		}
	}
	return bars
}

// joined is names as a sentence lists them.
func joined(names []string) string {
	text := ""
	for i, n := range names {
		switch {
		case i > 0 && i == len(names)-1:
			text += " and "
		case i > 0:
			text += ", "
		}
		text += n
	}
	return text
}
