//go:build e2e

package faults

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A mailer writes the log of one MTA: the lines of several sessions at once,
// some of them refused. Each refusal names somebody whom no other names.
type mailer struct {
	kind  string // postfix, exim, sendmail
	tag   string // makes names unique among the logs of a round
	stamp func(time.Time) string
	rng   *rand.Rand
	clock func() time.Time
	n     int
	open  []*session
}

// session is what is left to write of one. At most one of its lines completes
// a refusal; it is line number at, counted from 0.
type session struct {
	lines   []string
	at      int
	written int
	refusal *refusal // nil for mail that goes through
	gens    []*generation
}

// torn says that the lines that tell of the refusal stand in several files:
// what an earlier one told may be forgotten by a daemon that was restarted.
func (s *session) torn() bool {
	for _, g := range s.gens {
		if g != s.refusal.gen {
			return true
		}
	}
	return false
}

// refusal is what the log tells of one refused command.
type refusal struct {
	key    string // the recipient, or the login where there is none
	client string
	sender string
	want   int // events

	written  bool
	gen      *generation // where the line stands
	doubtful string      // why it may be missing
	session  *session
}

func newMailer(kind, tag string, rng *rand.Rand, clock func() time.Time) *mailer {
	m := &mailer{kind: kind, tag: tag, rng: rng, clock: clock}
	switch {
	case kind == "exim":
		m.stamp = func(t time.Time) string { return t.Format(time.DateTime) + " " }
	case rng.IntN(2) == 0:
		m.stamp = func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000000-07:00") + " mx1 " }
	default:
		m.stamp = func(t time.Time) string { return t.Format(time.Stamp) + " mx1 " }
	}
	return m
}

// next is a line, without its time, of one of the sessions at hand, and that
// session.
func (m *mailer) next(finish bool) (string, *session) {
	for len(m.open) < 3 && !finish {
		m.open = append(m.open, m.begin())
	}
	if len(m.open) == 0 {
		return "", nil
	}
	i := m.rng.IntN(len(m.open))
	s := m.open[i]
	line := s.lines[s.written]
	s.written++
	if s.written == len(s.lines) {
		m.open = append(m.open[:i], m.open[i+1:]...)
	}
	return line, s
}

// stamped is line as the server writes it.
func (m *mailer) stamped(line string) string { return m.stamp(m.clock()) + line + "\n" }

func (m *mailer) begin() *session {
	m.n++
	client := fmt.Sprintf("203.0.%d.%d", 113+m.n/250%100, 1+m.n%250)
	r := &refusal{key: fmt.Sprintf("r%06d.%s@example.net", m.n, m.tag), client: client, sender: fmt.Sprintf("s%06d@example.org", m.n), want: 1}
	s := &session{refusal: r}
	r.session = s
	kind := m.rng.IntN(8)
	switch m.kind {
	case "postfix":
		m.postfix(s, r, kind)
	case "exim":
		m.exim(s, r, kind)
	default:
		m.sendmail(s, r, kind)
	}
	return s
}

func (m *mailer) postfix(s *session, r *refusal, kind int) {
	pid, qid := 1000+m.n, fmt.Sprintf("4%06XA7", m.n)
	say := func(at bool, program, format string, args ...any) {
		if at {
			s.at = len(s.lines)
		}
		s.lines = append(s.lines, fmt.Sprintf("postfix/%s[%d]: ", program, pid)+fmt.Sprintf(format, args...))
	}
	reject := func() string {
		return fmt.Sprintf("NOQUEUE: reject: RCPT from unknown[%s]: 554 5.7.1 <%s>: Relay access denied; from=<%s> to=<%s> proto=ESMTP helo=<pc>", r.client, r.key, r.sender, r.key)
	}
	switch kind {
	case 0: // goes through
		s.refusal = nil
		say(false, "smtpd", "%s: client=unknown[%s]", qid, r.client)
		say(false, "qmgr", "%s: from=<%s>, size=4821, nrcpt=1 (queue active)", qid, r.sender)
		say(false, "lmtp", "%s: to=<%s>, relay=mx1[private/lmtp], delay=0.3, delays=0.2/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 Saved)", qid, r.key)
		say(false, "qmgr", "%s: removed", qid)
	case 1: // refused by the next hop
		say(false, "smtpd", "%s: client=unknown[%s]", qid, r.client)
		say(false, "qmgr", "%s: from=<%s>, size=4821, nrcpt=1 (queue active)", qid, r.sender)
		say(true, "smtp", "%s: to=<%s>, relay=mail.example.net[192.0.2.25]:25, delay=1.2, delays=0.1/0/0.7/0.4, dsn=5.7.1, status=bounced (host mail.example.net[192.0.2.25] said: 554 5.7.1 <%s>: Relay access denied (in reply to RCPT TO command))", qid, r.key, r.key)
		say(false, "qmgr", "%s: removed", qid)
	case 2:
		r.sender = ""
		say(false, "smtpd", "connect from unknown[%s]", r.client)
		say(true, "smtpd", "warning: unknown[%s]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=%s", r.client, r.key)
		say(false, "smtpd", "disconnect from unknown[%s] ehlo=1 auth=0/1 quit=1 commands=2/3", r.client)
	case 3: // rsyslog adds up what is the same
		r.want = 3
		say(true, "smtpd", "message repeated 3 times: [ %s]", reject())
	default:
		say(false, "smtpd", "connect from unknown[%s]", r.client)
		say(true, "smtpd", "%s", reject())
		say(false, "smtpd", "disconnect from unknown[%s] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4", r.client)
	}
}

func (m *mailer) exim(s *session, r *refusal, kind int) {
	id := fmt.Sprintf("1vA%03s-00000000%03s-0Q7x", base62(m.n/238328), base62(m.n%238328))
	switch kind {
	case 0:
		s.refusal = nil
		s.lines = []string{
			fmt.Sprintf("%s <= %s H=(pc) [%s] P=esmtp S=5210", id, r.sender, r.client),
			fmt.Sprintf("%s => %s R=dnslookup T=remote_smtp H=mail.example.net [192.0.2.25] C=\"250 OK\"", id, r.key),
			id + " Completed",
		}
	case 1:
		s.at = 1
		s.lines = []string{
			fmt.Sprintf("%s <= %s H=(pc) [%s] P=esmtp S=5210", id, r.sender, r.client),
			fmt.Sprintf("%s ** %s R=smarthost T=remote_smtp H=relay.example.net [192.0.2.80]: SMTP error from remote mail server after RCPT TO:<%s>: 550 5.7.1 <%s>: relaying denied", id, r.key, r.key, r.key),
			id + " Completed",
		}
	case 2:
		r.sender = ""
		s.lines = []string{fmt.Sprintf("plain_server authenticator failed for (pc) [%s]: 535 Incorrect authentication data (set_id=%s)", r.client, r.key)}
	case 3: // two lines for one refusal
		s.at = 1
		s.lines = []string{
			fmt.Sprintf("H=(pc) [%s] sender verify fail for <%s>: Unrouteable address", r.client, r.sender),
			fmt.Sprintf("H=(pc) [%s] F=<%s> rejected RCPT <%s>: Sender verify failed", r.client, r.sender, r.key),
		}
	default:
		s.lines = []string{fmt.Sprintf("H=(pc) [%s] F=<%s> rejected RCPT <%s>: relay not permitted", r.client, r.sender, r.key)}
	}
}

func base62(n int) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	return string([]byte{digits[n/3844%62], digits[n/62%62], digits[n%62]})
}

func (m *mailer) sendmail(s *session, r *refusal, kind int) {
	pid := 30000 + m.n
	qid := fmt.Sprintf("9A4B%sx%06d", base62(m.n), pid)
	say := func(format string, args ...any) {
		s.lines = append(s.lines, fmt.Sprintf("sm-mta[%d]: %s: ", pid, qid)+fmt.Sprintf(format, args...))
	}
	switch kind {
	case 0:
		s.refusal = nil
		say("from=<%s>, size=5210, class=0, nrcpts=1, proto=ESMTP, daemon=MTA-v4, relay=[%s]", r.sender, r.client)
		say("to=<%s>, delay=00:00:01, xdelay=00:00:00, mailer=local, pri=35440, dsn=2.0.0, stat=Sent", r.key)
	case 1:
		r.sender = ""
		say("AUTH failure (LOGIN): authentication failure (-13) SASL(-13): authentication failure: checkpass failed, user=%s, relay=[%s]", r.key, r.client)
	default: // the sender comes with a further line
		say("ruleset=check_rcpt, arg1=<%s>, relay=[%s], reject=550 5.7.1 <%s>... Relaying denied", r.key, r.client, r.key)
		say("from=<%s>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA-v4, relay=[%s]", r.sender, r.client)
	}
}
