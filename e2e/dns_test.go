//go:build e2e

package e2e

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// Record types and answers of RFC 1035.
const (
	typeA, typePTR, typeMX, typeAAAA = 1, 12, 15, 28

	noError, servFail, nxDomain = 0, 2, 3
)

// startDNS serves the few names of this world on 127.0.0.1:53.
//
// The example domains have an address and a mail server; addresses of
// 203.0.113.0/24 have names that lead back to them, all others have none;
// what ends in tempfail.example gets no answer to go by; dnsbl.example.org is a
// blocklist.
func startDNS(t *testing.T) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		query := make([]byte, 1500)
		for {
			n, peer, err := conn.ReadFrom(query)
			if err != nil {
				return
			}
			if answer := answerDNS(query[:n]); answer != nil {
				conn.WriteTo(answer, peer)
			}
		}
	}()
}

// answerDNS answers one query; nil when it is none.
func answerDNS(query []byte) []byte {
	if len(query) < 12 {
		return nil
	}
	name, rest, ok := readName(query[12:])
	if !ok || len(rest) < 4 {
		return nil
	}
	question := query[12 : len(query)-len(rest)+4]
	qtype := binary.BigEndian.Uint16(rest)
	code, data := resolve(strings.ToLower(name), qtype)

	answer := append([]byte{}, query[:2]...)
	answer = append(answer, 0x84|query[2]&1, 0x80|byte(code)) // response, authoritative, recursion as asked
	answer = append(answer, 0, 1, 0, byte(min(len(data), 1)), 0, 0, 0, 0)
	answer = append(answer, question...)
	if data == nil {
		return answer
	}
	answer = append(answer, 0xc0, 12) // the name asked for
	answer = binary.BigEndian.AppendUint16(answer, qtype)
	answer = append(answer, 0, 1, 0, 0, 0, 60) // IN, one minute
	answer = binary.BigEndian.AppendUint16(answer, uint16(len(data)))
	return append(answer, data...)
}

func resolve(name string, qtype uint16) (code int, data []byte) {
	if name == "tempfail.example" || strings.HasSuffix(name, ".tempfail.example") {
		return servFail, nil
	}
	if ip, ok := strings.CutSuffix(name, ".113.0.203.in-addr.arpa"); ok {
		return ifType(qtype == typePTR, appendName(nil, "host"+ip+".dsl.example.net"))
	}
	if ip, ok := strings.CutSuffix(name, ".2.0.192.in-addr.arpa"); ok {
		return ifType(qtype == typePTR, appendName(nil, "mx"+ip+".example.com"))
	}
	if n, ok := strings.CutSuffix(strings.TrimPrefix(name, "host"), ".dsl.example.net"); ok && name != n {
		addr, err := netip.ParseAddr("203.0.113." + n)
		if err != nil {
			return nxDomain, nil
		}
		return ifType(qtype == typeA, addr.AsSlice())
	}
	if ip, ok := strings.CutSuffix(name, ".dnsbl.example.org"); ok { // a blocklist that has one address
		if ip == "9.113.0.203" {
			return ifType(qtype == typeA, []byte{127, 0, 0, 2})
		}
		return nxDomain, nil
	}
	switch name {
	case "example.com", "example.org", "example.net":
		if qtype == typeMX {
			return noError, appendName([]byte{0, 10}, "mail."+name)
		}
		return ifType(qtype == typeA, []byte{192, 0, 2, 25})
	case "mail.example.com", "mail.example.org", "mail.example.net":
		return ifType(qtype == typeA, []byte{192, 0, 2, 25})
	case "mx1.example.com":
		return ifType(qtype == typeA, []byte{192, 0, 2, 1})
	}
	return nxDomain, nil
}

func ifType(right bool, data []byte) (int, []byte) {
	if !right {
		return noError, nil
	}
	return noError, data
}

func appendName(b []byte, name string) []byte {
	for label := range strings.SplitSeq(name, ".") {
		b = append(b, byte(len(label)))
		b = append(b, label...)
	}
	return append(b, 0)
}

func readName(b []byte) (name string, rest []byte, ok bool) {
	var labels []string
	for len(b) > 0 {
		n := int(b[0])
		if n == 0 {
			return strings.Join(labels, "."), b[1:], true
		}
		if n > 63 || len(b) < n+1 {
			break
		}
		labels = append(labels, string(b[1:n+1]))
		b = b[n+1:]
	}
	return "", nil, false
}

func TestDNS(t *testing.T) {
	tests := []struct {
		name  string
		qtype uint16
		code  int
		data  string
	}{
		{"example.com", typeMX, noError, "\x00\x0a\x04mail\x07example\x03com\x00"},
		{"example.com", typeAAAA, noError, ""},
		{"7.113.0.203.in-addr.arpa", typePTR, noError, "\x05host7\x03dsl\x07example\x03net\x00"},
		{"host7.dsl.example.net", typeA, noError, "\xcb\x00\x71\x07"},
		{"7.100.51.198.in-addr.arpa", typePTR, nxDomain, ""},
		{"missing.example", typeMX, nxDomain, ""},
		{"tempfail.example", typeA, servFail, ""},
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
