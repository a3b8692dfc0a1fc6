package syslog

import (
	"encoding/binary"
	"strings"

	"github.com/relaylens/relaylens"
)

// export is an entry of journalctl -o export of which some lines have come. A field
// is a line, unless it is no text: then a line has its name alone, and behind it
// stand a length of eight bytes and so many bytes, which may hold newlines.
//
// Source: systemd, docs/JOURNAL_EXPORT_FORMATS.md
type export struct {
	entry  []byte // as journalctl -o json would write it; empty between entries
	value  []byte // what has come of the bytes of a field
	binary bool   // such bytes are to come
	form   form
	line   relaylens.Line // the last one of an entry that only the next one ends

	// Of an array: how far its objects are indented, -1 before the first; whether one has
	// begun; and whether the array is over, and the object around it is not.
	indent       int
	open, closed bool
}

// form is how an entry of several lines is written.
type form uint8

const (
	formExport  form = iota
	formPretty       // journalctl -o json-pretty: an object, whose members are indented
	formVerbose      // journalctl -o verbose: a stamp, and fields that are indented
	formArray        // objects like those of formPretty, one behind the other
)

const (
	exportStart = "__CURSOR="
	// maxEntry is where an entry is given up: journald's own have some dozens of fields.
	maxEntry = 4 * relaylens.MaxLine
)

// exported reads a line within an entry, which an empty line ends. ok is false
// when the line is of no entry: the one before it has lost its end.
func (d *Decoder) exported(line *relaylens.Line, env *relaylens.Envelope) (st Status, ok bool) {
	x := &d.export
	switch {
	case x.form == formPretty:
		return d.pretty(line, env)
	case x.form == formVerbose:
		return d.verbose(line)
	case x.form == formArray:
		return d.element(line, env)
	case x.binary:
		return x.more(line.Text), true
	}
	if line.Text == "" {
		start := len(d.scratch)
		d.scratch = append(append(d.scratch, x.entry...), '}')
		x.entry = x.entry[:0]
		return d.json(line, alias(d.scratch[start:]), env), true
	}
	name, value, text := strings.Cut(line.Text, "=")
	if !fieldName(name) || len(x.entry) > maxEntry {
		x.entry = x.entry[:0]
		return 0, false
	}
	if text && name+"=" == exportStart {
		x.entry = append(x.entry[:0], '{')
	}
	x.entry = append(append(append(x.entry, '"'), name...), `":`...)
	if text {
		x.set(value)
	} else {
		x.binary, x.value = true, x.value[:0]
	}
	return Pending, true
}

// more takes in a line of a field's bytes.
func (x *export) more(s string) Status {
	const size = 8
	x.value = append(x.value, s...)
	if len(x.value) >= size {
		n := binary.LittleEndian.Uint64(x.value)
		if n > relaylens.MaxLine {
			*x = export{}
			return Malformed
		}
		if uint64(len(x.value)-size) >= n {
			x.set(alias(x.value[size : size+n]))
			x.binary = false
			return Pending
		}
	}
	x.value = append(x.value, '\n') // it ended the line, and is one of the bytes
	return Pending
}

// set appends a value to the entry.
func (x *export) set(value string) {
	x.entry = append(x.entry, '"')
	if len(x.entry)+2*len(value) <= maxEntry {
		for i := range len(value) {
			if value[i] == '"' || value[i] == '\\' {
				x.entry = append(x.entry, '\\')
			}
			x.entry = append(x.entry, value[i])
		}
	}
	x.entry = append(x.entry, `",`...)
}

// fieldName reports whether s may name a field: capital letters, digits and
// underscores.
func fieldName(s string) bool {
	const longest = 64
	for i := range len(s) {
		if c := s[i]; !digit(c) && c != '_' && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != "" && len(s) <= longest
}
