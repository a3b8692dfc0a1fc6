package relaylens

import (
	"net/netip"
	"testing"
)

func TestHelperOf(t *testing.T) {
	refused := func(reason Reason, text string) Event {
		return Event{Kind: KindRejected, Direction: Inbound, Reason: reason, RemoteHost: "name", Text: text}
	}
	with := func(e Event, change func(*Event)) Event { change(&e); return e }
	milter := refused(ReasonMilter, "Service unavailable - try again later")
	for name, c := range map[string]struct {
		event Event
		want  Helper
	}{
		"a milter":                        {milter, HelperMilter},
		"a milter that has no name":       {with(milter, func(e *Event) { e.RemoteHost = "" }), HelperNone},
		"a remote server's words":         {with(milter, func(e *Event) { e.Direction = Outbound }), HelperNone},
		"a callout's server":              {with(milter, func(e *Event) { e.RemoteIP = netip.MustParseAddr("192.0.2.1") }), HelperNone},
		"no refusal":                      {with(milter, func(e *Event) { e.Kind = KindBackendError }), HelperNone},
		"a policy service":                {refused(ReasonPolicyService, "Server configuration problem"), HelperPolicy},
		"a scanner":                       {refused(ReasonContent, "malware acl condition: clamd"), HelperScanner},
		"a table":                         {refused(ReasonResources, "Temporary lookup failure"), HelperTable},
		"a filter that cannot be reached": {refused(ReasonResources, "connect to proxy filter inet:127.0.0.1:10024: Connection refused"), HelperFilter},
		"a filter that hung up":           {refused(ReasonResources, "lost connection with proxy inet:127.0.0.1:10024"), HelperFilter},
		"a filter that is slow":           {refused(ReasonResources, "timeout talking to proxy inet:127.0.0.1:10024"), HelperFilter},
		"a client that speaks of a proxy": {refused(ReasonResources, `<"a proxy b"@example.com>: Temporary lookup failure`), HelperTable},
		"a reason that needs no helper":   {refused(ReasonGreylist, "try again later"), HelperNone},
	} {
		t.Run(name, func(t *testing.T) {
			if got := HelperOf(&c.event); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
