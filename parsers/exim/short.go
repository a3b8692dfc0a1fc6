package exim

import (
	"net/netip"

	"github.com/relaylens/relaylens"
)

// Short says what a line tells of which there are many, and that tells little.
type Short uint8

// What short lines tell stands in the fields of an event that are named here.
const (
	ShortNone Short = iota // it is to be parsed
	ShortDone              // a message is done with: QueueID
	ShortSent              // a message was delivered: QueueID, Recipient, RemoteHost, RemoteIP
)

// ReadShort reads a line by its first words. A short one tells what Parse makes of it.
func ReadShort(text string, e *relaylens.Event) Short {
	id, text := cutID(text)
	if id == "" || len(text) < 4 {
		return ShortNone
	}
	e.QueueID = id
	switch text[:3] {
	case "Com":
		if text == "Completed" {
			return ShortDone
		}
	case "=> ", "-> ", ">> ", "*> ":
		e.Sender, e.NullSender, e.RemoteHost, e.RemoteIP = "", false, "", netip.Addr{}
		if rest, ok := cutRecipient(text[3:], e); ok && !e.HasSender() {
			setRemoteHost(rest, e)
			return ShortSent
		}
	}
	return ShortNone
}
