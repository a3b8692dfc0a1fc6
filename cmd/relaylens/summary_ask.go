package main

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/internal/spool"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

// countFiles counts what FILEs tell. Refusals wait for the end of the FILEs, for
// a later line may tell the cause of an earlier one. A FILE that cannot be read
// does not stop the others.
func (r *summaryRun) countFiles(c *cobra.Command) error {
	options, err := r.parserOptions()
	if err != nil {
		return err
	}
	options.Raw = r.match.Uses("raw") || slices.Contains(r.by, "raw")
	classify := classifier.New()
	events := spool.New(spool.DefaultMemory, false)
	defer events.Close()
	early := r.match.Without("cause") // which is not known before the end
	var spoolErr error
	in := logs{options: options, stdin: c.InOrStdin(), progress: newProgress(c.ErrOrStderr())}
	readErr := in.read(c.Context(), r.files, func(e *relaylens.Event) {
		classify.Classify(e)
		switch {
		case spoolErr != nil || !r.counted(e.Time) || !early.Event(e):
		case e.Refusal():
			spoolErr = events.Add(e)
		case r.match.IsZero():
			r.add(e)
		}
	})
	in.progress.done()
	if err := errors.Join(spoolErr, c.Context().Err()); err != nil {
		return err
	}
	for e, err := range events.Events() {
		if err != nil {
			return err
		}
		classify.Final(&e)
		if r.match.Event(&e) {
			r.add(&e)
		}
	}
	return readErr
}

// counted reports whether t is in a span that is counted.
func (r *summaryRun) counted(t time.Time) bool {
	since := r.span.Since
	if r.before != (store.Span{}) {
		since = r.before.Since
	}
	return !t.Before(since) && (r.span.Until.IsZero() || t.Before(r.span.Until))
}

// countStore counts what the store tells, from the hourly roll-ups if they can
// answer.
func (r *summaryRun) countStore(c *cobra.Command) error {
	s, err := r.openStore(c)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx := c.Context()
	switch {
	case r.groups != nil && r.groupsRollUp():
		return r.groupTotals(ctx, s)
	case r.groups != nil:
		return r.countRows(ctx, s, r.span)
	case r.match.IsZero() && !r.short():
		return r.countHours(ctx, s)
	}
	return errors.Join(r.countRows(ctx, s, r.span), r.countRows(ctx, s, r.before))
}

// shortSpan is what a time line by hours says too little of.
const shortSpan = 2 * time.Hour

func (r *summaryRun) short() bool {
	return r.before != (store.Span{}) && r.before.Until.Sub(r.before.Since) <= shortSpan
}

// countRows counts events of the store one by one.
func (r *summaryRun) countRows(ctx context.Context, s *store.Store, span store.Span) error {
	if span == (store.Span{}) && r.span != span {
		return nil // there is no span before
	}
	events := s.Brief(ctx, span, r.match)
	if slices.ContainsFunc(r.by, func(field string) bool { return !summary.BriefField(field) }) {
		events = s.Select(ctx, store.Query{Span: span, Match: r.match})
	}
	for e, err := range events {
		if err != nil {
			return err
		}
		r.add(&e)
	}
	return nil
}

// groupsRollUp reports whether the hourly totals can answer --by.
func (r *summaryRun) groupsRollUp() bool {
	for _, g := range r.match.Groups() {
		for _, c := range g {
			if !summary.TotalField(c.Field) {
				return false
			}
		}
	}
	_, offset := r.span.Since.In(r.location()).Zone()
	whole := offset%3600 == 0 // an hour of the store is an hour of the clock
	return !slices.ContainsFunc(r.by, func(field string) bool {
		return !summary.TotalField(field) && !(whole && (field == "date" || field == "hour"))
	})
}

func (r *summaryRun) groupTotals(ctx context.Context, s *store.Store) error {
	head, whole, tail, ok := r.span.Hours()
	if ok[1] {
		for t, err := range s.Totals(ctx, whole) {
			if err != nil {
				return err
			}
			e := relaylens.Event{Time: t.Hour, Host: t.Host, MTA: t.MTA, Kind: t.Kind, Direction: t.Direction, Reason: t.Reason, Cause: t.Cause, Class: t.Class}
			if r.match.Event(&e) {
				r.groups.AddMany(&e, t.Events)
			}
		}
	}
	for i, span := range []store.Span{head, whole, tail} {
		if ok[i] && i != 1 {
			if err := r.countRows(ctx, s, span); err != nil {
				return err
			}
		}
	}
	return nil
}

// countHours counts by the roll-ups, and by events where a span begins or ends
// within an hour.
func (r *summaryRun) countHours(ctx context.Context, s *store.Store) error {
	var mu sync.Mutex // of the builder
	var jobs []func() error
	add := func(e *relaylens.Event) { r.builder.Add(e) }
	for _, span := range []store.Span{r.span, r.before} {
		if span == (store.Span{}) && span != r.span {
			continue
		}
		head, whole, tail, ok := span.Hours()
		if ok[0] {
			jobs = append(jobs, func() error { return share(&mu, s.Brief(ctx, head, relaylens.Match{}), add) })
		}
		if ok[2] {
			jobs = append(jobs, func() error { return share(&mu, s.Brief(ctx, tail, relaylens.Match{}), add) })
		}
		if ok[1] {
			jobs = append(jobs, func() error { return share(&mu, s.Totals(ctx, whole), r.addTotal) })
		}
		if !ok[1] || span != r.span {
			continue
		}
		for _, part := range halves(whole) {
			jobs = append(jobs, func() error { return share(&mu, s.Values(ctx, part), r.addValue) })
		}
	}
	if err := together(jobs); err != nil {
		return err
	}
	return r.lookUp(ctx, s, &mu)
}

// lookUp asks of the largest values what else is to be told of them: how many
// events the span before had, and what the events themselves say.
func (r *summaryRun) lookUp(ctx context.Context, s *store.Store, mu *sync.Mutex) error {
	o := summary.ReportOptions{Top: r.top}
	_, whole, _, ok := r.before.Hours()
	var jobs []func() error
	for _, field := range summary.ListFields() {
		values := r.builder.Largest(field, o.Considered())
		if r.before != (store.Span{}) && ok[1] && len(values) > 0 {
			jobs = append(jobs, func() error { return share(mu, s.ValuesOf(ctx, whole, storeField(field), values), r.addValue) })
		}
		if field != "client_ip" && field != "remote_host" {
			continue
		}
		// The names of more than are listed, for what is new may not be listed.
		if o.Top > 0 {
			values = values[:min(2*o.Top, len(values))]
		}
		for _, v := range values {
			at := r.builder.LastSeen(field, v)
			jobs = append(jobs, func() error {
				return share(mu, s.Brief(ctx, store.Span{Since: at, Until: at.Add(1)}, relaylens.Match{}), r.builder.Note)
			})
		}
	}
	return together(jobs)
}

func (r *summaryRun) addTotal(t *store.Total) {
	r.builder.AddTotal(&summary.Total{Time: t.Hour, Length: time.Hour, Host: t.Host, MTA: t.MTA, Events: t.Events,
		What: summary.What{Kind: t.Kind, Direction: t.Direction, Reason: t.Reason, Cause: t.Cause, Class: t.Class}})
}

func (r *summaryRun) addValue(v *store.Value) {
	field := v.Field
	if field == storeField("client_net") {
		field = "client_net"
	}
	r.builder.AddValue(&summary.Value{Field: field, Value: v.Value, Kind: v.Kind, Events: v.Events, First: v.First, Last: v.Last, Bound: v.Bound})
}

// storeField is what the roll-ups call a field.
func storeField(field string) string {
	if field == "client_net" {
		return "network"
	}
	return field
}

// halves splits a span of whole hours, so that both may be read at once. What is
// open stays whole.
func halves(span store.Span) []store.Span {
	until := span.Until
	if until.IsZero() {
		until = time.Now()
	}
	middle := span.Since.Add(until.Sub(span.Since) / 2).Truncate(time.Hour)
	if span.Since.IsZero() || !middle.After(span.Since) || !middle.Before(until) {
		return []store.Span{span}
	}
	return []store.Span{{Since: span.Since, Until: middle}, {Since: middle, Until: span.Until}}
}

// together runs jobs, a few at once, and joins their errors.
func together(jobs []func() error) error {
	// Each opens a connection, which is worth it where it has a processor of its own.
	workers := min(runtime.GOMAXPROCS(0), 4)
	errs := make([]error, len(jobs))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(workers, len(jobs)) {
		wg.Go(func() {
			for i := range next {
				errs[i] = jobs[i]()
			}
		})
	}
	for i := range jobs {
		next <- i
	}
	close(next)
	wg.Wait()
	return errors.Join(errs...)
}

// share hands what seq gives to add, which others use as well: in portions, for
// taking the lock costs more than adding.
func share[T any](mu *sync.Mutex, seq iter.Seq2[T, error], add func(*T)) error {
	portion := make([]T, 0, 256)
	flush := func() {
		mu.Lock()
		defer mu.Unlock()
		for i := range portion {
			add(&portion[i])
		}
		portion = portion[:0]
	}
	for v, err := range seq {
		if err != nil {
			return err
		}
		if portion = append(portion, v); len(portion) == cap(portion) {
			flush()
		}
	}
	flush()
	return nil
}
