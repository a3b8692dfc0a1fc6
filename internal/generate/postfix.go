package main

import (
	"strconv"
	"strings"
)

// postfixMix is what a Postfix 3.7 logs that takes mail for some domains, has
// users who submit mail, and is found by everybody who tries addresses.
var postfixMix = mix{
	{300, (*session).postfixMail},
	{130, (*session).postfixSubmission},
	{110, (*session).postfixNothing},
	{150, (*session).postfixIMAP},
	{40, (*session).postfixRelay},
	{50, (*session).postfixUnknownUser},
	{40, (*session).postfixBlocklisted},
	{25, (*session).postfixSenderDomain},
	{50, (*session).postfixGuess},
	{25, (*session).postfixGreylist},
	{20, (*session).postfixHelo},
	{20, (*session).postfixNoName},
	{8, (*session).postfixSpam},
	{3, (*session).postfixTooBig},
	{4, (*session).postfixRepeated},
	{50, (*session).postscreenRejects},
	{20, (*session).postfixChores},
}

var postfixUnique = mix{
	{35, (*session).postfixRelay},
	{30, (*session).postfixGuess},
	{15, (*session).postfixSenderDomain},
	{10, (*session).postfixUnknownUser},
	{10, (*session).postfixMail},
}

// logs says a line of one of Postfix's programs.
func (s *session) logs(program string, pid int, template string) {
	s.text = append(append(s.text, s.host.name...), " postfix/"...)
	s.text = append(append(s.text, program...), '[')
	s.text = append(strconv.AppendInt(s.text, int64(pid), 10), "]: "...)
	s.put(0, template)
}

// smtpd says a line of the session's own process.
func (s *session) smtpd(template string) { s.logs(s.program, s.pid, template) }

// worker says a line of any process of program.
func (s *session) worker(program, template string) {
	pid := s.host.process(s.rng, program)
	s.logs(program, pid, template)
	s.host.workers[program] = append(s.host.workers[program], pid)
}

func (s *session) qmgr(template string) { s.logs("qmgr", s.host.qmgr, template) }

// postfixConnect begins a session with a client on one of the ports.
func (s *session) postfixConnect(c class, program string) {
	s.comes(c)
	if s.host.number%2 == 0 && program == "smtpd" && !s.uniform {
		s.worker("postscreen", "CONNECT from [{ip}]:{port} to [192.0.2.1]:25")
		s.worker("postscreen", "PASS OLD [{ip}]:{port}")
	}
	s.by(program)
	if s.name == "" && s.chance(25) {
		s.fillName()
		s.smtpd("warning: hostname {user} does not resolve to address {ip}: Name or service not known")
		s.user = ""
	}
	s.smtpd("connect from {client}")
	s.wait(20, 400)
}

// fillName makes up a name for a client that has none which can be verified.
func (s *session) fillName() {
	s.user = "host-" + strconv.Itoa(s.client) + "." + domainName(s.client%300)
}

func (s *session) postfixTLS() {
	s.smtpd("Anonymous TLS connection established from {client}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256")
}

// postfixBye ends a session; counters are what disconnect tells.
func (s *session) postfixBye(counters string) {
	s.wait(10, 900)
	if s.chance(30) {
		s.smtpd("lost connection after RCPT from {client}")
	}
	s.smtpd("disconnect from {client} " + counters)
	s.play(s)
}

// queueID is the next id of a message: a short one, or on every other host a
// long one.
func (s *session) queueID() string {
	h := s.host
	h.serial++
	b := make([]byte, 0, 16)
	if h.number%2 == 0 {
		b = appendDigits(b, uint64(s.clock%1e6), 16, 5)
		b = strconv.AppendInt(b, int64(0xA0+h.serial%4096), 16)
		for i, c := range b {
			if c >= 'a' {
				b[i] = c - 'a' + 'A'
			}
		}
		return string(b)
	}
	b = appendLong(b, uint64(epoch.Unix()+s.clock/1e6), 52, 6)
	b = appendLong(b, uint64(s.clock%1e6), 52, 4)
	return string(appendLong(append(b, 'z'), uint64(140000+h.serial%4096), 51, 4))
}

// appendLong appends n in the digits of a long queue id, which has no vowels. The
// last of 52 ends the time before the inode, which does without it.
func appendLong(b []byte, n, base uint64, count int) []byte {
	const digits = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
	b = append(b, make([]byte, count)...)
	for i := len(b) - 1; count > 0; i, count = i-1, count-1 {
		b[i] = digits[n%base]
		n /= base
	}
	return b
}

// postfixQueued is a message that was taken in.
func (s *session) postfixQueued() {
	s.worker("cleanup", "{id}: message-id=<{msgid}>")
	if s.chance(30) {
		s.text = append(append(s.text, s.host.name...), " opendkim[812]: "...)
		s.put(0, "{id}: {name} [{ip}] not internal")
	}
	s.qmgr("{id}: from=<{from}>, size={size}, nrcpt=" + strconv.Itoa(len(s.more)+1) + " (queue active)")
}

// postfixMail is mail for one of our users.
func (s *session) postfixMail() {
	s.postfixConnect(servers, "smtpd")
	if s.chance(70) {
		s.postfixTLS()
	}
	s.from, s.rcpt, s.id = s.stranger(), userName(s.world.user()), s.queueID()
	s.others()
	s.smtpd("{id}: client={client}")
	s.wait(50, 600)
	s.postfixQueued()
	d := s.fork()
	s.smtpd("disconnect from {client} ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7")
	s.play(s)
	d.wait(20, 500)
	for _, d.rcpt = range append(d.more, d.rcpt) {
		d.worker("lmtp", "{id}: to=<{rcpt}>, relay={host}[private/dovecot-lmtp], delay={delay}, delays={delays}, dsn=2.0.0, status=sent (250 2.0.0 <{rcpt}> {token} Saved)")
	}
	d.qmgr("{id}: removed")
	d.play(d)
}

// postfixSubmission is mail of one of our users to somewhere else.
func (s *session) postfixSubmission() {
	s.postfixConnect(senders, "submission/smtpd")
	s.postfixTLS()
	s.user = userName(s.client)
	s.from, s.rcpt, s.id = s.user, s.stranger(), s.queueID()
	s.remote = "mail." + s.rcpt[lastAt(s.rcpt)+1:]
	s.smtpd("{id}: client={client}, sasl_method=PLAIN, sasl_username={user}")
	s.wait(50, 600)
	s.postfixQueued()
	d := s.fork()
	s.smtpd("disconnect from {client} ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8")
	s.play(s)
	d.wait(100, 3000)
	d.postfixRemote()
	d.play(d)
}

// postfixRemote is how the next server takes a message, or does not.
func (s *session) postfixRemote() {
	if s.chance(60) {
		s.worker("smtp", "Trusted TLS connection established to {remote}[{mx}]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256")
	}
	const to = "{id}: to=<{rcpt}>, relay={remote}[{mx}]:25, delay={delay}, delays={delays}, "
	switch n := s.rng.IntN(100); {
	case n < 3:
		s.bounced(outbound("rejected", "unknown_recipient"), to+"dsn=5.1.1, status=bounced (host {remote}[{mx}] said: 550 5.1.1 <{rcpt}>: Recipient address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command))")
		return
	case n < 4:
		s.bounced(outbound("relay_denied", ""), to+"dsn=5.7.1, status=bounced (host {remote}[{mx}] said: 554 5.7.1 <{rcpt}>: Relay access denied (in reply to RCPT TO command))")
		return
	case n < 6:
		s.count(outbound("rejected", "greylist"))
		s.worker("smtp", to+"dsn=4.2.0, status=deferred (host {remote}[{mx}] said: 450 4.2.0 <{rcpt}>: Recipient address rejected: Greylisted, try again later (in reply to RCPT TO command))")
		s.wait(300000, 500000)
		s.qmgr("{id}: from=<{from}>, size={size}, nrcpt=1 (queue active)")
	case n < 7:
		s.worker("smtp", "connect to {remote}[{mx}]:25: Connection timed out")
		s.worker("smtp", "{id}: to=<{rcpt}>, relay=none, delay=30, delays=0.1/0/30/0, dsn=4.4.1, status=deferred (connect to {remote}[{mx}]:25: Connection timed out)")
		s.wait(300000, 500000)
		s.qmgr("{id}: from=<{from}>, size={size}, nrcpt=1 (queue active)")
	}
	s.worker("smtp", to+"dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {hex})")
	s.qmgr("{id}: removed")
}

// bounced is a message that comes back to its sender.
func (s *session) bounced(r refusal, template string) {
	s.count(r)
	s.worker("smtp", template)
	first := s.id
	bounce := s.queueID()
	s.id = bounce
	s.worker("cleanup", "{id}: message-id=<{msgid}>")
	s.id = first
	s.worker("bounce", "{id}: sender non-delivery notification: "+bounce)
	s.id = bounce
	s.qmgr("{id}: from=<>, size={size}, nrcpt=1 (queue active)")
	s.id = first
	s.qmgr("{id}: removed")
	s.id = bounce
	s.worker("lmtp", "{id}: to=<{from}>, relay={host}[private/dovecot-lmtp], delay={delay}, delays={delays}, dsn=2.0.0, status=sent (250 2.0.0 <{from}> {token} Saved)")
	s.qmgr("{id}: removed")
}

func lastAt(address string) int { return strings.LastIndexByte(address, '@') }
