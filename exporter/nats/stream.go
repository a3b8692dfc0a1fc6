package nats

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// StreamOptions are what the stream has to be like. Zero leaves it to what is
// there, or to the default of a stream that is made.
type StreamOptions struct {
	Replicas   int
	MaxAge     time.Duration
	MaxBytes   int64
	Duplicates time.Duration // how long the servers know a message that comes again
}

// Of a stream that is made where nothing is said.
const (
	defaultMaxAge     = 7 * 24 * time.Hour
	defaultMaxBytes   = 10 << 30
	defaultDuplicates = 10 * time.Minute
)

// apiTimeout bounds one question to the servers.
const apiTimeout = 5 * time.Second

// errUnchecked says that this user may not look at the stream.
var errUnchecked = errors.New("the stream cannot be looked at")

// ensureStream makes the stream of a fleet or checks the one that is there. When
// it is full it refuses what is new and forgets nothing: a shipper that is
// refused keeps its events, while what a stream lets go is gone.
func ensureStream(ctx context.Context, js jetstream.JetStream, o *Options) error {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	stream, err := js.Stream(ctx, StreamName(o.Fleet))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if _, err = js.CreateStream(ctx, o.streamConfig()); err == nil {
			return nil
		}
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return fmt.Errorf("create stream %s: %w; %s", StreamName(o.Fleet), refusedBy(ctx, err), createRemedy(err))
		}
		stream, err = js.Stream(ctx, StreamName(o.Fleet)) // another was faster
	}
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("look for stream %s: %w; set jetstream in the servers' configuration, and for this account", StreamName(o.Fleet), err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout), errors.Is(context.Cause(ctx), nats.ErrPermissionViolation):
		return fmt.Errorf("%w: %w", errUnchecked, refusedBy(ctx, err))
	case err != nil:
		return fmt.Errorf("look for stream %s: %w", StreamName(o.Fleet), err)
	}
	return o.checkStream(&stream.CachedInfo().Config)
}

// refusedBy is what the servers refused while ctx was asked with, in place of err:
// they do not say so to who waits for the answer.
func refusedBy(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, nats.ErrPermissionViolation) {
		return cause
	}
	return err
}

func createRemedy(err error) string {
	var api *jetstream.APIError
	if errors.As(err, &api) && fullCodes[api.ErrorCode] {
		return "set nats.stream.max_size to what the servers have room for, or raise jetstream.max_file_store there"
	}
	return "make it beforehand (docs/fleet.md), or let this user do so"
}

func (o *Options) streamConfig() jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name: StreamName(o.Fleet), Subjects: []string{subjects(o.Fleet)}, Description: "what the mail servers of the fleet refused, by relaylens",
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		Replicas: max(o.Stream.Replicas, 1), MaxAge: o.Stream.MaxAge, MaxBytes: o.Stream.MaxBytes, Duplicates: o.Stream.Duplicates,
		MaxMsgSize: maxPayload + 4096, AllowDirect: true,
	}
	if c.MaxAge == 0 {
		c.MaxAge = defaultMaxAge
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	if c.Duplicates == 0 {
		c.Duplicates = min(defaultDuplicates, c.MaxAge)
	}
	return c
}

// checkStream says everything that is wrong with a stream, and how to set it right.
func (o *Options) checkStream(c *jetstream.StreamConfig) error {
	var errs []error
	wrong := func(format string, a ...any) {
		errs = append(errs, fmt.Errorf("stream %s "+format, append([]any{c.Name}, a...)...))
	}
	if !slices.Contains(c.Subjects, subjects(o.Fleet)) {
		wrong("has the subjects %q: add %q", c.Subjects, subjects(o.Fleet))
	}
	if c.Retention != jetstream.LimitsPolicy {
		wrong("has the retention %s, with which readers take events from one another: make it anew with limits", c.Retention)
	}
	if c.Discard != jetstream.DiscardNew {
		wrong("forgets old messages when it is full, whether they were read or not: set it with nats stream edit --discard new")
	}
	if c.Storage != jetstream.FileStorage {
		wrong("is kept in memory: make it anew with storage file")
	}
	if c.Replicas < o.Stream.Replicas {
		wrong("has %d replicas, nats.stream.replicas asks for %d: set it with nats stream edit --replicas", c.Replicas, o.Stream.Replicas)
	}
	if c.MaxAge != 0 && c.MaxAge < o.Stream.MaxAge {
		wrong("keeps messages for %s, nats.stream.max_age asks for %s: set it with nats stream edit --max-age", c.MaxAge, o.Stream.MaxAge)
	}
	if c.MaxBytes > 0 && c.MaxBytes < o.Stream.MaxBytes {
		wrong("holds %d bytes, nats.stream.max_size asks for %d: set it with nats stream edit --max-bytes", c.MaxBytes, o.Stream.MaxBytes)
	}
	if c.Duplicates < o.Stream.Duplicates {
		wrong("knows repeated messages for %s, nats.stream.duplicates asks for %s: set it with nats stream edit --dupe-window", c.Duplicates, o.Stream.Duplicates)
	}
	return errors.Join(errs...)
}
