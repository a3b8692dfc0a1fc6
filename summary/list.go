package summary

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
)

// ListFormat is how a list of events is written, named as in journalctl -o.
type ListFormat string

const (
	ListShort      ListFormat = "short"       // a line, time as syslog writes it
	ListShortISO   ListFormat = "short-iso"   // a line, time as in RFC 3339
	ListVerbose    ListFormat = "verbose"     // every field on a line of its own
	ListJSON       ListFormat = "json"        // an object a line
	ListJSONPretty ListFormat = "json-pretty" // an object on several lines
	ListCat        ListFormat = "cat"         // the reply's text alone
)

// ListFormats lists every format.
func ListFormats() []string {
	return []string{string(ListShort), string(ListShortISO), string(ListVerbose), string(ListJSON), string(ListJSONPretty), string(ListCat)}
}

// ParseListFormat reads the name of a format.
func ParseListFormat(name string) (ListFormat, error) {
	for _, f := range ListFormats() {
		if f == name {
			return ListFormat(f), nil
		}
	}
	return "", fmt.Errorf("unknown output %q; choose one of %s", name, strings.Join(ListFormats(), ", "))
}

// JSON reports whether the format is made for programs.
func (f ListFormat) JSON() bool { return f == ListJSON || f == ListJSONPretty }

// Listing writes events one after the other.
type Listing struct {
	Format ListFormat
	// Location is the zone of the times; nil is the log's own.
	Location *time.Location
	// Color marks what was refused for good and for now, for a terminal.
	Color bool
}

// Append adds e and a newline.
func (l *Listing) Append(dst []byte, e *relaylens.Event) []byte {
	if l.Location != nil {
		local := *e
		local.Time = e.Time.In(l.Location)
		e = &local
	}
	switch l.Format {
	case ListJSON:
		dst = e.AppendJSON(dst)
	case ListJSONPretty:
		dst = appendPretty(dst, e)
	case ListCat:
		dst = relaylens.AppendEscaped(dst, e.Text, 0)
	case ListVerbose:
		return l.appendVerbose(dst, e)
	case ListShortISO:
		dst = l.appendLine(append(e.AppendTime(dst), ' '), e)
	default:
		dst = l.appendLine(e.Time.AppendFormat(dst, "Jan _2 15:04:05 "), e)
	}
	return append(dst, '\n')
}

const (
	colorOff    = "\x1b[0m"
	colorRed    = "\x1b[31m"
	colorYellow = "\x1b[33m"
	colorBold   = "\x1b[1m"
)

func (l *Listing) appendLine(dst []byte, e *relaylens.Event) []byte {
	dst = append(appendOrigin(dst, e), ": "...)
	if !l.Color {
		return AppendMessage(dst, e)
	}
	color := colorOff
	switch {
	case !e.Refusal():
	case e.ReplyClass() == relaylens.Class4xx:
		color = colorYellow
	default:
		color = colorRed
	}
	return append(AppendMessage(append(dst, color...), e), colorOff...)
}

func (l *Listing) appendVerbose(dst []byte, e *relaylens.Event) []byte {
	on, off := "", ""
	if l.Color {
		on, off = colorBold, colorOff
	}
	dst = e.Time.AppendFormat(append(dst, on...), "Mon 2006-01-02 15:04:05.000000 MST [")
	dst = append(append(dst, relaylens.CursorOf(e).String()...), ']')
	dst = append(append(dst, off...), '\n')
	for _, name := range relaylens.FieldNames() {
		value := e.MatchField(name)
		if value == "" && !(name == "sender" && e.NullSender) {
			continue
		}
		dst = append(append(append(dst, "    "...), name...), '=')
		dst = append(relaylens.AppendEscaped(dst, value, 0), '\n')
	}
	return dst
}

func appendPretty(dst []byte, e *relaylens.Event) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, e.AppendJSON(nil), "", "\t"); err != nil {
		return e.AppendJSON(dst)
	}
	return append(dst, b.Bytes()...)
}
