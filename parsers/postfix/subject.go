package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// stripSubject removes the name that the text begins with: one of the fields, the
// client or the command, and what is said of it must suit it. ok is false when
// two names suit: one of them was made up to look like the other with its text.
func stripSubject(body, where string, f *fields, ev *relaylens.Event) (why string, ok bool) {
	if body == "" || body[0] != '<' {
		return body, true
	}
	why = body
	found := func(rest string, suits bool) {
		switch {
		case !suits || len(rest) == len(why):
		case len(why) == len(body):
			why, ok = rest, true
		default:
			ok = false
		}
	}
	if rest, is := cutSubject(body, f.recipient); is && f.hasRecipient {
		found(rest, rest == relayDenied || rest == lookupFailure || strings.HasPrefix(rest, "Recipient address "))
	}
	if rest, is := cutSubject(body, f.sender); is && f.hasSender {
		found(rest, rest == lookupFailure || strings.HasPrefix(rest, "Sender address "))
	}
	if rest, is := cutSubject(body, f.helo); is {
		found(rest, strings.HasPrefix(rest, "Helo command "))
	}
	if rest, is := cutSubject(body, where); is {
		found(rest, strings.HasPrefix(rest, "Data command ") || strings.HasPrefix(rest, "End-of-data "))
	}
	if rest, is := strings.CutPrefix(body[1:], ev.ClientName); is && ev.ClientName != "" && strings.HasPrefix(rest, "[") {
		if _, after, is := strings.Cut(rest, "]>: "); is {
			found(after, strings.HasPrefix(after, "Client host ") || strings.HasPrefix(after, "Unverified Client host "))
		}
	}
	if len(why) < len(body) {
		return why, ok
	}
	// An access map's key, or a rewritten address: the class behind it tells.
	if i := strings.LastIndex(body, ">: "); i >= 0 {
		return body[i+3:], true
	}
	return body, true
}
