package nats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/sleep"
)

const (
	// readers is the one priority group of a consumer: the stream pins it to one of
	// the readers that share its name, and to another pinnedFor after that one has
	// asked for nothing any more.
	readers   = "readers"
	pinnedFor = 5 * time.Second
	// ackWait is after what time a message that nobody spoke of is given to another
	// reader; those that wait for the store are spoken of every stillAlive.
	ackWait    = 8 * time.Second
	stillAlive = 2 * time.Second
	// A pull asks for prefetch messages and is renewed well before pinnedFor ends.
	prefetch   = 64
	pullExpiry = 2 * time.Second
	pullBeat   = time.Second
	// maxAckPending messages may wait for the store before no more are given out.
	maxAckPending = 1000
	// settleTime is how long a reader that stops waits for the store.
	settleTime = 3 * time.Second
)

// SourceOptions describe a reader of a fleet.
type SourceOptions struct {
	Options
	// Consumer is the name under which the stream keeps how far this reader is.
	// Readers of the same name stand by for each other, those of other names get
	// everything for themselves.
	Consumer string
	// Hosts are whose events are read; none means all.
	Hosts   []string
	Metrics *Metrics
	// Group, unless empty, is whom this reader takes turns with: Turn is told
	// whether it is the one that speaks for all of them.
	Group string
	Turn  func(mine bool)
	// Late is told whether more waits in the stream, or might, because it cannot be
	// asked.
	Late func(bool)
}

// Source hands on the events of a fleet. It implements [relaylens.Source].
type Source struct {
	options SourceOptions
	metrics *Metrics
	decoder *decoder
	said    map[string]time.Time

	events *recent[relaylens.ID]

	mu       sync.Mutex
	pending  map[uint64]jetstream.Msg // by their place in the stream, on their way to the store
	moved    time.Time                // when the store last took one, or the first of them came
	messages *recent[uint64]
	pin      string // by the last message

	begun  time.Time // when it ran first
	spoken bool      // it was told whose turn it is to page

	// These are the watching goroutine's.
	lateUntil time.Time
	caughtUp  chan struct{} // closed once everything that waited was handed out

	stuckAfter, turnPatience time.Duration
}

// NewSource makes a source that connects when it runs.
func NewSource(o SourceOptions) *Source {
	return &Source{options: o, metrics: o.Metrics, said: map[string]time.Time{}, events: newRecent[relaylens.ID](recentEvents), stuckAfter: stuckAfter, turnPatience: turnPatience}
}

// Name implements [relaylens.Source].
func (s *Source) Name() string { return "nats" }

// Run implements [relaylens.Source]. Messages are acknowledged once their batch
// is committed, so that what a crash takes away comes again.
func (s *Source) Run(ctx context.Context, out chan<- relaylens.Batch) error {
	decoder, err := newDecoder(s.options.Fleet, time.Now)
	if err != nil {
		return fmt.Errorf("make decoder: %w", err)
	}
	defer decoder.zstd.Close()
	s.decoder = decoder
	if s.begun.IsZero() {
		s.begun = time.Now()
	}
	s.options.Late(true)
	defer func() {
		s.options.Late(ctx.Err() == nil) // it will try again, or is no longer wanted
		if ctx.Err() == nil {
			s.speakUp(time.Now())
		}
	}()
	asking, refuse := context.WithCancelCause(ctx)
	defer refuse(nil)
	conn, err := connect(&s.options.Options, "reader", refuse)
	if err != nil {
		return err
	}
	defer conn.Close()
	consumer, err := s.consumer(asking, conn)
	if err != nil {
		return err
	}
	return s.receive(ctx, conn, consumer, out)
}

// receive reads what the consumer hands out, takes turns with the other readers of the
// group, and watches how far behind it is.
func (s *Source) receive(ctx context.Context, conn *nats.Conn, consumer jetstream.Consumer, out chan<- relaylens.Batch) error {
	messages, err := consumer.Messages(jetstream.PullMaxMessages(prefetch), jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullBeat),
		jetstream.PullPriorityGroup(readers), jetstream.WithMessagesErrOnMissingHeartbeat(false))
	if err != nil {
		return fmt.Errorf("read from consumer %s: %w", s.options.Consumer, err)
	}
	s.mu.Lock()
	s.pending, s.messages, s.pin = map[uint64]jetstream.Msg{}, newRecent[uint64](recentMessages), ""
	s.mu.Unlock()
	s.caughtUp = make(chan struct{})
	watching, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { s.watch(watching, consumer) })
	if s.options.Group != "" {
		beside.Go(func() { s.takeTurns(watching, conn) })
	}
	err = s.read(ctx, messages, out)
	messages.Stop()
	s.settle(conn)
	stop()
	beside.Wait()
	s.metrics.active.Set(0)
	return err
}

func (s *Source) consumer(ctx context.Context, conn *nats.Conn) (jetstream.Consumer, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	if err := ensureStream(ctx, js, &s.options.Options); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	config := jetstream.ConsumerConfig{
		Durable: s.options.Consumer, Description: "a reader of relaylens", AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverAllPolicy,
		AckWait: ackWait, MaxAckPending: maxAckPending, FilterSubjects: s.filters(),
		PriorityPolicy: jetstream.PriorityPolicyPinned, PriorityGroups: []string{readers}, PinnedTTL: pinnedFor,
	}
	consumer, err := js.CreateOrUpdateConsumer(ctx, StreamName(s.options.Fleet), config)
	if err != nil {
		return nil, fmt.Errorf("create consumer %s: %w; NATS 2.11 or later is needed, and the permission to make it", s.options.Consumer, refusedBy(ctx, err))
	}
	info := consumer.CachedInfo()
	if info.Config.PriorityPolicy != jetstream.PriorityPolicyPinned {
		return nil, fmt.Errorf("consumer %s has no priority groups: NATS 2.11 or later is needed", s.options.Consumer)
	}
	if stream, err := js.Stream(ctx, StreamName(s.options.Fleet)); err == nil {
		if n := missed(stream.CachedInfo(), info); n > 0 {
			s.metrics.missed.Add(float64(n))
			s.options.Logger.Error("messages are gone from the stream before this reader read them",
				zap.Uint64("messages", n), zap.String("remedy", "raise nats.stream.max_age above the longest absence of a reader"))
		}
	}
	return consumer, nil
}

func (s *Source) filters() []string {
	if len(s.options.Hosts) == 0 {
		return []string{subjects(s.options.Fleet)}
	}
	var all []string
	for _, h := range s.options.Hosts {
		all = append(all, hostFilter(s.options.Fleet, h))
	}
	return all
}

func (s *Source) read(ctx context.Context, messages jetstream.MessagesContext, out chan<- relaylens.Batch) error {
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to end
		}
		switch {
		case gone(err):
			return fmt.Errorf("read from consumer %s: %w", s.options.Consumer, err)
		case err != nil:
			s.say("messages of the fleet", err)
			if !sleep.For(ctx, minRetry) {
				return nil
			}
			continue
		}
		b, ok := s.batch(m)
		if !ok {
			continue
		}
		select {
		case out <- b:
		case <-ctx.Done():
			return nil // unacknowledged, it comes again
		}
	}
}

// gone reports that a consumer gives nothing any more.
func gone(err error) bool {
	return errors.Is(err, jetstream.ErrMsgIteratorClosed) || errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, jetstream.ErrConsumerNotFound)
}

// batch makes a batch of a message; ok is false for one that needs none.
func (s *Source) batch(m jetstream.Msg) (b relaylens.Batch, ok bool) {
	meta, err := m.Metadata()
	if err != nil {
		return b, false // no message of a stream
	}
	if !s.begin(m, meta.Sequence.Stream) {
		s.metrics.received[messageAgain].Inc()
		return b, false
	}
	shipment, untimely, err := s.decoder.decode(m.Subject(), m.Data())
	if err != nil {
		s.refuse(m, meta.Sequence.Stream, err)
		return b, false
	}
	again := unseen(s.events, shipment)
	s.metrics.received[messageOK].Inc()
	s.metrics.arrived[eventNew].Add(float64(len(shipment.Events)))
	s.metrics.arrived[eventAgain].Add(float64(again))
	s.metrics.arrived[eventUntimely].Add(float64(untimely))
	return relaylens.Batch{Shipment: shipment, Reference: meta.Timestamp, Committed: func() { s.committed(meta.Sequence.Stream) }}, true
}

// begin notes that a message is on its way to the store. One that is already
// will be acknowledged then; one that is there is acknowledged again.
func (s *Source) begin(m jetstream.Msg, sequence uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pin = m.Headers().Get("Nats-Pin-Id")
	if s.pending[sequence] != nil {
		s.pending[sequence] = m
		return false
	}
	if !s.messages.add(sequence) {
		s.acknowledge(m)
		return false
	}
	if len(s.pending) == 0 {
		s.moved = time.Now()
	}
	s.pending[sequence] = m
	return true
}

// stuck reports whether the store has not taken anything for long, though there
// is something to take.
func (s *Source) stuck(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending) > 0 && now.Sub(s.moved) > s.stuckAfter
}

// committed is called when a message is in the store.
func (s *Source) committed(sequence uint64) {
	s.mu.Lock()
	m := s.pending[sequence]
	delete(s.pending, sequence)
	s.moved = time.Now()
	s.mu.Unlock()
	if m != nil {
		s.acknowledge(m)
	}
}

func (s *Source) acknowledge(m jetstream.Msg) {
	if err := m.Ack(); err != nil {
		s.options.Logger.Debug("acknowledge; the message comes again", zap.Error(err))
	}
}

// refuse ends a message that nobody can read, now or later.
func (s *Source) refuse(m jetstream.Msg, sequence uint64, err error) {
	s.mu.Lock()
	delete(s.pending, sequence)
	s.mu.Unlock()
	result := messageMalformed
	switch {
	case errors.Is(err, errHost):
		result = messageSpoofed
	case errors.Is(err, errVersion):
		result = messageVersion
	}
	s.metrics.received[result].Inc()
	s.say("message refused: "+m.Subject(), err)
	if err := m.TermWithReason(err.Error()); err != nil {
		s.options.Logger.Debug("refuse; the message comes again", zap.Error(err))
	}
}

// say logs an error that may come with every message now and then. Its subject
// may be of an attacker's choosing, so that what is remembered is bounded.
func (s *Source) say(what string, err error) {
	key := err.Error()
	if time.Since(s.said[key]) < sayAgain {
		return
	}
	if len(s.said) >= 64 {
		clear(s.said)
	}
	s.said[key] = time.Now()
	s.options.Logger.Error("read from the fleet", zap.String("what", relaylens.Escaped(what, 300)), zap.Error(err))
}

// settle waits a while for what the store still has to write, so that the next
// reader need not read it again.
func (s *Source) settle(conn *nats.Conn) {
	deadline := time.Now().Add(settleTime)
	for time.Now().Before(deadline) {
		s.mu.Lock()
		left := len(s.pending)
		s.mu.Unlock()
		if left == 0 {
			break
		}
		sleep.For(context.Background(), 20*time.Millisecond)
	}
	if err := conn.FlushTimeout(time.Second); err != nil {
		s.options.Logger.Debug("flush acknowledgements; some messages come again", zap.Error(err))
	}
}
