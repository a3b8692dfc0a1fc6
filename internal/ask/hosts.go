package ask

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

// latestEvents are looked through for the latest of each host.
const latestEvents = 4096

// Hosts tells what a store has of each host in a span and in the one before,
// with which a summary compares. Those with the most refusals come first.
func Hosts(ctx context.Context, s *store.Store, o SummaryOptions) ([]*summary.Holding, error) {
	o.By, o.Top = []string{"host"}, summary.MaxHoldings
	count, err := NewSummary(o)
	if err != nil {
		return nil, err
	}
	held := map[string]*summary.Holding{}
	if err := count.hold(ctx, s, held, func(h *summary.Holding) *int64 { return &h.Refusals }); err != nil {
		return nil, err
	}
	if count.before != (store.Span{}) {
		o.Span = count.before
		if count, err = NewSummary(o); err != nil {
			return nil, err
		}
		if err := count.hold(ctx, s, held, func(h *summary.Holding) *int64 { return &h.Before }); err != nil {
			return nil, err
		}
	}
	list := slices.SortedFunc(maps.Values(held), func(a, b *summary.Holding) int {
		return cmp.Or(cmp.Compare(b.Refusals, a.Refusals), cmp.Compare(b.Before, a.Before), strings.Compare(a.Host, b.Host))
	})
	return list[:min(len(list), summary.MaxHoldings)], nil
}

// hold counts the refusals of each host, and finds the latest of those of which
// none is known.
func (r *Summary) hold(ctx context.Context, s *store.Store, held map[string]*summary.Holding, number func(*summary.Holding) *int64) error {
	if err := r.CountStore(ctx, s); err != nil {
		return err
	}
	latest := map[string][]summary.Moment{}
	for e, err := range s.Select(ctx, store.Query{Span: r.o.Span, Match: r.o.Match, Reverse: true, Limit: latestEvents}) {
		if err != nil {
			return err
		}
		host := relaylens.ValidText(e.Host)
		if len(latest[host]) < summary.MaxLatest {
			latest[host] = append(latest[host], summary.Moment{ID: e.ID, Time: e.Time.UTC()})
		}
	}
	for _, g := range r.Table().Groups {
		host := g.Values[0]
		h := held[host]
		if h == nil {
			h = &summary.Holding{Host: host, Latest: append([]summary.Moment{}, latest[host]...)}
			held[host] = h
		}
		*number(h) = g.Events
	}
	return nil
}
