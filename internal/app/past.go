package app

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/relaylens/relaylens/internal/spike"
	"github.com/relaylens/relaylens/internal/watch"
	"github.com/relaylens/relaylens/store"
)

const (
	// knownFor is how much of the past tells what clients, networks, users and
	// domains usually have: what the detector takes the mean of.
	knownFor = 8 * 24 * time.Hour
	// maxPast is of how many of their hours and days they are learned.
	maxPast = 40_000
)

// dimensions are the fields of the store that have baselines of their own.
var dimensions = map[string]spike.Dimension{"client_ip": spike.PerClient, "network": spike.PerNetwork, "user": spike.PerUser,
	"sender_domain": spike.PerSenderDomain, "recipient_domain": spike.PerRecipientDomain}

// learnEntities has the watch know the clients, networks, users and domains of the
// time before, the loudest where there are many. One that never has a good part of
// what the least of spikes has is as good as new.
func learnEntities(ctx context.Context, w *watch.Watch, s *store.Store, before time.Time, minEvents int) error {
	least := max(minEvents/4, 1)
	span := store.Span{Since: before.Add(-knownFor).Truncate(24 * time.Hour), Until: before}
	past, err := loudest(s.Loud(ctx, span, least), int64(least), maxPast)
	if err == nil {
		w.LearnEntities(past)
	}
	return err
}

// loudest are fewer than most of the values that have at least so many events, and
// those that have more before others.
func loudest(values iter.Seq2[store.Value, error], least int64, most int) (past []spike.Past, err error) {
	for v, err := range values {
		if err != nil {
			return nil, err
		}
		by, ok := dimensions[v.Field]
		if !ok || v.Events < least {
			continue
		}
		past = append(past, spike.Past{Series: spike.Series{By: by, Kind: v.Kind, Key: v.Value}, First: v.First, Last: v.Last, Events: v.Events})
		if len(past) == most {
			slices.SortFunc(past, func(a, b spike.Past) int { return cmp.Compare(b.Events, a.Events) })
			past = past[:most/2]
			least = past[len(past)-1].Events
		}
	}
	return past, nil
}
