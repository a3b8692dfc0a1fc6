package nats

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens/internal/sleep"
)

// Readers of a group read everything, each for itself, and one of them speaks
// for all. Which one is the servers' to say: the group has a consumer that every
// reader asks, and that is pinned to one of them. It gives out headers only; what
// matters is to whom.

const (
	// turnEvery is how often a reader asks whose turn it is.
	turnEvery = time.Second
	// turnPatience is how long a reader that does not know yet whose turn it is, or
	// still has to catch up, stays silent. It is better to tell twice than never.
	turnPatience = time.Minute
	// nobodyFor is how long nobody may be pinned until every reader speaks.
	nobodyFor = 2 * pinnedFor
	// stuckAfter is how long a reader's store may not take anything, as on a full
	// disk, until the turn is another's.
	stuckAfter = time.Minute
	// unusedFor is after what time without readers the group is forgotten.
	unusedFor = time.Hour
)

// groupConsumer is the consumer that a group takes turns by. No reader's own
// consumer has such a name.
func groupConsumer(group string) string { return "group=" + group }

// turn is whose turn it is, as far as this reader knows.
type turn struct {
	begun  time.Time
	known  bool   // it was asked, with success
	pin    string // that the last message bore
	nobody time.Time
	mine   bool
	told   bool
}

// takeTurns tells whose turn it is until ctx ends.
func (s *Source) takeTurns(ctx context.Context, conn *nats.Conn) {
	t := turn{begun: time.Now()}
	select { // what is behind has old things to tell
	case <-s.caughtUp:
	case <-time.After(s.turnPatience):
	case <-ctx.Done():
		return
	}
	var said time.Time
	for {
		err := s.turns(ctx, conn, &t)
		if ctx.Err() != nil {
			return
		}
		if now := time.Now(); err != nil && now.Sub(said) >= sayAgain {
			said = now
			s.options.Logger.Error("ask whose turn it is to page", zap.String("group", s.options.Group), zap.Error(err))
		}
		s.silentTooLong(&t, time.Now())
		if !sleep.For(ctx, turnEvery) {
			return
		}
	}
}

// turns is without an error when it has to begin anew.
func (s *Source) turns(ctx context.Context, conn *nats.Conn, t *turn) error {
	consumer, err := s.group(ctx, conn)
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(prefetch), jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullBeat),
		jetstream.PullPriorityGroup(readers), jetstream.WithMessagesErrOnMissingHeartbeat(false))
	if err != nil {
		return fmt.Errorf("read from consumer %s: %w", groupConsumer(s.options.Group), err)
	}
	defer messages.Stop()
	pins, ended := make(chan string), make(chan error, 1)
	reading, stop := context.WithCancel(ctx)
	defer stop()
	go func(ended chan<- error) { ended <- readPins(reading, messages, pins) }(ended)
	tick := time.NewTicker(turnEvery)
	defer tick.Stop()
	for {
		select {
		case t.pin = <-pins:
			s.ask(ctx, consumer, t)
		case now := <-tick.C:
			switch stuck := s.stuck(now); {
			case stuck && ended != nil:
				ended, t.pin = nil, "" // it asks for no turn any more
				messages.Stop()
				s.options.Logger.Error("the store takes nothing; another reader may page", zap.String("group", s.options.Group))
			case !stuck && ended == nil:
				return nil
			}
			s.ask(ctx, consumer, t)
		case err := <-ended:
			return err
		}
	}
}

// group makes the consumer by which a group takes turns, or finds it.
func (s *Source) group(ctx context.Context, conn *nats.Conn) (jetstream.Consumer, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	consumer, err := js.CreateOrUpdateConsumer(ctx, StreamName(s.options.Fleet), jetstream.ConsumerConfig{
		Durable: groupConsumer(s.options.Group), Description: "which reader of a group pages", AckPolicy: jetstream.AckNonePolicy, HeadersOnly: true,
		DeliverPolicy: jetstream.DeliverLastPolicy, FilterSubjects: s.filters(), InactiveThreshold: unusedFor,
		PriorityPolicy: jetstream.PriorityPolicyPinned, PriorityGroups: []string{readers}, PinnedTTL: pinnedFor,
	})
	if err != nil {
		return nil, fmt.Errorf("create consumer %s: %w", groupConsumer(s.options.Group), err)
	}
	return consumer, nil
}

// readPins hands on whenever messages come with another pin than before.
func readPins(ctx context.Context, messages jetstream.MessagesContext, pins chan<- string) error {
	last := ""
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		switch {
		case ctx.Err() != nil, gone(err):
			return fmt.Errorf("read whose turn it is: %w", err)
		case err != nil: // a server went away, and another will do
			if !sleep.For(ctx, minRetry) {
				return ctx.Err()
			}
			continue
		}
		pin := m.Headers().Get("Nats-Pin-Id")
		if pin == last {
			continue
		}
		select {
		case pins <- pin:
			last = pin
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ask asks the servers who is pinned. While they do not answer, all stays as it
// is: nothing new comes from them either.
func (s *Source) ask(ctx context.Context, consumer jetstream.Consumer, t *turn) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	info, err := consumer.Info(ctx)
	now := time.Now()
	if err != nil {
		s.silentTooLong(t, now)
		return
	}
	t.known = true
	switch who := pinned(info); {
	case who != "":
		t.nobody = time.Time{}
		s.tell(t, who == t.pin)
	case t.nobody.IsZero():
		t.nobody = now
	case now.Sub(t.nobody) >= nobodyFor:
		s.tell(t, true)
	}
}

// silentTooLong has a reader speak that cannot find out whose turn it is.
func (s *Source) silentTooLong(t *turn, now time.Time) {
	if !t.known && now.Sub(t.begun) >= s.turnPatience {
		s.tell(t, true)
	}
}

// speakUp has a reader of a group speak that could not even connect for too long
// since it began: it may have more to tell of than the fleet.
func (s *Source) speakUp(now time.Time) {
	if s.options.Group != "" && !s.spoken && now.Sub(s.begun) >= s.turnPatience {
		s.tell(new(turn), true)
	}
}

func (s *Source) tell(t *turn, mine bool) {
	if t.told && t.mine == mine {
		return
	}
	t.told, t.mine, s.spoken = true, mine, true
	s.activeIs(mine)
	s.options.Turn(mine)
	if mine {
		s.options.Logger.Info("this reader pages for its group", zap.String("group", s.options.Group))
	} else {
		s.options.Logger.Info("another reader pages for the group, this one stands by", zap.String("group", s.options.Group))
	}
}
