package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/sleep"
)

// Outbox is where a shipper gets what it ships.
type Outbox interface {
	// Next gives what comes next; the same again until Done.
	Next(ctx context.Context, most int) (*relaylens.Parcel, error)
	Done(ctx context.Context, p *relaylens.Parcel) error
	Backlog(ctx context.Context) (relaylens.Backlog, error)
}

const (
	// parcelEvents is how many events are on their way before the first of them is
	// acknowledged.
	parcelEvents = 8192
	// maxInFlight messages wait for their acknowledgement at once.
	maxInFlight = 256
	ackTimeout  = 15 * time.Second
	minRetry    = 500 * time.Millisecond
	maxRetry    = 15 * time.Second
	// sayAgain is how often a failure that stays is spoken of.
	sayAgain = time.Minute
)

// Shipper publishes what an outbox holds, in order, and says so to the outbox
// once the stream has it. It runs beside the pipeline, and delays nothing.
type Shipper struct {
	options Options
	delay   time.Duration
	outbox  Outbox
	metrics *Metrics
	encoder *encoder
	now     func() time.Time

	conn    *nats.Conn
	js      jetstream.JetStream
	refused chan error           // the last that the servers refused
	patient time.Duration        // with acknowledgements
	said    map[string]time.Time // errors, and when they were logged
}

// NewShipper makes a shipper that collects events for delay before it sends
// them, unless many come. It connects when it runs.
func NewShipper(o Options, outbox Outbox, delay time.Duration, m *Metrics) (*Shipper, error) {
	e, err := newEncoder(o.Fleet, o.Host)
	if err != nil {
		return nil, fmt.Errorf("make encoder: %w", err)
	}
	return &Shipper{options: o, delay: delay, outbox: outbox, metrics: m, encoder: e, now: time.Now, said: map[string]time.Time{},
		refused: make(chan error, 1), patient: ackTimeout}, nil
}

// Run ships until ctx ends. Whatever fails is tried again.
func (s *Shipper) Run(ctx context.Context) {
	defer s.disconnect()
	retry := minRetry
	for ctx.Err() == nil {
		full, err := s.round(ctx)
		wait := s.delay
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.failed(err)
			wait, retry = retry, min(2*retry, maxRetry)
		case full:
			wait, retry = 0, minRetry
		default:
			retry = minRetry
		}
		if err == nil && len(s.said) > 0 {
			s.options.Logger.Info("events are shipped again")
			clear(s.said)
		}
		if !sleep.For(ctx, wait) {
			return
		}
	}
}

// failed counts and logs an error of a round.
func (s *Shipper) failed(err error) {
	s.metrics.up.Set(0)
	var f *shipError
	if errors.As(err, &f) {
		s.metrics.errors[f.why].Inc()
	}
	text := err.Error()
	if s.now().Sub(s.said[text]) < sayAgain {
		return
	}
	if len(s.said) > 16 {
		clear(s.said)
	}
	s.said[text] = s.now()
	s.options.Logger.Error("events cannot be shipped; they wait in the store", zap.Error(err))
}

// shipError is a failure with its reason.
type shipError struct {
	why failure
	err error
}

func (e *shipError) Error() string { return e.err.Error() }
func (e *shipError) Unwrap() error { return e.err }

// round ships one parcel. Full means that another one waits.
func (s *Shipper) round(ctx context.Context) (full bool, err error) {
	backlog, err := s.outbox.Backlog(ctx)
	if err != nil {
		return false, &shipError{failStore, err}
	}
	s.tell(backlog)
	if err := s.connect(ctx); err != nil {
		return false, err
	}
	if backlog.Events == 0 && !backlog.Others {
		s.metrics.up.Set(1)
		return false, nil
	}
	p, err := s.outbox.Next(ctx, parcelEvents)
	if err != nil {
		return false, &shipError{failStore, err}
	}
	if err := s.publish(ctx, s.encoder.messages(p)); err != nil {
		return false, err
	}
	if err := s.outbox.Done(ctx, p); err != nil {
		return false, &shipError{failStore, err}
	}
	for content, n := range map[string]int{"events": len(p.Events), kindRevised: len(p.Revised), kindContext: len(p.Context)} {
		s.metrics.shipped[content].Add(float64(n))
	}
	s.metrics.up.Set(1)
	backlog.Events = max(0, backlog.Events-int64(len(p.Events)))
	if backlog.Events == 0 {
		backlog.Oldest = time.Time{}
	}
	s.tell(backlog)
	return backlog.Events >= batchEvents, nil
}

func (s *Shipper) tell(b relaylens.Backlog) {
	lag := 0.0
	if !b.Oldest.IsZero() {
		lag = max(0, s.now().Sub(b.Oldest).Seconds())
	}
	s.metrics.backlogIs(b, lag)
}

// connect makes the connection, if there is none, and looks at the stream.
func (s *Shipper) connect(ctx context.Context) error {
	if s.conn != nil && !s.conn.IsClosed() {
		return nil
	}
	s.disconnect()
	asking, refuse := context.WithCancelCause(ctx)
	defer refuse(nil)
	conn, err := connect(&s.options, "shipper", func(err error) {
		s.refuse(err) // before who waits goes on, and takes it for its own
		refuse(err)
	})
	if err != nil {
		return &shipError{failConnect, err}
	}
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(maxInFlight), jetstream.WithPublishAsyncTimeout(s.patient))
	if err == nil {
		err = ensureStream(asking, js, &s.options)
	}
	if errors.Is(err, errUnchecked) {
		s.options.Logger.Warn("the stream is not checked: this user may not look at it, or no server leads it", zap.Error(err))
		err = nil
	}
	if err != nil {
		conn.Close()
		return &shipError{failStream, err}
	}
	s.conn, s.js = conn, js
	s.options.Logger.Info("shipping events", zap.String("server", conn.ConnectedUrlRedacted()), zap.String("stream", StreamName(s.options.Fleet)))
	return nil
}

// refuse notes what the servers refuse: they do not say so to who waits for an
// acknowledgement.
func (s *Shipper) refuse(err error) {
	select {
	case s.refused <- err:
	default:
	}
}

func (s *Shipper) disconnect() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

// publish sends messages and waits until the stream has all of them.
func (s *Shipper) publish(ctx context.Context, messages []message) error {
	futures := make([]jetstream.PubAckFuture, 0, len(messages))
	var failure error
	select {
	case err := <-s.refused: // something else, before
		s.options.Logger.Debug("passed over", zap.Error(err))
	default:
	}
	for _, m := range messages {
		f, err := s.js.PublishMsgAsync(&nats.Msg{Subject: m.subject, Data: m.data, Header: nats.Header{}},
			jetstream.WithMsgID(m.id), jetstream.WithStallWait(s.patient))
		if err != nil {
			failure = err
			break
		}
		futures = append(futures, f)
	}
	for i, f := range futures {
		select {
		case ack := <-f.Ok():
			s.metrics.messages.Inc()
			s.metrics.bytes.Add(float64(wireBytes(&messages[i])))
			if ack.Duplicate {
				s.metrics.duplicates.Inc()
			}
		case err := <-f.Err():
			failure = errors.Join(failure, err)
		case err := <-s.refused:
			failure = errors.Join(failure, err)
		case <-ctx.Done():
			return ctx.Err()
		}
		if failure != nil {
			s.js.CleanupPublisher() // what is left will be sent again
			return publishError(failure)
		}
	}
	if failure != nil {
		return publishError(failure)
	}
	return nil
}

// wireBytes is what a message takes: NATS/1.0 header, its id, its payload.
func wireBytes(m *message) int {
	const header = len("NATS/1.0\r\nNats-Msg-Id: \r\n\r\n")
	return len(m.subject) + header + len(m.id) + len(m.data)
}

// JetStream's codes for limits: of a stream's bytes and messages, of an
// account, of a server.
var fullCodes = map[jetstream.ErrorCode]bool{10077: true, 10047: true, 10002: true, 10028: true}

// errNotConnected stands for the library's error of a full buffer, which has no room
// as nothing is to wait in it.
var errNotConnected = errors.New("publish: the connection to NATS is lost, and is made again when a server answers")

func publishError(err error) error {
	if errors.Is(err, nats.ErrReconnectBufExceeded) {
		return &shipError{failConnect, errNotConnected}
	}
	var api *jetstream.APIError
	if errors.As(err, &api) && fullCodes[api.ErrorCode] {
		return &shipError{failFull, fmt.Errorf("the stream is at its limit: %w; raise nats.stream.max_size or the servers' limits, or let readers catch up", err)}
	}
	return &shipError{failPublish, fmt.Errorf("publish: %w%s", err, hint(err))}
}
