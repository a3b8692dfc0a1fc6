package classifier

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// lookedUp is one step of a server that asks DNS: what it says, and of how many.
type lookedUp struct {
	what    string
	n       int
	first   int           // client and domain, from here on
	one     bool          // client
	every   time.Duration // one second if it is not set
	between string        // what happens after each
}

func (a *lookedUp) event(what string, i int) relaylens.Event {
	client, sender := address(a.first+i), fmt.Sprintf("a@firm%d.example", a.first+i)
	if a.one {
		client = address(a.first)
	}
	e := relaylens.Event{Host: "mx1", Kind: relaylens.KindSenderVerify, Reason: relaylens.ReasonDomainTempfail, Code: 451, ClientIP: client, Sender: sender}
	switch what {
	case "mail":
		return relaylens.Event{Host: "mx1", Kind: relaylens.KindAccepted, ClientIP: client, ClientName: fmt.Sprintf("mx.firm%d.example", a.first+i), Sender: sender}
	case "other mail":
		return relaylens.Event{Host: "mx1", Kind: relaylens.KindAccepted, ClientIP: address(5000 + i), Sender: "a@other.example"}
	case "not found":
		e.Reason, e.Code = relaylens.ReasonDomainNotFound, 450
	case "not found for good":
		e.Reason, e.Code = relaylens.ReasonDomainNotFound, 550
	case "no name":
		e.Kind, e.Reason, e.Code, e.Text = relaylens.KindRejected, relaylens.ReasonClientPolicy, 450, "Client host rejected: cannot find your hostname, ["+client.String()+"]"
	case "named":
		e.ClientName = "mx.example.net"
	}
	return e
}

// TestSilentResolver: one finding of the server's where DNS tells nothing of anybody, and
// none of what is wrong with some domains and clients.
func TestSilentResolver(t *testing.T) {
	for name, tc := range map[string]struct {
		log    []lookedUp
		events int // of the finding; 0 is none
		others int // findings
	}{
		"the server says so":               {log: []lookedUp{{what: "no answer", n: 6}}, events: 6},
		"of few domains":                   {log: []lookedUp{{what: "no answer", n: 3}}, others: 3},
		"to one client":                    {log: []lookedUp{{what: "no answer", n: 6, one: true}}, others: 6},
		"over hours":                       {log: []lookedUp{{what: "no answer", n: 8, every: time.Hour}}, others: 8},
		"domains that are sick":            {log: []lookedUp{{what: "no answer", n: 8, between: "mail"}}, others: 8},
		"to clients with a name":           {log: []lookedUp{{what: "named", n: 8}}, others: 8},
		"a cache knows some":               {log: []lookedUp{{what: "no answer", n: 9}, {what: "other mail", n: 2}, {what: "no answer", n: 3, first: 20}}, events: 12},
		"domains that were made up":        {log: []lookedUp{{what: "not found", n: 40}}, others: 40},
		"domains that mail came from":      {log: []lookedUp{{what: "mail", n: 6}, {what: "not found", n: 6, every: time.Minute}}, events: 6},
		"not found for good":               {log: []lookedUp{{what: "mail", n: 6}, {what: "not found for good", n: 6}}, others: 6},
		"among them some of old":           {log: []lookedUp{{what: "mail", n: 4}, {what: "not found", n: 10}}, events: 10},
		"clients that had names":           {log: []lookedUp{{what: "mail", n: 6}, {what: "no name", n: 6}}, events: 6},
		"clients that never had any":       {log: []lookedUp{{what: "no name", n: 40}}},
		"who has a name of others' domain": {log: []lookedUp{{what: "mail", n: 6}, {what: "no name", n: 6, first: 3}}},
		"it is well again":                 {log: []lookedUp{{what: "no answer", n: 6}, {what: "mail", n: 5, first: 100}, {what: "not found", n: 3, first: 200}}, events: 6, others: 3},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMany()
			for i := range tc.log {
				a := &tc.log[i]
				for n := range a.n {
					m.at = m.at.Add(max(a.every, time.Second) - time.Second)
					m.saw(a.event(a.what, n))
					if a.between != "" {
						m.saw((&lookedUp{first: 1000}).event(a.between, n))
					}
				}
			}
			events, others := 0, 0
			for _, f := range m.findings() {
				if f.Fault != relaylens.FaultServer {
					others++
					continue
				}
				if events += f.Events; f.Cause != relaylens.CauseSenderDomainDNSTempfail || f.Entity != (relaylens.Entity{Kind: relaylens.EntityServer, Value: "mx1"}) ||
					f.Confidence < 0.9 || !strings.Contains(f.Why, "resolver") {
					t.Errorf("found %+v", f)
				}
			}
			if events != tc.events || others != tc.others {
				t.Errorf("%d refusals are the resolver's doing, and %d findings of others; want %d and %d", events, others, tc.events, tc.others)
			}
		})
	}
}
