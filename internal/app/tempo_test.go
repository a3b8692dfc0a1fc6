package app

import (
	"testing"
	"time"

	"github.com/relaylens/relaylens/classifier"
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
