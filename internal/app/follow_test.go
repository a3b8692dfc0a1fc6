package app

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/exporter/prom"
	"github.com/relaylens/relaylens/internal/sleep"
)

// failing is a source that fails with one error after the other, then ends.
type failing struct {
	errs  []error
	lasts time.Duration // how long each run lasts
	began []time.Time
}

func (f *failing) Name() string { return "/mail.log" }

func (f *failing) Run(ctx context.Context, _ chan<- relaylens.Batch) error {
	f.began = append(f.began, time.Now())
	if f.lasts > 0 {
		sleep.For(ctx, f.lasts)
	}
	if len(f.began) > len(f.errs) {
		return nil
	}
	return f.errs[len(f.began)-1]
}

// runFailing lets a follower run f until it ends and returns what it logged.
func runFailing(t *testing.T, f *failing) *observer.ObservedLogs {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	fs := newFollowers(make(chan relaylens.Batch), prom.New(prom.Options{Host: "mx1"}), zap.New(core))
	fs.start("/mail.log", f)
	<-fs.running["/mail.log"].done
	return logs
}

func TestFailureIsLoggedOncePerDistinctError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		denied, gone := errors.New("permission denied"), errors.New("no such file")
		logs := runFailing(t, &failing{errs: []error{denied, denied, gone, denied, gone}})
		var got []any
		for _, e := range logs.FilterMessage("source failed, trying again").All() {
			got = append(got, e.ContextMap()["error"])
		}
		if diff := cmp.Diff([]any{"permission denied", "no such file"}, got); diff != "" {
			t.Error(diff)
		}
		if logs.FilterMessage("source ended").Len() != 1 {
			t.Error("the end of the source was not logged")
		}
	})
}

func TestFailureAfterGoodTimesIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := errors.New("input/output error")
		f := &failing{errs: []error{err, err, err}, lasts: settled}
		if n := runFailing(t, f).FilterMessage("source failed, trying again").Len(); n != 3 {
			t.Errorf("logged %d times, want 3", n)
		}
		for i := 1; i < len(f.began); i++ {
			if pause := f.began[i].Sub(f.began[i-1]) - settled; pause > minBackoff {
				t.Errorf("pause %d is %s, want at most %s", i, pause, minBackoff)
			}
		}
	})
}

func TestBackoffGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &failing{errs: make([]error, 20)}
		for i := range f.errs {
			f.errs[i] = errors.New("no")
		}
		runFailing(t, f)
		want := minBackoff
		for i := 1; i < len(f.began); i++ {
			pause := f.began[i].Sub(f.began[i-1])
			if pause < want/2 || pause > want {
				t.Errorf("pause %d is %s, want from %s to %s", i, pause, want/2, want)
			}
			want = min(2*want, maxBackoff)
		}
	})
}

func TestStopEndsBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := newFollowers(make(chan relaylens.Batch), prom.New(prom.Options{Host: "mx1"}), zap.NewNop())
		fs.start("/mail.log", &failing{errs: []error{errors.New("no")}})
		synctest.Wait()
		began := time.Now()
		if err := fs.stopAll(t.Context()); err != nil {
			t.Error(err)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("waited %s for a source that was waiting", waited)
		}
		if !fs.stopped() {
			t.Error("a source still counts as running")
		}
	})
}
