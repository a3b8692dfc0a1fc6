package classifier

import (
	"fmt"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// What fails behind a server is its auth backend where the server says so, or where
// nobody can log in besides; and it concerns those who tried to at that time.
func TestAuthBackendIsNotWhateverFails(t *testing.T) {
	const (
		sasl   = "SASL: Connect to Dovecot auth socket 'private/auth' failed: Connection refused"
		table  = `mysql:/etc/postfix/virtual.cf lookup error for "a@ours.example"`
		milter = "connect to Milter service inet:localhost:8891: Connection refused"
		clamd  = "malware acl condition: clamd /run/clamd.ctl : unable to connect to UNIX socket"
	)
	for name, test := range map[string]struct {
		said     string
		mta      relaylens.MTA
		stage    relaylens.Stage
		before   time.Duration // from the failed login to the refusal
		loggedIn bool          // somebody could log in since the error
		down     bool
	}{
		"it says so":                    {said: sasl, before: time.Minute, down: true},
		"a table":                       {said: table, before: time.Minute, down: true},
		"a table, and others log in":    {said: table, before: time.Minute, loggedIn: true},
		"it says so, to others at last": {said: sasl, before: time.Minute, loggedIn: true, down: true},
		"a milter":                      {said: milter, before: time.Minute},
		"a scanner":                     {said: clamd, before: time.Minute},
		"a login that failed long ago":  {said: table, before: 24 * time.Hour},
		"what Sendmail asks besides":    {said: "Cannot exec /usr/lib/mail-local: No such file or directory", mta: relaylens.Sendmail, before: time.Minute},
		"Sendmail's SASL library":       {said: "could not find auxprop plugin, was searching for x", mta: relaylens.Sendmail, stage: relaylens.StageAuth, before: time.Minute, down: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMany()
			m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindDelivered, Recipient: "a@ours.example"})
			m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonCredentials, Code: 535, ClientIP: address(1), User: "info"})
			m.at = m.at.Add(test.before)
			m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindBackendError, MTA: test.mta, Stage: test.stage, Text: test.said})
			if test.loggedIn {
				m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindAuthOK, ClientIP: address(2), User: "ann@ours.example"})
			}
			m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindRelayDenied, Code: 554, ClientIP: address(1), Sender: "x@else.example", Recipient: "y@there.example"})
			e := m.events[len(m.events)-1]
			m.c.Final(&e)
			if is := e.Cause == relaylens.CauseAuthBackendUnavailable; is != test.down {
				t.Errorf("cause %v, want of the backend: %v", e.Cause, test.down)
			}
		})
	}
}

// Domains that mail came from until now do not cease to exist all at once: that DNS
// does not find them is the resolver's doing.
func TestKnownDomainsAreNotFound(t *testing.T) {
	m := newMany()
	sender := func(i int) string { return fmt.Sprintf("a@firm%d.example", i) }
	for i := range 8 {
		m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindAccepted, ClientIP: address(i), Sender: sender(i)})
	}
	m.at = m.at.Add(3 * 24 * time.Hour)
	for i := range 9 { // of the last nothing is known
		m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindSenderVerify, Reason: relaylens.ReasonDomainNotFound, Code: 450, ClientIP: address(i), Sender: sender(i)})
	}
	list := m.findings()
	if len(list) != 1 || list[0].Cause != relaylens.CauseSenderDomainDNSTempfail || list[0].Events != 9 || list[0].Fault != relaylens.FaultServer {
		t.Errorf("found %+v", list)
	}
}
