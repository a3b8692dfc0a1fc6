package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/swar"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// Grammar reads Exim's lines.
type Grammar struct {
	texts  relaylens.Texts
	recent *recent // nil where several goroutines read
	said   *smtp.Meanings
}

// New makes a grammar that also knows the site's own texts. It is safe for concurrent use.
func New(texts relaylens.Texts) *Grammar { return &Grammar{texts: texts} }

// Reader reads what g does, for one goroutine: it remembers what it read last.
func (g *Grammar) Reader() *Grammar { return &Grammar{g.texts, new(recent), new(smtp.Meanings)} }

// MTA implements [relaylens.Grammar].
func (*Grammar) MTA() relaylens.MTA { return relaylens.Exim }

// Parse implements [relaylens.Grammar].
func (g *Grammar) Parse(env *relaylens.Envelope, rec *relaylens.Record) relaylens.Verdict {
	if env.Continuation {
		return relaylens.Ignored
	}
	id, text := cutID(env.Text)
	if id != "" {
		return g.message(id, text, rec)
	}
	return g.session(text, false, rec)
}

// session reads a line of a connection; id tells that it is about a message.
func (g *Grammar) session(text string, id bool, rec *relaylens.Record) relaylens.Verdict {
	if len(text) < 8 {
		return relaylens.Ignored
	}
	switch text[0] {
	case 'H':
		if strings.HasPrefix(text, "H=") {
			return g.hostLine(text[2:], id, rec)
		}
	case ' ', 'D':
		// The mark of a name that DNSSEC vouches for has its space before it.
		if rest, ok := strings.CutPrefix(strings.TrimPrefix(text, " "), "DSH="); ok {
			return g.hostLine(rest, id, rec)
		}
	case 'S':
		if strings.HasPrefix(text, "SMTP ") {
			return smtpLine(text[5:], rec)
		}
	case 'r', 't', 'c', 'C', 'o', 'u', 'V':
		if v := g.refusalLine(text, rec); v != relaylens.Ignored {
			return v
		}
	case 'n':
		if strings.HasPrefix(text, "no MAIL in ") {
			return noMail(text, rec)
		}
		if strings.HasPrefix(text, "no host ") || strings.HasPrefix(text, "no IP ") {
			return relaylens.Ignored
		}
	case 'U':
		if rest, ok := strings.CutPrefix(text, "U="); ok {
			return g.localLine(rest, id, rec)
		}
	case 'F':
		if strings.HasPrefix(text, "F=<") {
			return g.localRejection(text[2:], rec)
		}
	}
	return other(text, rec)
}

// other reads the lines that begin with a name of the configuration's.
func other(text string, rec *relaylens.Record) relaylens.Verdict {
	if sp := strings.IndexByte(text, ' '); sp > 0 {
		if rest, ok := strings.CutPrefix(text[sp+1:], "authenticator failed "); ok {
			return authFailed(text[:sp], rest, rec)
		}
	}
	if v := faultLine(text, rec); v != relaylens.Ignored {
		return v
	}
	return backend(text, rec)
}

// message reads a line that begins with a message id.
func (g *Grammar) message(id, text string, rec *relaylens.Record) relaylens.Verdict {
	if len(text) < 4 {
		return relaylens.Ignored
	}
	var v relaylens.Verdict
	switch text[:3] {
	case "<= ", "(= ":
		v = g.arrival(id, text, rec)
	case "=> ", "-> ", ">> ", "*> ":
		v = delivered(text[3:], rec)
	case "** ":
		v = refusedAbroad(withoutTime(text[3:]), rec)
	case "== ":
		if v = refusedAbroad(text[3:], rec); v == relaylens.Ignored {
			v = notStored(text[3:], rec)
		}
	case "Com", "can", "rem":
		if text != "Completed" && !hasAnyPrefix(text, "Completed ", "cancelled by ", "removed by ") {
			return relaylens.Ignored
		}
		rec.Fact, v = relaylens.FactMessageEnd, relaylens.Parsed
	default:
		v = g.messageRest(text, rec)
	}
	if v == relaylens.Parsed && rec.Event.QueueID == "" {
		rec.Event.QueueID = id
	}
	return v
}

// messageRest reads the lines with a message id that have no flag.
func (g *Grammar) messageRest(text string, rec *relaylens.Record) relaylens.Verdict {
	if rest, ok := strings.CutPrefix(text, "H="); ok {
		if v := tried(rest, rec); v != relaylens.Ignored {
			return v
		}
		return g.hostLine(rest, true, rec)
	}
	if rest, ok := strings.CutPrefix(text, "PRDR "); ok {
		return g.refusedApart(rest, rec)
	}
	if sp := strings.IndexByte(text, ' '); sp > 0 {
		if rest, ok := strings.CutPrefix(text[sp+1:], "authenticator failed H="); ok {
			return smarthostAuth(text[:sp], rest, rec)
		}
	}
	return g.session(text, true, rec)
}

// cutID splits the message id that most lines begin with: 6-6-2 digits of base
// 62, from Exim 4.97 on 6-11-4 (local_scan.h, MESSAGE_ID_LENGTH).
func cutID(s string) (id, rest string) {
	const digit = '-' ^ '0' // makes a digit of a hyphen
	switch {
	case len(s) > 16 && s[6] == '-' && s[13] == '-' && s[16] == ' ' &&
		smtp.SixteenAlphanumeric(swar.First(s)^digit<<(8*6), swar.First(s[8:])^digit<<(8*(13-8))):
		return s[:16], s[17:]
	case len(s) > 23 && s[6] == '-' && s[18] == '-' && s[23] == ' ' && smtp.EightAlphanumeric(swar.First(s[7:])) &&
		smtp.SixteenAlphanumeric(swar.First(s)^digit<<(8*6), swar.First(s[15:])^digit<<(8*(18-15))):
		return s[:23], s[24:]
	}
	return "", s
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
