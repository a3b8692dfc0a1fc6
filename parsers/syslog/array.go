package syslog

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/jsonscan"
)

// maxElements is how many objects of one line are read. So many fit into it when each
// has a text of a log.
const maxElements = 1024

// elements reads the objects of an array that is on one line. Each becomes available to
// Pop, as a line of its own that stands where the object does.
func (d *Decoder) elements(line *relaylens.Line, array string) Status {
	if d.inArray {
		return Malformed
	}
	d.inArray = true
	read := 0
	for i, n := 1, 0; n < maxElements; n++ {
		i = jsonscan.Space(array, i)
		end := jsonscan.Value(array, i)
		if end == 0 {
			break
		}
		r := record{line: *line}
		r.line.Cursor, r.line.Text, r.line.Offset = strings.Clone(line.Cursor), strings.Clone(array[i:end]), line.Offset+int64(i)
		if array[i] == '{' && d.json(&r.line, r.line.Text, &r.env) == Ready {
			r.env.Host, r.env.Program, r.env.Text = strings.Clone(r.env.Host), strings.Clone(r.env.Program), strings.Clone(r.env.Text)
			d.ready = append(d.ready, r)
			read++
		}
		if i = jsonscan.Space(array, end); i == len(array) || array[i] != ',' {
			break
		}
		i++
	}
	d.inArray = false
	if read == 0 {
		return Malformed
	}
	return Pending
}

// beginArray starts an array whose objects are on lines of their own, as the command lines of
// clouds, jq and macOS write them. It may stand in an object, of which the rest is left out.
func (x *export) beginArray(s string) {
	x.form, x.entry, x.indent = formArray, append(x.entry[:0], '['), -1
	if strings.HasSuffix(s, "{") {
		x.indent, x.open = 0, true
		x.entry[0] = '{'
	}
}

// element reads a line within such an array. ok is false when the line belongs to none: the
// array has lost its end.
func (d *Decoder) element(line *relaylens.Line, env *relaylens.Envelope) (st Status, ok bool) {
	x, s := &d.export, strings.TrimRight(line.Text, " \t\r")
	text := strings.TrimLeft(s, " \t")
	indent := len(s) - len(text)
	switch {
	case x.open && indent == x.indent && text != "" && text[0] == '}':
		start := len(d.scratch)
		d.scratch = append(append(d.scratch, x.entry...), '}')
		x.open = strings.HasSuffix(text, "{")
		if x.entry = append(x.entry[:0], '{'); strings.HasSuffix(text, "]") {
			x.end(indent)
		}
		return d.json(line, alias(d.scratch[start:]), env), true
	case x.open:
		if ok = indent > x.indent && len(x.entry) <= maxEntry; ok {
			x.entry = append(append(x.entry, s...), '\n')
		}
	case x.closed:
		if ok = indent > 0; !ok && (text == "}" || text == "]") {
			x.end(0)
			return Blank, true
		}
	case text == "{" && (x.indent < 0 || x.indent == indent):
		x.entry, x.indent, x.open, ok = append(x.entry[:0], '{'), indent, true, true
	case strings.HasPrefix(text, "{"):
		return d.json(line, text, env), true
	case text == "]" || text == "],":
		x.end(indent)
		return Blank, true
	}
	if !ok {
		*x = export{entry: x.entry[:0]}
		return 0, false
	}
	return Pending, true
}

// end is the end of an array. What follows it, if it was indented, is the rest of the object
// that it stands in.
func (x *export) end(indent int) {
	if *x = (export{form: formArray, entry: x.entry[:0], closed: indent > 0}); x.closed {
		x.entry = append(x.entry, ']')
	}
}
