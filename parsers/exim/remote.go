package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// remoteError is what another server answered to which command.
type remoteError struct {
	stage relaylens.Stage
	reply string
	apart bool // it is one recipient's answer to the message
}

// remoteMark begins what transports/smtp.c says of a reply to SMTP or LMTP,
// socketMark what transports/lmtp.c says of one from a socket or a program.
// PRDR is answered for each recipient, as LMTP is.
const (
	remoteMark = "MTP error from remote mail server after "
	socketMark = "MTP error after "
	prdrMark   = "RDR error after "
)

// remoteErrorAt finds one of the marks, or -1.
func remoteErrorAt(s string) int {
	for _, mark := range [...]string{remoteMark, socketMark, prdrMark} {
		if i := strings.Index(s, mark); i >= 0 {
			return i
		}
	}
	return -1
}

// cutRemoteError reads "SMTP error from remote mail server after CMD: reply".
// The addresses in CMD are read by their quotes.
// transports/smtp.c, check_response
func cutRemoteError(s string) (r remoteError, ok bool) {
	if s == "" {
		return r, false
	}
	s, ok = strings.CutPrefix(s[1:], remoteMark)
	if !ok {
		if s, ok = strings.CutPrefix(s, socketMark); !ok {
			if s, ok = strings.CutPrefix(s, prdrMark); !ok {
				return r, false
			}
		}
		r.apart = hasAnyPrefix(s, "DATA:", "BDAT ", "end of data:")
	}
	s = strings.TrimPrefix(s, "pipelined ")
	switch {
	case strings.HasPrefix(s, "MAIL FROM:"):
		r.stage, s = relaylens.StageMail, afterPath(s[len("MAIL FROM:"):])
	case strings.HasPrefix(s, "RCPT TO:"):
		r.stage, s = relaylens.StageRcpt, afterPath(s[len("RCPT TO:"):])
	case strings.HasPrefix(s, "initial connection"):
		r.stage = relaylens.StageConnect
	case hasAnyPrefix(s, "EHLO", "HELO", "LHLO", "STARTTLS"):
		r.stage = relaylens.StageHelo
	case strings.HasPrefix(s, "AUTH"):
		r.stage = relaylens.StageAuth
	case strings.HasPrefix(s, "DATA"):
		r.stage = relaylens.StageData
	case hasAnyPrefix(s, "end of data", "sending data", "sending final", "BDAT", "message"):
		r.stage = relaylens.StageEOD
	}
	_, r.reply, ok = strings.Cut(s, ": ")
	if rest, named := strings.CutPrefix(r.reply, "host "); ok && named {
		// Exim before 4.90 named the server here.
		if _, after, isHost := cutHost(rest); isHost && strings.HasPrefix(after, ": ") {
			r.reply = after[2:]
		}
	}
	return r, ok
}

func afterPath(s string) string {
	if _, rest, ok := smtp.CutPath(s); ok {
		return rest
	}
	return s
}

// setReply makes an outbound refusal of what another server answered; false
// when it answered with no reply code or refused nothing.
func (r *remoteError) setReply(e *relaylens.Event) bool {
	code, enhanced, text := smtp.CutReply(r.reply)
	if code < 400 {
		return false
	}
	e.Stage, e.Code, e.Enhanced = r.stage, code, enhanced
	e.Text, _ = smtp.CutSubject(text, e.Recipient)
	e.Kind, e.Reason = smtp.Remote(code, enhanced, e.Text)
	if r.stage == relaylens.StageAuth {
		e.Kind, e.Reason = relaylens.KindAuthFailed, smtp.AuthReason(code)
	}
	return true
}
