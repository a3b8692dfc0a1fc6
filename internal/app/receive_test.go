package app

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/exporter/prom"
	"github.com/relaylens/relaylens/internal/watch"
	"github.com/relaylens/relaylens/store"
)

// gate is a store that lets nothing through until it is opened.
type gate struct {
	recorder
	open chan struct{}
}

func (g *gate) Commit(ctx context.Context, b *store.Batch) (int, error) {
	select {
	case <-g.open:
		return g.recorder.Commit(ctx, b)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func shipped(n int, host string) relaylens.Event {
	return relaylens.Event{ID: relaylens.ID{byte(n >> 8), byte(n), 1}, Time: time.Date(2026, 11, 20, 9, 0, n%60, 0, time.UTC), Host: host, MTA: relaylens.Postfix,
		Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Cause: relaylens.CauseRestrictionOrder, ClientIP: netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), Code: 554}
}

// What was received is acknowledged after it is in the store, and not before.
func TestReceivedIsAcknowledgedAfterTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newTestPipeline(t)
		g := &gate{open: make(chan struct{})}
		x := prom.New(prom.Options{Host: "here", MaxHosts: 5, Results: resultNames()})
		p.commits = newCommitter(g, x.Commits(failureNames()), zap.NewNop(), p.quit)
		p.start()
		var mu sync.Mutex
		var acknowledged []int
		send := func(n int, s *relaylens.Shipment) {
			p.in <- relaylens.Batch{Shipment: s, Committed: func() {
				mu.Lock()
				defer mu.Unlock()
				acknowledged = append(acknowledged, n)
			}}
		}
		send(1, &relaylens.Shipment{Events: []relaylens.Event{shipped(1, "mx1"), shipped(2, "mx2")}})
		send(2, &relaylens.Shipment{}) // nothing new: to be acknowledged all the same
		time.Sleep(10 * time.Second)   //nolint:forbidigo // the bubble's time
		synctest.Wait()
		mu.Lock()
		if len(acknowledged) > 0 {
			t.Errorf("%d acknowledged before the commit", acknowledged)
		}
		mu.Unlock()
		close(g.open)
		send(3, &relaylens.Shipment{Revised: []relaylens.Revision{{ID: shipped(1, "mx1").ID, Cause: relaylens.CausePolicy}}})
		time.Sleep(time.Second) //nolint:forbidigo // the bubble's time
		synctest.Wait()
		mu.Lock()
		if fmt.Sprint(acknowledged) != "[1 2 3]" {
			t.Errorf("acknowledged %d", acknowledged)
		}
		mu.Unlock()
		if err := p.stop(t.Context(), true); err != nil {
			t.Error(err)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		var stored []relaylens.Event
		for _, b := range g.batches {
			stored = append(stored, b.Events...)
		}
		if len(stored) != 2 || stored[0].Cause != relaylens.CauseRestrictionOrder {
			t.Errorf("stored %+v", stored)
		}
	})
}

// Three attempts of a botnet at each of 200 servers, which found nothing each,
// are one finding here, and at most one alert.
func TestBotnetOverTheFleetIsOneProblem(t *testing.T) {
	p := newTestPipeline(t)
	var found []relaylens.Finding
	p.watch = watch.New(classifier.New(), watch.Settings{Stepped: func(s *watch.Step) { found = s.Findings }})
	p.watch.Limit(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
	for round := range 3 {
		for host := range 200 {
			e := shipped(round*200+host, fmt.Sprint("mx", host))
			e.Kind, e.Reason, e.Cause, e.Code = relaylens.KindAuthFailed, relaylens.ReasonCredentials, relaylens.CauseUnknown, 535
			e.Time = time.Date(2026, 11, 20, 9, round, host%60, 0, time.UTC)
			e.ClientIP = netip.AddrFrom4([4]byte{203, 0, 113, byte(host % 20)})
			p.receive(&relaylens.Batch{Shipment: &relaylens.Shipment{Events: []relaylens.Event{e}}})
		}
	}
	p.watch.Behind(0)
	p.watch.Advance(time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC))
	if len(found) != 1 || found[0].Events < 590 || found[0].Host != "" || found[0].Clients != 20 || found[0].Cause != relaylens.CauseCredentialGuessing {
		t.Errorf("%d findings: %+v", len(found), found)
	}
	if alerts := p.watch.Alerts(); len(alerts) > 1 {
		t.Errorf("%d alerts: %+v", len(alerts), alerts)
	}
}

// What happens beside refusals is counted by the minute; what came from others
// is not sent on.
func TestTallies(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 0, 59, 0, time.UTC)
	login := relaylens.Event{Time: at, Host: "mx1", MTA: relaylens.Exim, Kind: relaylens.KindAuthOK, User: "joe", PID: 7}
	var off, on tallies
	on.on = true
	for range 3 {
		off.add(&login)
		on.add(&login)
	}
	refusal, remote, foreign := shipped(1, "mx1"), login, login
	remote.Kind, remote.RemoteHost, remote.Recipient = relaylens.KindDelivered, "mx.example.org", "a@example.org"
	foreign.Given = relaylens.CauseUnknown
	for _, e := range []*relaylens.Event{&refusal, &remote, &foreign} {
		on.add(e)
	}
	later := login
	later.Time = at.Add(time.Second)
	on.add(&later)
	if n := len(off.take(time.Now(), true)); n > 0 {
		t.Errorf("%d tallies nobody asked for", n)
	}
	if n := len(on.take(time.Now(), false)); n > 0 {
		t.Errorf("%d tallies of a minute that goes on", n)
	}
	got := map[time.Time]uint32{}
	for _, tally := range on.take(time.Now(), true) {
		got[tally.Event.Time] = tally.Count
		if tally.Event.User != "joe" || tally.Event.PID != 0 {
			t.Errorf("tally of %+v", tally.Event)
		}
	}
	if len(got) != 2 || got[at.Truncate(time.Minute)] != 3 || got[at.Add(time.Second)] != 1 {
		t.Errorf("tallies %v", got)
	}
}
