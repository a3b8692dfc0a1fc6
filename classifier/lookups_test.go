package classifier

import (
	"fmt"
	"net/netip"
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
	case "listed", "listed, it says", "listed elsewhere":
		e.Kind, e.Reason, e.Code, e.Text = relaylens.KindRejected, relaylens.ReasonDNSBL, 554, "Service unavailable; Client host ["+client.String()+"] blocked using bl.example.org"
		if what == "listed, it says" {
			e.Text += "; Error: open resolver; https://check.bl.example.org/returnc/pub/"
		} else if what == "listed elsewhere" {
			e.Text = "Service unavailable; Client host [" + client.String() + "] blocked using other.example.org"
		}
		e.ClientName = "mx.example.net"
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
				m.play(&tc.log[i])
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

// TestListOfEverybody: a list that has everybody on it is the server's own affair, and one
// that keeps strangers out is not.
func TestListOfEverybody(t *testing.T) {
	for name, tc := range map[string]struct {
		log    []lookedUp
		events int // of the finding; 0 is none
		listed int // clients that are on a list
	}{
		"strangers":                  {log: []lookedUp{{what: "listed", n: 40}}, listed: 40},
		"it says so":                 {log: []lookedUp{{what: "listed, it says", n: 6}}, events: 6},
		"it says so to one":          {log: []lookedUp{{what: "listed, it says", n: 6, one: true}}, listed: 1},
		"who was welcome":            {log: []lookedUp{{what: "mail", n: 5}, {what: "listed", n: 20, every: 20 * time.Second}}, events: 20},
		"few who were welcome":       {log: []lookedUp{{what: "mail", n: 3}, {what: "listed", n: 20}}, listed: 20},
		"others still are":           {log: []lookedUp{{what: "mail", n: 5}, {what: "listed", n: 20, between: "mail"}}, listed: 20},
		"by several lists":           {log: []lookedUp{{what: "mail", n: 6}, {what: "listed", n: 3}, {what: "listed elsewhere", n: 3, first: 3}}, listed: 6},
		"until the list was dropped": {log: []lookedUp{{what: "mail", n: 5}, {what: "listed", n: 9}, {what: "mail", n: 9, first: 500}, {what: "listed", n: 4, first: 600}}, events: 9, listed: 4},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMany()
			for i := range tc.log {
				m.play(&tc.log[i])
			}
			events, listed := 0, 0
			for _, f := range m.findings() {
				if f.Cause == relaylens.CauseClientBlocklisted {
					listed += f.Clients
					continue
				}
				if events += f.Events; f.Cause != relaylens.CausePolicy || f.Fault != relaylens.FaultServer || f.Entity != (relaylens.Entity{Kind: relaylens.EntityHelper, Value: "bl.example.org"}) || f.Confidence < 0.9 {
					t.Errorf("found %+v", f)
				}
			}
			if events != tc.events || listed != tc.listed {
				t.Errorf("%d refusals are the list's doing, and %d clients are on it; want %d and %d", events, listed, tc.events, tc.listed)
			}
		})
	}
}

// play has a step happen.
func (m *many) play(a *lookedUp) {
	for n := range a.n {
		m.at = m.at.Add(max(a.every, time.Second) - time.Second)
		m.saw(a.event(a.what, n))
		if a.between != "" {
			m.saw((&lookedUp{first: 1000}).event(a.between, n))
		}
	}
}

// TestListBehindPostscreen is of refusals that name a list, or only that some have the client
// on them, while postscreen's helper says that one has no answer.
func TestListBehindPostscreen(t *testing.T) {
	begin := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for said, want := range map[string]string{
		"Service unavailable; client [192.0.2.1] blocked using zen.bl.example": "zen.bl.example",
		"DNSBL rank": "postscreen_dnsbl_sites",
		"Service unavailable; client [192.0.2.1] blocked using other.bl.example": "",
	} {
		t.Run(said, func(t *testing.T) {
			c := New()
			var refusals []relaylens.Event
			for i := range 8 {
				e := relaylens.Event{Time: begin.Add(time.Duration(i) * 10 * time.Second), Host: "mx1", MTA: relaylens.Postfix, Service: "dnsblog", Kind: relaylens.KindBackendError,
					ClientIP: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), RemoteHost: "zen.bl.example", Text: "listed by domain zen.bl.example as 127.255.255.254"}
				c.Classify(&e)
				e.Time = e.Time.Add(5 * time.Second)
				e.Service, e.Kind, e.RemoteHost, e.Text = "postscreen", relaylens.KindRejected, "", said
				e.Direction, e.Reason, e.Class = relaylens.Inbound, relaylens.ReasonDNSBL, relaylens.Class5xx
				c.Classify(&e)
				refusals = append(refusals, e)
			}
			f := c.NewFindings()
			for i := range refusals {
				c.Final(&refusals[i])
				f.Add(&refusals[i])
			}
			list := f.List()
			if len(list) != 1 || (list[0].Fault == relaylens.FaultServer) != (want != "") || want != "" && (list[0].Entity.Value != want || list[0].Events != 8) {
				t.Errorf("found %+v", list)
			}
		})
	}
}
