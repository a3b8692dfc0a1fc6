package summary

import (
	"slices"
	"strings"
)

// style is how a terminal with colours shows a cell.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
)

// cell is one field of a table. Its text is safe to show.
type cell struct {
	text  string
	style style
}

// column says how a column of a table is laid out.
type column struct {
	title string
	right bool
	flex  bool // takes the room that is left, and gives when there is none
	wrap  bool // goes on in further lines where it is too narrow
	least int  // of a flexible column; columns that leave it less are left out
	late  int  // in a narrow table, columns with the highest number go first; 0 stays
}

// table is rows under a line of titles.
type table struct {
	columns []column
	rows    [][]cell
}

// line is one line of output and how many columns it takes.
type line struct {
	text  string
	width int
}

const (
	indent = 2
	gap    = 2
)

// lines lays t out in at most width columns, unless that is not even enough for
// the columns that stay.
func (t *table) lines(width int, color bool) []line {
	use := make([]bool, len(t.columns))
	for i := range use {
		use[i] = true
	}
	widths := t.widths()
	for t.room(widths, use, width) < 0 && t.drop(use) {
		continue
	}
	t.squeeze(widths, use, width)
	var lines []line
	titles := make([]cell, len(t.columns))
	titled := false
	for i, c := range t.columns {
		titles[i] = cell{c.title, dim}
		titled = titled || c.title != ""
	}
	if titled {
		lines = append(lines, t.line(titles, widths, use, color))
	}
	for _, row := range t.rows {
		for _, row := range t.wrapped(row, widths, use) {
			if l := t.line(row, widths, use, color); l.width > indent {
				lines = append(lines, l)
			}
		}
	}
	return lines
}

// wrapped is row and, where a column goes on in further lines, rows for those.
// At most one column does.
func (t *table) wrapped(row []cell, widths []int, use []bool) [][]cell {
	for i, c := range t.columns {
		if !c.wrap || !use[i] || columns(row[i].text) <= widths[i] {
			continue
		}
		first, rest := breakLine(row[i].text, widths[i])
		rows := [][]cell{slices.Clone(row)}
		rows[0][i].text = first
		for rest != "" {
			first, rest = breakLine(hang+rest, widths[i])
			next := make([]cell, len(row))
			next[i] = cell{first, row[i].style}
			rows = append(rows, next)
		}
		return rows
	}
	return [][]cell{row}
}

// hang is in front of what goes on in a further line.
const hang = "  "

// breakLine cuts s behind the last word that ends within width columns, or
// behind the first.
func breakLine(s string, width int) (first, rest string) {
	end := len(s)
	for i, r := range s {
		if r != ' ' || strings.TrimSpace(s[:i]) == "" {
			continue
		}
		if columns(s[:i]) > width {
			end = min(end, i)
			break
		}
		end = i
	}
	if columns(s) <= width {
		end = len(s)
	}
	return s[:end], strings.TrimSpace(s[end:])
}

func (t *table) widths() []int {
	widths := make([]int, len(t.columns))
	for i, c := range t.columns {
		widths[i] = columns(c.title)
		for _, row := range t.rows {
			widths[i] = max(widths[i], columns(row[i].text))
		}
	}
	return widths
}

// room is how many columns are left when each flexible column has its least.
func (t *table) room(widths []int, use []bool, width int) int {
	width -= indent - gap
	for i, c := range t.columns {
		if !use[i] {
			continue
		}
		w := widths[i]
		if c.flex {
			w = min(w, c.least)
		}
		width -= w + gap
	}
	return width
}

func (t *table) drop(use []bool) bool {
	latest := -1
	for i, c := range t.columns {
		if use[i] && c.late > 0 && (latest < 0 || c.late > t.columns[latest].late) {
			latest = i
		}
	}
	if latest >= 0 {
		use[latest] = false
	}
	return latest >= 0
}

// squeeze gives the flexible columns what is left, the last ones first cut.
func (t *table) squeeze(widths []int, use []bool, width int) {
	room := max(t.room(widths, use, width), 0)
	for i, c := range t.columns {
		if !use[i] || !c.flex {
			continue
		}
		least := min(widths[i], c.least)
		extra := min(widths[i]-least, room)
		widths[i] = least + extra
		room -= extra
	}
}

func (t *table) line(row []cell, widths []int, use []bool, color bool) line {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", indent))
	n, used, blank := indent, indent, 0
	for i, c := range t.columns {
		if !use[i] {
			continue
		}
		text := fit(row[i].text, widths[i])
		w := columns(text)
		before, after := 0, widths[i]-w
		if c.right {
			before, after = after, 0
		}
		blank += before
		if text != "" {
			b.WriteString(strings.Repeat(" ", blank))
			b.WriteString(paint(text, row[i].style, color))
			used, blank = n+before+w, 0
		} else {
			blank += w
		}
		n += widths[i] + gap
		blank += after + gap
	}
	return line{b.String(), used}
}

func paint(text string, s style, color bool) string {
	if !color || s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// beside puts the lines of two sections next to each other.
func beside(left, right []line, width int) []line {
	var lines []line
	for i := range max(len(left), len(right)) {
		var l, r line
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		if r.text == "" {
			lines = append(lines, l)
			continue
		}
		lines = append(lines, line{l.text + strings.Repeat(" ", max(width-l.width, 0)) + r.text, width + r.width})
	}
	return lines
}
