package classifier

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// log makes events one second apart.
type log struct{ events []relaylens.Event }

var start = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func (l *log) add(e relaylens.Event) {
	e.Time = start.Add(time.Duration(len(l.events)) * time.Second)
	e.MTA, e.Host = relaylens.Postfix, "mx1"
	l.events = append(l.events, e)
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// ours makes example.com a domain of this server, by a delivery and a login.
func (l *log) ours() {
	l.add(relaylens.Event{Kind: relaylens.KindDelivered, Service: "local", Recipient: "bob@example.com"})
	l.login("joe@example.com", "198.51.100.7")
}

func (l *log) login(user, from string) {
	l.add(relaylens.Event{Kind: relaylens.KindAuthOK, User: user, ClientIP: ip(from)})
}

func (l *log) fail(user, from string, reason relaylens.Reason, pid int32) {
	l.add(relaylens.Event{Kind: relaylens.KindAuthFailed, Reason: reason, Direction: relaylens.Inbound, User: user, ClientIP: ip(from), PID: pid})
}

func (l *log) denied(from, name, sender, recipient string) {
	l.add(relaylens.Event{Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Stage: relaylens.StageRcpt,
		ClientIP: ip(from), ClientName: name, Sender: sender, Recipient: recipient})
}

// causes classifies the log and lists the causes of its refusals, at once and final.
func (l *log) causes() (early, final []relaylens.Cause) {
	c := New()
	for i := range l.events {
		c.Classify(&l.events[i])
		if l.events[i].Refusal() {
			early = append(early, l.events[i].Cause)
		}
	}
	for i := range l.events {
		if l.events[i].Refusal() {
			c.Final(&l.events[i])
			final = append(final, l.events[i].Cause)
		}
	}
	return early, final
}

func TestCauses(t *testing.T) {
	for name, tc := range map[string]struct {
		log         func(l *log)
		first, last relaylens.Cause // at once for the first refusal, final for the last
	}{
		"a stranger probes": {func(l *log) {
			l.ours()
			for i := range 4 {
				l.denied("203.0.113.9", "", "x@example.org", fmt.Sprintf("a@d%d.example", i))
			}
		}, relaylens.CauseOpenRelayProbe, relaylens.CauseOpenRelayProbe},
		"a stranger before anything is known": {func(l *log) {
			l.denied("203.0.113.9", "", "x@example.org", "a@example.net")
		}, relaylens.CauseUnknown, relaylens.CauseUnknown},
		"a botnet sends one sender's mail to one domain": {func(l *log) {
			l.ours()
			for i := range 8 {
				l.denied(fmt.Sprintf("203.0.113.%d", i), fmt.Sprintf("pc%d.isp.example", i), "probe@example.org", fmt.Sprintf("v%d@lost.example", i))
			}
		}, relaylens.CauseUnknown, relaylens.CauseOpenRelayProbe},
		"honest servers bring mail for one domain": {func(l *log) {
			l.ours()
			for i := range 5 {
				l.denied(fmt.Sprintf("203.0.113.%d", i), fmt.Sprintf("mail.org%d.example", i), fmt.Sprintf("a@org%d.example", i), "info@lost.example")
			}
		}, relaylens.CauseUnknown, relaylens.CauseRecipientDomainNotConfigured},
		"one of ours forgot to log in": {func(l *log) {
			l.ours()
			l.denied("203.0.113.9", "", "joe@example.com", "a@example.net")
		}, relaylens.CauseClientNotAuthenticated, relaylens.CauseClientNotAuthenticated},
		"an address that logged in before": {func(l *log) {
			l.ours()
			l.denied("198.51.100.7", "", "private@example.org", "a@example.net")
		}, relaylens.CauseClientNotAuthenticated, relaylens.CauseClientNotAuthenticated},
		"an application server": {func(l *log) {
			l.ours()
			l.denied("10.1.2.3", "", "cron@example.com", "a@example.net")
		}, relaylens.CauseClientNotInMynetworks, relaylens.CauseClientNotInMynetworks},
		"an application server at a public address, with a name of ours": {func(l *log) {
			l.ours()
			l.denied("203.0.113.9", "app1.int.example.com", "cron@example.com", "a@example.net")
		}, relaylens.CauseClientNotInMynetworks, relaylens.CauseClientNotInMynetworks},
		"refused although logged in": {func(l *log) {
			l.add(relaylens.Event{Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, ClientIP: ip("203.0.113.9"), User: "joe"})
		}, relaylens.CauseRestrictionOrder, relaylens.CauseRestrictionOrder},
		"refused although logged in, which the end of the session tells": {func(l *log) {
			l.ours()
			e := relaylens.Event{Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, ClientIP: ip("203.0.113.9"), Service: "submission/smtpd", PID: 7}
			l.add(e)
			e.Kind, e.Text = relaylens.KindConnection, "ehlo=2 starttls=1 auth=1 mail=1 rcpt=0/1 quit=1 commands=6/7"
			l.add(e)
		}, relaylens.CauseOpenRelayProbe, relaylens.CauseRestrictionOrder},
		"a login that failed in the session is none": {func(l *log) {
			l.ours()
			e := relaylens.Event{Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, ClientIP: ip("203.0.113.9"), PID: 7}
			l.add(e)
			e.Kind, e.Text = relaylens.KindConnection, "ehlo=2 auth=0/1 rcpt=0/1 commands=2/4"
			l.add(e)
		}, relaylens.CauseOpenRelayProbe, relaylens.CauseOpenRelayProbe},
		"accepted from another address until recently": {func(l *log) {
			l.ours()
			l.add(relaylens.Event{Kind: relaylens.KindAccepted, Sender: "ann@example.com", ClientIP: ip("198.51.100.20")})
			l.denied("203.0.113.9", "", "ann@example.com", "a@example.net")
		}, relaylens.CauseAddressChanged, relaylens.CauseAddressChanged},

		"the backend says that it is down": {func(l *log) {
			l.fail("ann@example.com", "198.51.100.8", relaylens.ReasonBackend, 1)
			l.denied("198.51.100.8", "", "ann@example.com", "a@example.net")
		}, relaylens.CauseAuthBackendUnavailable, relaylens.CauseAuthBackendUnavailable},
		"nobody can log in, and all go on to send": {func(l *log) {
			l.ours()
			for i := range 4 {
				user := fmt.Sprintf("user%d@example.com", i)
				l.fail(user, fmt.Sprintf("198.51.100.%d", 20+i), relaylens.ReasonCredentials, int32(i+1))
				l.denied(fmt.Sprintf("198.51.100.%d", 20+i), "", user, "a@example.net")
			}
		}, relaylens.CauseUnknown, relaylens.CauseAuthBackendUnavailable},

		"one client guesses many users": {func(l *log) {
			l.ours()
			for i := range 5 {
				l.fail(fmt.Sprintf("user%d@example.com", i), "203.0.113.9", relaylens.ReasonCredentials, 0)
			}
		}, relaylens.CauseUnknown, relaylens.CauseCredentialGuessing},
		"many clients guess one user": {func(l *log) {
			l.ours()
			for i := range 5 {
				l.fail("joe@example.com", fmt.Sprintf("203.0.113.%d", i), relaylens.ReasonCredentials, 0)
			}
		}, relaylens.CauseUnknown, relaylens.CauseCredentialGuessing},
		"one client hammers in one session": {func(l *log) {
			l.ours()
			for range 6 {
				l.fail("joe@example.com", "203.0.113.9", relaylens.ReasonCredentials, 7)
			}
		}, relaylens.CauseUnknown, relaylens.CauseCredentialGuessing},
		"a device repeats an old password": {func(l *log) {
			l.ours()
			for i := range 6 {
				l.fail("joe@example.com", "198.51.100.7", relaylens.ReasonCredentials, int32(i+1))
			}
		}, relaylens.CauseStalePassword, relaylens.CauseStalePassword},
		"a device repeats an old password while a botnet guesses": {func(l *log) {
			l.ours()
			for i := range 6 {
				l.fail("joe@example.com", fmt.Sprintf("203.0.113.%d", i), relaylens.ReasonCredentials, int32(i+100))
			}
			l.fail("joe@example.com", "198.51.100.7", relaylens.ReasonCredentials, 7)
		}, relaylens.CauseUnknown, relaylens.CauseStalePassword},
		"a device repeats an old password from where it never was": {func(l *log) {
			l.ours()
			l.fail("joe@example.com", "203.0.113.9", relaylens.ReasonCredentials, 7)
		}, relaylens.CauseUnknown, relaylens.CauseStalePassword},
		"a program of ours at a public address": {func(l *log) {
			l.ours()
			l.denied("203.0.113.9", "", "backup-db@example.com", "a@example.net")
			l.denied("203.0.113.9", "", "backup-db@example.com", "a@example.net")
		}, relaylens.CauseUnknown, relaylens.CauseClientNotInMynetworks},
		"somebody of ours who never logged in": {func(l *log) {
			l.ours()
			l.denied("203.0.113.9", "", "kim@example.com", "a@example.net")
			l.denied("203.0.113.9", "", "kim@example.com", "a@example.net")
		}, relaylens.CauseUnknown, relaylens.CauseClientNotAuthenticated},
		"a login where none is on offer": {func(l *log) {
			l.add(relaylens.Event{Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonAuthPolicy, Direction: relaylens.Inbound, Text: "AUTH command used when not advertised"})
		}, relaylens.CauseAuthNotOffered, relaylens.CauseAuthNotOffered},
		"a login that was not offered, where others log in": {func(l *log) {
			l.ours()
			l.add(relaylens.Event{Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonAuthPolicy, Direction: relaylens.Inbound, Text: "AUTH command used when not advertised"})
		}, relaylens.CauseClientNotAuthenticated, relaylens.CauseClientNotAuthenticated},
		"a login that a rule forbids": {func(l *log) {
			l.add(relaylens.Event{Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonAuthPolicy, Direction: relaylens.Inbound, Text: "not permitted in mail transaction"})
		}, relaylens.CausePolicy, relaylens.CausePolicy},
		"a callout is refused by a host called relay": {func(l *log) {
			l.add(relaylens.Event{Kind: relaylens.KindSenderVerify, Reason: relaylens.ReasonCalloutRefused, Direction: relaylens.Inbound, RemoteHost: "relay.example.net",
				Text: "undeliverable address: host relay.example.net[192.0.2.9] said: 554 5.7.1 Go away relay.example.net says"})
		}, relaylens.CauseCalloutBlocked, relaylens.CauseCalloutBlocked},
		"a callout is refused to relay": {func(l *log) {
			l.add(relaylens.Event{Kind: relaylens.KindSenderVerify, Reason: relaylens.ReasonCalloutRefused, Direction: relaylens.Inbound, RemoteHost: "mx.example.net",
				Text: "undeliverable address: host mx.example.net[192.0.2.9] said: 554 5.7.1 Relay access denied"})
		}, relaylens.CauseCalloutRelayDenied, relaylens.CauseCalloutRelayDenied},
		"a name that cannot be a user here": {func(l *log) {
			l.ours()
			l.fail("root", "203.0.113.9", relaylens.ReasonCredentials, 7)
		}, relaylens.CauseCredentialGuessing, relaylens.CauseCredentialGuessing},

		"a domain that is not found": {func(l *log) {
			l.add(relaylens.Event{Kind: relaylens.KindSenderVerify, Reason: relaylens.ReasonDomainNotFound, Direction: relaylens.Inbound, Code: 450})
		}, relaylens.CauseUnknown, relaylens.CauseSenderDomainUnresolvable},
		"a domain that gets 450 where others get 550": {func(l *log) {
			l.add(relaylens.Event{Kind: relaylens.KindSenderVerify, Reason: relaylens.ReasonDomainNotFound, Direction: relaylens.Inbound, Code: 550})
			l.add(relaylens.Event{Kind: relaylens.KindSenderVerify, Reason: relaylens.ReasonDomainNotFound, Direction: relaylens.Inbound, Code: 450})
		}, relaylens.CauseSenderDomainUnresolvable, relaylens.CauseSenderDomainDNSTempfail},
		"a remote server does not relay": {func(l *log) {
			l.add(relaylens.Event{Kind: relaylens.KindRelayDenied, Direction: relaylens.Outbound, User: "joe"})
		}, relaylens.CauseRemoteRelayDenied, relaylens.CauseRemoteRelayDenied},
		"a remote server wants another login": {func(l *log) {
			l.ours()
			l.add(relaylens.Event{Kind: relaylens.KindRejected, Reason: relaylens.ReasonAuthRequired, Direction: relaylens.Outbound, Stage: relaylens.StageAuth, Code: 535})
		}, relaylens.CauseRemoteRelayDenied, relaylens.CauseRemoteRelayDenied},
		"any other rule": {func(l *log) {
			l.add(relaylens.Event{Kind: relaylens.KindRejected, Reason: relaylens.ReasonGreylist, Direction: relaylens.Inbound})
		}, relaylens.CausePolicy, relaylens.CausePolicy},
	} {
		t.Run(name, func(t *testing.T) {
			var l log
			tc.log(&l)
			early, final := l.causes()
			if early[0] != tc.first || final[len(final)-1] != tc.last {
				t.Errorf("at once %v, final %v; want %v first, %v last", early, final, tc.first, tc.last)
			}
		})
	}
}

func TestContextHasNoCause(t *testing.T) {
	e := relaylens.Event{Kind: relaylens.KindAccepted, Cause: relaylens.CauseNone}
	New().Classify(&e)
	if e.Cause != relaylens.CauseNone {
		t.Errorf("cause %v", e.Cause)
	}
}

// TestMemoryIsBounded shows a million clients, users and domains to a
// classifier: it stays small, still knows its own, and still tells the causes of
// the real problems among them.
func TestMemoryIsBounded(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c := New()
	var l, wrong log
	l.ours()
	for i := range 6 {
		wrong.denied(fmt.Sprintf("198.51.100.%d", 100+i), fmt.Sprintf("mail.org%d.example", i), fmt.Sprintf("a@org%d.example", i), "info@lost.example")
	}
	wrong.denied("10.1.2.3", "", "app@example.com", "a@example.net")
	wrong.denied("198.51.100.7", "", "joe@example.com", "a@example.net")
	wrong.fail("joe@example.com", "198.51.100.7", relaylens.ReasonCredentials, 3)
	wrong.add(relaylens.Event{Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, ClientIP: ip("198.51.100.9"), User: "ann@example.com", Recipient: "x@example.net"})
	want := append(slices.Repeat([]relaylens.Cause{relaylens.CauseRecipientDomainNotConfigured}, 6),
		relaylens.CauseClientNotInMynetworks, relaylens.CauseClientNotAuthenticated, relaylens.CauseStalePassword, relaylens.CauseRestrictionOrder)

	for i := range 1_000_000 {
		flood(c, i)
		if i%10_000 == 0 { // our own users go on working, and what is wrong goes on
			for _, e := range append(slices.Clone(l.events), wrong.events...) {
				e.Time = start.Add(time.Duration(i) * time.Millisecond)
				e.PID = int32(i + 1) // a session of its own
				c.Classify(&e)
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if used := int64(after.HeapAlloc) - int64(before.HeapAlloc); used > 64<<20 {
		t.Errorf("%d MiB in use, want at most 64", used>>20)
	}
	var got []relaylens.Cause
	for _, e := range wrong.events {
		e.Time = start.Add(1000 * time.Second)
		c.Final(&e)
		got = append(got, e.Cause)
	}
	if !slices.Equal(got, want) {
		t.Errorf("in the flood the causes are %v, want %v", got, want)
	}
	runtime.KeepAlive(c)
}

// flood is one of many clients, with a user and domains of its own.
func flood(c *Classifier, i int) {
	e := relaylens.Event{Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Host: "mx1", Time: start.Add(time.Duration(i) * time.Millisecond),
		ClientIP: netip.AddrFrom4([4]byte{60 + byte(i>>24), byte(i >> 16), byte(i >> 8), byte(i)}),
		Sender:   fmt.Sprintf("a@s%d.example", i), Recipient: fmt.Sprintf("b@r%d.example", i)}
	c.Classify(&e)
	e.Kind, e.Reason, e.User = relaylens.KindAuthFailed, relaylens.ReasonCredentials, e.Sender
	c.Classify(&e)
}

func BenchmarkClassify(b *testing.B) {
	c := New()
	e := relaylens.Event{Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Host: "mx1", Time: start,
		ClientIP: ip("203.0.113.9"), Sender: "a@example.org", Recipient: "b@example.net", Service: "smtpd", PID: 7}
	b.ReportAllocs()
	for b.Loop() {
		c.Classify(&e)
	}
}
