package testutil

import (
	"encoding/binary"
	"net"
	"strings"
	"testing"
)

// Record types and answers of RFC 1035.
const (
	TypeA, TypePTR, TypeMX, TypeTXT, TypeAAAA = 1, 12, 15, 16, 28

	NoError, ServFail, NXDomain = 0, 2, 3
)

// Zone answers a question: a code, and the data of each record. The name is in
// small letters, without a dot at its end. NoAnswer leaves the question open.
type Zone func(name string, qtype uint16) (code int, records [][]byte)

// NoAnswer is the code of a server that does not answer.
const NoAnswer = -1

// ServeDNS answers questions over UDP until the test ends, and returns where.
func ServeDNS(t testing.TB, address string, zone Zone) string {
	t.Helper()
	conn, err := net.ListenPacket("udp4", address) //nolint:noctx // at once
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
			if answer := zone.answer(query[:n]); answer != nil {
				_, _ = conn.WriteTo(answer, peer) // who asked asks again
			}
		}
	}()
	return conn.LocalAddr().String()
}

// answer answers one query; nil when it is none, or is to be left open.
func (z Zone) answer(query []byte) []byte {
	if len(query) < 12 {
		return nil
	}
	name, rest, ok := readName(query[12:])
	if !ok || len(rest) < 4 {
		return nil
	}
	question := query[12 : len(query)-len(rest)+4]
	qtype := binary.BigEndian.Uint16(rest)
	code, records := z(strings.ToLower(name), qtype)
	if code == NoAnswer {
		return nil
	}
	answer := append([]byte{}, query[:2]...)
	answer = append(answer, 0x84|query[2]&1, 0x80|byte(code)) // response, authoritative, recursion as asked
	answer = append(answer, 0, 1, 0, byte(len(records)), 0, 0, 0, 0)
	answer = append(answer, question...)
	for _, data := range records {
		answer = append(answer, 0xc0, 12) // the name asked for
		answer = binary.BigEndian.AppendUint16(answer, qtype)
		answer = append(answer, 0, 1, 0, 0, 0, 60) // IN, one minute
		answer = binary.BigEndian.AppendUint16(answer, uint16(len(data)))
		answer = append(answer, data...)
	}
	return answer
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
