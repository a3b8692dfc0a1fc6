package classifier

import (
	"fmt"
	"testing"

	"github.com/relaylens/relaylens"
)

// TestRelayHostRefusesTheLogin: that no message goes out is the server's own fault, and one
// finding. Where the relay host cannot check logins, or does not relay for some domains, it is not.
func TestRelayHostRefusesTheLogin(t *testing.T) {
	login := relaylens.Event{Kind: relaylens.KindRejected, Reason: relaylens.ReasonAuthRequired, Stage: relaylens.StageAuth, Code: 535, RemoteHost: "smtp.relay.example"}
	exim := login
	exim.Kind, exim.Reason = relaylens.KindAuthFailed, relaylens.ReasonCredentials
	later := login
	later.Code = 454
	recipient := relaylens.Event{Kind: relaylens.KindRelayDenied, Stage: relaylens.StageRcpt, Code: 554, RemoteHost: "smtp.relay.example"}
	for name, tc := range map[string]struct {
		events    []relaylens.Event
		delivered string // to it meanwhile
		fault     relaylens.Fault
		sure      bool
		n         int // findings
	}{
		"Postfix":                {events: []relaylens.Event{login}, fault: relaylens.FaultServer, sure: true, n: 1},
		"Exim":                   {events: []relaylens.Event{exim}, fault: relaylens.FaultServer, sure: true, n: 1},
		"who goes on without":    {events: []relaylens.Event{exim, recipient}, fault: relaylens.FaultServer, sure: true, n: 1},
		"one account of several": {events: []relaylens.Event{login}, delivered: "smtp.relay.example", fault: relaylens.FaultServer, n: 1},
		"mail to others":         {events: []relaylens.Event{login}, delivered: "mx.example.net", fault: relaylens.FaultServer, sure: true, n: 1},
		"for now":                {events: []relaylens.Event{later}, fault: relaylens.FaultRemote, sure: true, n: 1},
		"recipients":             {events: []relaylens.Event{recipient}, fault: relaylens.FaultRemote, sure: true, n: 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMany()
			out := func(e relaylens.Event, i int) {
				e.Direction, e.Recipient, e.QueueID, e.ClientIP = relaylens.Outbound, fmt.Sprintf("a@there%d.example", i), fmt.Sprint("q", i), address(i)
				m.tell(e)
			}
			for i := range 4 {
				for _, e := range tc.events {
					out(e, i)
				}
				if tc.delivered != "" {
					out(relaylens.Event{Kind: relaylens.KindDelivered, RemoteHost: tc.delivered}, i)
				}
			}
			list := m.findings()
			if len(list) != tc.n {
				t.Fatalf("found %d: %+v", len(list), list)
			}
			f := &list[0]
			if f.Cause != relaylens.CauseRemoteRelayDenied || f.Fault != tc.fault || f.Entity != (relaylens.Entity{Kind: relaylens.EntityRemoteHost, Value: "smtp.relay.example"}) ||
				f.Confidence >= 0.8 != tc.sure || f.Events != 4*len(tc.events) {
				t.Errorf("found %+v", f)
			}
		})
	}
}
