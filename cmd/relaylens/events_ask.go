package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/internal/spool"
	"github.com/relaylens/relaylens/store"
)

// askStore answers from the store.
func (q *question) askStore(c *cobra.Command, out *listing) error {
	s, err := q.openStore(c)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx := c.Context()
	if q.field != "" {
		values, err := s.Distinct(ctx, q.field, q.query)
		if err != nil {
			return err
		}
		return out.values(q.cut(values))
	}
	if q.follow {
		return q.followStore(ctx, s, out)
	}
	return q.listStore(ctx, s, out)
}

// cut applies --lines to a list of values.
func (q *question) cut(values []string) []string {
	if q.number >= 0 && q.number < len(values) {
		return values[:q.number]
	}
	return values
}

func (q *question) listStore(ctx context.Context, s *store.Store, out *listing) error {
	query := q.query
	switch {
	case q.number == 0:
		return nil
	case q.number > 0 && !q.reverse && query.From == nil:
		events, err := s.Tail(ctx, query, q.number)
		for i := range events {
			if err := out.event(&events[i]); err != nil {
				return err
			}
		}
		return err
	case q.number > 0:
		query.Limit = q.number
	}
	for e, err := range s.Select(ctx, query) {
		if err != nil {
			return err
		}
		if err := out.event(&e); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// followEvery is how often the store is asked for new events. It costs one look
// at the end of the table.
const followEvery = 200 * time.Millisecond

// followStore lists what is there, and then what is committed, until the
// command is interrupted or the time of --until is over.
func (q *question) followStore(ctx context.Context, s *store.Store, out *listing) error {
	mark, err := s.Mark(ctx)
	if err != nil {
		return ignoreCanceled(ctx, err)
	}
	if q.query.UpTo = mark; mark > 0 { // else there is nothing yet
		if err := q.listStore(ctx, s, out); err != nil {
			return ignoreCanceled(ctx, err)
		}
	}
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		if err := out.flush(); err != nil {
			return err
		}
		if until := q.query.Span.Until; !until.IsZero() && time.Now().After(until) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		var events []relaylens.Event
		if events, mark, err = s.SelectNew(ctx, q.query, mark); err != nil {
			return ignoreCanceled(ctx, err)
		}
		for i := range events {
			if err := out.event(&events[i]); err != nil {
				return err
			}
		}
	}
}

// ignoreCanceled is nil once the user has interrupted the command: that is how
// following ends.
func ignoreCanceled(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// askFiles answers from FILEs. They are read to their end before the first event
// is listed: a later line may tell the cause of an earlier one.
func (q *question) askFiles(c *cobra.Command, out *listing) error {
	options, err := q.parserOptions()
	if err != nil {
		return err
	}
	options.Raw = q.match.Uses("raw") || q.field == "raw"
	classify := classifier.New()
	// The last N are the first N from behind.
	fromBehind := q.reverse || q.number >= 0 && q.query.From == nil
	events := spool.New(spool.DefaultMemory, fromBehind)
	defer events.Close()

	early := q.match.Without("cause") // which is not known before the end
	var spoolErr error
	in := logs{options: options, stdin: c.InOrStdin(), progress: newProgress(c.ErrOrStderr())}
	readErr := in.read(c.Context(), q.files, func(e *relaylens.Event) {
		classify.Classify(e)
		if spoolErr == nil && q.listed(e) && early.Event(e) {
			spoolErr = events.Add(e)
		}
	})
	in.progress.done()
	if err := errors.Join(spoolErr, c.Context().Err()); err != nil {
		return err
	}
	err = q.listFiles(events, classify, out, fromBehind && !q.reverse)
	return errors.Join(err, readErr)
}

// listed reports whether e is of the sort and the time that is listed.
func (q *question) listed(e *relaylens.Event) bool {
	if !e.Refusal() && !q.all && !q.match.Context() {
		return false
	}
	span := q.query.Span
	return !e.Time.Before(span.Since) && (span.Until.IsZero() || e.Time.Before(span.Until))
}

// listFiles lists what the spool gives; turn says that it gives it from behind
// and is to be listed from the front.
func (q *question) listFiles(events *spool.Spool, classify *classifier.Classifier, out *listing, turn bool) error {
	var kept []relaylens.Event
	values := map[string]struct{}{}
	from := fromCursor{q.query.From, q.query.After, q.reverse}
	left := q.number
	for e, err := range from.cut(events.Events()) {
		if err != nil {
			return err
		}
		if left == 0 {
			break
		}
		classify.Final(&e)
		if !q.match.Event(&e) || q.query.Keep != nil && !q.query.Keep(&e) {
			continue
		}
		switch {
		case q.field != "":
			if v := e.MatchField(q.field); v != "" {
				values[v] = struct{}{}
			}
			continue
		case turn:
			kept = append(kept, e)
		default:
			if err := out.event(&e); err != nil {
				return err
			}
		}
		left--
	}
	if q.field != "" {
		return out.values(q.cut(slices.Sorted(maps.Keys(values))))
	}
	for _, e := range slices.Backward(kept) {
		if err := out.event(&e); err != nil {
			return err
		}
	}
	return nil
}
