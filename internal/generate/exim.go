package main

import "strconv"

// eximMix is what an Exim 4.96 logs, in its main log or through syslog.
var eximMix = mix{
	{300, (*session).eximMail},
	{130, (*session).eximSubmission},
	{120, (*session).eximNothing},
	{13, (*session).eximRelay},
	{14, (*session).eximUnknownUser},
	{10, (*session).eximBlocklisted},
	{8, (*session).eximSenderVerify},
	{3, (*session).eximCallout},
	{11, (*session).eximGuess},
	{8, (*session).eximGreylist},
	{4, (*session).eximHelo},
	{3, (*session).eximHurry},
	{3, (*session).eximSpam},
	{40, (*session).eximChores},
}

var eximUnique = mix{
	{35, (*session).eximRelay},
	{30, (*session).eximGuess},
	{15, (*session).eximSenderVerify},
	{10, (*session).eximUnknownUser},
	{10, (*session).eximMail},
}

// exim says a line. What goes through syslog has Exim's own time as well.
func (s *session) exim(template string) {
	if s.stamps == "native" {
		s.put(0, template)
		return
	}
	start := len(s.text)
	s.text = append(append(s.text, s.host.name...), " exim["...)
	s.text = append(strconv.AppendInt(s.text, int64(s.pid), 10), "]: "...)
	s.put(len(s.text)-start, template)
}

// eximPeer appends the client as host_and_ident of Exim's host.c does.
func (s *session) eximPeer() {
	switch {
	case s.name == "":
		s.fill("({helo}) [{ip}]")
	case s.name == s.helo:
		s.fill("{name} [{ip}]")
	default:
		s.fill("{name} ({helo}) [{ip}]")
	}
}

func (s *session) eximConnect(c class) {
	s.comes(c)
	s.pid = s.host.fork(s.rng)
	if s.name == "" {
		s.exim("no host name found for IP address {ip}")
	}
	s.wait(20, 400)
}

// eximID is the id of a message that is taken now.
func (s *session) eximID() string {
	b := append(make([]byte, 0, 16), '1')
	b = append(appendDigits(b, uint64(s.clock/1e6)+1780000000-1<<30, 62, 5), '-')
	b = append(appendDigits(b, uint64(s.pid), 62, 6), '-')
	return string(appendDigits(b, uint64(s.clock%1e6/500), 62, 2))
}

const eximTLS = "X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no "

// eximMail is mail for one of our users.
func (s *session) eximMail() {
	s.eximConnect(servers)
	s.from, s.rcpt = s.stranger(), userName(s.world.user())
	s.id = s.eximID()
	s.exim("{id} <= {from} H={peer} P=esmtps " + eximTLS + "S={size} id={msgid}")
	s.wait(20, 600)
	s.exim("{id} => " + s.rcpt[:lastAt(s.rcpt)] + " <{rcpt}> R=local_user T=maildir_home")
	s.others()
	for _, s.rcpt = range s.more {
		s.exim("{id} -> " + s.rcpt[:lastAt(s.rcpt)] + " <{rcpt}> R=local_user T=maildir_home")
	}
	s.exim("{id} Completed")
	s.play(s)
}

// eximSubmission is mail of one of our users to somewhere else.
func (s *session) eximSubmission() {
	s.eximConnect(senders)
	s.user = userName(s.client)
	s.from, s.rcpt, s.id = s.user, s.stranger(), s.eximID()
	s.remote = "mail." + s.rcpt[lastAt(s.rcpt)+1:]
	s.exim("{id} <= {from} H={peer} P=esmtpsa " + eximTLS + "A=plain_server:{user} S={size} id={msgid}")
	s.wait(300, 3000)
	const to = " {rcpt} R=dnslookup T=remote_smtp "
	const said = "H={remote} [{mx}]: SMTP error from remote mail server after RCPT TO:<{rcpt}>: "
	switch n := s.rng.IntN(100); {
	case n < 3:
		s.eximBounced(outbound("rejected", "unknown_recipient"), "{id} **"+to+said+"550 5.1.1 <{rcpt}>: Recipient address rejected: User unknown")
		return
	case n < 4:
		s.eximBounced(outbound("relay_denied", ""), "{id} **"+to+said+"554 5.7.1 <{rcpt}>: Relay access denied")
		return
	case n < 6:
		s.refuse(outbound("rejected", "greylist"), s.exim, "{id} =="+to+"defer (-44) "+said+"450 4.2.0 <{rcpt}>: Recipient address rejected: Greylisted, try again later")
		s.wait(600000, 900000)
	case n < 7:
		s.exim("{id} {remote} [{mx}] Connection timed out")
		s.exim("{id} ==" + to + "defer (110): Connection timed out")
		s.wait(600000, 900000)
	}
	s.exim("{id} =>" + to + "H={remote} [{mx}] " + eximTLS + `C="250 2.0.0 Ok: queued as {hex}"`)
	s.exim("{id} Completed")
	s.play(s)
}

// eximBounced is a message that comes back to its sender.
func (s *session) eximBounced(r refusal, template string) {
	s.refuse(r, s.exim, template)
	first := s.id
	s.pid = s.host.fork(s.rng)
	s.id = s.eximID()
	s.exim("{id} <= <> R=" + first + " U=Debian-exim P=local S={size}")
	bounce := s.id
	s.id = first
	s.exim("{id} Completed")
	s.id = bounce
	s.exim("{id} => " + s.from[:lastAt(s.from)] + " <{from}> R=local_user T=maildir_home")
	s.exim("{id} Completed")
	s.play(s)
}

// eximNothing is a client that looks and leaves.
func (s *session) eximNothing() {
	s.eximConnect(bots)
	switch s.rng.IntN(4) {
	case 0:
		s.exim("SMTP connection from {peer} lost D={n}s")
	case 1:
		s.exim("TLS error on connection from {peer} (recv): The TLS connection was non-properly terminated.")
	case 2:
		s.exim("no MAIL in SMTP connection from {peer} D={n}s C=EHLO,QUIT")
	default:
		s.exim("unexpected disconnection while reading SMTP command from {peer} D={n}s")
	}
	s.play(s)
}

// eximChores is what Exim says of its queue.
func (s *session) eximChores() {
	s.pid = s.host.fork(s.rng)
	s.exim("Start queue run: pid={pid}")
	s.wait(50, 900)
	s.exim("End queue run: pid={pid}")
	s.play(s)
}
