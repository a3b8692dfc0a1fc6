package app

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/internal/aggregate"
	"github.com/relaylens/relaylens/internal/watch"
)

// A daemon that begins with nothing waits a while for its first event. Event
// time does not go on before it has begun.
func TestTempoWaitsForTheFirstEvent(t *testing.T) {
	w := watch.New(classifier.New(), watch.Settings{})
	var tempo tempo
	begun := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	tempo.hear(w.Now(), begun)
	if event, ok := tempo.idle(begun.Add(2 * time.Second)); ok {
		t.Errorf("event time is %s before there was an event", event)
	}
	w.Observe(begun)
	tempo.hear(w.Now(), begun)
	if event, ok := tempo.idle(begun.Add(2 * time.Second)); !ok || !event.Equal(begun.Add(2*time.Second)) {
		t.Errorf("event time is %s, %v", event, ok)
	}
}

// While what comes may be late, silence does not mean that nothing happens.
func TestEventTimeWaitsForWhatIsLate(t *testing.T) {
	p := newTestPipeline(t)
	begun := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	p.watch.Observe(begun)
	p.tempo.hear(p.watch.Now(), begun)
	p.still.Store(true)
	p.idle(begun.Add(time.Hour))
	if now := p.watch.Now(); !now.Equal(begun) {
		t.Errorf("event time is %s", now)
	}
	p.still.Store(false)
	p.idle(begun.Add(time.Hour))
	if now := p.watch.Now(); !now.Equal(begun.Add(time.Hour)) {
		t.Errorf("event time is %s", now)
	}
}

// Nothing is behind the present before a stamp was read, nor once no lines come.
func TestBehindOnlyWhileItCatchesUp(t *testing.T) {
	p := newTestPipeline(t)
	now := time.Now()
	counted := func() bool {
		e := &relaylens.Event{Time: now, Host: "mx1", Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, ClientIP: netip.MustParseAddr("192.0.2.1")}
		p.windows.Add(e)
		return slices.ContainsFunc(p.windows.Snapshot().Lists, func(l aggregate.List) bool {
			return l.Window == time.Minute && l.By == aggregate.ByClient && l.Total > 0
		})
	}
	p.hear(time.Time{})
	if !counted() {
		t.Error("a refusal before there was any stamp is not counted")
	}
	p = newTestPipeline(t)
	p.hear(now.Add(-2 * time.Hour))
	if counted() {
		t.Error("a refusal of a backlog is counted in a window that will be over")
	}
	p.idle(now)
	if !counted() {
		t.Error("a refusal after the end of the backlog is not counted")
	}
}
