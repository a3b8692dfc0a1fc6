package syslog

import (
	"cmp"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/jsonscan"
)

// shipped are the values of an object that a log shipper or a log store made of a line:
// the line itself, or its text beside what stood before it. Each has names of its own for
// the same: Elastic's common schema and Logstash, rsyslog's jsonmesg and its templates,
// Fluentd and Fluent Bit, Vector, Graylog's GELF, Loki, Splunk, macOS, and the clouds' own.
type shipped struct {
	text, original     string // original is the whole line, where text may be part of it
	program, pid, host string
	tag                string // "postfix/smtpd[1234]:"
	reported, indexed  string // time by the log's own stamp, and of its reading
	piece              string // F or P, as in CRI
	path               string // of the program's file, on macOS
	list               string // an array of such objects
	level              int    // how deep the object is within others
}

// maxNested is how deep an object may be in others: "hits" of Elasticsearch have the
// fields in "_source", and those of the common schema have objects again.
const maxNested = 4

// nestedIn says under which name the members of a nested object are known.
func nestedIn(parent, name string) (prefix string, ok bool) {
	switch name {
	case "_source", "result", "fields", "jsonPayload", "data", "parsed", "entry":
		return "", parent == ""
	case "host", "process", "event", "labels", "resource", "hits":
		return name + ".", parent == ""
	case "log":
		return "log.", parent == ""
	case "syslog":
		return "syslog.", parent == "" || parent == "log."
	}
	return "", false
}

// set takes in a member that has a name of none of those that write journals or
// Docker's own files.
func (s *shipped) set(parent, name, value string) {
	if value != "" && value[0] == '{' {
		if prefix, ok := nestedIn(parent, name); ok && s.level < maxNested {
			s.members(prefix, value)
		}
		return
	}
	if value != "" && value[0] == '[' {
		switch parent + name {
		case "events", "logEvents", "hits.hits":
			s.list = value
		}
		return
	}
	if field := s.field(parent + name); field != nil && *field == "" {
		*field = value
	}
}

// field is where the value of a name belongs, nil where it is of no interest.
func (s *shipped) field(name string) *string {
	switch name {
	case "message", "msg", "short_message", "line", "textPayload", "_raw", "@message", "log.message", "eventMessage":
		return &s.text
	case "event.original", "rawmsg", "original":
		return &s.original
	case "program", "programname", "appname", "app-name", "app_name", "ident", "application_name", "_application_name",
		"syslog_program", "syslog_identifier", "process.name", "syslog.appname":
		return &s.program
	case "processImagePath":
		return &s.path
	case "syslogtag", "tag":
		return &s.tag
	case "pid", "procid", "process_id", "_process_id", "syslog_pid", "process.pid", "syslog.procid", "processID":
		return &s.pid
	case "host", "hostname", "logsource", "sysloghost", "syslog_hostname", "host.hostname", "host.name", "syslog.hostname", "labels.host", "labels.hostname":
		return &s.host
	case "timereported", "timestamp", "date":
		return &s.reported
	case "@timestamp", "time", "timegenerated", "_time":
		return &s.indexed
	case "logtag":
		return &s.piece
	}
	return nil
}

// members takes in what is in an object.
func (s *shipped) members(prefix, object string) {
	s.level++
	for i := 1; ; {
		name, value, next, ok := jsonscan.Member(object, i)
		if !ok || next == 0 {
			break
		}
		s.set(prefix, name, value)
		i = next
	}
	s.level--
}

// shipped decodes what a shipper made of a line.
func (d *Decoder) shipped(line *relaylens.Line, f *fields, env *relaylens.Envelope) Status {
	s := f.shipped
	if s.text = cmp.Or(s.text, f.log); s.text != "" && digit(s.text[0]) {
		return Malformed // a number is no text
	}
	for _, value := range [...]*string{&s.text, &s.original, &s.program, &s.pid, &s.host, &s.tag, &s.reported, &s.indexed, &s.piece, &s.path} {
		*value = d.text(*value)
	}
	if s.program == "" {
		s.program = macProgram(s.path)
	}
	return d.told(line, &s, env)
}

// told decodes what was told of a line, of which the values are no JSON any more.
func (d *Decoder) told(line *relaylens.Line, s *shipped, env *relaylens.Envelope) Status {
	if t, digits, ok := d.moment(s.reported); ok {
		env.Time, env.TimeDigits = t, digits
	} else if t, digits, ok := d.moment(s.indexed); ok {
		env.Time, env.TimeDigits = t, digits
	}
	env.Host = s.host
	program, pid := s.program, parsePID(s.pid)
	if s.tag != "" {
		var e relaylens.Envelope
		if cutTag(s.tag, &e) && e.Text == "" { // rsyslog cuts the program's name at a slash elsewhere
			program, pid = e.Program, e.PID
		}
	}
	text := s.text
	if program == "" && s.original != "" && !d.framed(text) {
		text = s.original
	}
	text = strings.TrimRight(text, "\r\n")
	if !env.Time.IsZero() {
		d.reference = env.Time
	}
	if n := len(env.Host); program == "" && n > 0 && len(text) > n && text[n] == ' ' && text[:n] == env.Host {
		text = text[n+1:] // Graylog leaves the host in the text
	}
	exim := len(text) > len(isoLayout) && text[4] == '-' && text[10] == ' ' // its own stamp, within the text
	if program == "" || d.framed(text) && !exim {
		complete := s.piece != "P"
		return d.container(line, 'o', text, complete, env)
	}
	text, _, _ = strings.Cut(text, "\n")
	env.Program, env.PID, env.Text = program, pid, trimMessage(strings.TrimSuffix(text, "\r"))
	return d.finish(line, env)
}

// framed reports whether s begins as a line of a log file does.
func (d *Decoder) framed(s string) bool {
	if s != "" && s[0] == '<' {
		_, ok := cutPriority(s)
		return ok
	}
	return d.stamped(s)
}

// moment reads a time as shippers write it: a stamp, or the seconds since 1970 or
// thousandths, millionths or billionths of them.
func (d *Decoder) moment(s string) (t time.Time, digits uint8, ok bool) {
	if len(s) < len("1735787045") {
		return t, 0, false
	}
	if st, ok := d.clock.iso(s); ok {
		return d.clock.at(&st), st.digits, true
	}
	if t, digits, n := d.clock.bsd(s+" ", d.reference); n > 0 {
		return t, digits, true
	}
	whole := 0
	for whole < len(s) && digit(s[whole]) {
		whole++
	}
	n := int64(0)
	for i := range min(whole, 19) {
		n = n*10 + int64(s[i]-'0')
	}
	switch nsec, digits, end := fraction(s, whole); {
	case whole == 10 && end == len(s):
		return time.Unix(n, int64(nsec)).UTC(), digits, true
	case end != whole || whole != len(s):
	case whole == 13:
		return time.UnixMilli(n).UTC(), 3, true
	case whole == 16:
		return time.UnixMicro(n).UTC(), 6, true
	case whole == 19:
		return time.Unix(0, n).UTC(), 9, true
	}
	return t, 0, false
}

// fluentd reads what follows the stamp in Fluentd's own files: "{tag}" and an object, behind
// tabs. ok is false when it is none.
func (d *Decoder) fluentd(line *relaylens.Line, s string, st stamp, env *relaylens.Envelope) (status Status, ok bool) {
	if s[st.n] != '\t' {
		return 0, false
	}
	_, object, _ := strings.Cut(s[st.n+1:], "\t")
	if !strings.HasPrefix(object, "{") {
		return 0, false
	}
	env.Time, env.TimeDigits = d.clock.at(&st), st.digits
	return d.json(line, object, env), true
}
