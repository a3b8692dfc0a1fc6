package main

const (
	postfixReject = "NOQUEUE: reject: RCPT from {client}: "
	postfixTail   = "; from=<{from}> to=<{rcpt}> proto=ESMTP helo=<{helo}>"
)

// postfixNothing is a client that looks and leaves.
func (s *session) postfixNothing() {
	s.postfixConnect(bots, "smtpd")
	switch s.rng.IntN(3) {
	case 0:
		s.smtpd("lost connection after CONNECT from {client}")
		s.smtpd("disconnect from {client} commands=0/0")
	case 1:
		s.smtpd("SSL_accept error from {client}: lost connection")
		s.smtpd("lost connection after STARTTLS from {client}")
		s.smtpd("disconnect from {client} ehlo=1 starttls=0/1 commands=1/2")
	default:
		s.smtpd("disconnect from {client} ehlo=1 quit=1 commands=2")
	}
	s.play(s)
}

// postfixIMAP is what Dovecot, which logs into the same file, has to say.
func (s *session) postfixIMAP() {
	s.comes(senders)
	s.user = userName(s.client)
	dovecot := func(template string) {
		s.text = append(append(s.text, s.host.name...), " dovecot: "...)
		s.put(0, template)
	}
	dovecot("imap-login: Login: user=<{user}>, method=PLAIN, rip={ip}, lip=192.0.2.1, mpid={port}, TLS, session=<{token}>")
	s.wait(1000, 90000)
	dovecot("imap({user})<{port}><{token}>: Disconnected: Logged out in={size} out={size} deleted=0 expunged=0 trashed=0 hdr_count={n} hdr_bytes={size} body_count={n} body_bytes={size}")
	s.play(s)
}

func (s *session) postfixRelay() {
	s.postfixConnect(bots, "smtpd")
	s.from, s.rcpt = s.stranger(), s.stranger()
	s.refuse(inbound("relay_denied", ""), s.smtpd, postfixReject+"554 5.7.1 <{rcpt}>: Relay access denied"+postfixTail)
	if s.chance(15) {
		s.rcpt = s.stranger()
		s.refuse(inbound("relay_denied", ""), s.smtpd, postfixReject+"554 5.7.1 <{rcpt}>: Relay access denied"+postfixTail)
	}
	s.postfixBye("ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4")
}

func (s *session) postfixUnknownUser() {
	s.postfixConnect(bots, "smtpd")
	s.from, s.rcpt = s.stranger(), "no."+userName(s.world.user())
	s.refuse(inbound("rejected", "unknown_recipient"), s.smtpd, postfixReject+"550 5.1.1 <{rcpt}>: Recipient address rejected: User unknown in virtual mailbox table"+postfixTail)
	s.postfixBye("ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4")
}

func (s *session) postfixBlocklisted() {
	s.postfixConnect(bots, "smtpd")
	s.from, s.rcpt = s.stranger(), userName(s.world.user())
	s.refuse(inbound("rejected", "dnsbl"), s.smtpd, postfixReject+"554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.dnsbl.example; https://www.dnsbl.example/query/ip/{ip}"+postfixTail)
	s.postfixBye("ehlo=1 mail=1 rcpt=0/1 data=0/1 rset=1 quit=1 commands=4/6")
}

func (s *session) postfixSenderDomain() {
	s.postfixConnect(bots, "smtpd")
	s.from, s.rcpt = s.stranger(), userName(s.world.user())
	s.refuse(inbound("sender_verify", "domain_not_found"), s.smtpd, postfixReject+"450 4.1.8 <{from}>: Sender address rejected: Domain not found"+postfixTail)
	s.postfixBye("ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4")
}

// postfixGuess is somebody who guesses passwords.
func (s *session) postfixGuess() {
	port := "submission/smtpd"
	if s.chance(50) {
		port = "smtpd"
	}
	s.postfixConnect(bots, port)
	for range 1 + s.rng.IntN(2) {
		s.user = s.login()
		if s.chance(50) {
			s.text = append(append(s.text, s.host.name...), " dovecot: "...)
			s.put(0, "auth: passwd-file({user},{ip}): unknown user")
		}
		s.wait(1500, 2500)
		if s.chance(50) {
			s.refuse(inbound("auth_failed", "credentials"), s.smtpd, "warning: {client}: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username={user}")
		} else {
			s.refuse(inbound("auth_failed", "credentials"), s.smtpd, "warning: {client}: SASL PLAIN authentication failed: authentication failure, sasl_username={user}")
		}
	}
	if s.chance(40) {
		s.smtpd("lost connection after AUTH from {client}")
	}
	s.smtpd("disconnect from {client} ehlo=1 auth=0/1 quit=1 commands=2/3")
	s.play(s)
}

func (s *session) postfixGreylist() {
	s.postfixConnect(servers, "smtpd")
	s.from, s.rcpt = s.stranger(), userName(s.world.user())
	s.refuse(inbound("rejected", "greylist"), s.smtpd, postfixReject+"450 4.2.0 <{rcpt}>: Recipient address rejected: Greylisted, see https://postgrey.example/help/example.com.html"+postfixTail)
	s.postfixBye("ehlo=2 starttls=1 mail=1 rcpt=0/1 quit=1 commands=5/6")
}

func (s *session) postfixHelo() {
	s.postfixConnect(bots, "smtpd")
	s.helo = "localhost"
	s.from, s.rcpt = s.stranger(), userName(s.world.user())
	s.refuse(inbound("rejected", "helo"), s.smtpd, postfixReject+"504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname"+postfixTail)
	s.postfixBye("ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4")
}

func (s *session) postfixNoName() {
	s.postfixConnect(bots, "smtpd")
	s.name = ""
	s.from, s.rcpt = s.stranger(), userName(s.world.user())
	s.refuse(inbound("rejected", "client_policy"), s.smtpd, postfixReject+"450 4.7.25 Client host rejected: cannot find your hostname, [{ip}]"+postfixTail)
	s.postfixBye("ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4")
}

// postfixSpam is mail that the milter refuses once it has seen it.
func (s *session) postfixSpam() {
	s.postfixConnect(bots, "smtpd")
	s.from, s.rcpt, s.id = s.stranger(), userName(s.world.user()), s.queueID()
	s.smtpd("{id}: client={client}")
	s.wait(100, 900)
	s.worker("cleanup", "{id}: message-id=<{msgid}>")
	s.wait(100, 900)
	s.count(inbound("rejected", "milter"))
	s.worker("cleanup", "{id}: milter-reject: END-OF-MESSAGE from {client}: 5.7.1 Spam message rejected; from=<{from}> to=<{rcpt}> proto=ESMTP helo=<{helo}>")
	s.smtpd("disconnect from {client} ehlo=1 mail=1 rcpt=1 data=0/1 quit=1 commands=4/5")
	s.play(s)
}

func (s *session) postfixTooBig() {
	s.postfixConnect(servers, "smtpd")
	s.from, s.rcpt = s.stranger(), ""
	s.refuse(inbound("rejected", "size"), s.smtpd, "NOQUEUE: reject: MAIL from {client}: 552 5.3.4 Message size exceeds fixed limit; from=<{from}> proto=ESMTP helo=<{helo}>")
	s.postfixBye("ehlo=1 mail=0/1 quit=1 commands=2/3")
}

// postfixRepeated is what rsyslog writes in place of equal lines.
func (s *session) postfixRepeated() {
	s.postfixConnect(bots, "smtpd")
	s.from, s.rcpt = s.stranger(), s.stranger()
	const reject = postfixReject + "554 5.7.1 <{rcpt}>: Relay access denied" + postfixTail
	s.refuse(inbound("relay_denied", ""), s.smtpd, reject)
	s.count(inbound("relay_denied", ""))
	s.count(inbound("relay_denied", ""))
	s.smtpd("message repeated 2 times: [ " + reject + "]")
	s.postfixBye("ehlo=1 mail=1 rcpt=0/3 quit=1 commands=3/6")
}

// postscreenRejects is a client that postscreen does not let through.
func (s *session) postscreenRejects() {
	s.host = s.hosts[s.host.number&^1] // see postfixConnect
	s.comes(bots)
	s.from, s.rcpt = s.stranger(), userName(s.world.user())
	s.worker("postscreen", "CONNECT from [{ip}]:{port} to [192.0.2.1]:25")
	s.wait(500, 6000)
	if s.chance(50) {
		s.worker("postscreen", "DNSBL rank {n} for [{ip}]:{port}")
		s.count(inbound("rejected", "dnsbl"))
		s.worker("postscreen", "NOQUEUE: reject: RCPT from [{ip}]:{port}: 550 5.7.1 Service unavailable; client [{ip}] blocked using zen.dnsbl.example; from=<{from}>, to=<{rcpt}>, proto=ESMTP, helo=<{helo}>")
	} else if s.chance(50) {
		s.worker("postscreen", "HANGUP after {delay} from [{ip}]:{port} in tests before SMTP handshake")
	}
	s.worker("postscreen", "DISCONNECT [{ip}]:{port}")
	s.play(s)
}

// postfixChores is what Postfix says of itself.
func (s *session) postfixChores() {
	s.comes(bots)
	s.worker("anvil", "statistics: max connection rate {n}/60s for (smtp:{ip}) at Jun  1 00:00:01")
	s.worker("anvil", "statistics: max connection count {n} for (smtp:{ip}) at Jun  1 00:00:01")
	s.worker("anvil", "statistics: max cache size {n} at Jun  1 00:00:01")
	s.play(s)
}
