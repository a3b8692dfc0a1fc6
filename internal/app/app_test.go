package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// These two of the library behind tailer run until the process ends.
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/nxadm/tail/watch.(*InotifyTracker).run"),
		goleak.IgnoreAnyFunction("github.com/fsnotify/fsnotify.(*inotify).readEvents"))
}

func TestLinesBecomeMetrics(t *testing.T) {
	r := started(t)
	r.wantMetric(denials + "0")
	r.wantMetric(mailRefused + "0")
	r.send("/mail.log", refusalLine, foreignLine, refusalLine)
	r.settle()
	r.wantMetric(denials + "2")
	r.wantMetric(mailRefused + "2")
	r.wantMetric(`relaylens_lines_total{result="foreign",source="/mail.log"} 1`)
	r.wantMetric(`relaylens_queue_capacity{queue="batches"} 4`)
	r.wantMetric(`relaylens_config_last_reload_successful 1`)
}

func TestReleaseAfterCounting(t *testing.T) {
	r := started(t)
	released := make(chan struct{})
	b := batch("/mail.log", refusalLine)
	b.Release = func() { close(released) }
	r.pipeline.in <- b
	<-released
	r.wantMetric(denials + "1")
}

// What sources hand out until they have stopped is counted before Stop returns.
func TestStopDrains(t *testing.T) {
	r := newRig(t)
	r.feed("/mail.log").after = []string{refusalLine, refusalLine, refusalLine}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.send("/mail.log", refusalLine)
	r.stop()
	if n := sum(t, r.exporter, refusals); n != 4 {
		t.Errorf("%v refusals counted, want 4", n)
	}
}

func TestStopOrder(t *testing.T) {
	r := newRig(t)
	f := r.feed("/mail.log")
	f.hold = make(chan struct{})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code, body := r.get("/-/ready"); code != 200 || body != "ready\n" {
		t.Errorf("ready: %d %q", code, body)
	}
	stopped := make(chan struct{})
	go func() { defer close(stopped); r.stop() }()
	waitFor(t, func() bool { return r.stopping.Load() && !r.ready.Load() })
	if code, body := r.get("/-/ready"); code != 503 || body != "stopping\n" {
		t.Errorf("ready while sources stop: %d %q", code, body)
	}
	if code, _ := r.get("/metrics"); code != 200 {
		t.Errorf("metrics while sources stop: %d", code)
	}
	close(f.hold)
	<-stopped
	if got := r.notified(); !strings.HasPrefix(got, "READY=1\nSTATUS=following /mail.log") || !strings.HasSuffix(got, "|STOPPING=1") {
		t.Errorf("service manager was told %q", got)
	}
}

func TestReadyNeedsStart(t *testing.T) {
	r := newRig(t)
	go r.serve("")
	r.started = true
	if code, body := r.get("/-/ready"); code != 503 || body != "starting\n" {
		t.Errorf("ready before Start: %d %q", code, body)
	}
}

// A source that ignores its context costs time, not the rest of the shutdown.
func TestStopIsBounded(t *testing.T) {
	r := newRig(t)
	f := r.feed("/mail.log")
	f.hold = make(chan struct{})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-f.starts
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := r.Stop(ctx)
	if err == nil {
		t.Fatal("Stop says that all went well")
	}
	for _, want := range []string{`stop sources: still reading: ["/mail.log"]`, "drain pipeline: cut short"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
	if _, err := net.Dial("tcp", r.Addr().String()); err == nil {
		t.Error("the port is still open")
	}
	close(f.hold)
	<-r.follow.running["/mail.log"].done
}

func TestLifecycle(t *testing.T) {
	t.Run("StartStop", func(t *testing.T) {
		r := started(t)
		r.stop()
		r.stop()
	})
	t.Run("StopBeforeStart", func(t *testing.T) {
		r := newRig(t)
		r.stop()
		if _, err := net.Dial("tcp", r.Addr().String()); err == nil {
			t.Error("the port is still open")
		}
	})
	t.Run("StartTwice", func(t *testing.T) {
		r := started(t)
		if err := r.Start(t.Context()); err != nil {
			t.Error(err)
		}
		if n := len(r.feed("/mail.log").starts); n > 1 {
			t.Errorf("source started %d times", n)
		}
	})
	t.Run("StartAfterStop", func(t *testing.T) {
		r := newRig(t)
		r.stop()
		if err := r.Start(t.Context()); !errors.Is(err, ErrNotRunning) {
			t.Errorf("Start after Stop: %v", err)
		}
	})
	t.Run("StartWithDeadContext", func(t *testing.T) {
		r := newRig(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Start(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Start: %v", err)
		}
	})
	t.Run("OutlivesStartContext", func(t *testing.T) {
		r := newRig(t)
		ctx, cancel := context.WithCancel(t.Context())
		if err := r.Start(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		r.send("/mail.log", refusalLine)
		r.settle()
		r.wantMetric(denials + "1")
	})
	t.Run("Concurrent", func(t *testing.T) {
		r := newRig(t)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { _ = r.Start(context.Background()) })
			wg.Go(func() { _ = r.Reload() })
			wg.Go(func() { r.stop() })
		}
		wg.Wait()
		if _, err := net.Dial("tcp", r.Addr().String()); err == nil {
			t.Error("the port is still open")
		}
	})
	t.Run("TwoInstances", func(t *testing.T) {
		a, b := started(t), started(t)
		a.send("/mail.log", refusalLine)
		a.settle()
		a.wantMetric(denials + "1")
		b.wantMetric(denials + "0")
	})
	t.Run("AddrBeforeStart", func(t *testing.T) {
		r := newRig(t)
		if port := r.Addr().(*net.TCPAddr).Port; port == 0 {
			t.Error("port is 0")
		}
	})
}

func TestNewErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, tt := range map[string]struct {
		change func(*Options)
		want   []string
	}{
		"port in use": {func(o *Options) { o.Config.Listen = taken.Addr().String() }, []string{"listen: " + taken.Addr().String(), "in use", "--listen"}},
		"no address":  {func(o *Options) { o.Config.Listen = "192.0.2.1:9725" }, []string{"listen: 192.0.2.1:9725", "no address of this machine"}},
		"no logs":     {func(o *Options) { o.Config.Sources = nil }, []string{"/var/log/mail.log", "relaylens serve FILE"}},
		"web config":  {func(o *Options) { o.Config.Web.ConfigFile = filepath.Join(o.root, "web.yml") }, []string{"web.config_file", "web.yml"}},
		"timezone":    {func(o *Options) { o.Config.Timezone = "Mars/Olympus" }, []string{"timezone", "Mars/Olympus"}},
		"no config":   {func(o *Options) { o.Config = nil }, []string{"no configuration"}},
		"phrase":      {func(o *Options) { o.Config.Parsers.Exim.RelayDenied = []string{"/(/"} }, []string{"parsers.exim", "/(/"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &rig{t: t, feeds: map[string]*feed{}}
			o := r.newOptions()
			tt.change(&o)
			a, err := New(t.Context(), o)
			if err == nil {
				_ = a.Stop(context.Background())
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}

// An address that New could bind is free again after it failed or was stopped.
func TestPortIsGivenBack(t *testing.T) {
	r := started(t)
	address := r.Addr().String()
	r.stop()
	again := started(t, func(o *Options) { o.Config.Listen = address })
	if code, _ := again.get("/-/healthy"); code != 200 {
		t.Errorf("healthy: %d", code)
	}
}

func TestUsualLogs(t *testing.T) {
	r := started(t, func(o *Options) {
		o.Config.Sources = nil
		writeFile(t, filepath.Join(o.root, "var/log/exim4/mainlog"), "")
	})
	entries := r.logs.FilterMessage("no sources are set, following the usual logs").All()
	if len(entries) != 1 {
		t.Errorf("said %d times that the usual logs are followed", len(entries))
	}
	if got := r.follow.paths(); len(got) != 1 || !strings.HasSuffix(got[0], "/var/log/exim4/mainlog") {
		t.Errorf("follows %q", got)
	}
}

func TestCleanupRunsEveryStep(t *testing.T) {
	var order []string
	var s stack
	for _, name := range []string{"first", "second", "third"} {
		s.push(name, func(context.Context) error {
			order = append(order, name)
			return fmt.Errorf("%s is broken", name)
		})
	}
	err := s.run(context.Background(), time.Second)
	if got := strings.Join(order, " "); got != "third second first" {
		t.Errorf("order: %s", got)
	}
	want := "third: third is broken\nsecond: second is broken\nfirst: first is broken"
	if err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if err := s.run(context.Background(), time.Second); err != nil || len(order) != 3 {
		t.Errorf("second run: %v, %d steps", err, len(order))
	}
}

func TestCleanupStepIsBounded(t *testing.T) {
	var s stack
	s.push("slow", func(ctx context.Context) error { return wait(ctx, nil) })
	if err := s.run(context.Background(), time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want a deadline", err)
	}
}
