package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// What the fields begin with: with the first that is known.
const (
	fromMarker  = "; from=<"
	toMarker    = "; to=<"
	protoMarker = "; proto="
)

// split parts what follows the client of a rejection into the server's text and
// the fields. Either may hold words of the client that look like the other.
// proven is false when more than one reading is left; text is then all of rest.
func split(rest string, stage relaylens.Stage, st style, whole int, f *fields) (text string, proven bool) {
	const marker = fromMarker
	switch stage {
	case relaylens.StageConnect, relaylens.StageHelo, relaylens.StageAuth, relaylens.StageEtrn:
		return splitEarly(rest, st, whole, f)
	case relaylens.StageVrfy, relaylens.StageNone: // at any time of the session
		if strings.Contains(rest, toMarker) || strings.Contains(rest, protoMarker) {
			return splitEarly(rest, st, whole, f)
		}
	default:
	}
	i := strings.Index(rest, marker)
	if i < 0 {
		return splitEarly(rest, st, whole, f)
	}
	if st == stylePostscreen || !strings.Contains(rest[i+1:], marker) {
		// Nothing of the client's is in postscreen's own texts.
		if readFields(rest[i+1:], st, whole, f) {
			if whole >= longLine && !f.hasRecipient {
				mend(rest[:i], rest[i:], f)
			}
			return rest[:i], true
		}
		return splitLoose(rest, f)
	}
	if text, ok := splitAgreeing(rest, st, whole, f); ok {
		return text, true
	}
	return splitLoose(rest, f)
}

// mend takes the recipient from the text when the line was cut in the middle of
// its field: both begin alike.
func mend(text, tail string, f *fields) {
	_, cut, ok := strings.Cut(tail, " to=<")
	_, _, body := smtp.CutReply(text)
	i := strings.Index(body, ">: ")
	if !ok || i < 1 || body[0] != '<' || strings.ContainsAny(body[1:i], `"<> \`) || !strings.HasPrefix(body[1:i], cut) {
		return
	}
	if why := body[i+3:]; why == relayDenied || strings.HasPrefix(why, recipientRule.prefix) {
		f.recipient, f.hasRecipient = body[1:i], true
	}
}

// splitEarly splits where no sender is logged: before MAIL. The HELO argument may hold anything at that stage.
func splitEarly(rest string, st style, whole int, f *fields) (text string, proven bool) {
	for _, marker := range [...]string{toMarker, protoMarker} {
		i := strings.Index(rest, marker)
		if i < 0 {
			continue
		}
		if !strings.Contains(rest[i+1:], marker) && readFields(rest[i+1:], st, whole, f) {
			return rest[:i], true
		}
		*f = fields{}
		if st == styleRawHelo {
			return splitHelo(rest, f)
		}
		return rest, false
	}
	return strings.TrimSuffix(rest, ";"), true
}

// splitHelo splits where the HELO argument, as the client sent it, stands both in
// the text and in the fields: at the one place where both are the same.
func splitHelo(rest string, f *fields) (text string, proven bool) {
	found := 0
	for from := 0; ; {
		i := strings.Index(rest[from:], protoMarker)
		if i < 0 {
			break
		}
		at := from + i
		var g fields
		if _, ok := cutFields(rest[at+1:], styleRawHelo, &g); ok {
			_, _, body := smtp.CutReply(rest[:at])
			if why, same := cutSubject(body, g.helo); same && strings.HasPrefix(why, heloRule.prefix) {
				found++
				text, *f = rest[:at], g
			}
		}
		from = at + 1
	}
	if found != 1 {
		*f = fields{}
		return rest, false
	}
	return text, true
}

// splitAgreeing tries every place where the fields could begin. The right one is
// found when everything can be read to the end of the line from there alone, or
// when the text before it, and no other, says nothing but why the address in the
// fields was refused.
func splitAgreeing(rest string, st style, whole int, f *fields) (text string, ok bool) {
	var readable, tight int
	var loosely, tightly fields
	var looseText, tightText string
	for at := strings.Index(rest, fromMarker); at >= 0; {
		var g fields
		if readFields(rest[at+1:], st, whole, &g) {
			readable++
			why, same := agrees(rest[:at], &g)
			if same {
				looseText, loosely = rest[:at], g
			}
			if same && !strings.Contains(why, fromMarker) {
				tight++
				tightText, tightly = rest[:at], g
			}
		}
		next := strings.Index(rest[at+1:], fromMarker)
		if next < 0 {
			break
		}
		at += 1 + next
	}
	switch {
	case readable == 1 && looseText != "":
		*f = loosely
		return looseText, true
	case tight == 1:
		*f = tightly
		return tightText, true
	}
	*f = fields{}
	return rest, false
}

// agrees reports whether the address that text begins with is one of the fields,
// and what text says of it. A text that begins with none agrees with any.
func agrees(text string, f *fields) (why string, ok bool) {
	_, _, body := smtp.CutReply(text)
	if body == "" || body[0] != '<' {
		return body, true
	}
	if why, ok = cutSubject(body, f.recipient); ok && f.hasRecipient {
		return why, true
	}
	if why, ok = cutSubject(body, f.sender); ok && f.hasSender {
		return why, true
	}
	if why, ok = cutSubject(body, f.helo); ok && strings.HasPrefix(why, heloRule.prefix) {
		return why, true
	}
	for _, command := range [...]string{"DATA", "END-OF-MESSAGE"} {
		if why, ok = cutSubject(body, command); ok {
			return why, true
		}
	}
	return "", false
}

// splitLoose reads lines with unquoted addresses, as Postfix 3.4 writes them:
// the address that the text begins with must stand in the fields again, letter
// by letter, and in one place only.
func splitLoose(rest string, f *fields) (text string, proven bool) {
	*f = fields{}
	_, _, body := smtp.CutReply(rest)
	if body == "" || body[0] != '<' {
		return rest, false
	}
	found := 0
	for from := 1; ; {
		i := strings.Index(body[from:], ">: ")
		if i < 0 {
			break
		}
		at := from + i
		var g fields
		if end, ok := loose(body[1:at], body[at+3:], &g); ok {
			found++
			text, *f = rest[:len(rest)-len(body)+at+3+end], g
		}
		from = at + 1
	}
	if found != 1 {
		*f = fields{}
		return rest, false
	}
	return text, true
}

// loose reads why, what follows "<address>: ", and gives where its text ends.
func loose(address, why string, f *fields) (end int, ok bool) {
	switch {
	case strings.HasPrefix(why, relayDenied+fromMarker), strings.HasPrefix(why, recipientRule.prefix):
		end = strings.Index(why, fromMarker)
		tail := why[end+len(fromMarker):]
		to := 0
		for {
			i := strings.Index(tail[to:], "> to=<")
			if i < 0 {
				return 0, false
			}
			to += i
			after, same := strings.CutPrefix(tail[to+6:], address)
			if after, closed := strings.CutPrefix(after, ">"); same && closed {
				rest, read := cutFields(after, styleSMTPD, f)
				if read && cutLogin(rest, f) && !f.hasSender && !f.hasRecipient {
					f.sender, f.hasSender = tail[:to], true
					f.recipient, f.hasRecipient = address, true
					return end, true
				}
			}
			to++
		}
	case strings.HasPrefix(why, senderRule.prefix):
		end = strings.Index(why, fromMarker)
		if end < 0 {
			return 0, false
		}
		after, same := strings.CutPrefix(why[end+len(fromMarker):], address)
		after, closed := strings.CutPrefix(after, ">")
		if !same || !closed {
			return 0, false
		}
		rest, read := cutFields(after, styleSMTPD, f)
		if !read || !cutLogin(rest, f) || f.hasSender {
			return 0, false
		}
		f.sender, f.hasSender = address, true
		return end, true
	}
	return 0, false
}
