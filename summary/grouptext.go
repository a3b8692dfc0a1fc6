package summary

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/relaylens/relaylens"
)

// AppendText adds t as a table. What came from a log is escaped and cut.
func (t *GroupTable) AppendText(dst []byte, o TextOptions) []byte {
	tab, note := t.table()
	if len(tab.rows) == 0 {
		return append(dst, "No refusals.\n"...)
	}
	for _, l := range tab.lines(max(o.Width, leastWidth), o.Color) {
		dst = append(append(dst, l.text...), '\n')
	}
	if note != "" {
		dst = fmt.Appendf(dst, "\n%s\n", note)
	}
	return dst
}

// table lays t out, with a note on how exact it is where it is not.
func (t *GroupTable) table() (tab table, note string) {
	tab.columns = []column{{title: "events", right: true}, {title: "share", right: true, late: 2}}
	for _, field := range t.By {
		tab.columns = append(tab.columns, column{title: field, flex: true, least: max(len(field), 24)})
	}
	times := len(t.Groups) > 0 && !t.Groups[0].First.IsZero()
	if times {
		tab.columns = append(tab.columns, column{title: "first", late: 1}, column{title: "last", late: 1})
	}
	for i := range t.Groups {
		g := &t.Groups[i]
		if (&Item{Events: g.Events, Error: g.Error}).inexact() {
			note = inexactNote(t.Bound)
		}
		row := []cell{{text: counted(&Item{Events: g.Events, Error: g.Error})}, {share(g.Events, t.Refusals), dim}}
		for _, v := range g.Values {
			if v == "" {
				row = append(row, cell{"-", dim})
				continue
			}
			row = append(row, cell{text: shown(v)})
		}
		if times {
			row = append(row, cell{text: g.First.Format(time.DateTime)}, cell{text: g.Last.Format(time.DateTime)})
		}
		tab.rows = append(tab.rows, row)
	}
	if t.Others > 0 {
		row := make([]cell, len(tab.columns))
		row[0], row[1], row[2] = cell{Number(t.Others), dim}, cell{share(t.Others, t.Refusals), dim}, cell{"others", dim}
		tab.rows = append(tab.rows, row)
	}
	return tab, strings.TrimSpace(sharedNote(t.Shared) + " " + note)
}

// inexactNote explains the + behind a number.
func inexactNote(most int64) string {
	return "+ and up to " + Number(most) + " more: there were too many different values to count each exactly."
}

// AppendJSON adds t as one JSON object.
func (t *GroupTable) AppendJSON(dst []byte) ([]byte, error) { return appendJSON(dst, t) }

// AppendCSV adds t as comma-separated values (RFC 4180, lines end with LF) under
// a line of names. What came from a log is escaped as in the text, and a value
// that a spreadsheet would take for a formula begins with an apostrophe.
func (t *GroupTable) AppendCSV(dst []byte) []byte {
	dst = appendRow(dst, append(append([]string{}, t.By...), "events", "error", "first", "last"))
	for i := range t.Groups {
		g := &t.Groups[i]
		var row []string
		for _, v := range g.Values {
			row = append(row, noFormula(relaylens.Escaped(v, 0)))
		}
		dst = appendRow(dst, append(row, strconv.FormatInt(g.Events, 10), strconv.FormatInt(g.Error, 10), stamp(g.First), stamp(g.Last)))
	}
	return dst
}

// appendRow quotes what encoding/csv does not: a semicolon ends a cell where the comma
// is the decimal point, and what follows could be a formula.
func appendRow(dst []byte, values []string) []byte {
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		if strings.ContainsAny(v, "\",; |\t\r\n") {
			v = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
		}
		dst = append(dst, v...)
	}
	return append(dst, '\n')
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// noFormula keeps a spreadsheet from reckoning what an attacker wrote.
func noFormula(s string) string {
	r, _ := utf8.DecodeRuneInString(s)
	if s != "" && strings.ContainsRune("=+-@＝＋－＠'", r) {
		return "'" + s
	}
	return s
}
