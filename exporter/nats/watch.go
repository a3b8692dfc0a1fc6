package nats

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// infoEvery is how often the consumer is asked how it does.
const infoEvery = 2 * time.Second

// lateAfter is for how long after the servers could not be asked more may come
// from machines that could not reach them either.
const lateAfter = 2 * maxRetry

// watch keeps messages that wait for the store from being given to another
// reader, and tells the metrics of the consumer, until ctx ends.
func (s *Source) watch(ctx context.Context, consumer jetstream.Consumer) {
	alive, info := time.NewTicker(stillAlive), time.NewTicker(infoEvery)
	defer alive.Stop()
	defer info.Stop()
	s.look(ctx, consumer)
	for {
		select {
		case <-ctx.Done():
			return
		case <-alive.C:
			s.inProgress()
		case <-info.C:
			s.look(ctx, consumer)
		}
	}
}

func (s *Source) inProgress() {
	s.mu.Lock()
	waiting := make([]jetstream.Msg, 0, len(s.pending))
	for _, m := range s.pending {
		waiting = append(waiting, m)
	}
	s.mu.Unlock()
	for _, m := range waiting {
		if err := m.InProgress(); err != nil {
			s.options.Logger.Debug("tell that a message is worked on", zap.Error(err))
			return
		}
	}
}

// look asks for the state of the consumer.
func (s *Source) look(ctx context.Context, consumer jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	info, err := consumer.Info(ctx)
	if err != nil {
		s.lateUntil = time.Now().Add(lateAfter)
		s.options.Late(true)
		return
	}
	s.metrics.pending.Set(float64(info.NumPending))
	s.options.Late(info.NumPending > 0 || time.Now().Before(s.lateUntil))
	if info.NumPending == 0 {
		s.catchUp()
	}
	if s.options.Group != "" {
		return // whose turn it is counts
	}
	s.mu.Lock()
	pin := s.pin
	s.mu.Unlock()
	s.activeIs(pin != "" && pinned(info) == pin)
}

// catchUp says that everything that waited was handed out.
func (s *Source) catchUp() {
	select {
	case <-s.caughtUp:
	default:
		close(s.caughtUp)
	}
}

func (s *Source) activeIs(active bool) {
	value := 0.0
	if active {
		value = 1
	}
	s.metrics.active.Set(value)
}

// pinned is whom a consumer gives its messages to; empty while that is nobody.
func pinned(info *jetstream.ConsumerInfo) string {
	for _, g := range info.PriorityGroups {
		if g.Group == readers {
			return g.PinnedClientID
		}
	}
	return ""
}

// missed is how many messages the stream let go that the consumer would have
// come to next. With subject filters some of them would not have been for it.
func missed(stream *jetstream.StreamInfo, consumer *jetstream.ConsumerInfo) uint64 {
	next := consumer.Delivered.Stream + 1
	if stream.State.FirstSeq <= next {
		return 0
	}
	return stream.State.FirstSeq - next
}
