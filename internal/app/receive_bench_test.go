package app

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/exporter/prom"
	"github.com/relaylens/relaylens/internal/spike"
	"github.com/relaylens/relaylens/parsers"
	"github.com/relaylens/relaylens/store"
)

// BenchmarkReceive is what a reader of a fleet does with an event, its store
// included.
func BenchmarkReceive(b *testing.B) {
	s, err := store.Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	x := prom.New(prom.Options{Host: "here", MaxHosts: 100, Results: resultNames()})
	parser, err := parsers.New(parsers.Options{})
	if err != nil {
		b.Fatal(err)
	}
	p := newPipeline(parser, spike.Settings{}, x, s, x.Commits(failureNames()), zap.NewNop())
	p.start()
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	const each = 512
	n := 0
	for b.Loop() {
		var shipment relaylens.Shipment
		for range each {
			n++
			line := relaylens.Line{Offset: int64(n)}
			shipment.Events = append(shipment.Events, relaylens.Event{ID: relaylens.NewID(&line, 0), Time: at.Add(time.Duration(n) * time.Millisecond),
				Host: fmt.Sprint("mx", n%20), MTA: relaylens.Postfix, Service: "smtpd", PID: int32(n % 500), Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound,
				Stage: relaylens.StageRcpt, Cause: relaylens.CauseUnknown, ClientIP: netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}), Helo: "pc", Proto: "ESMTP",
				Sender: fmt.Sprintf("a%d@example.org", n%97), Recipient: fmt.Sprintf("user%d@example.net", n), Code: 554, Enhanced: "5.7.1", Text: "Relay access denied",
				Source: "/var/log/mail.log", Line: int64(n), Offset: int64(n * 200)})
		}
		p.in <- relaylens.Batch{Shipment: &shipment}
	}
	if err := p.stop(b.Context(), true); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}
