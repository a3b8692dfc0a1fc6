package app

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/config"
)

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reloadable makes the next configuration be what next points to.
func reloadable(next **config.Config, fail *error) func(*Options) {
	return func(o *Options) {
		o.Load = func() (*config.Config, error) {
			if fail != nil && *fail != nil {
				return nil, *fail
			}
			return *next, nil
		}
	}
}

func TestReloadChangesSources(t *testing.T) {
	next := testConfig("/mail.log", "/new.log")
	r := started(t, reloadable(&next, nil))
	r.send("/mail.log", refusalLine)
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	r.send("/new.log", refusalLine)
	r.settle()
	r.wantMetric(mailRefused + "1")
	r.wantMetric(`relaylens_lines_total{result="refusal",source="/new.log"} 1`)
	if n := len(r.feed("/mail.log").starts); n != 1 {
		t.Errorf("a source in both configurations started %d times", n)
	}

	next = testConfig("/new.log")
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	r.wantNoMetric(`source="/mail.log"`)
	r.wantMetric(denials + "2")
	if got := r.follow.paths(); len(got) != 1 {
		t.Errorf("still follows %q", got)
	}

	next = testConfig("/new.log", "/mail.log")
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	r.send("/mail.log", foreignLine, refusalLine)
	r.settle()
	r.wantMetric(mailRefused + "1")
}

// Lines that a source handed out before it went are counted.
func TestReloadLosesNoLine(t *testing.T) {
	next := testConfig("/new.log")
	r := newRig(t, reloadable(&next, nil))
	r.feed("/mail.log").after = []string{refusalLine, refusalLine}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	r.wantMetric(denials + "2")
	r.wantNoMetric(`source="/mail.log"`)
}

// Real sources have series of their own.
func TestReloadRemovesEverySeriesOfASource(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.log"), filepath.Join(dir, "two.log")
	writeFile(t, one, "")
	writeFile(t, two, "")
	next := testConfig(two)
	r := started(t, reloadable(&next, nil), func(o *Options) { o.newSource, o.Config = nil, testConfig(one) })
	waitFor(t, func() bool {
		_, body := r.get("/metrics")
		return strings.Contains(body, `relaylens_source_up{source="`+one+`"} 1`)
	})
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	r.wantNoMetric(one)
	r.wantMetric(`relaylens_lines_total{result="refusal",source="` + two + `"} 0`)
}

func TestReloadRaisesMaxHosts(t *testing.T) {
	next := testConfig("/mail.log")
	r := started(t, reloadable(&next, nil), func(o *Options) { o.Config.MaxHosts = 1 })
	far := strings.ReplaceAll(refusalLine, " mx1 ", " mx2 ")
	r.send("/mail.log", far)
	r.settle()
	r.wantNoMetric(`host="mx2"`)
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	r.send("/mail.log", far)
	r.settle()
	r.wantMetric(strings.ReplaceAll(denials, "mx1", "mx2") + "1")
	r.wantMetric(strings.ReplaceAll(denials, "mx1", "other") + "1")
}

func TestConfiguredMTADecides(t *testing.T) {
	next := testConfig("/mail.log")
	r := started(t, reloadable(&next, nil), func(o *Options) { o.Config.Sources[0].MTA = "exim" })
	r.send("/mail.log", refusalLine)
	r.settle()
	r.wantMetric(`relaylens_lines_total{result="foreign",source="/mail.log"} 1`)
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	r.send("/mail.log", refusalLine)
	r.settle()
	r.wantMetric(mailRefused + "1")
}

func TestReloadErrorLeavesPreviousStateIntact(t *testing.T) {
	_, mistake := config.Load(config.LoadOptions{File: "/nonexistent/relaylens.yaml", Environ: []string{}})
	if mistake == nil {
		t.Fatal("a missing file is no error")
	}
	for name, tt := range map[string]struct {
		change func(*config.Config)
		fail   error
		want   string
	}{
		"load":       {fail: mistake, want: "/nonexistent/relaylens.yaml"},
		"web config": {change: func(c *config.Config) { c.Web.ConfigFile = "/nonexistent/web.yml" }, want: "web.config_file"},
		"timezone":   {change: func(c *config.Config) { c.Timezone = "Nowhere" }, want: "timezone"},
		"phrase":     {change: func(c *config.Config) { c.Parsers.Exim.SenderVerify = []string{""} }, want: "parsers.exim"},
		"no sources": {change: func(c *config.Config) { c.Sources = nil }, want: "sources: none is set"},
	} {
		t.Run(name, func(t *testing.T) {
			next := testConfig("/other.log")
			next.MaxHosts = 1
			if tt.change != nil {
				tt.change(next)
			}
			r := started(t, reloadable(&next, &tt.fail))
			r.send("/mail.log", refusalLine)
			before := r.config
			err := r.Reload()
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v lacks %q", err, tt.want)
			}
			if r.config != before {
				t.Error("the configuration has changed")
			}
			if diff := cmp.Diff([]string{"/mail.log"}, r.follow.paths()); diff != "" {
				t.Error(diff)
			}
			r.send("/mail.log", refusalLine)
			r.settle()
			r.wantMetric(denials + "2")
			r.wantMetric("relaylens_config_last_reload_successful 0")
			if r.logs.FilterMessage("configuration not reloaded, the former one stays").Len() == 0 {
				t.Error("the log does not tell")
			}
			if code, _ := r.get("/-/ready"); code != 200 {
				t.Errorf("ready: %d", code)
			}

			tt.fail, next = nil, testConfig("/mail.log")
			if err := r.Reload(); err != nil {
				t.Fatal(err)
			}
			r.wantMetric("relaylens_config_last_reload_successful 1")
		})
	}
}

func TestReloadLogsKeyAndRemedy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "relaylens.yaml")
	writeFile(t, file, "max_hosts: many\n")
	r := started(t, func(o *Options) {
		o.Load = func() (*config.Config, error) {
			return config.Load(config.LoadOptions{File: file, Environ: []string{}})
		}
	})
	if err := r.Reload(); err == nil {
		t.Fatal("no error")
	}
	entries := r.logs.FilterMessage("configuration not reloaded, the former one stays").All()
	if len(entries) != 1 {
		t.Fatalf("%d entries, want 1", len(entries))
	}
	fields := entries[0].ContextMap()
	for key, want := range map[string]string{"where": file, "key": "max_hosts", "problem": "many", "remedy": ""} {
		if got, _ := fields[key].(string); got == "" || !strings.Contains(got, want) {
			t.Errorf("field %s = %q lacks %q", key, got, want)
		}
	}
}

func TestReloadKeepsWhatCannotChange(t *testing.T) {
	next := testConfig("/mail.log")
	next.Listen, next.DataDir, next.Log.Format = "127.0.0.1:1", "/elsewhere", "json"
	r := started(t, reloadable(&next, nil))
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, e := range r.logs.FilterMessage("changed key needs a restart").All() {
		keys = append(keys, e.ContextMap()["key"].(string))
	}
	if diff := cmp.Diff([]string{"listen", "data_dir", "log.format"}, keys); diff != "" {
		t.Error(diff)
	}
	if code, _ := r.get("/-/healthy"); code != 200 {
		t.Errorf("healthy: %d", code)
	}
}

func TestReloadChangesParser(t *testing.T) {
	next := testConfig("/mail.log")
	r := started(t, reloadable(&next, nil))
	r.send("/mail.log", refusalLine, foreignLine)
	parser := r.pipeline.parser
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if r.pipeline.parser != parser {
		t.Error("the parser was made anew, and sessions forgotten, for nothing")
	}
	own := strings.Replace(refusalLine, "Relay access denied", "Sender address rejected: no customer", 1)
	r.send("/mail.log", own)
	r.settle()
	r.wantMetric(denials + "1")
	next = testConfig("/mail.log")
	next.Parsers.Postfix.RelayDenied = []string{"no customer"}
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if r.pipeline.parser != parser {
		t.Error("sessions were forgotten for texts")
	}
	r.send("/mail.log", own)
	r.settle()
	r.wantMetric(denials + "2")
	recalled := 0
	if err := r.pipeline.do(t.Context(), func() {
		r.pipeline.watch.Behind(0) // the log is of long ago
		r.pipeline.watch.Recall(func() { recalled++ })
	}); err != nil {
		t.Fatal(err)
	}
	next = testConfig("/mail.log")
	next.Timezone = "UTC"
	for range 2 {
		if err := r.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	if recalled != 1 {
		t.Errorf("the hours of spikes were learned in the new time zone %d times", recalled)
	}
	if r.pipeline.parser == parser {
		t.Error("the parser does not know the new time zone")
	}
	r.send("/mail.log", refusalLine)
	r.settle()
	r.wantMetric(denials + "3")
	r.wantMetric(`relaylens_lines_total{result="foreign",source="/mail.log"} 1`)
}

func TestReloadSetsLevel(t *testing.T) {
	level := zap.NewAtomicLevel()
	next := testConfig("/mail.log")
	next.Log.Level = "error"
	r := started(t, reloadable(&next, nil), func(o *Options) { o.Level = &level })
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if level.String() != "error" {
		t.Errorf("level is %s", level)
	}
}

func TestReloadNotifies(t *testing.T) {
	next := testConfig("/mail.log")
	fail := errors.New("wrong")
	r := started(t, reloadable(&next, &fail))
	_ = r.Reload()
	if got := r.notified(); !strings.HasSuffix(got, "|RELOADING=1|READY=1") {
		t.Errorf("service manager was told %q", got)
	}
}

func TestReloadNeedsRunningApp(t *testing.T) {
	next := testConfig("/mail.log")
	r := newRig(t, reloadable(&next, nil))
	if err := r.Reload(); !errors.Is(err, ErrNotRunning) {
		t.Errorf("before Start: %v", err)
	}
	r.stop()
	if err := r.Reload(); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after Stop: %v", err)
	}
}

// TestReloadStatesTheSite: what is ours is known from the reload on.
func TestReloadStatesTheSite(t *testing.T) {
	next := testConfig("/mail.log")
	next.LocalNetworks = []string{"203.0.113.0/24"}
	r := started(t, reloadable(&next, nil))
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	e := relaylens.Event{Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Host: "mx1", ClientIP: netip.MustParseAddr("203.0.113.9"),
		Sender: "a@example.org", Recipient: "b@example.net", Time: time.Now()}
	if err := r.pipeline.do(t.Context(), func() { r.pipeline.classifier.Classify(&e) }); err != nil {
		t.Fatal(err)
	}
	if e.Cause != relaylens.CauseClientNotInMynetworks {
		t.Errorf("cause %v", e.Cause)
	}
}

// A source of the fleet that is removed while it waits to try again leaves event
// time standing still.
func TestReloadLetsTimeGoOn(t *testing.T) {
	r := started(t, func(o *Options) {
		o.Load = func() (*config.Config, error) { return testConfig("/mail.log"), nil }
	})
	r.pipeline.still.Store(true)
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if r.pipeline.still.Load() {
		t.Error("time stands still")
	}
}

// A source that takes its time to end does not keep the rest of a reload from its
// place, and goes on by the new configuration once it has ended.
func TestReloadWaitsForALateSource(t *testing.T) {
	next := testConfig("/mail.log", "/other.log")
	next.Sources[0].Group = "anew" // what differs does not matter
	r := newRig(t, func(o *Options) {
		o.lateAfter = time.Millisecond
		o.Load = func() (*config.Config, error) { return next, nil }
	})
	f := r.feed("/mail.log")
	f.hold = make(chan struct{})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-f.starts
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	<-r.feed("/other.log").starts
	if len(f.starts) > 0 {
		t.Error("a source was started while the former one read")
	}
	close(f.hold)
	select {
	case <-f.starts:
	case <-time.After(patience):
		t.Fatal("the source was not started again")
	}
	r.send("/mail.log", refusalLine)
	r.settle()
	r.wantMetric(mailRefused + "1")
}

// lateSource reads one more line when it has been told to stop.
type lateSource struct{ begun, hold chan struct{} }

func (lateSource) Name() string { return "/mail.log" }

func (l lateSource) Run(ctx context.Context, out chan<- relaylens.Batch) error {
	close(l.begun)
	<-ctx.Done()
	<-l.hold
	out <- at(100, "/mail.log", refusalLine)
	return nil
}

// What a late source reads last is not read again by the one that follows it.
func TestLateSourceIsResumedWhereItEnded(t *testing.T) {
	late := lateSource{make(chan struct{}), make(chan struct{})}
	next := testConfig("/mail.log")
	next.Sources[0].Group = "anew"
	var r *rig
	sources, resumed := 0, make(chan []relaylens.Position, 1)
	r = newRig(t, func(o *Options) {
		o.lateAfter = time.Millisecond
		o.Load = func() (*config.Config, error) { return next, nil }
		o.newSource = func(config.Source) relaylens.Source {
			if sources++; sources == 1 {
				return late
			}
			resumed <- r.positions
			return r.feed("/mail.log")
		}
	})
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-late.begun
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	close(late.hold)
	select {
	case got := <-resumed:
		if len(got) != 1 || got[0].Offset != 100 {
			t.Errorf("the source is resumed at %v, want 100", got)
		}
	case <-time.After(patience):
		t.Fatal("the source was not started again")
	}
}
