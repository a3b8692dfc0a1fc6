package classifier

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

var nine = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

// many is what a fleet saw, in order.
type many struct {
	c      *Classifier
	events []relaylens.Event
	at     time.Time
}

func newMany() *many { return &many{c: New(), at: nine} }

func (m *many) saw(e relaylens.Event) {
	e.Direction = relaylens.Inbound
	m.tell(e)
}

// tell is saw of either direction.
func (m *many) tell(e relaylens.Event) {
	m.at = m.at.Add(time.Second)
	e.Time = m.at
	if e.MTA == relaylens.MTANone {
		e.MTA = relaylens.Postfix
	}
	m.c.Classify(&e)
	if e.Refusal() {
		m.events = append(m.events, e)
	}
}

// findings are those of everything seen, causes looked at again. Nothing more is to be
// seen afterwards.
func (m *many) findings() []relaylens.Finding {
	f := m.c.NewFindings()
	for i := range m.events {
		m.c.Final(&m.events[i])
		f.Add(&m.events[i])
	}
	m.c.Done()
	return f.List()
}

func of(list []relaylens.Finding, c relaylens.Cause) (found []relaylens.Finding) {
	for _, p := range list {
		if p.Cause == c {
			found = append(found, p)
		}
	}
	return found
}

func address(n int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, byte(n >> 8), byte(n)}) }

// Three attempts at each of 200 servers are nothing at any of them: what every
// server told is unknown. Together they are one problem.
func TestDistributedBotnetIsOneFinding(t *testing.T) {
	for _, clients := range []int{1, 40} {
		t.Run(fmt.Sprint(clients, " clients"), func(t *testing.T) {
			m := newMany()
			for host := range 200 {
				alone := newMany()
				for n := range 3 {
					e := relaylens.Event{Host: fmt.Sprint("mx", host), Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonCredentials,
						ClientIP: address(n % clients), PID: int32(n + 1), Code: 535}
					alone.saw(e)
					e.Given = relaylens.CauseUnknown
					e.ClientIP = address((host*3 + n) % clients)
					m.saw(e)
				}
				if list := alone.findings(); len(list) != 0 {
					t.Fatalf("one server alone finds %+v", list)
				}
			}
			list := m.findings()
			if len(list) != 1 || list[0].Cause != relaylens.CauseCredentialGuessing || list[0].Events != 600 || list[0].Clients != clients || list[0].Host != "" ||
				!strings.Contains(list[0].Why, "a little at each of 5 servers or more") {
				t.Errorf("found %d: %+v", len(list), list)
			}
		})
	}
}

// Whoever reads the causes from a store learns of the clients one event after
// the other. It is one finding all the same.
func TestBotnetIsOneFindingAsItIsLearned(t *testing.T) {
	c := New()
	f := c.NewFindings()
	for n := range 600 {
		e := relaylens.Event{Time: nine.Add(time.Duration(n) * time.Second), MTA: relaylens.Postfix, Direction: relaylens.Inbound, Host: fmt.Sprint("mx", n%200),
			Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonCredentials, ClientIP: address(n % 30), Code: 535}
		c.Classify(&e)
		e.Cause = relaylens.CauseCredentialGuessing
		f.Add(&e)
	}
	if list := f.List(); len(list) != 1 || list[0].Events != 600 || list[0].Clients != 30 {
		t.Errorf("found %d: %+v", len(list), list)
	}
}

// A customer's server that is refused everywhere is known somewhere.
func TestWelcomeClientsAreNoBotnet(t *testing.T) {
	m := newMany()
	m.saw(relaylens.Event{Host: "mx0", Kind: relaylens.KindAuthOK, ClientIP: address(1), User: "joe"})
	for host := range 20 {
		m.saw(relaylens.Event{Host: fmt.Sprint("mx", host), Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonCredentials, ClientIP: address(1), Code: 535, Given: relaylens.CauseUnknown})
	}
	if list := m.findings(); len(list) != 0 {
		t.Errorf("found %+v", list)
	}
}

// Two of three MX hosts have a domain; honest servers that come to the third
// are refused. It is that host's configuration.
func TestDomainMissingAtOneHost(t *testing.T) {
	missing := func(given relaylens.Cause, names bool, hosts ...string) []relaylens.Finding {
		m := newMany()
		for _, h := range hosts {
			m.saw(relaylens.Event{Host: h, Kind: relaylens.KindDelivered, Recipient: "@example.com"})
		}
		for n := range 3 {
			e := relaylens.Event{Host: "mx3", Kind: relaylens.KindRelayDenied, ClientIP: address(n), Code: 554,
				Sender: fmt.Sprintf("a@sender%d.example", n), Recipient: "joe@example.com", Given: given}
			if names {
				e.ClientName = fmt.Sprintf("mail.sender%d.example", n)
			}
			m.saw(e)
		}
		return of(m.findings(), relaylens.CauseRecipientDomainNotConfigured)
	}
	for _, given := range []relaylens.Cause{relaylens.CauseUnknown, relaylens.CauseOpenRelayProbe} {
		list := missing(given, true, "mx1", "mx2")
		if len(list) != 1 || list[0].Host != "mx3" || list[0].Entity.Value != "example.com" || list[0].Events < 2 {
			t.Errorf("given %s: found %+v", given, list)
		}
	}
	if list := missing(relaylens.CauseUnknown, true, "mx3", "mx1"); len(list) != 0 {
		t.Errorf("the host has the domain, and yet: %+v", list)
	}
	if list := missing(relaylens.CauseOpenRelayProbe, false, "mx1"); len(list) != 0 {
		t.Errorf("clients without names are believed: %+v", list)
	}
	if list := missing(relaylens.CauseRestrictionOrder, true, "mx1"); len(list) != 0 {
		t.Errorf("what the log proved is overruled: %+v", list)
	}
}

// One resolver fails, its peers' do not: one finding about that server.
func TestOneResolverFails(t *testing.T) {
	m := newMany()
	for n := range 8 {
		m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindSenderVerify, Reason: relaylens.ReasonDomainTempfail, ClientIP: address(n), Code: 450,
			Sender: fmt.Sprintf("a@sender%d.example", n)})
		m.saw(relaylens.Event{Host: "mx2", Kind: relaylens.KindAccepted, ClientIP: address(n)})
	}
	list := m.findings()
	if len(list) != 1 || list[0].Entity != (relaylens.Entity{Kind: relaylens.EntityServer, Value: "mx1"}) || list[0].Fault != relaylens.FaultServer ||
		list[0].Events != 8 || !strings.HasSuffix(list[0].Why, "; another server is well meanwhile") {
		t.Errorf("found %+v", list)
	}
}

func TestOneBackendFails(t *testing.T) {
	m := newMany()
	for n := range 4 {
		m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonBackend, ClientIP: address(n), Code: 454, User: fmt.Sprint("u", n)})
		m.saw(relaylens.Event{Host: "mx2", Kind: relaylens.KindAuthOK, ClientIP: address(100 + n), User: fmt.Sprint("u", n)})
	}
	list := m.findings()
	if len(list) != 1 || list[0].Host != "mx1" || !strings.HasSuffix(list[0].Why, "another server is well meanwhile") {
		t.Errorf("found %+v", list)
	}
}

// A user whose device has an old password fails at every server it comes to.
func TestOneUserAtManyHosts(t *testing.T) {
	m := newMany()
	for n := range 6 {
		m.saw(relaylens.Event{Host: fmt.Sprint("mx", n%2), Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonCredentials, ClientIP: address(1), User: "joe",
			Code: 535, Given: relaylens.CauseStalePassword})
	}
	list := m.findings()
	if len(list) != 1 || list[0].Events != 6 || list[0].Host != "" || list[0].Entity.Value != "joe" {
		t.Errorf("found %+v", list)
	}
}
