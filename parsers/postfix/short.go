package postfix

import (
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens"
)

// Short says what a line tells of which there are many, and that tells little.
type Short uint8

// What short lines tell stands in the fields of an event that are named here.
const (
	ShortNone    Short = iota // it is to be parsed
	ShortIgnored              // nothing
	ShortCame                 // a client came: ClientIP, ClientName, ClientPort
	ShortLeft                 // a client left: the same and Text
	ShortRemoved              // a message is done with: QueueID
	ShortPassed               // a client passed postscreen: ClientIP, ClientPort
	ShortBorn                 // a message has its id: QueueID, ClientIP, ClientName, ClientPort, User, AuthMethod
	ShortActive               // a message was taken: QueueID, Sender, NullSender
	ShortSent                 // a message was delivered: QueueID, Recipient, RemoteHost, RemoteIP, Enhanced, Text
)

// Lines are those of a program that has short ones.
type Lines daemon

// LinesNone are those of all other programs.
const LinesNone = Lines(daemonOther)

// LinesOf are those of a program.
func LinesOf(program string) Lines {
	switch d := daemonOf(program); d {
	case daemonSMTPD, daemonPostscreen, daemonDelivery, daemonCleanup, daemonQueue:
		if len(program) != tagCut {
			return Lines(d)
		}
	}
	return LinesNone
}

// Short reads a line by its first words. A short one tells what Parse makes of it.
func (r *Reader) Short(of Lines, pid int32, text string, ev *relaylens.Event) Short {
	switch daemon(of) {
	case daemonSMTPD:
		return r.grammar.shortSMTPD(pid, text, ev)
	case daemonPostscreen:
		return shortPostscreen(text, ev)
	case daemonDelivery:
		return shortDelivery(text, ev)
	case daemonCleanup:
		return shortCleanup(text)
	case daemonQueue:
		return shortQueue(text, ev)
	}
	return ShortNone
}

// shortSMTPD is of who came or left, TLS and lost clients. They begin with no queue id, which
// has no vowels.
func (g *Grammar) shortSMTPD(pid int32, text string, ev *relaylens.Event) Short {
	switch text[:min(len(text), 8)] {
	case "Anonymou", "Trusted ", "Untruste", "SSL_acce", "lost con", "timeout ":
		return ShortIgnored
	case "NOQUEUE:", "warning:":
	case "connect ", "disconne":
		if len(text) > maxRecord {
			return ShortNone
		}
		ev.ClientName, ev.ClientPort, ev.Text = "", 0, ""
		switch fact, ok := g.visit(pid, text, ev); {
		case !ok:
		case fact == relaylens.FactSession:
			return ShortCame
		default:
			return ShortLeft
		}
	default:
		return g.shortBirth(pid, text, ev)
	}
	return ShortNone
}

// shortBirth is of a message whose client is no other server of the site's.
func (g *Grammar) shortBirth(pid int32, text string, ev *relaylens.Event) Short {
	id, rest, ok := cutID(text)
	if !ok || len(text) > maxRecord {
		return ShortNone
	}
	if rest, ok = strings.CutPrefix(rest, "client="); !ok {
		return ShortNone
	}
	ev.ClientName, ev.ClientPort, ev.User, ev.AuthMethod = "", 0, "", ""
	if rest, ok = g.client(pid, rest, ev); !ok || !ev.ClientIP.IsValid() || id == noQueue {
		return ShortNone
	}
	if rest = cutAuth(rest, ev); rest != "" {
		return ShortNone
	}
	ev.QueueID = id
	return ShortBorn
}

func shortPostscreen(text string, ev *relaylens.Event) Short {
	switch {
	case strings.HasPrefix(text, "CONNECT "):
		return ShortIgnored
	case strings.HasPrefix(text, "PASS ") && len(text) <= maxRecord:
		if ev.ClientPort = 0; passed(text, ev) && ev.ClientPort != 0 {
			return ShortPassed
		}
	}
	return ShortNone
}

// shortDelivery is of lines about TLS, and of what was delivered.
func shortDelivery(text string, ev *relaylens.Event) Short {
	if strings.HasPrefix(text, "Trusted ") || strings.HasPrefix(text, "Untruste") {
		return ShortIgnored
	}
	id, rest, ok := cutID(text)
	if !ok || len(text) > maxRecord || id == noQueue || !strings.HasPrefix(rest, "to=<") {
		return ShortNone
	}
	var o outcome
	if o.read(rest) != relaylens.Parsed || o.status != "sent" {
		return ShortNone
	}
	ev.RemoteHost, ev.RemoteIP = "", netip.Addr{}
	o.sent(ev)
	ev.QueueID = id
	return ShortSent
}

// shortCleanup is of "{Q}: message-id=…".
func shortCleanup(text string) Short {
	i := strings.IndexByte(text, ':')
	if i >= 6 && text[0] < 'a' && strings.HasPrefix(text[i+1:], " message-id=") {
		return ShortIgnored
	}
	return ShortNone
}

// shortQueue is of messages that were taken, and of those that left.
func shortQueue(text string, ev *relaylens.Event) Short {
	last := text[len(text)-1]
	if last != 'd' && last != ')' || len(text) > maxRecord {
		return ShortNone
	}
	id, rest, ok := cutID(text)
	if !ok || id == noQueue {
		return ShortNone
	}
	ev.QueueID = id
	if rest == "removed" {
		return ShortRemoved
	}
	sender, ok := activeSender(rest)
	if !ok || ofProbe(sender) {
		return ShortNone
	}
	ev.SetSender(sender)
	return ShortActive
}
