package postfix

import (
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
		return shortDelivery(text)
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
	}
	return ShortNone
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

// shortDelivery is of lines about TLS.
func shortDelivery(text string) Short {
	if strings.HasPrefix(text, "Trusted ") || strings.HasPrefix(text, "Untruste") {
		return ShortIgnored
	}
	return ShortNone
}

// shortCleanup is of "{Q}: message-id=…".
func shortCleanup(text string) Short {
	i := strings.IndexByte(text, ':')
	if i >= 6 && text[0] < 'a' && strings.HasPrefix(text[i+1:], " message-id=") {
		return ShortIgnored
	}
	return ShortNone
}

func shortQueue(text string, ev *relaylens.Event) Short {
	if text[len(text)-1] != 'd' || len(text) > maxRecord {
		return ShortNone
	}
	id, rest, ok := cutID(text)
	if !ok || id == noQueue || rest != "removed" {
		return ShortNone
	}
	ev.QueueID = id
	return ShortRemoved
}
