package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
)

// recorder is a store that remembers, and fails as often as it is told to.
type recorder struct {
	mu      sync.Mutex
	batches []store.Batch
	fail    int
	tries   int
}

var errNoSpace = errors.New("no space left on device")

func (r *recorder) Commit(_ context.Context, b *store.Batch) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries++
	if r.fail > 0 {
		r.fail--
		return 0, errNoSpace
	}
	kept := *b
	kept.Events = slices.Clone(b.Events) // their memory is used again
	r.batches = append(r.batches, kept)
	return len(b.Events), nil
}

// all is every batch until now.
func (r *recorder) all() []store.Batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.batches)
}

// committed lists the recipients of all events, and the last offset of each source.
func (r *recorder) committed() (recipients []string, offsets map[string]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	offsets = map[string]int64{}
	for _, b := range r.batches {
		for i := range b.Events {
			recipients = append(recipients, b.Events[i].Recipient)
		}
		for _, p := range b.Positions {
			offsets[p.Source] = p.Offset
		}
	}
	return recipients, offsets
}

// at makes a batch that ends at an offset.
func at(offset int64, source string, texts ...string) relaylens.Batch {
	b := batch(source, texts...)
	b.Position = relaylens.Position{Source: source, Offset: offset, Origin: relaylens.NewOrigin(source)}
	return b
}

// earlyLine is of the time at which the clock of a bubble begins.
var earlyLine = strings.Replace(refusalLine, "2026-03-01T10:00:00", "2000-01-01T00:00:00", 1)

const releaseLine = `2000-01-01T00:00:01+00:00 mx1 sm-mta[4711]: 601A00aa004711: from=<a@example.org>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=client.example [192.0.2.7]`

func TestEventsAndPositionsAreCommittedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		r := p.commits.store.(*recorder)
		p.in <- at(100, "/mail.log", refusalLine)
		time.Sleep(2 * commitDelay) //nolint:forbidigo // the bubble's time
		synctest.Wait()
		if len(r.batches) != 1 {
			t.Fatalf("%d commits, want 1", len(r.batches))
		}
		recipients, offsets := r.committed()
		if !slices.Equal(recipients, []string{"b@example.net"}) || offsets["/mail.log"] != 100 {
			t.Errorf("committed %q, %v", recipients, offsets)
		}
		close(p.in)
		<-p.done
	})
}

// A position does not pass a line whose event is held back.
func TestPositionWaitsForHeldEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		r := p.commits.store.(*recorder)
		p.in <- at(100, "/mail.log", earlyLine)
		p.in <- at(200, "/mail.log", heldLine)
		p.in <- at(300, "/mail.log", earlyLine)
		time.Sleep(2 * commitDelay) //nolint:forbidigo // the bubble's time
		synctest.Wait()
		recipients, offsets := r.committed()
		if len(recipients) != 2 || offsets["/mail.log"] != 100 {
			t.Errorf("committed %q, %v; want two events, and no position behind 100", recipients, offsets)
		}
		p.in <- at(400, "/mail.log", releaseLine)
		time.Sleep(2 * commitDelay) //nolint:forbidigo // the bubble's time
		synctest.Wait()
		if recipients, offsets = r.committed(); len(recipients) != 3 || offsets["/mail.log"] != 400 {
			t.Errorf("committed %q, %v; want three events and 400", recipients, offsets)
		}
		close(p.in)
		<-p.done
	})
}

// What is held back at the end is left for the next start; what cannot be read
// again is not.
func TestEndLeavesWhatIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		r := p.commits.store.(*recorder)
		p.in <- at(100, "/mail.log", earlyLine, heldLine)
		p.in <- batch("-", heldLine)
		close(p.in)
		<-p.done
		recipients, offsets := r.committed()
		if want := []string{"b@example.net", "b@example.net"}; !cmp.Equal(recipients, want) || offsets["/mail.log"] != 0 {
			t.Errorf("committed %q, %v", recipients, offsets)
		}
		if last := r.batches[len(r.batches)-1].Events; last[len(last)-1].Source != "-" {
			t.Errorf("the last event is of %s", last[len(last)-1].Source)
		}
	})
}

func TestDrainedFilesAreForgottenWithTheirLastEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		r := p.commits.store.(*recorder)
		old := at(100, "/mail.log", refusalLine)
		p.in <- old
		p.in <- relaylens.Batch{Drained: []relaylens.Position{old.Position}}
		close(p.in)
		<-p.done
		if len(r.batches) != 1 || len(r.batches[0].Positions) != 0 || len(r.batches[0].Drained) != 1 {
			t.Errorf("committed %+v; want the event, no position, and the file forgotten", r.batches)
		}
	})
}

// A file that was drained may be read on, in the same commit.
func TestDrainedFileIsReadOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		r := p.commits.store.(*recorder)
		old, more := at(100, "/mail.log", refusalLine), at(200, "/mail.log", refusalLine)
		p.in <- old
		p.in <- relaylens.Batch{Drained: []relaylens.Position{old.Position}}
		p.in <- more
		close(p.in)
		<-p.done
		if len(r.batches) != 1 || len(r.batches[0].Positions) != 1 || r.batches[0].Positions[0].Offset != 200 {
			t.Errorf("committed %+v; want the last position", r.batches)
		}
	})
}

// A store that cannot be written holds everything up, and loses nothing.
func TestFailingStoreIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		r := p.commits.store.(*recorder)
		r.fail = 40
		lines := make([]string, maxUncommitted)
		for i := range lines {
			lines[i] = refusalLine
		}
		p.in <- at(1, "/mail.log", lines...) // the first goes to the store, and waits there
		time.Sleep(time.Second)              //nolint:forbidigo // the bubble's time
		p.in <- at(2, "/mail.log", lines...) // the second fills the ledger
		for range queueBatches {
			p.in <- at(3, "/mail.log", refusalLine)
		}
		time.Sleep(10 * time.Second) //nolint:forbidigo // the bubble's time
		synctest.Wait()
		if len(p.in) < queueBatches-1 { // one may be scanned
			t.Errorf("%d batches of %d wait: the pipeline reads on while nothing can be written", len(p.in), queueBatches)
		}
		if p.silent() > 2*quiet {
			t.Error("a pipeline that waits for its store does not look alive")
		}
		time.Sleep(10 * time.Minute) //nolint:forbidigo // the bubble's time
		synctest.Wait()
		recipients, offsets := r.committed()
		if want := 2*maxUncommitted + queueBatches; len(recipients) != want || offsets["/mail.log"] != 3 {
			t.Errorf("%d events committed up to %d, want %d up to 3", len(recipients), offsets["/mail.log"], want)
		}
		if n := sum(t, p.exporter, "relaylens_commit_failures_total"); n != 40 {
			t.Errorf("%v failures counted, want 40", n)
		}
		close(p.in)
		<-p.done
	})
}

// A drain that is cut short does not wait for a store that cannot be written.
func TestAbortGivesUpOnTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		p.commits.store.(*recorder).fail = 1 << 30
		p.in <- at(1, "/mail.log", refusalLine)
		time.Sleep(time.Minute) //nolint:forbidigo // the bubble's time
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.stop(ctx, true); err == nil {
			t.Error("no error, though an event is not written")
		}
		<-p.done
	})
}

// What later lines prove changes the causes of earlier events.
func TestCausesAreRevised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		r := p.commits.store.(*recorder)
		const session = "2000-01-01T00:00:00+00:00 mx1 postfix/submission/smtpd[7]: "
		p.in <- at(1, "/mail.log",
			session+"connect from pc.example.org[203.0.113.9]",
			session+"NOQUEUE: reject: RCPT from pc.example.org[203.0.113.9]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<pc>")
		time.Sleep(time.Second) //nolint:forbidigo // the bubble's time
		p.in <- at(2, "/mail.log", session+"disconnect from pc.example.org[203.0.113.9] ehlo=2 starttls=1 auth=1 mail=1 rcpt=0/1 quit=1 commands=6/7")
		time.Sleep(30 * time.Second) //nolint:forbidigo // the bubble's time
		synctest.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		var told, revised []relaylens.Cause
		for _, b := range r.batches {
			for i := range b.Events {
				told = append(told, b.Events[i].Cause)
			}
			for _, v := range b.Revised {
				revised = append(revised, v.Cause)
			}
		}
		if diff := cmp.Diff([]relaylens.Cause{relaylens.CauseUnknown}, told); diff != "" {
			t.Error("at once:", diff)
		}
		if diff := cmp.Diff([]relaylens.Cause{relaylens.CauseRestrictionOrder}, revised); diff != "" {
			t.Error("revised:", diff)
		}
		close(p.in)
		<-p.done
	})
}

// The store is told while what is read is long gone, whether it is of one log, and
// when that is over: as no more lines come, or at the end.
func TestStoreIsToldOfABacklog(t *testing.T) {
	long := strings.Replace(refusalLine, "2026-03-01T10:00:00", "1999-12-31T10:00:00", 1)
	for name, c := range map[string]struct {
		sources []string
		quiet   time.Duration
		ordered bool
	}{
		"silence": {[]string{"/mail.log"}, time.Minute, true},
		"end":     {[]string{"/mail.log"}, 0, true},
		"two":     {[]string{"/mail.log", "/mail.log.1"}, time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := startedPipeline(t)
				r := p.commits.store.(*recorder)
				for _, source := range c.sources {
					p.in <- at(100, source, long)
				}
				time.Sleep(2 * commitDelay) //nolint:forbidigo // the bubble's time
				synctest.Wait()
				if b := r.all(); len(b) != 1 || !b[0].Behind || b[0].Ordered != c.ordered {
					t.Fatalf("%d commits; %+v", len(b), b)
				}
				time.Sleep(c.quiet) //nolint:forbidigo // the bubble's time
				if err := p.stop(t.Context(), true); err != nil {
					t.Error(err)
				}
				if b := r.all(); len(b) != 2 || b[1].Behind || len(b[1].Events) > 0 {
					t.Errorf("%d commits; %+v", len(b), b)
				}
			})
		})
	}
}
