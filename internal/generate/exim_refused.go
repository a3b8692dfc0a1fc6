package main

const eximReject = "H={peer} F=<{from}> rejected RCPT <{rcpt}>: "

func (s *session) eximRelay() {
	s.eximConnect(bots)
	s.from = s.stranger()
	for range 1 + s.rng.IntN(2) {
		s.rcpt = s.stranger()
		s.refuse(inbound("relay_denied", ""), s.exim, eximReject+"relay not permitted")
	}
	s.play(s)
}

func (s *session) eximUnknownUser() {
	s.eximConnect(bots)
	s.from, s.rcpt = s.stranger(), "no."+userName(s.world.user())
	s.refuse(inbound("rejected", "unknown_recipient"), s.exim, eximReject+"Unrouteable address")
	s.play(s)
}

func (s *session) eximBlocklisted() {
	s.eximConnect(bots)
	s.from, s.rcpt = s.stranger(), userName(s.world.user())
	s.refuse(inbound("rejected", "dnsbl"), s.exim, eximReject+"{ip} is listed at zen.dnsbl.example: https://www.dnsbl.example/query/ip/{ip}")
	s.play(s)
}

// eximSenderVerify is a sender whose domain does not exist.
func (s *session) eximSenderVerify() {
	s.eximConnect(bots)
	s.from, s.rcpt = s.stranger(), userName(s.world.user())
	s.exim("H={peer} sender verify fail for <{from}>: Unrouteable address")
	s.refuse(inbound("sender_verify", "unrouteable"), s.exim, eximReject+"Sender verify failed")
	s.play(s)
}

// eximCallout is a sender whom his own server does not know.
func (s *session) eximCallout() {
	s.eximConnect(bots)
	s.from, s.rcpt = s.stranger(), userName(s.world.user())
	s.remote = "mail." + s.from[lastAt(s.from)+1:]
	s.exim(`H={peer} sender verify fail for <{from}>: {remote} [{mx}] : SMTP error from remote mail server after RCPT TO:<{from}>: 550 5.1.1 <{from}>: Recipient address rejected: User unknown`)
	s.refuse(inbound("sender_verify", "callout_unknown_user"), s.exim, eximReject+"Sender verify failed")
	s.play(s)
}

// eximGuess is somebody who guesses passwords.
func (s *session) eximGuess() {
	s.eximConnect(bots)
	driver := "plain_server"
	if s.chance(50) {
		driver = "login_server"
	}
	for range 1 + s.rng.IntN(3) {
		s.user = s.login()
		s.refuse(inbound("auth_failed", "credentials"), s.exim, driver+" authenticator failed for {peer}: 535 Incorrect authentication data (set_id={user})")
		s.wait(1500, 2500)
	}
	s.play(s)
}

func (s *session) eximGreylist() {
	s.eximConnect(servers)
	s.from, s.rcpt = s.stranger(), userName(s.world.user())
	s.refuse(inbound("rejected", "greylist"), s.exim, "H={peer} "+eximTLS+"F=<{from}> temporarily rejected RCPT <{rcpt}>: greylisted, try again in {n} minutes")
	s.play(s)
}

func (s *session) eximHelo() {
	s.eximConnect(bots)
	s.from, s.rcpt = "", ""
	s.refuse(inbound("rejected", "helo"), s.exim, "H={name} [{ip}] rejected EHLO or HELO ylmf-pc: not the name of a mail server")
	s.play(s)
}

// eximHurry is a client that does not wait for the greeting.
func (s *session) eximHurry() {
	s.eximConnect(bots)
	s.from, s.rcpt = "", ""
	s.refuse(inbound("rejected", "protocol"), s.exim, `SMTP protocol synchronization error (input sent without waiting for greeting): rejected connection from H=[{ip}] input="EHLO User\r\n"`)
	s.play(s)
}

// eximSpam is mail that is refused once it was seen. The log names no recipient.
func (s *session) eximSpam() {
	s.eximConnect(bots)
	s.from, s.rcpt = s.stranger(), ""
	s.id = s.eximID()
	s.refuse(inbound("rejected", "content"), s.exim, "{id} H={peer} F=<{from}> rejected after DATA: This message scored 1{n}.{n} spam points.")
	s.play(s)
}
