package syslog

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// table is what the first line of a stream says of all that follow: the names of the
// columns of an export, or how macOS shows its log.
type table struct {
	looked    bool // for it
	form      tableForm
	heading   string
	separator byte
	columns   []string // as shippers call the fields; "" where it is none of theirs
	within    int      // so many lines may still belong to a value that began on another one
}

type tableForm uint8

const (
	tableNone tableForm = iota
	tableSeparated
	// log show, by its --style.
	tableMac
	tableMacSyslog
	tableMacCompact
)

const (
	maxColumns = 64   // that are read
	maxWithin  = 1000 // lines of one value: its end was lost
)

// beginTable reads the first line of a stream, if it names columns: those of Graylog, Kibana,
// Splunk, Grafana and CloudWatch Insights, by commas, semicolons or tabs; or of macOS.
func (d *Decoder) beginTable(s string) bool {
	t := &d.table
	if rest, ok := strings.CutPrefix(s, "Timestamp "); ok && t.beginMac(strings.Fields(rest)) {
		return true
	}
	for _, separator := range [...]byte{',', ';', '\t'} {
		var cells [maxColumns]string
		n, ok := d.cells(s, separator, cells[:])
		var probe shipped
		timed := false
		for i := range n {
			name := columnField(cells[i])
			ok = ok && cells[i] != "" && strings.IndexByte(cells[i], '"') < 0
			switch field := probe.field(name); field {
			case nil:
				name = ""
			case &probe.reported, &probe.indexed:
				timed = true
			case &probe.text, &probe.original:
				*field = "x"
			}
			cells[i] = name
		}
		if ok && n > 1 && timed && probe.text+probe.original != "" {
			for _, name := range cells[:n] {
				t.columns = append(t.columns, strings.Clone(name))
			}
			t.form, t.heading, t.separator = tableSeparated, strings.Clone(s), separator
			return true
		}
	}
	return false
}

// columnField is what shippers call what exports call otherwise.
func columnField(name string) string {
	switch name = strings.ToLower(name); name {
	case "source":
		return "host" // of Graylog
	case "tsns":
		return "timestamp" // of Grafana
	}
	return name
}

// row reads a line of a table.
func (d *Decoder) row(line *relaylens.Line, s string, env *relaylens.Envelope) Status {
	t := &d.table
	switch {
	case t.form != tableSeparated:
		return d.mac(line, s, env)
	case t.within > 0:
		if t.within--; strings.Count(s, `"`)%2 == 1 {
			t.within = 0
		}
		return Malformed
	case s == t.heading: // of another part of the export
		return Blank
	}
	var cells [maxColumns]string
	n, ok := d.cells(s, t.separator, cells[:])
	if !ok && strings.Count(s, `"`)%2 == 1 {
		t.within = maxWithin
	}
	if !ok || n != len(t.columns) {
		return Malformed
	}
	var f shipped
	for i, name := range t.columns {
		if field := f.field(name); field != nil && *field == "" {
			*field = cells[i]
		}
	}
	if _, _, timed := d.moment(f.reported); !timed && !d.framed(f.text) && !d.framed(f.original) {
		if _, _, timed = d.moment(f.indexed); !timed {
			return Malformed
		}
	}
	return d.told(line, &f, env)
}

// cells are the values of a row (RFC 4180), how many there are, and whether they are well
// formed. A quote that a client wrote stands there twice, so that it ends none.
func (d *Decoder) cells(s string, separator byte, into []string) (n int, ok bool) {
	for ; n < len(into); n++ {
		if s == "" || s[0] != '"' {
			end := strings.IndexByte(s, separator)
			last := end < 0
			if last {
				end = len(s)
			}
			if into[n] = s[:end]; last || strings.IndexByte(into[n], '"') >= 0 {
				return n + 1, strings.IndexByte(into[n], '"') < 0
			}
			s = s[end+1:]
			continue
		}
		if into[n], s, ok = d.quoted(s); !ok || s == "" {
			return n + 1, ok
		}
		if s[0] != separator {
			return n, false
		}
		s = s[1:]
	}
	return n, false
}

// quoted is the value in quotes that s begins with, and what follows it.
func (d *Decoder) quoted(s string) (value, rest string, ok bool) {
	end, doubled := 1, false
	for ; end < len(s); end++ {
		if s[end] == '"' {
			if end+1 == len(s) || s[end+1] != '"' {
				break
			}
			doubled = true
			end++
		}
	}
	if end >= len(s) {
		return "", "", false
	}
	value, rest = s[1:end], s[end+1:]
	if !doubled {
		return value, rest, true
	}
	start := len(d.scratch)
	for i := 0; i < len(value); i++ {
		if d.scratch = append(d.scratch, value[i]); value[i] == '"' {
			i++ // of two
		}
	}
	return alias(d.scratch[start:]), rest, true
}

// papertrail reads a line of Papertrail's archives behind the first column, the id of the
// event: generated_at, received_at, source_id, source_name, source_ip, facility, severity,
// program, message. ok is false when it is none.
func (d *Decoder) papertrail(line *relaylens.Line, s string, env *relaylens.Envelope) (st Status, ok bool) {
	var columns [8]string
	for i := range columns {
		if columns[i], s, ok = strings.Cut(s, "\t"); !ok {
			return 0, false
		}
	}
	program, pid, _ := strings.Cut(columns[7], "[")
	f := shipped{reported: columns[0], host: columns[3], program: program, pid: strings.TrimSuffix(pid, "]"), text: s}
	if _, _, ok = d.moment(f.reported); !ok {
		return 0, false
	}
	return d.told(line, &f, env), true
}

// awsText reads a line of aws logs get-log-events or filter-log-events --output text, behind
// "EVENTS". The columns are in the order of their names: [eventId,] ingestionTime,
// [logStreamName,] message, timestamp.
func (d *Decoder) awsText(line *relaylens.Line, s string, env *relaylens.Envelope) Status {
	first, rest, _ := strings.Cut(s, "\t")
	const milliseconds = len("1735787045000")
	if len(first) > milliseconds {
		_, rest, _ = strings.Cut(rest, "\t")
		_, rest, _ = strings.Cut(rest, "\t")
	}
	at := strings.LastIndexByte(rest, '\t')
	if at < 0 {
		return Malformed
	}
	f := shipped{text: rest[:at], indexed: rest[at+1:]}
	if _, _, ok := d.moment(f.indexed); !ok {
		return Malformed
	}
	return d.told(line, &f, env)
}
