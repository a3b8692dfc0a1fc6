package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// birth reads "client={client}⟦, sasl_method=M, sasl_username=U⟧…", with which
// smtpd gives a message its queue id. A login counts only directly behind the
// client, as does the client that XFORWARD told: sasl_sender, which may follow, is
// what any client cares to say. With a content filter before the queue there is no
// id; the line then tells of the session alone.
//
// Source: smtpd/smtpd.c mail_open_stream.
func (g *Grammar) birth(pid int32, id, rest string, rec *relaylens.Record) relaylens.Verdict {
	ev := &rec.Event
	rest, ok := g.client(pid, rest, ev)
	if !ok {
		return relaylens.Malformed
	}
	ev.QueueID = id
	if origin, ok := strings.CutPrefix(rest, ", orig_client="); ok {
		original(origin, ev)
	} else if rest = cutAuth(rest, ev); ev.User != "" {
		ev.Kind = relaylens.KindAuthOK
	}
	if after, ok := strings.CutPrefix(rest, ", orig_queue_id="); ok && id != "" {
		if parent, after, _ := strings.Cut(after, ", "); queueID(parent) {
			// The message came back from a content filter: what is known of it is
			// known under its first id.
			*ev = relaylens.Event{QueueID: parent}
			if origin, ok := strings.CutPrefix(after, "orig_client="); ok {
				original(origin, ev)
			}
			rec.Fact, rec.Child = relaylens.FactChild, id
			return relaylens.Parsed
		}
	}
	rec.Fact = relaylens.FactMessage
	return relaylens.Parsed
}

// cutAuth reads "⟦, sasl_method=M, sasl_username=U⟧".
func cutAuth(s string, ev *relaylens.Event) (rest string) {
	after, ok := strings.CutPrefix(s, ", sasl_method=")
	if !ok {
		return s
	}
	n := methodLen(after)
	login, ok := strings.CutPrefix(after[n:], ", sasl_username=")
	if !ok || n == 0 {
		return s
	}
	end := loginLen(login)
	if end > 0 {
		ev.User, ev.AuthMethod = login[:end], after[:n]
	}
	return login[end:]
}

// original reads the client that a proxy or a content filter told with XFORWARD:
// it takes the place of the filter, unless the filter did not know it.
func original(origin string, ev *relaylens.Event) {
	var e relaylens.Event
	if rest, ok := cutClient(origin, &e); ok && rest == "" && e.ClientIP.IsValid() {
		ev.ClientIP, ev.ClientName, ev.ClientPort = e.ClientIP, e.ClientName, e.ClientPort
	}
}

// loginLen is the length of a login up to the first field that can follow it.
func loginLen(s string) int {
	end := len(s)
	if strings.IndexByte(s, ',') < 0 { // as of nearly all
		return end
	}
	for _, next := range [...]string{", sasl_sender=", ", orig_queue_id=", ", orig_client="} {
		if i := strings.Index(s[:end], next); i >= 0 {
			end = i
		}
	}
	return end
}

// queue reads the lines of qmgr, pickup, bounce and postsuper.
//
// Source: qmgr/qmgr_active.c, pickup/pickup.c, bounce/bounce_notify_util.c,
// postsuper/postsuper.c.
func queue(id, rest string, rec *relaylens.Record) relaylens.Verdict {
	if id == "" || rest == "" {
		return relaylens.Ignored
	}
	ev := &rec.Event
	switch rest[0] {
	case 'r':
		if removed(rest) {
			ev.QueueID, rec.Fact = id, relaylens.FactMessageEnd
			return relaylens.Parsed
		}
	case 'f':
		return active(id, rest, rec)
	case 'u':
		return pickedUp(id, rest, rec)
	case 's', 'p':
		return notification(id, rest, rec)
	}
	return relaylens.Ignored
}

// removed reports whether a message left the queue.
func removed(rest string) bool { return rest == "removed" || strings.HasPrefix(rest, "removed (") }

// active reads "from=<S>, size=n, nrcpt=n (queue active)": the message was taken.
// It recurs with every attempt to deliver.
func active(id, rest string, rec *relaylens.Record) relaylens.Verdict {
	sender, ok := activeSender(rest)
	if !ok {
		return relaylens.Ignored
	}
	ev := &rec.Event
	ev.QueueID = id
	ev.SetSender(sender)
	rec.Fact = relaylens.FactMessage
	if !ofProbe(sender) {
		ev.Kind = relaylens.KindAccepted
	}
	return relaylens.Parsed
}

// activeSender is the sender of a message that was taken.
func activeSender(rest string) (sender string, ok bool) {
	const begin, end = "from=<", " (queue active)"
	if !strings.HasPrefix(rest, begin) || !strings.HasSuffix(rest, end) {
		return "", false
	}
	sender, after, ok := cutAddr(rest[len(begin):])
	if ok && strings.HasPrefix(after, ", size=") {
		return sender, true
	}
	// Unquoted: nothing but numbers follows the address.
	i := strings.LastIndex(rest, ">, size=")
	if i < 0 {
		return "", false
	}
	return rest[len(begin):max(len(begin), i)], true
}

// ofProbe reports whether a message only asks whether an address can be mailed to.
func ofProbe(sender string) bool { return strings.HasPrefix(sender, "double-bounce@") }

// pickedUp reads "uid=n from=<S>⟦ orig_id=Q⟧": a local submission, or a message
// that postsuper put back.
func pickedUp(id, rest string, rec *relaylens.Record) relaylens.Verdict {
	rest, ok := strings.CutPrefix(rest, "uid=")
	n := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	rest, found := strings.CutPrefix(rest[n:], " from=<")
	if !ok || !found || n == 0 {
		return relaylens.Ignored
	}
	ev := &rec.Event
	sender, after, ok := cutAddr(rest)
	if parent, again := strings.CutPrefix(after, " orig_id="); ok && again && queueID(parent) {
		ev.QueueID, rec.Fact, rec.Child = parent, relaylens.FactChild, id
		return relaylens.Parsed
	}
	ev.QueueID, rec.Fact = id, relaylens.FactMessage
	if ok && after == "" {
		ev.SetSender(sender)
	}
	return relaylens.Parsed
}

// notification reads "sender non-delivery notification: Q" and its kin.
func notification(id, rest string, rec *relaylens.Record) relaylens.Verdict {
	i := strings.Index(rest, " notification: ")
	if i < 0 || !strings.HasPrefix(rest, "sender ") && !strings.HasPrefix(rest, "postmaster ") {
		return relaylens.Ignored
	}
	child := rest[i+len(" notification: "):]
	if !queueID(child) {
		return relaylens.Ignored
	}
	rec.Event.QueueID, rec.Fact, rec.Child = id, relaylens.FactChild, child
	return relaylens.Parsed
}
