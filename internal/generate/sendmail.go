package main

import (
	"strconv"
	"strings"
	"time"
)

// sendmailMix is what a Sendmail 8.17 logs at its default level, 9.
var sendmailMix = mix{
	{300, (*session).sendmailMail},
	{130, (*session).sendmailSubmission},
	{120, (*session).sendmailNothing},
	{14, (*session).sendmailRelaying},
	{16, (*session).sendmailUnknownUser},
	{14, (*session).sendmailBlocklisted},
	{10, (*session).sendmailSenderDomain},
	{16, (*session).sendmailGuess},
	{6, (*session).sendmailAccessDB},
	{4, (*session).sendmailTooFast},
}

var sendmailUnique = mix{
	{35, (*session).sendmailRelaying},
	{30, (*session).sendmailGuess},
	{15, (*session).sendmailSenderDomain},
	{10, (*session).sendmailUnknownUser},
	{10, (*session).sendmailMail},
}

// mta says a line of the session's process.
func (s *session) mta(template string) {
	s.text = append(append(s.text, s.host.name...), " sm-mta["...)
	s.text = append(strconv.AppendInt(s.text, int64(s.pid), 10), "]: "...)
	s.put(0, template)
}

// sendmailRelay appends the client as Sendmail's anynet_ntoa and hostnamebyanyaddr
// give it: IPv6 has a tag and all its zeros.
func (s *session) sendmailRelay() {
	if s.name != "" {
		s.fill("{name} ")
	}
	if !strings.Contains(s.ip, ":") {
		s.fill("[{ip}]")
		return
	}
	s.text = append(s.text, "[IPv6:"...)
	s.text = append(s.text, strings.Replace(s.ip, "::", ":0:0:0:", 1)...)
	s.text = append(s.text, ']')
}

func (s *session) sendmailConnect(c class) {
	s.comes(c)
	s.pid = s.host.fork(s.rng)
	s.wait(20, 400)
	s.id = s.sendmailID()
}

// sendmailID is the id of a transaction: the time by Sendmail's 60 digits, a
// sequence number, the process.
func (s *session) sendmailID() string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
	t := epoch.Add(time.Duration(s.clock) * time.Microsecond)
	b := make([]byte, 0, 14)
	for _, n := range [...]int{t.Year() - 1900, int(t.Month()) - 1, t.Day(), t.Hour(), t.Minute(), t.Second(), s.rng.IntN(60), s.rng.IntN(60)} {
		b = append(b, digits[n%60])
	}
	return string(appendDigits(b, uint64(s.pid), 10, 6))
}

func (s *session) sendmailTLS() {
	s.mta("STARTTLS=server, relay={relay}, version=TLSv1.3, verify=NO, cipher=TLS_AES_256_GCM_SHA384, bits=256/256")
}

// sendmailMail is mail for one of our users.
func (s *session) sendmailMail() {
	s.sendmailConnect(servers)
	proto := "ESMTP"
	if s.chance(70) {
		s.sendmailTLS()
		proto = "ESMTPS"
	}
	s.from, s.rcpt = s.stranger(), userName(s.world.user())
	s.others()
	s.mta("{id}: from=<{from}>, size={size}, class=0, nrcpts=" + strconv.Itoa(len(s.more)+1) + ", msgid=<{msgid}>, proto=" + proto + ", daemon=MTA-v4, relay={relay}")
	s.pid = s.host.fork(s.rng)
	s.wait(50, 800)
	for _, s.rcpt = range append(s.more, s.rcpt) {
		s.mta("{id}: to=<{rcpt}>, delay=00:00:0{n}, xdelay=00:00:00, mailer=local, pri=3{n}4{n}0, dsn=2.0.0, stat=Sent")
	}
	s.play(s)
}

// sendmailSubmission is mail of one of our users to somewhere else.
func (s *session) sendmailSubmission() {
	s.sendmailConnect(senders)
	s.user = userName(s.client)
	s.from, s.rcpt = s.user, s.stranger()
	s.remote = "mail." + s.rcpt[lastAt(s.rcpt)+1:]
	s.sendmailTLS()
	s.mta("AUTH=server, relay={relay}, authid={user}, mech=PLAIN, bits=0")
	s.mta("{id}: from=<{from}>, size={size}, class=0, nrcpts=1, msgid=<{msgid}>, proto=ESMTPSA, daemon=MSA-v4, relay={relay}")
	s.pid = s.host.fork(s.rng)
	s.wait(300, 3000)
	if s.chance(60) {
		s.mta("STARTTLS=client, relay={remote}., version=TLSv1.3, verify=OK, cipher=TLS_AES_256_GCM_SHA384, bits=256/256")
	}
	const to = "{id}: to=<{rcpt}>, ctladdr=<{from}> (1001/1001), delay=00:00:0{n}, xdelay=00:00:0{n}, mailer=esmtp, pri=12{n}4{n}0, relay={remote}. [{mx}], "
	switch n := s.rng.IntN(100); {
	case n < 3:
		s.sendmailBounced(outbound("rejected", "unknown_recipient"), "User unknown", to+"dsn=5.1.1, reply=550 5.1.1 <{rcpt}>: Recipient address rejected: User unknown, stat=User unknown")
		return
	case n < 4:
		s.sendmailBounced(outbound("relay_denied", ""), "Service unavailable", to+"dsn=5.7.1, reply=554 5.7.1 <{rcpt}>: Relay access denied, stat=Service unavailable")
		return
	case n < 6:
		s.refuse(outbound("rejected", "greylist"), s.mta, to+"dsn=4.2.0, reply=450 4.2.0 <{rcpt}>: Recipient address rejected: Greylisted, try again later, stat=Deferred: 450 4.2.0 <{rcpt}>: Recipient address rejected: Greylisted, try again later")
		s.wait(600000, 900000)
	case n < 7:
		s.mta("{id}: to=<{rcpt}>, ctladdr=<{from}> (1001/1001), delay=00:01:0{n}, xdelay=00:01:00, mailer=esmtp, pri=12{n}4{n}0, relay={remote}. [{mx}], dsn=4.0.0, stat=Deferred: Connection timed out with {remote}.")
		s.wait(600000, 900000)
	}
	s.mta(to + "dsn=2.0.0, stat=Sent (2.0.0 Ok: queued as {hex})")
	s.play(s)
}

// sendmailBounced is a message that comes back to its sender.
func (s *session) sendmailBounced(r refusal, why, template string) {
	s.refuse(r, s.mta, template)
	bounce := s.sendmailID()
	s.mta("{id}: " + bounce + ": DSN: " + why)
	s.id = bounce
	s.mta("{id}: to=<{from}>, delay=00:00:00, xdelay=00:00:00, mailer=local, pri=3{n}4{n}0, dsn=2.0.0, stat=Sent")
	s.play(s)
}

// sendmailNothing is a client that looks and leaves.
func (s *session) sendmailNothing() {
	s.sendmailConnect(bots)
	if s.chance(30) {
		s.mta("{id}: lost input channel from {relay} to MTA-v4 after startup")
	}
	s.mta("{id}: {relay} did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA-v4")
	s.play(s)
}

// sendmailEnd is the line that tells the sender of what was refused.
func (s *session) sendmailEnd() {
	s.mta("{id}: from=<{from}>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA-v4, relay={relay}")
	s.play(s)
}

func (s *session) sendmailRelaying() {
	s.sendmailConnect(bots)
	s.from = s.stranger()
	tail := "Proper authentication required."
	if s.name == "" {
		tail = "IP name lookup failed [{ip}]"
	}
	for range 1 + s.rng.IntN(2) {
		s.rcpt = s.stranger()
		s.refuse(inbound("relay_denied", ""), s.mta, "{id}: ruleset=check_rcpt, arg1=<{rcpt}>, relay={relay}, reject=550 5.7.1 <{rcpt}>... Relaying denied. "+tail)
	}
	s.sendmailEnd()
}

func (s *session) sendmailUnknownUser() {
	s.sendmailConnect(bots)
	s.from, s.rcpt = s.stranger(), "no."+userName(s.world.user())
	s.refuse(inbound("rejected", "unknown_recipient"), s.mta, "{id}: <{rcpt}>... User unknown")
	s.sendmailEnd()
}

func (s *session) sendmailSenderDomain() {
	s.sendmailConnect(bots)
	s.from, s.rcpt = s.stranger(), ""
	s.refuse(inbound("sender_verify", "domain_not_found"), s.mta, "{id}: ruleset=check_mail, arg1=<{from}>, relay={relay}, reject=553 5.1.8 <{from}>... Domain of sender address {from} does not exist")
	s.sendmailEnd()
}

func (s *session) sendmailAccessDB() {
	s.sendmailConnect(bots)
	s.from, s.rcpt = s.stranger(), ""
	s.refuse(inbound("rejected", "sender_policy"), s.mta, "{id}: ruleset=check_mail, arg1=<{from}>, relay={relay}, reject=550 5.7.1 <{from}>... Access denied")
	s.sendmailEnd()
}

func (s *session) sendmailBlocklisted() {
	s.sendmailConnect(bots)
	s.from, s.rcpt = "", ""
	s.refuse(inbound("rejected", "dnsbl"), s.mta, "ruleset=check_relay, arg1={name}, arg2=127.0.0.4, relay={relay}, reject=550 5.7.1 Rejected: {ip} listed at zen.dnsbl.example")
	s.mta("{id}: {relay} did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA-v4")
	s.play(s)
}

func (s *session) sendmailTooFast() {
	s.sendmailConnect(bots)
	s.from, s.rcpt = "", ""
	s.refuse(inbound("rejected", "rate_limit"), s.mta, "ruleset=check_relay, arg1={name}, arg2={ip}, relay={relay}, reject=421 4.3.2 Connection rate limit exceeded.")
	s.play(s)
}

// sendmailGuess is somebody who guesses passwords.
func (s *session) sendmailGuess() {
	s.sendmailConnect(bots)
	if s.chance(50) {
		s.sendmailTLS()
	}
	for range 1 + s.rng.IntN(2) {
		s.user = s.login()
		s.refuse(inbound("auth_failed", "credentials"), s.mta, "{id}: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): authentication failure: checkpass failed, user={user}, relay={relay}")
		s.wait(1500, 2500)
	}
	s.mta("{id}: {relay} did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA-v4")
	s.play(s)
}
