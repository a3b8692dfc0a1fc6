package relaylens

import (
	"net/netip"
	"strings"
)

// Event reports whether the condition holds for e.
func (c *Condition) Event(e *Event) bool {
	switch c.Op {
	case OpRange:
		n, known := numberOf(e, c.Column)
		return known && n >= c.Low && n <= c.High
	case OpNetwork:
		a := addressOf(e, c.Column)
		return a.IsValid() && c.Network.Contains(a)
	case OpAbsent:
		return absent(e, c.Column)
	case OpDomain:
		s := ValidText(textOf(e, c.Column))
		head, ok := strings.CutSuffix(s, c.Text)
		return ok && (head == "" || strings.HasSuffix(head, "."))
	}
	if c.Column == "sender" && c.Text == "" {
		return e.NullSender
	}
	return ValidText(textOf(e, c.Column)) == c.Text
}

func absent(e *Event, column string) bool {
	switch column {
	case "pid", "client_port", "code", "line", "offset":
		_, known := numberOf(e, column)
		return !known
	case "client_ip", "remote_ip":
		return !addressOf(e, column).IsValid()
	}
	return textOf(e, column) == ""
}

func numberOf(e *Event, column string) (n int64, known bool) {
	switch column {
	case "pid":
		n = int64(e.PID)
	case "client_port":
		n = int64(e.ClientPort)
	case "code":
		n = int64(e.Code)
	case "line":
		n = e.Line
	case "offset":
		return e.Offset, e.Source != ""
	case "time":
		return e.Time.UnixNano(), !e.Time.IsZero()
	}
	return n, n != 0
}

func addressOf(e *Event, column string) netip.Addr {
	a := e.ClientIP
	if column == "remote_ip" {
		a = e.RemoteIP
	}
	return a.Unmap().WithZone("")
}

func textOf(e *Event, column string) string {
	switch column {
	case "id":
		return e.ID.String()
	case "host":
		return e.Host
	case "service":
		return e.Service
	case "queue_id":
		return e.QueueID
	case "client_name":
		return e.ClientName
	case "helo":
		return e.Helo
	case "proto":
		return e.Proto
	case "user":
		return e.User
	case "auth_method":
		return e.AuthMethod
	case "sender":
		return e.Sender
	case "recipient":
		return e.Recipient
	case "sender_domain":
		return e.SenderDomain()
	case "recipient_domain":
		return e.RecipientDomain()
	case "enhanced":
		return e.Enhanced
	case "text":
		return e.Text
	case "remote_host":
		return e.RemoteHost
	case "source":
		return e.Source
	case "raw":
		return e.Raw
	}
	return wordOf(e, column)
}

// wordOf is a field whose values are a closed list.
func wordOf(e *Event, column string) string {
	switch column {
	case "mta":
		return e.MTA.String()
	case "kind":
		return e.Kind.String()
	case "direction":
		return e.Direction.String()
	case "stage":
		return e.Stage.String()
	case "reason":
		return e.Reason.String()
	case "cause":
		return e.Cause.String()
	case "action":
		return e.Action.String()
	case "class":
		return e.ReplyClass().String()
	}
	return ""
}

// MatchField is the text of a field of [MatchFields], empty when the event does
// not have it.
func (e *Event) MatchField(name string) string {
	switch name {
	case "sender_domain", "recipient_domain", "action":
		return textOf(e, name)
	case "client_net":
		if p := NetworkOf(e.ClientIP); p.IsValid() {
			return p.String()
		}
		return ""
	}
	text, err := e.Field(name)
	if err != nil {
		return ""
	}
	return text
}
