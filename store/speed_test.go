package store

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// generated is event n of a busy server: a refusal each 1.5 s, most from a few
// clients, some from many.
func generated(n int, began time.Time) relaylens.Event {
	line := relaylens.Line{Text: "generated", Offset: int64(n)}
	h := uint32(n) * 2654435761 // spreads what follows from n
	client := byte(h >> 24)
	e := relaylens.Event{
		ID: relaylens.NewID(&line, 0), Time: began.Add(time.Duration(n) * 1500 * time.Millisecond), TimeDigits: 6,
		Host: "mx" + strconv.Itoa(n%3), MTA: relaylens.Postfix, Service: "smtpd", PID: int32(h>>16) + 1,
		Kind: relaylens.RefusalKinds()[h>>8%4], Direction: relaylens.Inbound, Stage: relaylens.StageRcpt, Cause: relaylens.CausePolicy,
		ClientIP: netip.AddrFrom4([4]byte{198, 51, 100, client}), Helo: "pc.example.org", Proto: "ESMTP",
		Sender: fmt.Sprintf("user%d@sender%d.example.org", h%5000, h%300), Recipient: fmt.Sprintf("to%d@example.net", h%700),
		Code: 554, Enhanced: "5.7.1", Text: "Relay access denied", Source: "/var/log/mail.log", Line: int64(n), Offset: int64(n) * 200,
	}
	if n%10 == 0 {
		e.ClientIP = netip.AddrFrom4([4]byte{byte(h>>24)%100 + 1, byte(h >> 16), byte(h >> 8), byte(h)})
	}
	if n%4 == 0 {
		e.Kind, e.Code, e.User = relaylens.KindAuthFailed, 535, fmt.Sprintf("user%d@example.com", h%2000)
	}
	return e
}

// TestGenerate fills the directory GENERATE_DIR with as many events as
// GENERATE_EVENTS says, the last one at the time now, to measure with. Without
// them it makes a small store, so that what it takes to measure keeps working.
func TestGenerate(t *testing.T) {
	dir, n := t.TempDir(), 2000
	if named := os.Getenv("GENERATE_DIR"); named != "" {
		var err error
		if n, err = strconv.Atoi(os.Getenv("GENERATE_EVENTS")); err != nil {
			t.Fatal(err)
		}
		dir = named
	}
	generate(t, dir, n, time.Now())
	s := open(t, dir)
	if st, err := s.Stats(t.Context()); err != nil || st.Events < int64(n) {
		t.Errorf("%d events, %v; want %d", st.Events, err, n)
	}
}

func generate(t testing.TB, dir string, n int, end time.Time) {
	t.Helper()
	s := open(t, dir)
	began := end.Add(-time.Duration(n) * 1500 * time.Millisecond)
	const batch = 20_000
	for i := 0; i < n; i += batch {
		b := &Batch{}
		for j := i; j < min(i+batch, n); j++ {
			b.Events = append(b.Events, generated(j, began))
		}
		commit(t, s, b)
	}
}

// BenchmarkQuery asks a store of 200,000 events, or the one that
// RELAYLENS_STORE names, which TestGenerate made.
func BenchmarkQuery(b *testing.B) {
	dir := os.Getenv("RELAYLENS_STORE")
	if dir == "" {
		dir = filepath.Join(b.TempDir(), "store")
		generate(b, dir, 200_000, time.Now())
	}
	s, err := OpenReadOnly(context.Background(), dir)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	hour := Span{Since: time.Now().Add(-time.Hour)}
	for name, q := range map[string]Query{
		"last 50":              {Reverse: true, Limit: 50},
		"first":                {Limit: 1},
		"first of the hour":    {Span: hour, Limit: 1},
		"hour":                 {Span: hour},
		"last 50 of a domain":  {Reverse: true, Limit: 50, Match: match(b, "recipient_domain=.example.net")},
		"last 50 of a network": {Reverse: true, Limit: 50, Match: match(b, "client_ip=198.51.100.0/26")},
		"last 50 of a client":  {Reverse: true, Limit: 50, Match: match(b, "client_ip=198.51.100.7")},
		"last 50 of a text":    {Reverse: true, Limit: 50, Keep: func(e *relaylens.Event) bool { return e.User != "" }},
		"a client never seen":  {Match: match(b, "client_ip=192.0.2.1")},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for _, err := range s.Select(context.Background(), q) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func match(t testing.TB, args ...string) relaylens.Match {
	t.Helper()
	m, err := relaylens.ParseMatch(args)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
