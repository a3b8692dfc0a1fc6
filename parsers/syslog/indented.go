package syslog

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/relaylens/relaylens"
)

// fullyDated reads what follows the stamp of [Decoder.shortFull] in s: a record, or fields
// on lines of their own.
func (d *Decoder) fullyDated(line *relaylens.Line, s, rest string, env *relaylens.Envelope, depth int) Status {
	if strings.HasPrefix(rest, "[") && d.beginIndented(s, depth) {
		return Pending
	}
	header(rest, env)
	return d.finish(line, env)
}

// beginIndented starts an entry of which this is the first line, if it is one of those that
// go on with indented lines.
func (d *Decoder) beginIndented(s string, depth int) bool {
	if depth > 0 || d.modes[0] == modeNative {
		return false
	}
	x := &d.export
	switch s {
	case "[", "[{":
		x.beginArray(s)
		return true
	case "{":
		x.form, x.entry = formPretty, append(x.entry[:0], '{')
		return true
	}
	var at relaylens.Envelope
	if rest, ok := d.shortFull(s, &at); ok && strings.HasPrefix(rest, "[s=") && strings.HasSuffix(rest, "]") {
		x.form, x.entry = formVerbose, append(x.entry[:0], `{"__REALTIME_TIMESTAMP":"`...)
		x.entry = append(strconv.AppendInt(x.entry, at.Time.UnixMicro(), 10), `",`...)
		return true
	}
	return false
}

// pretty reads a line of an object that began with a line of its own. ok is false
// when the line is of none: the object has lost its end.
func (d *Decoder) pretty(line *relaylens.Line, env *relaylens.Envelope) (st Status, ok bool) {
	x, s := &d.export, strings.TrimRight(line.Text, "\r")
	if s == "}" || s == "}," {
		start := len(d.scratch)
		d.scratch = append(append(d.scratch, x.entry...), '}')
		*x = export{entry: x.entry[:0]}
		return d.json(line, alias(d.scratch[start:]), env), true
	}
	if s == "" || s[0] != ' ' && s[0] != '\t' || len(x.entry) > maxEntry {
		*x = export{entry: x.entry[:0]}
		return 0, false
	}
	if strings.TrimLeft(s, " \t") == "{" && bytes.HasSuffix(x.entry, []byte("[\n")) {
		x.beginArray("[")
		return d.element(line, env)
	}
	x.entry = append(append(x.entry, s...), '\n')
	return Pending, true
}

// verbose reads a line of an entry that only the next one ends.
func (d *Decoder) verbose(line *relaylens.Line) (st Status, ok bool) {
	x, s := &d.export, strings.TrimRight(line.Text, "\r")
	field, indented := strings.CutPrefix(s, "    ")
	if !indented || len(x.entry) > maxEntry {
		d.endVerbose()
		return 0, false
	}
	if name, value, text := strings.Cut(field, "="); text && fieldName(name) {
		x.entry = append(append(append(x.entry, '"'), name...), `":`...)
		x.set(value)
	}
	x.line = *line
	x.line.Text, x.line.Cursor = "", strings.Clone(line.Cursor)
	return Pending, true
}

// endVerbose makes the entry that has come available to Pop.
func (d *Decoder) endVerbose() {
	x := &d.export
	object := string(append(x.entry, '}'))
	r := record{line: x.line}
	*x = export{entry: x.entry[:0]}
	if d.json(&r.line, object, &r.env) == Ready {
		r.env.Host, r.env.Program, r.env.Text = strings.Clone(r.env.Host), strings.Clone(r.env.Program), strings.Clone(r.env.Text)
		d.ready = append(d.ready, r)
	}
}
