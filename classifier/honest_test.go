package classifier

import (
	"fmt"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// asked is a client that wants mail relayed, with a name and greeting of its own.
type asked struct {
	after      time.Duration // since the one before
	name, helo string        // %d is the number of the client
	domain     string
}

func times(n int, a asked) (list []asked) {
	for range n {
		list = append(list, a)
	}
	return list
}

// A domain is taken for one of ours that is not configured where servers bring mail
// for it, and not where strangers try whether this one relays.
func TestLostDomainNeedsMailServers(t *testing.T) {
	server := asked{time.Minute, "mx.firm%d.example", "mx.firm%[1]d.example", "lost.example"}
	with := func(change func(*asked)) asked { a := server; change(&a); return a }
	bot := with(func(a *asked) { a.helo = "User" })
	literal := with(func(a *asked) { a.helo = "[192.0.2.%[1]d]" })
	hosted := with(func(a *asked) { a.name = "static-%d.isp.example.net" })
	for name, test := range map[string]struct {
		clients []asked
		lost    bool
	}{
		"servers": {times(5, server), true},
		"servers of which the greeting is unknown": {times(5, with(func(a *asked) { a.helo = "" })), true},
		"servers with the names of their provider": {times(9, hosted), true},
		"few with greetings that are not theirs":   {times(5, hosted), false},
		"single words as greetings":                {times(9, bot), false},
		"addresses as greetings":                   {times(9, literal), false},
		"a mailbox provider's domain":              {times(9, with(func(a *asked) { a.domain = "gmail.com" })), false},
		"one in a week":                            {times(9, with(func(a *asked) { a.after = 7 * 24 * time.Hour })), false},
		"after strangers who asked for it":         {append(times(20, bot), times(5, server)...), true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMany()
			m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindDelivered, Recipient: "a@ours.example"})
			for i, a := range test.clients {
				m.at = m.at.Add(a.after)
				e := relaylens.Event{Host: "mx1", Kind: relaylens.KindRelayDenied, Code: 554, ClientIP: address(i), ClientName: fmt.Sprintf(a.name, i),
					Helo: a.helo, Sender: fmt.Sprintf("a@firm%d.example", i), Recipient: "b@" + a.domain, PID: int32(i + 1)}
				if a.helo == server.helo || a.helo == literal.helo {
					e.Helo = fmt.Sprintf(a.helo, i)
				}
				m.saw(e)
			}
			list := of(m.findings(), relaylens.CauseRecipientDomainNotConfigured)
			if is := len(list) > 0; is != test.lost {
				t.Errorf("lost: %v, want %v: %+v", is, test.lost, list)
			}
		})
	}
}

// A provider's domain that this server has is one of ours like any other.
func TestLostDomainOfProvider(t *testing.T) {
	m := newMany()
	m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindDelivered, Recipient: "a@web.de"})
	for i := range 5 {
		m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindRelayDenied, Code: 554, ClientIP: address(i), ClientName: fmt.Sprintf("mx.firm%d.example", i),
			Sender: fmt.Sprintf("a@firm%d.example", i), Recipient: "b@web.de", PID: int32(i + 1)})
	}
	if list := of(m.findings(), relaylens.CauseRecipientDomainNotConfigured); len(list) != 1 {
		t.Errorf("found %+v", list)
	}
}
