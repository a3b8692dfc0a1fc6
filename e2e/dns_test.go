//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/relaylens/relaylens/internal/testutil"
)

// startDNS serves the few names of this world on 127.0.0.1:53.
//
// The example domains have an address and a mail server; addresses of
// 203.0.113.0/24 have names that lead back to them, all others have none;
// what ends in tempfail.example gets no answer to go by; dnsbl.example.org is a
// blocklist.
func startDNS(t *testing.T) {
	t.Helper()
	testutil.ServeDNS(t, "127.0.0.1:53", func(name string, qtype uint16) (int, [][]byte) {
		code, data := resolve(name, qtype)
		if data == nil {
			return code, nil
		}
		return code, [][]byte{data}
	})
}

func resolve(name string, qtype uint16) (code int, data []byte) {
	if name == "tempfail.example" || strings.HasSuffix(name, ".tempfail.example") {
		return testutil.ServFail, nil
	}
	if ip, ok := strings.CutSuffix(name, ".113.0.203.in-addr.arpa"); ok {
		return ifType(qtype == testutil.TypePTR, appendName(nil, "host"+ip+".dsl.example.net"))
	}
	if ip, ok := strings.CutSuffix(name, ".2.0.192.in-addr.arpa"); ok {
		return ifType(qtype == testutil.TypePTR, appendName(nil, "mx"+ip+".example.com"))
	}
	if n, ok := strings.CutSuffix(strings.TrimPrefix(name, "host"), ".dsl.example.net"); ok && name != n {
		addr, err := netip.ParseAddr("203.0.113." + n)
		if err != nil {
			return testutil.NXDomain, nil
		}
		return ifType(qtype == testutil.TypeA, addr.AsSlice())
	}
	if ip, ok := strings.CutSuffix(name, ".dnsbl.example.org"); ok { // a blocklist that has one address
		if ip == "9.113.0.203" {
			return ifType(qtype == testutil.TypeA, []byte{127, 0, 0, 2})
		}
		return testutil.NXDomain, nil
	}
	switch name {
	case "example.com", "example.org", "example.net":
		if qtype == testutil.TypeMX {
			return testutil.NoError, appendName([]byte{0, 10}, "mail."+name)
		}
		return ifType(qtype == testutil.TypeA, []byte{192, 0, 2, 25})
	case "mail.example.com", "mail.example.org", "mail.example.net":
		return ifType(qtype == testutil.TypeA, []byte{192, 0, 2, 25})
	case "mx1.example.com":
		return ifType(qtype == testutil.TypeA, []byte{192, 0, 2, 1})
	}
	return testutil.NXDomain, nil
}

func ifType(right bool, data []byte) (int, []byte) {
	if !right {
		return testutil.NoError, nil
	}
	return testutil.NoError, data
}

func appendName(b []byte, name string) []byte {
	for label := range strings.SplitSeq(name, ".") {
		b = append(b, byte(len(label)))
		b = append(b, label...)
	}
	return append(b, 0)
}

func TestDNS(t *testing.T) {
	tests := []struct {
		name  string
		qtype uint16
		code  int
		data  string
	}{
		{"example.com", testutil.TypeMX, testutil.NoError, "\x00\x0a\x04mail\x07example\x03com\x00"},
		{"example.com", testutil.TypeAAAA, testutil.NoError, ""},
		{"7.113.0.203.in-addr.arpa", testutil.TypePTR, testutil.NoError, "\x05host7\x03dsl\x07example\x03net\x00"},
		{"host7.dsl.example.net", testutil.TypeA, testutil.NoError, "\xcb\x00\x71\x07"},
		{"7.100.51.198.in-addr.arpa", testutil.TypePTR, testutil.NXDomain, ""},
		{"missing.example", testutil.TypeMX, testutil.NXDomain, ""},
		{"tempfail.example", testutil.TypeA, testutil.ServFail, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.name, " ", tt.qtype), func(t *testing.T) {
			code, data := resolve(tt.name, tt.qtype)
			if code != tt.code || string(data) != tt.data {
				t.Errorf("answer %d %q, want %d %q", code, data, tt.code, tt.data)
			}
		})
	}
}
