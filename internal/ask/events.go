package ask

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

// NoLimit is the number of events when there is no limit.
const NoLimit = -1

// Events is a question for a list of events, or of the values that they have in
// a field.
type Events struct {
	store.Query
	// Number is of the latest events, or with Reverse, Keep or From of the first
	// in the order of the answer; NoLimit is all.
	Number int
	// All asks files, too, for context events and what was only warned about.
	All bool
}

// Pattern is what [store.Query.Keep] is for an RE2 pattern: events whose reply
// or whose message, as short listings show it, has the pattern.
func Pattern(pattern string, ignoreCase bool) (func(*relaylens.Event) bool, error) {
	re, err := regexp.Compile(pattern)
	if err == nil && ignoreCase {
		re, err = regexp.Compile("(?i)" + pattern)
	}
	if err != nil {
		return nil, err
	}
	var buf []byte
	return func(e *relaylens.Event) bool {
		buf = summary.AppendMessage(buf[:0], e)
		return re.Match(buf) || re.MatchString(e.Text)
	}, nil
}

// SmallLetters reports whether a pattern has no capital, so that it ignores case
// as journalctl(1) has it.
func SmallLetters(pattern string) bool { return pattern == strings.ToLower(pattern) }

// Store lists the events of a store until emit or the store fails.
func (q *Events) Store(ctx context.Context, s *store.Store, emit func(*relaylens.Event) error) error {
	query := q.Query
	switch {
	case q.Number == 0:
		return nil
	case q.Number > 0 && !q.Reverse && query.From == nil:
		events, err := s.Tail(ctx, query, q.Number)
		for i := range events {
			if err := emit(&events[i]); err != nil {
				return err
			}
		}
		return err
	case q.Number > 0:
		query.Limit = q.Number
	}
	for e, err := range s.Select(ctx, query) {
		if err != nil {
			return err
		}
		if err := emit(&e); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// followEvery is how often the store is asked for new events. It costs one look
// at the end of the table.
const followEvery = 200 * time.Millisecond

// Follow lists what is there, and then what is committed, until the context
// ends, which is no error, or the time of the span is over. Flush is called
// when there is nothing more to list for the moment.
func (q *Events) Follow(ctx context.Context, s *store.Store, emit func(*relaylens.Event) error, flush func() error) error {
	mark, err := s.Mark(ctx)
	if err != nil {
		return ignoreCanceled(ctx, err)
	}
	if q.UpTo = mark; mark > 0 { // else there is nothing yet
		if err := q.Store(ctx, s, emit); err != nil {
			return ignoreCanceled(ctx, err)
		}
	}
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		if err := flush(); err != nil {
			return err
		}
		if until := q.Span.Until; !until.IsZero() && time.Now().After(until) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		var events []relaylens.Event
		if events, mark, err = s.SelectNew(ctx, q.Query, mark); err != nil {
			return ignoreCanceled(ctx, err)
		}
		for i := range events {
			if err := emit(&events[i]); err != nil {
				return err
			}
		}
	}
}

// ignoreCanceled is nil once whoever asked wants no more: that is how following
// ends.
func ignoreCanceled(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// Files lists the events of files. They are read to their end before the first
// event is listed.
func (q *Events) Files(ctx context.Context, files *Files, emit func(*relaylens.Event) error) error {
	files.Options.Raw = files.Options.Raw || q.Match.Uses("raw")
	files.Options.ContextIDs = q.All || q.Match.Context()
	files.Options.Brief = !files.Options.ContextIDs
	// The last N are the first N from behind.
	turn := q.Number >= 0 && q.From == nil && !q.Reverse
	g, err := files.gather(ctx, q.Match, q.Reverse || turn, q.listed)
	if err != nil {
		return err
	}
	defer g.close()
	var kept []relaylens.Event
	left := q.Number
	for e, err := range g.final(fromCursor{q.From, q.After, q.Reverse}) {
		if err != nil {
			return err
		}
		if left == 0 {
			break
		}
		if q.Keep != nil && !q.Keep(e) {
			continue
		}
		left--
		if turn {
			kept = append(kept, e.Clone())
		} else if err := emit(e); err != nil {
			return err
		}
	}
	for _, e := range slices.Backward(kept) {
		if err := emit(&e); err != nil {
			return err
		}
	}
	return errors.Join(ctx.Err(), g.readErr)
}

// listed reports whether e is of the sort and the time that is listed.
func (q *Events) listed(e *relaylens.Event) bool {
	return (e.Refusal() || q.All || q.Match.Context()) && inSpan(e.Time, q.Span)
}

// StoreValues lists what the events of a store have in a field, each value once.
func (q *Events) StoreValues(ctx context.Context, s *store.Store, field string) ([]string, error) {
	values, err := s.Distinct(ctx, field, q.Query)
	return q.cut(values), err
}

// FileValues is StoreValues for files. With an error for those that could not
// be read, it lists the values of the others.
func (q *Events) FileValues(ctx context.Context, files *Files, field string) ([]string, error) {
	files.Options.Raw = files.Options.Raw || field == "raw"
	set := map[string]struct{}{}
	every := *q
	every.Number = NoLimit
	err := every.Files(ctx, files, func(e *relaylens.Event) error {
		v := e.MatchField(field)
		if _, known := set[v]; v != "" && !known {
			set[strings.Clone(v)] = struct{}{}
		}
		return nil
	})
	return q.cut(slices.Sorted(maps.Keys(set))), err
}

// cut applies Number to a list of values.
func (q *Events) cut(values []string) []string {
	if q.Number >= 0 && q.Number < len(values) {
		return values[:q.Number]
	}
	return values
}
