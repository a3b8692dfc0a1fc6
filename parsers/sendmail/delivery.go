package sendmail

import (
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// attempt is a to= line taken apart. deliver.c:logdelivery
type attempt struct {
	recipient  string
	recipients int    // how many recipients it is about; 0 where that is not certain
	subject    string // ctladdr, the local user in whose name it is done
	delay      string // since it came, "1+02:03:04"
	mailer     string
	host       string
	ip         netip.Addr
	dsn        string
	reply      string // what the remote server said, from 8.16.1 on
	stat       string
	held       bool // quarantined
	several    bool // the line lists other recipients, to whom the same happened
}

// delivery reads what follows "to=".
func (g *Grammar) delivery(s string, rec *relaylens.Record) relaylens.Verdict {
	if escaped(s) {
		if !strings.Contains(s, ", stat=") {
			return relaylens.Ignored
		}
		s = unescape(s)
	}
	var a attempt
	if !a.parse(s) || a.held {
		return relaylens.Ignored
	}
	switch {
	case a.reply == "" && (a.stat == "Sent" || strings.HasPrefix(a.stat, "Sent ")):
		return a.delivered(rec)
	case a.mailer == "":
		return g.endOfMessage(&a, rec)
	case a.notStored(rec):
		return relaylens.Parsed
	}
	return a.refused(rec)
}

// parse reads "R1,R2…⟦ [more]⟧⟦, ctladdr=A (uid/gid)⟧, delay=…, stat=STAT". The
// fields have a fixed order. What the remote server wrote comes last, twice when
// mail is deferred, and may imitate the rest.
func (a *attempt) parse(s string) bool {
	s, ok := a.parseRecipients(s)
	if !ok {
		return false
	}
	if value, ok := strings.CutPrefix(s, ", ctladdr="); ok {
		s = a.parseControl(value)
	}
	if !strings.HasPrefix(s, ", delay=") {
		return false
	}
	a.delay, s, _ = smtp.CutField(s[len(", delay="):])
	if rest, ok := strings.CutPrefix(s, "xdelay="); ok {
		_, s, _ = smtp.CutField(rest)
	}
	if rest, ok := strings.CutPrefix(s, "mailer="); ok {
		a.mailer, s, _ = smtp.CutField(rest)
	}
	if rest, ok := strings.CutPrefix(s, "pri="); ok {
		_, s, _ = smtp.CutField(rest)
	}
	if strings.HasPrefix(s, "quarantine=") {
		a.held = true
		return true
	}
	if rest, ok := strings.CutPrefix(s, "relay="); ok {
		var peer string
		peer, s, _ = smtp.CutField(rest)
		a.host, a.ip = remote(peer)
	}
	if rest, ok := strings.CutPrefix(s, "dsn="); ok {
		a.dsn, s, _ = smtp.CutField(rest)
	}
	if rest, ok := strings.CutPrefix(s, "ntries="); ok {
		_, s, _ = smtp.CutField(rest)
	}
	if rest, ok := strings.CutPrefix(s, "stage="); ok {
		_, s, _ = smtp.CutField(rest)
	}
	return a.outcome(s)
}

// parseControl reads "{address} ({uid}/{gid})", for whom the message is delivered, and
// returns what follows, from ", delay=" on where that is there.
func (a *attempt) parseControl(s string) string {
	if address, rest, plain := cutPlain(s); plain && strings.HasPrefix(rest, " ") {
		a.subject, s = address, rest
	} else if end, open := scan(s, ' '); !open {
		a.subject, s = mailbox(s[:end]), s[end:]
	}
	return s[max(strings.Index(s, ", delay="), 0):]
}

// outcome reads "⟦reply=…, ⟧stat=…".
func (a *attempt) outcome(s string) bool {
	if stat, ok := strings.CutPrefix(s, "stat="); ok {
		a.stat = stat
		return true
	}
	reply, ok := strings.CutPrefix(s, "reply=")
	if !ok {
		return false
	}
	// Deferred mail repeats the reply behind stat=, and with it what it may hold.
	// One that is of another class is to a later command.
	if before, why, ok := strings.Cut(reply, ", stat=Deferred: "); ok {
		a.reply, a.stat = before, "Deferred"
		if strings.HasPrefix(before, "5") && strings.HasPrefix(why, "4") {
			a.reply = why
		}
		return true
	}
	a.reply, a.stat, ok = cutLast(reply, ", stat=")
	return ok
}

// remote reads "host [ip]" of a to= line: the server that was asked. The host is
// cut at 40 characters.
func remote(s string) (host string, ip netip.Addr) {
	name, group, ok := cutLast(s, "[")
	if !ok || !strings.HasSuffix(group, "]") {
		return strings.TrimSuffix(s, "."), netip.Addr{}
	}
	ip, _ = smtp.ParseIP(group[:len(group)-1])
	return strings.TrimSuffix(strings.TrimSuffix(name, " "), "."), ip
}

// more ends a list of recipients that goes on in the next line.
const more = " [more]"

// parseRecipients reads the recipients that s begins with.
func (a *attempt) parseRecipients(s string) (rest string, ok bool) {
	if address, rest, ok := cutPlain(s); ok && (strings.HasPrefix(rest, ", delay=") || strings.HasPrefix(rest, ", ctladdr=")) {
		a.recipient, a.recipients = address, 1
		return rest, true
	}
	if a.recipient, rest, ok = cutRecipient(s); ok {
		list := s[:len(s)-len(rest)]
		a.several, a.recipients = listed(list), recipientsOf(list)
	}
	return rest, ok
}

// cutRecipient reads the first recipient and skips the others: "R1,R2,… [more]".
func cutRecipient(s string) (first, rest string, ok bool) {
	if end, open := scan(s, ','); !open && end < len(s) {
		first, rest = strings.TrimSuffix(s[:end], more), s[end:]
		if !strings.HasPrefix(rest, ", ") { // others follow
			end, _ = scan(rest, ' ')
			if rest = rest[end:]; strings.HasPrefix(rest, more) {
				rest = rest[len(more):]
			} else {
				rest = s[max(len(s)-len(rest)-1, 0):] // its comma
			}
		}
		if strings.HasPrefix(rest, ", delay=") || strings.HasPrefix(rest, ", ctladdr=") {
			return mailbox(first), rest, true
		}
	}
	at := strings.Index(s, ", delay=")
	if c := strings.Index(s, ", ctladdr="); c >= 0 && c < at {
		at = c
	}
	if at < 0 {
		return "", "", false
	}
	first, _, _ = strings.Cut(s[:at], ",")
	if strings.HasPrefix(first, "<") {
		first = "" // cut
	}
	return first, s[at:], true
}

// recipientsOf is how many recipients a list has, of which none is quoted.
func recipientsOf(list string) int {
	if strings.IndexByte(list, '"') >= 0 {
		return 0
	}
	return 1 + strings.Count(list, ",")
}

func (a *attempt) delivered(rec *relaylens.Record) relaylens.Verdict {
	e := &rec.Event
	e.Kind, e.Recipient, e.Enhanced = relaylens.KindDelivered, a.recipient, a.dsn
	rec.Recipients, rec.Subject = a.recipients, a.subject
	if a.ip.IsValid() {
		e.RemoteHost, e.RemoteIP = a.host, a.ip
	}
	e.Text = a.stat
	if text, ok := strings.CutPrefix(a.stat, "Sent ("); ok {
		e.Text = strings.TrimSuffix(text, ")")
	}
	return relaylens.Parsed
}

// refused tells a remote server's refusal from a failure of our own. With
// reply= a server said it; before 8.16.1 only the status tells, and only that of
// an SMTP mailer that reached an address.
func (a *attempt) refused(rec *relaylens.Record) relaylens.Verdict {
	said := a.reply
	if said == "" {
		if !a.ip.IsValid() || !a.asked() {
			return relaylens.Ignored
		}
		said = strings.TrimPrefix(a.stat, "Deferred: ")
	} else if a.host == "" && !a.ip.IsValid() {
		return relaylens.Ignored // our own words of a user of ours
	}
	code, enhanced, text := smtp.CutReply(said)
	if a.reply == "" && enhanced == "4.7.0" && ownTLS(text) {
		return relaylens.Ignored
	}
	if a.lost(enhanced, text) {
		return relaylens.Ignored
	}
	if code < 400 && (code != 0 || a.reply != "" || len(said) != len(a.stat)) {
		return relaylens.Ignored // "Deferred: Connection refused" is nobody's answer
	}
	e := &rec.Event
	e.Direction, e.Recipient, e.Code, e.Enhanced = relaylens.Outbound, a.recipient, code, enhanced
	if classOfDSN(a.dsn) == relaylens.Class5xx {
		rec.Recipients, rec.Subject = a.recipients, a.subject
	}
	e.RemoteHost, e.RemoteIP = a.host, a.ip
	e.Stage = a.stage(code, enhanced, text)
	e.Text, _ = smtp.CutSubject(text, a.recipient)
	if code == 0 {
		e.Enhanced, e.Class = a.dsn, classOfDSN(a.dsn)
	}
	e.Kind, e.Reason = smtp.Remote(code, e.Enhanced, e.Text)
	if strings.HasSuffix(text, eximRelayDenied) {
		e.Kind, e.Reason = relaylens.KindRelayDenied, relaylens.ReasonNone
	}
	return relaylens.Parsed
}

// lost reports that the connection was lost and nobody answered: the reply is
// Sendmail's own, or is left from a recipient that was refused before.
//
// Source: sendmail/usersmtp.c, reply and smtpquit.
func (a *attempt) lost(enhanced, text string) bool {
	return enhanced == "4.4.1" && (strings.HasPrefix(text, "Connection reset by ") || strings.HasPrefix(text, "reply: read error from ")) ||
		a.dsn == "4.4.2" && enhanced != a.dsn && a.stat == "Deferred" && strings.HasPrefix(a.reply, "5")
}

// ownTLS tells why this server talks to none without the encryption that its access map
// asks for. cf/m4/proto.m4, TLS_connection
func ownTLS(text string) bool {
	switch text {
	case "other side does not support STARTTLS", "STARTTLS disabled locally", "not authenticated", "no authentication requested":
		return true
	}
	return strings.HasPrefix(text, "encryption too weak ")
}

// eximRelayDenied ends the first line of a relay denial that Exim servers with a
// control panel send: "550-{host} [{ip}] is currently not permitted to", "550-relay
// through this server. …". Sendmail logs the first line of a reply only.
const eximRelayDenied = " is currently not permitted to"

// asked tells the statuses that a server's answer has, where reply= is not
// logged, of a mailer that speaks SMTP to it.
func (a *attempt) asked() bool {
	if strings.HasPrefix(a.stat, "Deferred: ") {
		return true
	}
	switch a.mailer {
	case "esmtp", "smtp", "smtp8", "dsmtp", "relay", "lmtp":
	default:
		return false
	}
	switch a.stat {
	case "Service unavailable", "User unknown", "Data format error":
		return true
	}
	return false
}

func classOfDSN(dsn string) relaylens.Class {
	switch {
	case strings.HasPrefix(dsn, "4."):
		return relaylens.Class4xx
	case strings.HasPrefix(dsn, "5."):
		return relaylens.Class5xx
	}
	return relaylens.ClassNone
}

// stage infers which command the remote server refused: usersmtp.c gives each a
// status of its own, and takes dsn= from the reply only after MAIL, RCPT and the
// end of the data.
func (a *attempt) stage(code uint16, enhanced, text string) relaylens.Stage {
	switch {
	case a.stat == "User unknown":
		return relaylens.StageRcpt // EX_NOUSER: smtprcptstat
	case a.stat == "Data format error":
		return relaylens.StageMail // EX_DATAERR: smtpmailfrom
	case enhanced != "" && a.dsn != "" && enhanced != a.dsn && a.dsn[0] == enhanced[0]:
		if strings.HasSuffix(a.dsn, ".5.0") {
			return relaylens.StageConnect // smtpinit
		}
		return relaylens.StageData // smtpdata, before the message
	case code == 530: // RFC 4954, 6: who has to log in first is told so at MAIL
		return relaylens.StageMail
	case a.subject != "" && strings.HasPrefix(text, "<") && strings.HasPrefix(text[1:], a.subject) && a.subject != a.recipient:
		return relaylens.StageMail // the answer is about the sender
	case mentionsData(text), ofSignature(enhanced), strings.Contains(text, "DMARC"):
		return relaylens.StageEOD
	case code == 550 || code == 551 || code == 553 || a.several:
		// After RCPT it were "User unknown", and a line for each recipient.
		if ofSender(enhanced, text) {
			return relaylens.StageMail
		}
		return relaylens.StageEOD
	}
	return relaylens.StageRcpt
}

// ofSender tells an answer about the sender, by its code or its words. RFC 3463, 3.2
func ofSender(enhanced, text string) bool {
	if strings.HasSuffix(enhanced, ".1.7") || strings.HasSuffix(enhanced, ".1.8") {
		return true
	}
	kind, reason, ok := smtp.Wording(text)
	return ok && (kind == relaylens.KindSenderVerify || reason == relaylens.ReasonSenderPolicy)
}

// listed reports that a list of recipients has more than one: "<a>,<b>".
func listed(s string) bool {
	end, open := scan(s, ',')
	return !open && end < len(s)
}

// ofSignature tells an answer about DKIM or DMARC, for which the header has to be there,
// by its code. RFC 7372, 3
func ofSignature(enhanced string) bool {
	for _, p := range [...]string{".7.20", ".7.21", ".7.22", ".7.26"} {
		if strings.HasSuffix(enhanced, p) {
			return true
		}
	}
	return false
}

// mentionsData tells an answer that speaks of the message.
func mentionsData(text string) bool {
	for _, p := range []string{"essage content", "after data", "after DATA", "end of data", "end of DATA", " virus", "Virus"} {
		if strings.Contains(text, p) {
			return true
		}
	}
	return strings.HasPrefix(text, "Message ")
}

// endOfMessage reads a to= line without mailer: the message was refused after
// its data, by a filter, a header check or its size, and each recipient is
// listed with the words of the reply. srvrsmtp.c:smtp_data, logundelrcpts
func (g *Grammar) endOfMessage(a *attempt, rec *relaylens.Record) relaylens.Verdict {
	switch a.stat {
	case "", "queued", "discarded", "Deferred", "aborted by sender":
		return relaylens.Ignored
	}
	if clearsState(a.stat) || strings.HasPrefix(a.stat, "quarantine") || a.ip.IsValid() {
		return relaylens.Ignored
	}
	e := &rec.Event
	e.Direction, e.Stage, e.Recipient = relaylens.Inbound, relaylens.StageEOD, a.recipient
	e.Text, e.Enhanced = a.stat, a.dsn
	if e.Class = classOfDSN(a.dsn); e.Class == relaylens.ClassNone {
		e.Class = classOf(a.stat)
	}
	g.judge(e, relaylens.ReasonOther)
	rec.Explained = true
	return relaylens.Parsed
}

// clearsState reports a command with which the client gave up its message, as it
// typed it: its recipients are listed at LogLevel 11. srvrsmtp.c, CLEAR_STATE
func clearsState(stat string) bool {
	return strings.EqualFold(stat, "RSET") || strings.EqualFold(stat, "EHLO") || strings.EqualFold(stat, "HELO")
}
