//go:build e2e

package e2e

import (
	"fmt"
	"testing"
)

// server is a running mail server: it takes mail for alice and bob of
// example.com, relays for those who logged in, and wants senders whose domain
// exists.
type server struct {
	t       *testing.T
	machine *machine
	address string
	login   string // the user name that can log in; the password is "correct horse"
	logs    []string
	// rotate runs the real logrotate over the logs, as Debian configures it.
	logrotate string
	// badSenderAt is the command at which the server judges the sender's domain.
	badSenderAt string
	// asksHelo: it refuses HELO names that no host can have, at RCPT.
	asksHelo bool
}

// clients have addresses of 203.0.113.0/24, whose names check out, and of
// 198.51.100.0/24, which have none.
const (
	honest   = "203.0.113.10"
	roaming  = "203.0.113.20"
	guesser  = "198.51.100.30"
	stranger = "198.51.100.40"
	hostile  = "198.51.100.50"
	overIPv6 = "2001:db8::40"
)

// submitted says from where, and as whom, the mail of a sender came in.
func (s *server) submitted(sender string) (ip, user string) {
	if sender == "alice@example.com" {
		return roaming, s.login
	}
	return "", ""
}

// play has clients do what clients do. Everything it makes the server refuse
// is in tr.
func (s *server) play(tr *truth) {
	s.t.Helper()
	open := func(ip, helo string) *session { return connect(s.t, tr, ip, s.address, helo) }

	c := open(honest, "mail.example.net")
	c.mail("", "carol@example.net")
	c.rcpt("", "alice@example.com")
	c.data("", "an honest message")
	c.mail("", "carol@example.net")
	c.rcpt("rejected", "nosuchuser@example.com")
	c.rcpt("", "bob@example.com")
	c.data("", "one of two")
	c.quit()

	c = open(stranger, "relaytest.example.org")
	c.mail("", "probe@example.org")
	c.rcpt("relay_denied", "victim@example.net")
	c.rcpt("relay_denied", "another@example.org")
	c.quit()

	s.playSenders(open)
	s.playLogins(open)
	s.playHostile(open)
}

func (s *server) playSenders(open func(ip, helo string) *session) {
	for _, domain := range []string{"missing.example", "tempfail.example"} {
		c := open(stranger, "news.example.org")
		if s.badSenderAt == "mail" {
			c.mail("sender_verify", "news@"+domain)
		} else {
			c.mail("", "news@"+domain)
			c.rcpt("sender_verify", "alice@example.com")
		}
		c.quit()
	}
}

func (s *server) playLogins(open func(ip, helo string) *session) {
	c := open(roaming, "laptop.example.com")
	c.auth("", s.login, "correct horse")
	c.mail("", "alice@example.com")
	c.rcpt("", "dave@example.net")
	c.data("", "to the world")
	c.mail("", "alice@example.com")
	c.rcpt("", "erin@example.org")
	c.rcpt("", "nobody@example.net")
	c.data("", "to be refused elsewhere")
	c.quit()

	for i := range 3 {
		c := open(guesser, "guess.example.org")
		c.auth("auth_failed", fmt.Sprintf("user%d@example.com", i), "123456")
		c.quit()
	}
	c = open(roaming, "laptop.example.com")
	c.mail("", "alice@example.com")
	c.rcpt("relay_denied", "dave@example.net")
	c.quit()
}

// playHostile has a client whose HELO and addresses look like parts of a log line.
func (s *server) playHostile(open func(ip, helo string) *session) {
	if s.asksHelo {
		c := open(hostile, "[203.0.113.66]")
		c.helo = "bad_helo!"
		c.command("", "helo", "HELO localhost.localdomain")
		c.mail("", `"x> proto=ESMTP helo=<y"@example.org`)
		c.rcpt("relay_denied", `"a>: Relay access denied; from=<b"@example.net`)
		c.quit()
	}
	helo := "H=(203.0.113.66)"
	if !s.asksHelo {
		helo = "h.203.0.113.66" // as near as it lets one come
	}
	c := open(hostile, helo)
	c.mail("", `"root [203.0.113.66]:25"@example.org`)
	c.rcpt("relay_denied", `"F=<x> [203.0.113.66]"@example.net`)
	c.quit()
}

// flood opens n sessions, one after the other, and has ten commands refused in each.
func (s *server) flood(tr *truth, n int) {
	s.t.Helper()
	for i := range n {
		c := connect(s.t, tr, honest, s.address, "mail.example.net")
		c.mail("", "carol@example.net")
		for j := range 10 {
			c.rcpt("relay_denied", fmt.Sprintf("n%d-%d@example.org", i, j))
		}
		c.quit()
	}
}
