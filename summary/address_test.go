package summary

import (
	"net/netip"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// What a store added up by an address's text, and what its events tell by its
// numbers, is counted as one.
func TestAddressesByTextAndByNumber(t *testing.T) {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for client, network := range map[string]string{
		"203.0.113.9":             "203.0.113.0/24",
		"0.0.0.0":                 "0.0.0.0/24",
		"255.255.255.255":         "255.255.255.0/24",
		"2001:db8:1:2::9":         "2001:db8:1:2::/64",
		"::":                      "::/64",
		"::ffff:203.0.113.9":      "203.0.113.0/24",
		"2001:db8:ffff:ffff::1:2": "2001:db8:ffff:ffff::/64",
	} {
		t.Run(client, func(t *testing.T) {
			b := NewBuilder(Span{}, Span{})
			e := relaylens.Event{Time: at, Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, ClientIP: netip.MustParseAddr(client), Code: 554}
			for _, v := range []Value{{Field: "client_ip", Value: client}, {Field: "client_net", Value: network}} {
				v.Kind, v.Events, v.First, v.Last = e.Kind, 2, at, at
				b.AddValue(&v)
			}
			b.Add(&e)
			b.AddValue(&Value{Field: "client_net", Value: "198.51.100.0/23", Kind: e.Kind, Events: 1, First: at, Last: at})
			b.AddValue(&Value{Field: "client_ip", Value: "unknown", Kind: e.Kind, Events: 1, First: at, Last: at})
			b.Add(&e)
			b.now.settle()
			for field, want := range map[int]string{fieldClient: client, fieldNetwork: network} {
				if list := b.now.largest(field, -1); len(list) != 2 || list[0].Key != want || list[0].Count != 4 {
					t.Errorf("%s: %+v; want %s 4 times, and another", listFields[field], list, want)
				}
			}
		})
	}
}
