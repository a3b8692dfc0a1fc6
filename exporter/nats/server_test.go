package nats

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// patience is how long a test waits for what should take no time.
const patience = 2 * time.Minute

// startServer runs a NATS server with JetStream until the test ends.
func startServer(t *testing.T, change ...func(*server.Options)) *server.Server {
	t.Helper()
	o := &server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true, JetStreamMaxStore: 1 << 30, JetStreamMaxMemory: 1 << 20}
	for _, f := range change {
		f(o)
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	go s.Start()
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not start")
	}
	return s
}

// configured reads a server's configuration from text.
func configured(t *testing.T, text string) func(*server.Options) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(o *server.Options) {
		if err := o.ProcessConfigFile(path); err != nil {
			t.Fatal(err)
		}
		o.Host, o.Port, o.NoLog, o.NoSigs, o.StoreDir = "127.0.0.1", -1, true, true, t.TempDir()
	}
}

// options are those of a machine with a stream of its own making.
func options(s *server.Server, host string) Options {
	return Options{URLs: []string{s.ClientURL()}, Fleet: "main", Host: host, Logger: zap.NewNop(), Stream: StreamOptions{MaxBytes: 64 << 20}}
}

// memoryOutbox holds parcels in memory.
type memoryOutbox struct {
	mu      sync.Mutex
	parcels []*relaylens.Parcel
	done    int
	refuse  error // what Done says
}

// outboxOf has one parcel.
func outboxOf(events ...relaylens.Event) *memoryOutbox {
	o := &memoryOutbox{}
	o.add(events...)
	return o
}

func (o *memoryOutbox) add(events ...relaylens.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.parcels = append(o.parcels, &relaylens.Parcel{Events: events})
}

func (o *memoryOutbox) Next(context.Context, int) (*relaylens.Parcel, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.parcels) == 0 {
		return nil, errors.New("nothing to ship")
	}
	return o.parcels[0], nil
}

func (o *memoryOutbox) Done(_ context.Context, p *relaylens.Parcel) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refuse != nil {
		return o.refuse
	}
	if p != o.parcels[0] {
		return errors.New("another parcel is the next")
	}
	o.parcels, o.done = o.parcels[1:], o.done+1
	return nil
}

func (o *memoryOutbox) Backlog(context.Context) (b relaylens.Backlog, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.parcels {
		b.Events += int64(len(p.Events))
	}
	return b, nil
}

func (o *memoryOutbox) delivered() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.done
}

// refusals of a host, from the number from on.
func refusals(host string, from, n int) (events []relaylens.Event) {
	for i := range n {
		e := refusal(from + i)
		e.Host = host
		line := relaylens.Line{Text: fmt.Sprint(host, " line ", from+i)}
		e.ID = relaylens.NewID(&line, from+i)
		e.Time = time.Now().Add(time.Duration(i) * time.Millisecond).Truncate(time.Microsecond)
		events = append(events, e)
	}
	return events
}

// newTestShipper ships what an outbox holds; it is disconnected when the test
// ends.
func newTestShipper(t *testing.T, o Options, outbox Outbox) *Shipper {
	t.Helper()
	s, err := NewShipper(o, outbox, time.Millisecond, NewMetrics(prometheus.NewRegistry()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.disconnect)
	return s
}

// stream is what a server keeps, asked for as somebody who may do everything.
func stream(t *testing.T, url string, more ...nats.Option) jetstream.Stream {
	t.Helper()
	conn, err := nats.Connect(url, more...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), StreamName("main"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func messagesOf(t *testing.T, s jetstream.Stream) uint64 {
	t.Helper()
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return info.State.Msgs
}

// eventually waits for what others do, of which nobody tells.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !cond(); {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain until ", what)
		}
		time.Sleep(5 * time.Millisecond) //nolint:forbidigo // between two looks at a condition
	}
}

// gate is a way to a server that lets nothing of what the server says through
// while it is shut.
type gate struct {
	url string

	mu   sync.Mutex
	open *sync.Cond
	shut bool
}

func newGate(t *testing.T, s *server.Server) *gate {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{url: "nats://" + l.Addr().String()}
	g.open = sync.NewCond(&g.mu)
	t.Cleanup(func() { _ = l.Close(); g.set(false) })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Addr().String())
			if err != nil {
				_ = near.Close()
				return
			}
			go g.carry(far, near, false)
			go g.carry(near, far, true)
		}
	}()
	return g
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	g.open.Broadcast()
}

func (g *gate) carry(to, from net.Conn, gated bool) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		g.mu.Lock()
		for gated && g.shut {
			g.open.Wait()
		}
		g.mu.Unlock()
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			return
		}
	}
}

// running is a source that runs, whose batches are committed as they come.
type running struct {
	source *Source
	events chan relaylens.Event
	end    func() error
}

// read runs a source until the test ends, or end is called.
func read(t *testing.T, o SourceOptions) *running {
	t.Helper()
	if o.Metrics == nil {
		o.Metrics = NewMetrics(prometheus.NewRegistry())
	}
	if o.Turn == nil {
		o.Turn = func(bool) {}
	}
	if o.Late == nil {
		o.Late = func(bool) {}
	}
	r := &running{source: NewSource(o), events: make(chan relaylens.Event, 10_000)}
	ctx, cancel := context.WithCancel(context.Background())
	out, ended := make(chan relaylens.Batch), make(chan error, 1)
	go func() {
		ended <- r.source.Run(ctx, out)
		close(out)
	}()
	go func() {
		for b := range out {
			for i := range b.Shipment.Events {
				r.events <- b.Shipment.Events[i]
			}
			b.Committed()
		}
	}()
	over := false
	r.end = func() (err error) {
		cancel()
		if !over {
			over, err = true, <-ended
		}
		return err
	}
	t.Cleanup(func() {
		if err := r.end(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// want waits for n events.
func (r *running) want(t *testing.T, n int) (ids map[relaylens.ID]bool) {
	t.Helper()
	ids = map[relaylens.ID]bool{}
	for range n {
		select {
		case e := <-r.events:
			if ids[e.ID] {
				t.Errorf("event %s came twice", e.ID)
			}
			ids[e.ID] = true
		case <-time.After(patience):
			t.Fatalf("%d events came, want %d", len(ids), n)
		}
	}
	return ids
}
