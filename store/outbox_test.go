package store

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

func outbox(t *testing.T, s *Store) *Outbox {
	t.Helper()
	o, err := s.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func empty(p *relaylens.Parcel) bool { return len(p.Events)+len(p.Revised)+len(p.Context) == 0 }

func next(t *testing.T, o *Outbox, most int) *relaylens.Parcel {
	t.Helper()
	p, err := o.Next(t.Context(), most)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func done(t *testing.T, o *Outbox, p *relaylens.Parcel) {
	t.Helper()
	if err := o.Done(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

func idsOf(events []relaylens.Event) (ids []relaylens.ID) {
	for i := range events {
		ids = append(ids, events[i].ID)
	}
	return ids
}

func someEvents(from, to int) (events []relaylens.Event) {
	for n := from; n < to; n++ {
		events = append(events, event(n))
	}
	return events
}

// What is in the store before shipping begins is shipped too, in the order in
// which it came, and every event once.
func TestOutboxGivesEveryEventOnce(t *testing.T) {
	s := open(t, t.TempDir())
	commit(t, s, &Batch{Events: someEvents(0, 5)})
	o := outbox(t, s)
	var got []relaylens.ID
	for round := range 4 {
		p := next(t, o, 3)
		got = append(got, idsOf(p.Events)...)
		done(t, o, p)
		if round == 1 {
			commit(t, s, &Batch{Events: someEvents(5, 7)})
		}
	}
	if diff := cmp.Diff(idsOf(someEvents(0, 7)), got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if p := next(t, o, 3); !empty(p) {
		t.Errorf("too many: %+v", p)
	}
}

// After a crash the same events come together again, though more came since:
// what is sent twice has to look the same.
func TestOutboxRepeatsAParcelThatWasNotDone(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	commit(t, s, &Batch{Events: someEvents(0, 2)})
	want := next(t, outbox(t, s), 10)
	commit(t, s, &Batch{Events: someEvents(2, 4)})
	s.Close()
	s = open(t, dir)
	o := outbox(t, s)
	got := next(t, o, 10)
	if diff := cmp.Diff(idsOf(want.Events), idsOf(got.Events)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	done(t, o, got)
	if diff := cmp.Diff(idsOf(someEvents(2, 4)), idsOf(next(t, o, 10).Events)); diff != "" {
		t.Errorf("after it: -want +got\n%s", diff)
	}
}

func TestOutboxRevisesWhatTheFleetHas(t *testing.T) {
	s := open(t, t.TempDir())
	o := outbox(t, s)
	commit(t, s, &Batch{Events: someEvents(0, 3)})
	revise := func(n int, c relaylens.Cause) {
		commit(t, s, &Batch{Revised: []Revision{{ID: event(n).ID, Cause: c}}})
	}
	revise(0, relaylens.CausePolicy) // before it is sent
	p := next(t, o, 2)
	if p.Events[0].Cause != relaylens.CausePolicy || len(p.Revised) != 0 {
		t.Errorf("sent as %v, with %d revisions", p.Events[0].Cause, len(p.Revised))
	}
	revise(1, relaylens.CauseOpenRelayProbe) // while it is sent
	revise(2, relaylens.CauseOpenRelayProbe) // while another is sent
	done(t, o, p)
	p = next(t, o, 2)
	if len(p.Events) != 1 || p.Events[0].Cause != relaylens.CauseOpenRelayProbe {
		t.Errorf("then %+v", p.Events)
	}
	if len(p.Revised) != 1 || p.Revised[0].ID != event(1).ID || p.Revised[0].Cause != relaylens.CauseOpenRelayProbe || p.Revised[0].Host != "mx1" ||
		!cmp.Equal(p.Revised[0].Time, event(1).Time, compareEvents) {
		t.Errorf("revised %+v", p.Revised)
	}
	done(t, o, p)
	if p := next(t, o, 2); !empty(p) {
		t.Errorf("too many: %+v", p)
	}
}

func TestOutboxKeepsContext(t *testing.T) {
	s := open(t, t.TempDir())
	tally := relaylens.Tally{Count: 3, Event: relaylens.Event{Time: at.Truncate(time.Minute).UTC(), Host: "mx1", MTA: relaylens.Exim, Kind: relaylens.KindAuthOK,
		Direction: relaylens.Inbound, ClientIP: event(1).ClientIP, User: "joe"}}
	null := relaylens.Tally{Count: 1, Event: relaylens.Event{Time: at.Truncate(time.Minute).UTC(), MTA: relaylens.Exim, Kind: relaylens.KindAccepted, NullSender: true}}
	commit(t, s, &Batch{Context: []relaylens.Tally{tally}}) // nobody wants it yet
	o := outbox(t, s)
	commit(t, s, &Batch{Context: []relaylens.Tally{tally, null}})
	p := next(t, o, 10)
	if diff := cmp.Diff([]relaylens.Tally{tally, null}, p.Context, compareEvents); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	done(t, o, p)
	if p := next(t, o, 10); !empty(p) {
		t.Errorf("too many: %+v", p)
	}
}

// Age alone deletes nothing that the fleet does not have. Size does, after all
// else, and counts it.
func TestRetainSparesWhatWasNotShipped(t *testing.T) {
	s := open(t, t.TempDir())
	o := outbox(t, s)
	commit(t, s, &Batch{Events: someEvents(0, 10)})
	done(t, o, next(t, o, 4))
	later := event(9).Time.Add(time.Hour)
	if n, err := s.Retain(t.Context(), Retention{Keep: time.Minute}, later); err != nil || n != 4 {
		t.Fatalf("deleted %d by age: %v", n, err)
	}
	b, err := o.Backlog(t.Context())
	if err != nil || b.Events != 6 || b.Lost != 0 || !b.Oldest.Equal(event(4).Time) {
		t.Errorf("backlog %+v: %v", b, err)
	}
	if _, err := s.Retain(t.Context(), Retention{MaxBytes: 1}, later); err != nil {
		t.Fatal(err)
	}
	if b, err = o.Backlog(t.Context()); err != nil || b.Events != 1 || b.Lost != 5 {
		t.Errorf("backlog %+v after the size was enforced: %v", b, err)
	}
	done(t, o, next(t, o, 10))
	commit(t, s, &Batch{Events: someEvents(10, 11)})
	if p := next(t, o, 10); len(p.Events) != 1 || p.Events[0].ID != event(10).ID {
		t.Errorf("then %+v", p.Events)
	}
}

// The number of a deleted event is never given to another, which would then
// count as shipped.
func TestDeletedNumbersAreNotUsedAgain(t *testing.T) {
	s := open(t, t.TempDir())
	o := outbox(t, s)
	old := event(1)
	old.Time = at.Add(-time.Hour)
	commit(t, s, &Batch{Events: []relaylens.Event{event(0), old}})
	done(t, o, next(t, o, 10))
	if _, err := s.Retain(context.Background(), Retention{Keep: time.Minute}, event(0).Time); err != nil {
		t.Fatal(err)
	}
	commit(t, s, &Batch{Events: []relaylens.Event{event(2)}})
	if p := next(t, o, 10); len(p.Events) != 1 {
		t.Errorf("%d events to ship", len(p.Events))
	}
}

func TestCloseOutboxKeepsNothing(t *testing.T) {
	s := open(t, t.TempDir())
	outbox(t, s)
	commit(t, s, &Batch{Events: someEvents(0, 2)})
	if err := s.CloseOutbox(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Retain(t.Context(), Retention{Keep: time.Minute}, event(1).Time.Add(time.Hour)); err != nil || n != 1 {
		t.Errorf("deleted %d: %v", n, err)
	}
	if p := next(t, outbox(t, s), 10); len(p.Events) != 1 {
		t.Errorf("%d events to ship", len(p.Events))
	}
}
