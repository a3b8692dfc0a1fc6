package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// cleanup reads what happened at the end of a message. The client stands behind
// words of the message itself, so it is left to the queue id, save in the lines
// of milters, where nothing comes before it.
//
// Source: cleanup/cleanup_message.c cleanup_act_log, cleanup_mime_error_callback;
// cleanup/cleanup_milter.c cleanup_milter_apply, cleanup_milter_hbc_log.
func (g *Grammar) cleanup(id, rest string, rec *relaylens.Record) relaylens.Verdict {
	i := strings.IndexByte(rest, ':')
	if i < 4 || i > 28 || i+2 > len(rest) || rest[i+1] != ' ' || id == "" {
		if id != "" && strings.HasPrefix(rest, "removed (") {
			rec.Event.QueueID, rec.Fact = id, relaylens.FactMessageEnd
			return relaylens.Parsed
		}
		return relaylens.Ignored
	}
	word, rest := rest[:i], rest[i+2:]
	milter := strings.HasPrefix(word, "milter-")
	if milter {
		// milter-reject, or milter-header-reject and the like
		word = word[strings.LastIndexByte(word, '-')+1:]
	}
	did, known := cleanupAction(word)
	if !known {
		return relaylens.Ignored
	}
	ev := &rec.Event
	ev.QueueID, ev.Stage, ev.Direction, ev.Action = id, relaylens.StageEOD, relaylens.Inbound, did
	if after, ok := strings.CutPrefix(rest, "END-OF-MESSAGE from "); ok && milter {
		return g.cleanupMilter(after, rec)
	}
	if !contentWord(rest) {
		*ev = relaylens.Event{}
		return relaylens.Ignored
	}
	reason := relaylens.ReasonContent
	if milter {
		reason = relaylens.ReasonMilter
	}
	text, proven := cleanupFields(rest, ev)
	rec.Tainted = !proven
	ev.Enhanced, ev.Text = smtp.CutEnhanced(text)
	ev.Class = classOf(ev.Enhanced)
	ev.Kind, ev.Reason = g.custom(ev.Text, reason)
	return relaylens.Parsed
}

func cleanupAction(word string) (relaylens.Action, bool) {
	switch word {
	case "reject":
		return relaylens.ActionRefuse, true
	case "warning":
		return relaylens.ActionWarn, true
	case "hold":
		return relaylens.ActionHold, true
	case "discard":
		return relaylens.ActionDiscard, true
	}
	return relaylens.ActionRefuse, false
}

// contentWord reports whether s begins with the part of a message that a rule
// was about.
func contentWord(s string) bool {
	word, _, ok := strings.Cut(s, " ")
	if !ok {
		return false
	}
	switch word {
	case "header", "body", "content", "mime-error", "mime-header", "nested-header", "milter-header":
		return true
	}
	return false
}

// cleanupMilter reads a milter's answer to the end of a message; the reply code
// is not logged.
func (g *Grammar) cleanupMilter(rest string, rec *relaylens.Record) relaylens.Verdict {
	ev := &rec.Event
	rest, ok := cutClient(rest, ev)
	rest, found := strings.CutPrefix(rest, ": ")
	if !ok || !found {
		return relaylens.Malformed
	}
	var f fields
	text, proven := split(rest, relaylens.StageEOD, styleSMTPD, 0, &f)
	if proven {
		f.set(ev)
	} else {
		rec.Tainted = true
		text, _, _ = strings.Cut(rest, fromMarker)
	}
	ev.Enhanced, ev.Text = smtp.CutEnhanced(text)
	ev.Class = classOf(ev.Enhanced)
	ev.Kind, ev.Reason = g.custom(ev.Text, relaylens.ReasonMilter)
	rec.Helper = wanted(ev)
	return relaylens.Parsed
}

// cleanupFields reads the envelope at the end of a line that begins with up to
// 200 bytes of the message, and gives the text of the rule. The last place from
// which the fields can be read is theirs: what comes after it is the site's own.
// proven is false when that place is within an address that reads as well: a
// client wrote one of them to look like the other.
func cleanupFields(rest string, ev *relaylens.Event) (text string, proven bool) {
	var f fields
	at, tail := lastFields(rest, len(rest), &f)
	if at < 0 {
		return "", true
	}
	for end := at; end > 0; {
		var other fields
		earlier, behind := lastFields(rest, end, &other)
		if earlier >= 0 && len(rest)-len(behind) > at {
			return "", false
		}
		end = earlier
	}
	if f.recipient == "unknown" {
		f.recipient = ""
	}
	f.set(ev)
	return strings.TrimPrefix(tail, ": "), true
}

// lastFields reads the fields from the last place before end where that is
// possible; at is -1 when there is none. tail is what stands behind them.
func lastFields(rest string, end int, f *fields) (at int, tail string) {
	for {
		if at = strings.LastIndex(rest[:end], fromMarker); at < 0 {
			return at, ""
		}
		*f = fields{}
		tail, ok := cutFields(rest[at+1:], styleCleanup, f)
		if ok && (tail == "" || strings.HasPrefix(tail, ": ")) {
			return at, tail
		}
		end = at
	}
}

func classOf(enhanced string) relaylens.Class {
	if strings.HasPrefix(enhanced, "4") {
		return relaylens.Class4xx
	}
	return relaylens.Class5xx
}

// cleanupWarning reads "warning: {id}: message rejected: …" and what kept a message from being stored.
func cleanupWarning(id, rest string, rec *relaylens.Record) relaylens.Verdict {
	ev := &rec.Event
	if why, ok := strings.CutPrefix(rest, "message rejected: "); ok {
		ev.QueueID = id
		refuse(ev, relaylens.StageEOD, relaylens.ReasonContent, relaylens.Class5xx, why)
		return relaylens.Parsed
	}
	unwritten := strings.HasPrefix(rest, "write queue file: ")
	if !unwritten && !strings.HasSuffix(rest, notTaken) {
		return relaylens.Ignored
	}
	ev.QueueID = id
	refuse(ev, relaylens.StageEOD, relaylens.ReasonResources, relaylens.Class4xx, rest)
	if unwritten {
		ev.RemoteHost = relaylens.Disk
	} else if table, _, ok := strings.Cut(rest, " map lookup problem"); ok {
		rec.Helper, ev.RemoteHost = relaylens.HelperTable, oneName(table)
	}
	return relaylens.Parsed
}

// notTaken ends the warnings of a message that cannot be taken for now: a table does
// not answer, or makes more of an address than there may be.
//
// Source: cleanup/cleanup_map1n.c, cleanup_map11.c, cleanup_addr.c, cleanup_message.c,
// cleanup_milter.c.
const notTaken = "message not accepted, try again later"
