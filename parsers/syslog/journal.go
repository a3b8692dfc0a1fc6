package syslog

import (
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/jsonscan"
)

// What stands before an object in journalctl -o json-seq (RFC 7464) and json-sse.
const (
	recordSeparator = 0x1e
	eventData       = "data: "
)

// document reads a line that may be an object or an array of them, or begin one. ok is
// false when it is none.
func (d *Decoder) document(line *relaylens.Line, s string, env *relaylens.Envelope) (st Status, ok bool) {
	switch {
	case d.beginIndented(s, 0):
		return Pending, true
	case s[0] == '{':
		return d.json(line, s, env), true
	case strings.HasPrefix(s, "[{"):
		return d.elements(line, s), true
	case s[0] == '[':
		if pod, payload, ok := cutPod(s); ok {
			env.Host = pod
			return d.record(line, payload, env, 1), true
		}
	case s[0] == recordSeparator, strings.HasPrefix(s, eventData):
		if object := strings.TrimPrefix(s[1:], eventData[1:]); strings.HasPrefix(object, "{") {
			return d.json(line, object, env), true
		}
	}
	return 0, false
}

// json reads a line of Docker's json-file, of journalctl -o json, of syslog-ng's
// $(format-json) or of a shipper. All are objects; which it is, their names tell.
func (d *Decoder) json(line *relaylens.Line, s string, env *relaylens.Envelope) Status {
	var f fields
	for i := 1; ; {
		name, value, next, ok := jsonscan.Member(s, i)
		if !ok {
			return Malformed
		}
		if next == 0 {
			break
		}
		f.set(name, value)
		i = next
	}
	switch {
	case f.log != "" && f.stream != "" && f.time != "":
		return d.docker(line, &f, env)
	case f.message != "" || f.realtime != "":
		return d.journal(line, &f, env)
	case f.shipped.text != "" || f.shipped.original != "" || f.log != "":
		return d.shipped(line, &f, env)
	case f.shipped.list != "":
		return d.elements(line, f.shipped.list)
	}
	return Malformed
}

// fields are the values of one object that count, as they stand there.
type fields struct {
	log, stream, time string // Docker

	// systemd.journal-fields(7)
	message, identifier, comm, syslogPID, pid, hostname string
	source, realtime, container, partial, priority      string

	stamp string // of syslog-ng

	shipped shipped
}

func (f *fields) set(name, value string) {
	switch name {
	case "log":
		if value != "" && value[0] == '{' {
			f.shipped.set("", name, value)
			return
		}
		f.log = value
	case "stream":
		f.stream = value
	case "time":
		f.time = value
		f.shipped.set("", name, value)
	case "MESSAGE":
		f.message = value
	case "SYSLOG_IDENTIFIER":
		f.identifier = value
	case "_COMM":
		f.comm = value
	case "SYSLOG_PID":
		f.syslogPID = value
	case "_PID":
		f.pid = value
	case "_HOSTNAME":
		f.hostname = value
	case "_SOURCE_REALTIME_TIMESTAMP":
		f.source = value
	case "__REALTIME_TIMESTAMP":
		f.realtime = value
	case "PRIORITY":
		f.priority = value
	case "CONTAINER_ID":
		f.container = value
	case "CONTAINER_PARTIAL_MESSAGE":
		f.partial = value
	default:
		f.setNG(name, value)
	}
}

// setNG sets what syslog-ng's $(format-json) calls otherwise, unless journald told it.
func (f *fields) setNG(name, value string) {
	var field *string
	switch name {
	case "PROGRAM":
		field = &f.identifier
	case "PID":
		field = &f.syslogPID
	case "HOST":
		field = &f.hostname
	case "ISODATE", "DATE":
		field = &f.stamp
	default:
		f.shipped.set("", name, value)
		return
	}
	if *field == "" || name == "ISODATE" {
		*field = value
	}
}

func (d *Decoder) docker(line *relaylens.Line, f *fields, env *relaylens.Envelope) Status {
	if f.log[0] != '"' {
		return Malformed
	}
	stamped := d.text(f.time)
	if st, ok := d.clock.iso(stamped); ok && st.n == len(stamped) {
		env.Time, env.TimeDigits = d.clock.at(&st), st.digits
		d.reference = env.Time
	}
	payload, complete := strings.CutSuffix(d.text(f.log), "\n")
	stream := byte('o')
	if f.stream == `"stderr"` {
		stream = 'e'
	}
	return d.container(line, stream, payload, complete, env)
}

func (d *Decoder) journal(line *relaylens.Line, f *fields, env *relaylens.Envelope) Status {
	if t, ok := unixMicro(d.text(f.source)); ok {
		env.Time, env.TimeDigits = t, 6
	} else if t, ok := unixMicro(d.text(f.realtime)); ok {
		env.Time, env.TimeDigits = t, 6
	} else if st, ok := d.clock.iso(d.text(f.stamp)); ok {
		env.Time, env.TimeDigits = d.clock.at(&st), st.digits
	} else if t, digits, n := d.clock.bsd(d.text(f.stamp)+" ", d.reference); n > 0 {
		env.Time, env.TimeDigits, d.yearless = t, digits, true
	}
	env.Host = d.text(f.hostname)
	message := d.text(f.message)
	// Docker's and Podman's journald drivers store what a container printed, to
	// stderr as errors.
	if f.container != "" {
		if !env.Time.IsZero() {
			d.reference = env.Time
		}
		stream, complete := byte('o'), d.text(f.partial) != "true"
		if f.priority == `"3"` {
			stream = 'e'
		}
		return d.container(line, stream, message, complete, env)
	}
	if env.Program = d.text(f.identifier); env.Program == "" {
		env.Program = d.text(f.comm)
	}
	if env.PID = parsePID(d.text(f.syslogPID)); env.PID == 0 {
		env.PID = parsePID(d.text(f.pid))
	}
	// The first line is the record, as in the files that journalctl -o short makes.
	message, _, _ = strings.Cut(message, "\n")
	env.Text = trimMessage(strings.TrimSuffix(message, "\r"))
	return d.finish(line, env)
}

func unixMicro(s string) (time.Time, bool) {
	const longest = 17 // the year 5138
	if s == "" || len(s) > longest {
		return time.Time{}, false
	}
	n := int64(0)
	for i := range len(s) {
		if !digit(s[i]) {
			return time.Time{}, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return time.UnixMicro(n).UTC(), true
}
