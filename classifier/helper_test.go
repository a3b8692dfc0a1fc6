package classifier

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// wanting is a refusal for the want of a helper.
func wanting(client int, reason relaylens.Reason, name string) relaylens.Event {
	return relaylens.Event{Host: "mx1", Kind: relaylens.KindRejected, Reason: reason, Code: 451, ClientIP: address(client), RemoteHost: name, Text: "Temporary lookup failure"}
}

// A helper that does not answer is the server's own fault, each by itself, under the
// name that the server has for it.
func TestHelperIsAFinding(t *testing.T) {
	many := func(n int, reason relaylens.Reason, names ...string) (list []relaylens.Event) {
		for i := range n {
			list = append(list, wanting(i, reason, names[i%len(names)]))
		}
		return list
	}
	const (
		milter    = relaylens.ReasonMilter
		resources = relaylens.ReasonResources
	)
	of := func(host string, e ...relaylens.Event) []relaylens.Event {
		for i := range e {
			e[i].Host = host
		}
		return e
	}
	rules := many(4, milter, "")
	remote := many(4, milter, "mx.example.net")
	for i := range remote {
		remote[i].RemoteIP = address(500)
	}
	sendmail := many(4, resources, "check_relay", "check_mail")
	for i := range sendmail {
		sendmail[i].MTA = relaylens.Sendmail
	}
	for name, test := range map[string]struct {
		events []relaylens.Event
		want   []string
	}{
		"a milter":                      {many(4, milter, "inet:localhost:8891"), []string{"mx1 helper inet:localhost:8891: 4 of 4"}},
		"two milters":                   {many(6, milter, "inet:localhost:8891", "inet:localhost:8893"), []string{"mx1 helper inet:localhost:8891: 3 of 3", "mx1 helper inet:localhost:8893: 3 of 3"}},
		"tables of one database":        {many(4, resources, "mysql:/etc/postfix/boxes.cf", "proxy:mysql:/etc/postfix/aliases.cf"), []string{"mx1 helper mysql: 4 of 4"}},
		"maps of one server":            {many(4, resources, "socketmap:inet:127.0.0.1:9996:boxes", "socketmap:inet:127.0.0.1:9996:aliases"), []string{"mx1 helper socketmap:inet:127.0.0.1:9996: 4 of 4"}},
		"files":                         {many(6, resources, "hash:/etc/postfix/a", "hash:/etc/postfix/b"), []string{"mx1 helper hash:/etc/postfix/a: 3 of 3", "mx1 helper hash:/etc/postfix/b: 3 of 3"}},
		"a map that is not told":        {sendmail, []string{"mx1 host mx1: 4 of 4"}},
		"a policy service":              {many(3, relaylens.ReasonPolicyService, "private/policy"), []string{"mx1 helper private/policy: 3 of 3"}},
		"a scanner":                     {many(3, relaylens.ReasonContent, "clamd /run/clamd.ctl"), []string{"mx1 helper clamd /run/clamd.ctl: 3 of 3"}},
		"a full disk":                   {many(3, resources, relaylens.Disk), []string{"mx1 helper disk: 3 of 3"}},
		"of one client":                 {append(many(1, resources, relaylens.Disk), append(many(1, resources, relaylens.Disk), many(1, resources, relaylens.Disk)...)...), []string{"mx1 helper disk: 3 of 1"}},
		"a certificate":                 {many(3, resources, relaylens.Certificate), []string{"mx1 helper certificate: 3 of 3"}},
		"no room for more clients":      {many(3, relaylens.ReasonRateLimit, relaylens.Capacity), []string{"mx1 helper capacity: 3 of 3"}},
		"a word that cannot be read":    {many(4, resources, relaylens.Configuration+":reject_foo"), []string{"mx1 helper configuration:reject_foo: 4 of 4"}},
		"of two hosts":                  {append(many(3, milter, "inet:localhost:8891"), of("mx2", many(4, milter, "inet:localhost:8891")...)...), []string{"mx2 helper inet:localhost:8891: 4 of 4", "mx1 helper inet:localhost:8891: 3 of 3"}},
		"a helper that is started":      {many(2, milter, "inet:localhost:8891"), nil},
		"a milter's own verdict":        {rules, nil},
		"a callout":                     {remote, nil},
		"another reason, with a name":   {many(4, relaylens.ReasonGreylist, "private/policy"), nil},
		"a rule with no helper failing": {many(4, relaylens.ReasonUnknownRecipient, ""), nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMany()
			for _, e := range test.events {
				m.saw(e)
			}
			var got []string
			for _, f := range m.findings() {
				got = append(got, fmt.Sprintf("%s %s %s: %d of %d", f.Host, f.Entity.Kind, f.Entity.Value, f.Events, f.Clients))
				if f.Cause != relaylens.CausePolicy || f.Fault != relaylens.FaultServer || f.Confidence < 0.9 || f.Why == "" {
					t.Errorf("cause %s, fault %q, confidence %v, why %q", f.Cause, f.Fault, f.Confidence, f.Why)
				}
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Where a helper mostly answers, or one client only is refused, it may be what that
// one asks for.
func TestHelperThatMostlyAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		clients, taken int
		user           string
		apart          time.Duration
		sure           bool
	}{
		"nothing is taken":         {clients: 4, sure: true},
		"little is taken":          {clients: 4, taken: 3, sure: true},
		"plenty is taken":          {clients: 4, taken: 9},
		"of those who log in":      {clients: 4, taken: 9, user: "ann@ours.example", sure: true},
		"plenty, but hours before": {clients: 4, taken: 9, apart: 3 * time.Hour, sure: true},
		"one client":               {clients: 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMany()
			for i := range 4 {
				for range test.taken {
					m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindAccepted, ClientIP: address(900 + i), Sender: "a@there.example", User: test.user})
				}
				m.at = m.at.Add(test.apart)
				m.saw(wanting(i%test.clients, relaylens.ReasonResources, "ldap:/etc/postfix/boxes.cf"))
			}
			list := m.findings()
			if len(list) != 1 || list[0].Confidence >= 0.8 != test.sure {
				t.Errorf("%+v, want sure: %v", list, test.sure)
			}
		})
	}
}
