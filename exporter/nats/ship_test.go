package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/relaylens/relaylens"
)

// failed holds the error of a round against why it should fail and what it says.
func failed(t *testing.T, err error, why failure, says ...string) {
	t.Helper()
	var f *shipError
	if !errors.As(err, &f) || f.why != why {
		t.Fatalf("error %v, want one of %s", err, why)
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error lacks %q: %v", text, err)
		}
	}
}

func round(t *testing.T, s *Shipper) {
	t.Helper()
	if _, err := s.round(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestShip(t *testing.T) {
	ns := startServer(t)
	outbox := &memoryOutbox{}
	s := newTestShipper(t, options(ns, "mx1"), outbox)
	round(t, s) // nothing to ship
	outbox.add(refusals("mx1", 0, 3)...)
	outbox.add(append(refusals("mx1", 3, 1000), refusals("mx2", 0, 1)...)...)
	full, err := s.round(t.Context())
	if err != nil || !full {
		t.Errorf("first round: full is %t, %v", full, err)
	}
	if full, err = s.round(t.Context()); err != nil || full {
		t.Errorf("second round: full is %t, %v", full, err)
	}
	// 3, 512, 488 and one of the other host.
	if n := messagesOf(t, stream(t, ns.ClientURL())); n != 4 || outbox.delivered() != 2 {
		t.Errorf("%d messages, %d parcels done", n, outbox.delivered())
	}
	if n := testutil.ToFloat64(s.metrics.shipped["events"]); n != 1004 || testutil.ToFloat64(s.metrics.up) != 1 {
		t.Errorf("%v events are counted", n)
	}
}

// A crash between the acknowledgement and noting it sends the same messages
// again, which the stream has.
func TestShipAgain(t *testing.T) {
	ns := startServer(t)
	outbox := &memoryOutbox{refuse: errors.New("disk full")}
	outbox.add(refusals("mx1", 0, 700)...)
	s := newTestShipper(t, options(ns, "mx1"), outbox)
	_, err := s.round(t.Context())
	failed(t, err, failStore, "disk full")
	outbox.refuse = nil
	again := newTestShipper(t, options(ns, "mx1"), outbox)
	round(t, again)
	if n := messagesOf(t, stream(t, ns.ClientURL())); n != 2 || outbox.delivered() != 1 {
		t.Errorf("%d messages, %d parcels done", n, outbox.delivered())
	}
	if n := testutil.ToFloat64(again.metrics.duplicates); n != 2 {
		t.Errorf("%v messages were known, want 2", n)
	}
}

// throughGate has five events to ship through a gate, which is open, to a stream
// that is there.
func throughGate(t *testing.T) (*Shipper, *gate, jetstream.Stream, *memoryOutbox) {
	t.Helper()
	ns := startServer(t)
	way := newGate(t, ns)
	outbox := &memoryOutbox{}
	o := options(ns, "mx1")
	o.URLs = []string{way.url}
	s := newTestShipper(t, o, outbox)
	round(t, s)
	outbox.add(refusals("mx1", 0, 5)...)
	return s, way, stream(t, ns.ClientURL()), outbox
}

// An acknowledgement that is lost on its way is asked for again.
func TestAcknowledgementLost(t *testing.T) {
	s, way, kept, outbox := throughGate(t)
	s.patient = 200 * time.Millisecond
	way.set(true)
	_, err := s.round(t.Context())
	failed(t, err, failPublish)
	eventually(t, "the stream has it", func() bool { return messagesOf(t, kept) == 1 })
	if outbox.delivered() != 0 {
		t.Error("it took for delivered what nobody acknowledged")
	}
	way.set(false)
	s.patient = ackTimeout
	s.disconnect()
	round(t, s)
	if n := messagesOf(t, kept); n != 1 || outbox.delivered() != 1 || testutil.ToFloat64(s.metrics.duplicates) != 1 {
		t.Errorf("%d messages, %d parcels done", n, outbox.delivered())
	}
}

// Whoever waits for an acknowledgement ends when told to, and what was not
// acknowledged stays in the outbox.
func TestEndWhileWaiting(t *testing.T) {
	s, way, kept, outbox := throughGate(t)
	way.set(true)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	eventually(t, "the stream has it", func() bool { return messagesOf(t, kept) == 1 })
	cancel()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	if outbox.delivered() != 0 {
		t.Error("it took for delivered what nobody acknowledged")
	}
}

// A stream at its limit refuses; once it has room, everything is there, once.
func TestStreamFull(t *testing.T) {
	ns := startServer(t)
	outbox := &memoryOutbox{}
	s := newTestShipper(t, options(ns, "mx1"), outbox)
	outbox.add(refusals("mx1", 0, 10)...)
	round(t, s)
	kept := stream(t, ns.ClientURL())
	limit := func(messages int64) {
		conn, err := nats.Connect(ns.ClientURL())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		js, err := jetstream.New(conn)
		if err != nil {
			t.Fatal(err)
		}
		config := kept.CachedInfo().Config
		config.MaxMsgs = messages
		if _, err := js.UpdateStream(t.Context(), config); err != nil {
			t.Fatal(err)
		}
	}
	limit(2)
	outbox.add(refusals("mx1", 10, 1500)...) // three messages, of which one finds room
	_, err := s.round(t.Context())
	failed(t, err, failFull, "limit", "nats.stream.max_size")
	if _, err = s.round(t.Context()); err == nil || outbox.delivered() != 1 {
		t.Errorf("%d parcels done: %v", outbox.delivered(), err)
	}
	limit(-1)
	round(t, s)
	if n := messagesOf(t, kept); n != 4 || outbox.delivered() != 2 {
		t.Errorf("%d messages, %d parcels done", n, outbox.delivered())
	}
}

// What the server's configuration does not take is said at once.
func TestPayloadTooBig(t *testing.T) {
	ns := startServer(t, func(o *server.Options) { o.MaxPayload = 2000 })
	outbox := &memoryOutbox{}
	s := newTestShipper(t, options(ns, "mx1"), outbox)
	outbox.add(refusals("mx1", 0, 500)...)
	_, err := s.round(t.Context())
	failed(t, err, failPublish, "maximum payload", "max_payload")
}

func TestNoServer(t *testing.T) {
	ns := startServer(t)
	o := options(ns, "mx1")
	ns.Shutdown()
	ns.WaitForShutdown()
	outbox := outboxOf(refusals("mx1", 0, 1)...)
	s := newTestShipper(t, o, outbox)
	_, err := s.round(t.Context())
	failed(t, err, failConnect, "nats.urls")
	s.failed(err)
	s.failed(err)
	if n := testutil.ToFloat64(s.metrics.errors[failConnect]); n != 2 || testutil.ToFloat64(s.metrics.up) != 0 {
		t.Errorf("%v failures are counted", n)
	}
}

// A server that went away while the connection stood is said to be lost, in words
// that a person can act upon.
func TestServerLost(t *testing.T) {
	ns := startServer(t)
	outbox := &memoryOutbox{}
	s := newTestShipper(t, options(ns, "mx1"), outbox)
	round(t, s)
	ns.Shutdown()
	ns.WaitForShutdown()
	eventually(t, "the connection is lost", func() bool { return !s.conn.IsConnected() })
	outbox.add(refusals("mx1", 0, 1)...)
	_, err := s.round(t.Context())
	failed(t, err, failConnect, "connection to NATS is lost")
	if outbox.delivered() != 0 {
		t.Error("it took for delivered what was never sent")
	}
}

// A failure that stays is logged now and then, and its end once.
func TestShipRecovers(t *testing.T) {
	ns := startServer(t, func(o *server.Options) { o.JetStream = false })
	outbox := outboxOf(refusals("mx1", 0, 5)...)
	o := options(ns, "mx1")
	core, logs := observer.New(zap.InfoLevel)
	o.Logger = zap.New(core)
	s := newTestShipper(t, o, outbox)
	_, err := s.round(t.Context())
	failed(t, err, failStream, "jetstream", "configuration")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	eventually(t, "it failed twice", func() bool { return testutil.ToFloat64(s.metrics.errors[failStream]) >= 2 })
	if err := ns.EnableJetStream(&server.JetStreamConfig{StoreDir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the parcel is delivered", func() bool { return outbox.delivered() == 1 })
	eventually(t, "it says so", func() bool { return logs.FilterMessage("events are shipped again").Len() == 1 })
	cancel()
	<-ended
	if n := logs.FilterMessageSnippet("cannot be shipped").Len(); n != 1 {
		t.Errorf("the failure is logged %d times", n)
	}
}

// The store is asked again when it fails; the servers are left alone meanwhile.
func TestOutboxFails(t *testing.T) {
	ns := startServer(t)
	s := newTestShipper(t, options(ns, "mx1"), failing{})
	_, err := s.round(t.Context())
	failed(t, err, failStore, "no store")
	if s.conn != nil {
		t.Error("it connected all the same")
	}
}

type failing struct{ *memoryOutbox }

func (failing) Backlog(context.Context) (b relaylens.Backlog, err error) {
	return b, fmt.Errorf("no store")
}
