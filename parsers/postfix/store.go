package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// notStored reads why a new message waits that this server cannot hand to what it has on the
// same machine: the mailboxes' directory, a program, a service behind a socket or on the
// loopback. What becomes of one that waits already tells of a mailbox that is broken as well.
// A quota is its user's.
//
// Source: virtual/mailbox.c, virtual/maildir.c, local/mailbox.c, local/maildir.c,
// local/alias.c; pipe/pipe.c eval_command_status; smtp/smtp_connect.c, smtp/smtp_trouble.c;
// qmgr/qmgr_deliver.c.
func (o *outcome) notStored(ev *relaylens.Event) bool {
	name := ""
	switch o.relay {
	case "none":
		name = ownPeer(strings.TrimPrefix(o.reason, "delivery temporarily suspended: "))
	case "local", "virtual":
		if systemError(o.reason) || o.reason == "alias database unavailable" || strings.HasPrefix(o.reason, "temporary failure. Command output: ") {
			name = o.relay
		}
	default:
		if strings.HasPrefix(o.reason, "temporary failure") && strings.IndexByte(o.relay, '[') < 0 { // pipe, under the name of its service
			name = oneName(o.relay)
		}
	}
	if o.reason == "mail transport unavailable" && o.relay == "none" && o.young() { // in the words of qmgr's own error service
		ev.Kind, ev.Text, ev.RemoteHost = relaylens.KindBackendError, o.reason, relaylens.Service+"transport"
		return true
	}
	if name == "" || !o.young() || ofQuota(o.reason) {
		return false
	}
	ev.Kind, ev.Text, ev.RemoteHost = relaylens.KindBackendError, o.reason, relaylens.Store+name
	return true
}

// ownPeer is where on this machine nobody answers: a socket, or an address of the loopback
// with its port.
func ownPeer(reason string) string {
	for _, p := range [...]string{"connect to ", "lost connection with ", "conversation with "} {
		rest, ok := strings.CutPrefix(reason, p)
		if !ok {
			continue
		}
		name, rest, _ := strings.Cut(rest, "[")
		at, rest, closed := strings.Cut(rest, "]")
		if !closed || strings.IndexByte(name, ' ') >= 0 {
			return ""
		}
		if strings.HasPrefix(at, "private/") || strings.HasPrefix(at, "public/") || strings.HasPrefix(at, "/") {
			return oneName(at)
		}
		if ip, ok := smtp.ParseIP(at); !ok || !ip.IsLoopback() {
			return ""
		}
		n := 0
		if strings.HasPrefix(rest, ":") {
			for n = 1; n < len(rest) && rest[n] >= '0' && rest[n] <= '9'; {
				n++
			}
		}
		if rest[:n] == ":25" {
			return "" // where anybody's MX record may point to
		}
		return at + rest[:n]
	}
	return ""
}

// systemError reports whether a reason ends with what the system says of a file.
func systemError(reason string) bool {
	for _, e := range [...]string{": Permission denied", ": No space left on device", ": Read-only file system", ": No such file or directory", ": Not a directory",
		": Input/output error", ": Stale file handle", ": Transport endpoint is not connected", ": Too many open files", ": Too many open files in system", ": Cannot allocate memory"} {
		if strings.HasSuffix(reason, e) {
			return true
		}
	}
	return false
}

// ofQuota reports whether a mailbox is full, as those say that have the mailboxes.
func ofQuota(reason string) bool {
	return strings.Contains(reason, "uota") || strings.Contains(reason, "ailbox is full") || strings.Contains(reason, "ailbox full")
}

// young reports whether a message came within the last minutes, by how long it was on its way.
func (o *outcome) young() bool {
	_, delay, ok := strings.Cut(o.fields, ", delay=")
	n := 0
	for n < len(delay) && delay[n] >= '0' && delay[n] <= '9' {
		n++
	}
	return ok && n > 0 && (n < 3 || n == 3 && delay[0] < '3')
}
