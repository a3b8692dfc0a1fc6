package summary

import (
	"strconv"

	"github.com/relaylens/relaylens"
)

// maxShown is how much of one text of the client's a listing shows.
const maxShown = 256

// AppendShort adds e as one line in the manner of journalctl's short output:
//
//	Nov 21 18:26:44 mx1 smtpd[13839]: relay_denied 554 5.7.1 client=203.0.113.9 from=<a@example.com> to=<b@example.net> "Relay access denied" cause=unknown
func AppendShort(dst []byte, e *relaylens.Event) []byte {
	dst = e.Time.AppendFormat(dst, "Jan _2 15:04:05 ")
	return AppendMessage(append(appendOrigin(dst, e), ": "...), e)
}

// appendOrigin adds the host and the program that wrote the line.
func appendOrigin(dst []byte, e *relaylens.Event) []byte {
	if e.Host != "" {
		dst = append(relaylens.AppendEscaped(dst, e.Host, maxShown), ' ')
	}
	service := e.Service
	if service == "" {
		service = e.MTA.String()
	}
	dst = relaylens.AppendEscaped(dst, service, maxShown)
	if e.PID != 0 {
		dst = append(strconv.AppendInt(append(dst, '['), int64(e.PID), 10), ']')
	}
	return dst
}

// AppendMessage adds what a short line says behind time, host and program.
func AppendMessage(dst []byte, e *relaylens.Event) []byte {
	if e.Direction == relaylens.Outbound {
		dst = append(dst, "remote "...)
	}
	dst = append(dst, e.Kind.String()...)
	if e.Action != relaylens.ActionRefuse {
		dst = append(append(append(dst, " ("...), e.Action.String()...), ')')
	}
	if e.Reason != relaylens.ReasonNone {
		dst = append(append(dst, '/'), e.Reason.String()...)
	}
	return appendDetails(dst, e)
}

func appendDetails(dst []byte, e *relaylens.Event) []byte {
	if e.Code != 0 {
		dst = strconv.AppendUint(append(dst, ' '), uint64(e.Code), 10)
	}
	if e.Enhanced != "" {
		dst = relaylens.AppendEscaped(append(dst, ' '), e.Enhanced, maxShown)
	}
	if e.ClientIP.IsValid() {
		dst = e.ClientIP.AppendTo(append(dst, " client="...))
	}
	if e.ClientName != "" {
		dst = append(relaylens.AppendEscaped(append(dst, '('), e.ClientName, maxShown), ')')
	}
	dst = appendText(dst, " user=", e.User, "")
	if e.HasSender() {
		dst = append(relaylens.AppendEscaped(append(dst, " from=<"...), e.Sender, maxShown), '>')
	}
	dst = appendText(dst, " to=<", e.Recipient, ">")
	if e.RemoteHost != "" || e.RemoteIP.IsValid() {
		dst = relaylens.AppendEscaped(append(dst, " remote="...), e.RemoteHost, maxShown)
		if e.RemoteIP.IsValid() {
			dst = append(e.RemoteIP.AppendTo(append(dst, '[')), ']')
		}
	}
	dst = appendText(dst, ` "`, e.Text, `"`)
	if e.Cause != relaylens.CauseNone {
		dst = append(append(dst, " cause="...), e.Cause.String()...)
	}
	return dst
}

func appendText(dst []byte, before, text, after string) []byte {
	if text == "" {
		return dst
	}
	dst = append(dst, before...)
	dst = relaylens.AppendEscaped(dst, text, maxShown)
	return append(dst, after...)
}
