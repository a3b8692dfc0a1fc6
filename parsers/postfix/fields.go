package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// fields are what stands behind the text of a rejection.
type fields struct {
	sender, recipient       string
	hasSender, hasRecipient bool
	proto, helo             string
	method, user            string
}

// style is how a program writes the fields.
type style uint8

const (
	styleSMTPD      style = iota // " from=<S> to=<R> proto=P helo=<H>", then the login
	styleRawHelo                 // the same, but the HELO argument is as the client sent it
	stylePostscreen              // commas between the fields, the HELO argument as sent
	styleCleanup                 // as smtpd; ": text" may follow
)

// longLine is near the 2000 bytes at which Postfix cuts a record: a longer one
// may end in the middle of a field.
//
// Source: util/msg_syslog.c, MSG_SYSLOG_RECLEN.
const longLine = 1900

// maxRecord is more than Postfix writes. What goes on is another's, and is left out:
// the places where a client's words may end are tried one by one.
const maxRecord = 2048

// cutFields reads the fields in their order from s, each with the separator in
// front of it, and gives what is left. ok is false when a field cannot be read.
//
// Source: smtpd/smtpd_check.c log_whatsup; smtpd/smtpd.c smtpd_whatsup;
// postscreen/postscreen_smtpd.c psc_rcpt_cmd; cleanup/cleanup_message.c.
func cutFields(s string, st style, f *fields) (rest string, ok bool) {
	comma := st == stylePostscreen
	if v, found := strings.CutPrefix(s, " from=<"); found {
		if f.sender, s, ok = cutAddr(v); !ok {
			return s, false
		}
		f.hasSender = true
		s = cutComma(s, comma)
	}
	if v, found := strings.CutPrefix(s, " to=<"); found {
		if f.recipient, s, ok = cutAddr(v); !ok {
			return s, false
		}
		f.hasRecipient = true
		s = cutComma(s, comma)
	}
	if v, found := strings.CutPrefix(s, " proto="); found {
		n := 0
		for n < len(v) && v[n] >= 'A' && v[n] <= 'Z' {
			n++
		}
		if n == 0 {
			return s, false
		}
		f.proto, s = v[:n], cutComma(v[n:], comma)
	}
	if v, found := strings.CutPrefix(s, " helo=<"); found {
		if st == styleRawHelo || comma {
			return cutRawHelo(v, f)
		}
		end := smtp.PlainLength(v)
		for end < len(v) && v[end] != '>' && v[end] != ' ' && v[end] != '<' && v[end] != '"' {
			end++
		}
		if end == len(v) || v[end] != '>' {
			return s, false
		}
		f.helo, s = v[:end], v[end+1:]
	}
	return s, true
}

func cutComma(s string, comma bool) string {
	if comma && s != "" && s[0] == ',' {
		return s[1:]
	}
	return s
}

// cutRawHelo takes all that is left: nothing follows a HELO argument that was
// not made harmless, save in lines of milters the login of an earlier session
// state, which is not to be had from here.
func cutRawHelo(v string, f *fields) (rest string, ok bool) {
	if v == "" || v[len(v)-1] != '>' {
		return v, false
	}
	f.helo = v[:len(v)-1]
	return "", true
}

// cutLogin reads the login behind the fields. Postfix 3.10 and later write
// " sasl_method=M sasl_username=U", milter lines " sasl_username=<U>". A user
// counts only directly behind a method: sasl_sender, which follows, is what any
// client cares to say.
func cutLogin(s string, f *fields) bool {
	if s == "" {
		return true
	}
	if v, ok := strings.CutPrefix(s, " sasl_username=<"); ok {
		if v == "" || v[len(v)-1] != '>' {
			return false
		}
		f.user = v[:len(v)-1]
		return true
	}
	if v, ok := strings.CutPrefix(s, " sasl_method="); ok {
		n := methodLen(v)
		if n == 0 {
			return false
		}
		method := v[:n]
		s = v[n:]
		if user, ok := strings.CutPrefix(s, " sasl_username="); ok {
			f.method = method
			f.user, _, _ = strings.Cut(user, " sasl_sender=")
			return true
		}
	} else if v, ok := strings.CutPrefix(s, " sasl_username="); ok {
		return v != ""
	}
	return s == "" || strings.HasPrefix(s, " sasl_sender=")
}

// methodLen is the length of the SASL mechanism name that s begins with.
func methodLen(s string) int {
	n := 0
	for n < len(s) && (s[n] >= 'A' && s[n] <= 'Z' || s[n] >= 'a' && s[n] <= 'z' || s[n] >= '0' && s[n] <= '9' || s[n] == '-' || s[n] == '_') {
		n++
	}
	return n
}

// readFields reads the whole of s as fields.
func readFields(s string, st style, whole int, f *fields) bool {
	rest, ok := cutFields(s, st, f)
	if ok {
		ok = cutLogin(rest, f)
		if !ok && strings.HasPrefix(rest, " ") && whole >= longLine && strings.IndexByte(rest[1:], ' ') < 0 {
			return true // cut in the middle of a field's name
		}
		return ok
	}
	return whole >= longLine && cutShort(rest)
}

// cutShort reports whether s, in which a field could not be read, is the head of
// one field and nothing else.
func cutShort(s string) bool {
	if i := strings.Index(s, "=<"); i >= 0 && i < 6 {
		s = s[i+2:]
	}
	return !strings.ContainsAny(s, "> ") || strings.HasPrefix(s, `"`) && !strings.Contains(s, `" `)
}

// set copies what was read into ev. Before MAIL no sender, recipient or login
// can be known, whatever the line seems to say.
func (f *fields) set(ev *relaylens.Event) {
	ev.Proto, ev.Helo = f.proto, f.helo
	switch ev.Stage {
	case relaylens.StageConnect, relaylens.StageHelo:
		return
	case relaylens.StageMail:
		f.recipient = ""
	default:
	}
	if f.hasSender {
		ev.SetSender(f.sender)
	}
	ev.Recipient = f.recipient
	ev.User, ev.AuthMethod = f.user, f.method
}
