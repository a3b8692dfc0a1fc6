package nats

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// pager is whose turn a reader takes it to be.
type pager struct{ told, mine, late atomic.Bool }

func (p *pager) turn(mine bool) {
	p.mine.Store(mine)
	p.told.Store(true)
}

// silent reports that a reader knows that it is another's turn.
func (p *pager) silent() bool { return p.told.Load() && !p.mine.Load() }

func (p *pager) options(s *server.Server, name string) SourceOptions {
	return SourceOptions{Options: options(s, name), Consumer: name, Group: "pagers", Turn: p.turn, Late: p.late.Store, Metrics: NewMetrics(prometheus.NewRegistry())}
}

// flow ships an event now and then until cond holds: a turn goes to who gets a
// message.
func flow(t *testing.T, s *Shipper, outbox *memoryOutbox, what string, cond func() bool) {
	t.Helper()
	next := time.Now()
	eventually(t, what, func() bool {
		if time.Now().After(next) {
			outbox.add(refusals("mx1", 10_000+outbox.delivered(), 1)...)
			round(t, s)
			next = time.Now().Add(100 * time.Millisecond)
		}
		return cond()
	})
}

// shipped has five events in a stream.
func shipped(t *testing.T) (*server.Server, *Shipper, *memoryOutbox) {
	t.Helper()
	ns := startServer(t)
	outbox := outboxOf(refusals("mx1", 0, 5)...)
	s := newTestShipper(t, options(ns, "mx1"), outbox)
	round(t, s)
	return ns, s, outbox
}

// Of a group's readers each gets everything, and it is the turn of one; when that
// one ends, of the other.
func TestTurns(t *testing.T) {
	t.Parallel()
	ns, s, outbox := shipped(t)
	var a, b pager
	first := read(t, a.options(ns, "a"))
	eventually(t, "it is the only reader's turn", a.mine.Load)
	eventually(t, "nothing is late", func() bool { return !a.late.Load() })
	first.want(t, 5)
	second := read(t, b.options(ns, "b"))
	eventually(t, "it is the turn of one", func() bool { return a.mine.Load() && b.silent() || b.mine.Load() && a.silent() })
	outbox.add(refusals("mx1", 5, 3)...)
	round(t, s)
	first.want(t, 3)
	second.want(t, 8)
	one, other := first, &b
	if b.mine.Load() {
		one, other = second, &a
	}
	if err := one.end(); err != nil {
		t.Error(err)
	}
	flow(t, s, outbox, "the other takes over", other.mine.Load)
}

// A reader whose store takes nothing leaves the turn to the other.
func TestStuckReaderLeavesItsTurn(t *testing.T) {
	t.Parallel()
	ns, s, outbox := shipped(t)
	var a, b pager
	stuck := NewSource(a.options(ns, "a"))
	ctx, cancel := context.WithCancel(context.Background())
	out, ended := make(chan relaylens.Batch, 10_000), make(chan error, 1)
	stuck.stuckAfter = 100 * time.Millisecond
	go func() { ended <- stuck.Run(ctx, out) }()
	eventually(t, "it is the only reader's turn", a.mine.Load) // though stuck
	second := read(t, b.options(ns, "b"))
	second.want(t, 5)
	flow(t, s, outbox, "it is the turn of the other", func() bool { return b.mine.Load() && a.silent() })
	for len(out) > 0 {
		(<-out).Committed()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A reader whose servers cannot say whose turn it is speaks after a while, and
// one that knew stays with that.
func TestTurnUnknown(t *testing.T) {
	for name, tt := range map[string]struct {
		known, mine bool
		after       time.Duration
		want        bool
	}{
		"not for long":        {false, false, turnPatience - time.Second, false},
		"for long":            {false, false, turnPatience, true},
		"another's, for long": {true, false, time.Hour, false},
		"ours, for long":      {true, true, time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			told := tt.mine
			s := NewSource(SourceOptions{Options: Options{Logger: zap.NewNop()}, Group: "g", Metrics: NewMetrics(prometheus.NewRegistry()), Turn: func(mine bool) { told = mine }})
			now := time.Now()
			turn := turn{begun: now, known: tt.known, told: tt.known, mine: tt.mine}
			s.silentTooLong(&turn, now.Add(tt.after))
			if told != tt.want {
				t.Errorf("it speaks: %t", told)
			}
		})
	}
}

// A reader of a group that cannot even connect speaks after a while: it may read
// more than the fleet.
func TestTurnWithoutServers(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := nobody.Addr().String()
	nobody.Close()
	var told []bool
	s := NewSource(SourceOptions{Options: Options{URLs: []string{"nats://" + address}, Fleet: "eu", Logger: zap.NewNop()}, Group: "g", Consumer: "a",
		Metrics: NewMetrics(prometheus.NewRegistry()), Late: func(bool) {}, Turn: func(mine bool) { told = append(told, mine) }})
	if err := s.Run(t.Context(), nil); err == nil || len(told) > 0 {
		t.Errorf("error %v, told %v at once", err, told)
	}
	s.turnPatience = 0
	for range 2 {
		if err := s.Run(t.Context(), nil); err == nil {
			t.Error("it connected to nobody")
		}
	}
	if len(told) != 1 || !told[0] {
		t.Errorf("told %v, want that it is its turn, once", told)
	}
}
