package parsers

import (
	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/exim"
	"github.com/relaylens/relaylens/parsers/postfix"
	"github.com/relaylens/relaylens/parsers/syslog"
)

// short reads a line whose beginning is read, if it is a short one.
func (s *scanner) short(f *framing, t *tagged, line *relaylens.Line, b *syslog.Beginning, into *Scanned) bool {
	now, digits := f.decoder.Time()
	e := &s.event
	n := note{before: int32(len(into.records))}
	switch told := s.postfix.Short(t.lines, b.PID, b.Text, e); told {
	case postfix.ShortIgnored:
		into.counts[ResultIgnored]++
		f.passed(now, into)
		return true
	case postfix.ShortCame, postfix.ShortLeft:
		if !s.options.Brief || b.PID == 0 {
			return false
		}
		v := into.visit(&n)
		v.spot, v.left = spot{line, t.writer, *now, b.PID, digits, relaylens.Postfix}, told == postfix.ShortLeft
		v.set(e)
		n.key = t.writer.session(b.PID)
	case postfix.ShortRemoved:
		n.kind, n.key = noteEnd, t.writer.message(relaylens.Postfix, e.QueueID)
	case postfix.ShortPassed:
		n.kind, n.key = notePlain, endpoint(t.writer, e)
	case postfix.ShortBorn, postfix.ShortActive, postfix.ShortSent:
		if b.PID == 0 {
			return false
		}
		m := into.mail(&n, mailNotes[told], spot{line, t.writer, *now, b.PID, digits, relaylens.Postfix})
		m.set(n.kind, e)
		n.key = t.writer.message(relaylens.Postfix, e.QueueID)
	default:
		return false
	}
	f.passed(now, into)
	into.notes = append(into.notes, n)
	return true
}

// mailNotes are the notes of what short lines of Postfix tell of mail.
var mailNotes = [...]noteKind{postfix.ShortBorn: noteBorn, postfix.ShortActive: noteActive, postfix.ShortSent: noteSent}

// native reads a line of Exim's own, of which text is all but the stamp.
func (s *scanner) native(f *framing, line *relaylens.Line, text string, into *Scanned) {
	if f.own == nil {
		f.own = s.writers.find(&relaylens.Envelope{})
	}
	w := f.own
	now, _ := f.decoder.Time()
	n := note{before: int32(len(into.records))}
	e := &s.event
	switch told := exim.ReadShort(text, e); {
	case told == exim.ShortNone, f.mta != relaylens.MTANone && f.mta != relaylens.Exim:
		r := into.next()
		r.env = relaylens.Envelope{}
		r.env.Time, r.env.Native, r.env.Text = *now, true, text
		s.read(f, w, line, r, into)
		return
	case told == exim.ShortDone:
		n.kind = noteEnd
	default:
		m := into.mail(&n, noteSent, spot{line: line, writer: w, time: *now, mta: relaylens.Exim})
		e.Enhanced, e.Text = "", ""
		m.set(noteSent, e)
	}
	n.key = w.message(relaylens.Exim, e.QueueID)
	f.passed(now, into)
	into.notes = append(into.notes, n)
}
