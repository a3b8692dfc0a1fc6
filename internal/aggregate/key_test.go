package aggregate

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/relaylens/relaylens"
)

// What a key shows leads back to it.
func TestKeyOfText(t *testing.T) {
	for _, client := range []string{"192.0.2.7", "::ffff:192.0.2.7", "2001:db8::7", "fe80::1%eth0"} {
		e := relaylens.Event{Kind: relaylens.KindRelayDenied, ClientIP: netip.MustParseAddr(client), User: "bob", Sender: "a@example.org", Recipient: "b@Example.NET"}
		for by := range NumBy {
			t.Run(fmt.Sprint(client, " ", by), func(t *testing.T) {
				want := KeyOf(&e, by)
				if got := KeyOfText(want.Text(by), by); got != want || got.None() {
					t.Errorf("%q gives %q", want.Text(by), got.Text(by))
				}
			})
		}
	}
	for _, c := range []struct {
		text string
		by   By
	}{{"bob", ByClient}, {"192.0.2.7", ByNetwork}, {"", ByUser}} {
		if got := KeyOfText(c.text, c.by); !got.None() {
			t.Errorf("%q by %s is %q", c.text, c.by, got.Text(c.by))
		}
	}
}
