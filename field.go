package relaylens

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"
)

// field is one column of an event: its name in JSON, in matches and in listings,
// and how its value is written. append adds nothing when the value is unknown.
type field struct {
	name   string
	bare   bool // a JSON number
	append func(dst []byte, e *Event) []byte
}

// fields is the event's JSON form, in order.
var fields = []field{
	{"id", false, func(b []byte, e *Event) []byte {
		if e.ID.IsZero() {
			return b
		}
		return append(b, e.ID.String()...)
	}},
	{"time", false, func(b []byte, e *Event) []byte { return e.AppendTime(b) }},
	{"host", false, func(b []byte, e *Event) []byte { return append(b, e.Host...) }},
	{"mta", false, func(b []byte, e *Event) []byte { return append(b, e.MTA.String()...) }},
	{"service", false, func(b []byte, e *Event) []byte { return append(b, e.Service...) }},
	{"pid", true, func(b []byte, e *Event) []byte { return appendInt(b, int64(e.PID)) }},
	{"queue_id", false, func(b []byte, e *Event) []byte { return append(b, e.QueueID...) }},
	{"kind", false, func(b []byte, e *Event) []byte { return append(b, e.Kind.String()...) }},
	{"direction", false, func(b []byte, e *Event) []byte { return append(b, e.Direction.String()...) }},
	{"stage", false, func(b []byte, e *Event) []byte { return append(b, e.Stage.String()...) }},
	{"reason", false, func(b []byte, e *Event) []byte { return append(b, e.Reason.String()...) }},
	{"cause", false, func(b []byte, e *Event) []byte { return append(b, e.Cause.String()...) }},
	{"action", false, func(b []byte, e *Event) []byte {
		if e.Action == ActionRefuse {
			return b
		}
		return append(b, e.Action.String()...)
	}},
	{"client_ip", false, func(b []byte, e *Event) []byte { return appendAddr(b, e.ClientIP) }},
	{"client_name", false, func(b []byte, e *Event) []byte { return append(b, e.ClientName...) }},
	{"client_port", true, func(b []byte, e *Event) []byte { return appendInt(b, int64(e.ClientPort)) }},
	{"helo", false, func(b []byte, e *Event) []byte { return append(b, e.Helo...) }},
	{"proto", false, func(b []byte, e *Event) []byte { return append(b, e.Proto...) }},
	{"user", false, func(b []byte, e *Event) []byte { return append(b, e.User...) }},
	{"auth_method", false, func(b []byte, e *Event) []byte { return append(b, e.AuthMethod...) }},
	{"sender", false, func(b []byte, e *Event) []byte { return append(b, e.Sender...) }},
	{"recipient", false, func(b []byte, e *Event) []byte { return append(b, e.Recipient...) }},
	{"code", true, func(b []byte, e *Event) []byte { return appendInt(b, int64(e.Code)) }},
	{"class", false, func(b []byte, e *Event) []byte { return append(b, e.ReplyClass().String()...) }},
	{"enhanced", false, func(b []byte, e *Event) []byte { return append(b, e.Enhanced...) }},
	{"text", false, func(b []byte, e *Event) []byte { return append(b, e.Text...) }},
	{"remote_host", false, func(b []byte, e *Event) []byte { return append(b, e.RemoteHost...) }},
	{"remote_ip", false, func(b []byte, e *Event) []byte { return appendAddr(b, e.RemoteIP) }},
	{"source", false, func(b []byte, e *Event) []byte { return append(b, e.Source...) }},
	{"line", true, func(b []byte, e *Event) []byte { return appendInt(b, e.Line) }},
	{"offset", true, func(b []byte, e *Event) []byte {
		if e.Source == "" {
			return b
		}
		return strconv.AppendInt(b, e.Offset, 10)
	}},
	{"raw", false, func(b []byte, e *Event) []byte { return append(b, e.Raw...) }},
}

func appendInt(b []byte, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(b, n, 10)
}

func appendAddr(b []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return b
	}
	return a.WithZone("").AppendTo(b)
}

// AppendTime adds e.Time in RFC 3339 with the log's own resolution and zone.
func (e *Event) AppendTime(b []byte) []byte {
	if e.Time.IsZero() {
		return b
	}
	layout := time.RFC3339
	switch {
	case e.TimeDigits > 6:
		layout = "2006-01-02T15:04:05.000000000Z07:00"
	case e.TimeDigits > 3:
		layout = "2006-01-02T15:04:05.000000Z07:00"
	case e.TimeDigits > 0:
		layout = "2006-01-02T15:04:05.000Z07:00"
	}
	return e.Time.AppendFormat(b, layout)
}

// FieldNames lists the names of the fields in the order of the JSON form.
func FieldNames() []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// Field is the text of the named field, empty when the event does not have it.
func (e *Event) Field(name string) (string, error) {
	for _, f := range fields {
		if f.name == name {
			return string(f.append(nil, e)), nil
		}
	}
	return "", fmt.Errorf("unknown field %q", name)
}

// AppendJSON adds the event as one JSON object without a newline. Fields the
// log does not tell are left out; a null sender is "sender":"". Bytes that are
// not UTF-8 become U+FFFD, which keeps the output valid JSON.
func (e *Event) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	var stack [256]byte
	for i := range fields {
		f := &fields[i]
		value := f.append(stack[:0], e)
		if len(value) == 0 && !(f.name == "sender" && e.NullSender) {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, f.name...)
		dst = append(dst, '"', ':')
		if f.bare {
			dst = append(dst, value...)
		} else {
			dst = appendJSONString(dst, value)
		}
	}
	return append(dst, '}')
}

// MarshalJSON implements [encoding/json.Marshaler].
func (e *Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil), nil }

// appendJSONString quotes s. Control characters and DEL are escaped, so that a
// terminal shows them instead of obeying them; so are <, > and &, so that the
// output can stand in a page.
func appendJSONString(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for len(s) > 0 {
		c := s[0]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c == 0x7f || c == '<' || c == '>' || c == '&':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRune(s)
			dst = appendRune(dst, r)
			s = s[n:]
			continue
		}
		s = s[1:]
	}
	return append(dst, '"')
}
