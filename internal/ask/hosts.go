package ask

import (
	"context"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

// latestEvents are looked through for the latest of each host.
const latestEvents = 4096

// Hosts tells what a store has of each host in a span.
func Hosts(ctx context.Context, s *store.Store, o SummaryOptions) ([]summary.Holding, error) {
	o.By, o.Top = []string{"host"}, summary.MaxHoldings
	count, err := NewSummary(o)
	if err != nil {
		return nil, err
	}
	if err := count.CountStore(ctx, s); err != nil {
		return nil, err
	}
	latest := map[string][]summary.Moment{}
	for e, err := range s.Select(ctx, store.Query{Span: count.Span(), Match: o.Match, Reverse: true, Limit: latestEvents}) {
		if err != nil {
			return nil, err
		}
		host := relaylens.ValidText(e.Host)
		if len(latest[host]) < summary.MaxLatest {
			latest[host] = append(latest[host], summary.Moment{ID: e.ID, Time: e.Time.UTC()})
		}
	}
	list := []summary.Holding{}
	for _, g := range count.Table().Groups {
		list = append(list, summary.Holding{Host: g.Values[0], Refusals: g.Events, Latest: latest[g.Values[0]]})
	}
	return list, nil
}
