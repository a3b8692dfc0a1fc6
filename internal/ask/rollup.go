package ask

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

// groupsRollUp reports whether the hourly totals can answer --by.
func (r *Summary) groupsRollUp() bool {
	for _, g := range r.o.Match.Groups() {
		for _, c := range g {
			if !summary.TotalField(c.Field) {
				return false
			}
		}
	}
	_, offset := r.o.Span.Since.In(r.o.Location).Zone()
	whole := offset%3600 == 0 // an hour of the store is an hour of the clock
	return !slices.ContainsFunc(r.o.By, func(field string) bool {
		return !summary.TotalField(field) && !(whole && (field == "date" || field == "hour"))
	})
}

func (r *Summary) groupTotals(ctx context.Context, s *store.Store) error {
	head, whole, tail, ok := r.o.Span.Hours()
	if ok[1] {
		for t, err := range s.Totals(ctx, whole) {
			if err != nil {
				return err
			}
			e := relaylens.Event{Time: t.Hour, Host: t.Host, MTA: t.MTA, Kind: t.Kind, Direction: t.Direction, Reason: t.Reason, Cause: t.Cause, Class: t.Class}
			if r.o.Match.Event(&e) {
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
func (r *Summary) countHours(ctx context.Context, s *store.Store) error {
	var mu sync.Mutex // of the builder
	var jobs []func() error
	add := func(e *relaylens.Event) { r.builder.Add(e) }
	for _, span := range []store.Span{r.o.Span, r.before} {
		if span == (store.Span{}) && span != r.o.Span {
			continue
		}
		head, whole, tail, ok := span.Hours()
		if ok[0] {
			jobs = append(jobs, func() error { return addInPortions(&mu, s.Brief(ctx, head, relaylens.Match{}), add) })
		}
		if ok[2] {
			jobs = append(jobs, func() error { return addInPortions(&mu, s.Brief(ctx, tail, relaylens.Match{}), add) })
		}
		if ok[1] {
			jobs = append(jobs, func() error { return addInPortions(&mu, s.Totals(ctx, whole), r.addTotal) })
		}
		if !ok[1] || span != r.o.Span && !r.o.Sketches {
			continue
		}
		for _, part := range splitSpan(whole) {
			jobs = append(jobs, func() error { return addInPortions(&mu, s.Values(ctx, part), r.addValue) })
		}
	}
	if err := runJobs(jobs); err != nil {
		return err
	}
	return r.lookUp(ctx, s, &mu)
}

// lookUp asks of the largest values what else is to be told of them: how many
// events the span before had, and what the events themselves say.
func (r *Summary) lookUp(ctx context.Context, s *store.Store, mu *sync.Mutex) error {
	o := summary.ReportOptions{Top: r.o.Top}
	_, whole, _, ok := r.before.Hours()
	var jobs []func() error
	for _, field := range summary.ListFields() {
		values := r.builder.Largest(field, o.Considered())
		if r.before != (store.Span{}) && ok[1] && len(values) > 0 && !r.o.Sketches { // with them, the values of that span were counted
			jobs = append(jobs, func() error { return addInPortions(mu, s.ValuesOf(ctx, whole, storeField(field), values), r.addValue) })
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
				return addInPortions(mu, s.Brief(ctx, store.Span{Since: at, Until: at.Add(1)}, relaylens.Match{}), r.builder.Note)
			})
		}
	}
	return runJobs(jobs)
}

func (r *Summary) addTotal(t *store.Total) {
	r.builder.AddTotal(&summary.Total{Time: t.Hour, Length: time.Hour, Host: t.Host, MTA: t.MTA, Events: t.Events,
		What: summary.What{Kind: t.Kind, Direction: t.Direction, Reason: t.Reason, Cause: t.Cause, Class: t.Class}})
}

func (r *Summary) addValue(v *store.Value) {
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

// Count is how many refusals of a span a match selects, of both directions.
// Whole hours are counted by their totals where everything is selected.
func Count(ctx context.Context, s *store.Store, span store.Span, match relaylens.Match) (n int64, err error) {
	parts := []store.Span{span}
	if match.IsZero() {
		head, whole, tail, ok := span.Hours()
		parts = nil
		for i, part := range []store.Span{head, whole, tail} {
			if ok[i] && i != 1 {
				parts = append(parts, part)
			}
		}
		if ok[1] {
			for t, err := range s.Totals(ctx, whole) {
				if err != nil {
					return 0, err
				}
				n += t.Events
			}
		}
	}
	for _, part := range parts {
		rows, err := s.Count(ctx, part, match, 0)
		if err != nil {
			return 0, err
		}
		n += int64(rows)
	}
	return n, nil
}
