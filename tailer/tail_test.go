package tailer

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/relaylens/relaylens"
)

const patience = time.Minute

// A tail runs a source and keeps what it hands out.
type tail struct {
	t       *testing.T
	file    *file
	out     chan relaylens.Batch
	lines   []relaylens.Line
	warm    []relaylens.Line
	saved   positions
	last    relaylens.Position
	metrics *Metrics
	reg     *prometheus.Registry
	logs    *observer.ObservedLogs
	stop    func()
}

type deafWaker struct{}

func (deafWaker) subscribe(string, func()) (func(), error) { return func() {}, nil }

type noWaker struct{}

func (noWaker) subscribe(string, func()) (func(), error) { return nil, errNoInotify }

// start follows o and returns when the first look is over.
func start(t *testing.T, o FileOptions, change ...func(*file)) *tail {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	core, logs := observer.New(zap.InfoLevel)
	o.Metrics, o.Logger = NewMetrics(reg), zap.New(core)
	if o.Drain == 0 {
		o.Drain = 300 * time.Millisecond
	}
	f := NewFile(o).(*file)
	f.timing = timing{poll: 10 * time.Millisecond, beat: 200 * time.Millisecond, lost: 500 * time.Millisecond}
	for _, c := range change {
		c(f)
	}
	tl := &tail{t: t, file: f, out: make(chan relaylens.Batch), metrics: o.Metrics, reg: reg, logs: logs}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	looked := make(chan struct{})
	f.looked = func() { close(looked); f.looked = func() {} }
	go func() { done <- f.Run(ctx, tl.out) }()
	stopped := false
	tl.stop = func() {
		t.Helper()
		if stopped {
			return
		}
		stopped = true
		cancel()
		ended(t, done)
	}
	t.Cleanup(tl.stop)
	for {
		select {
		case <-looked:
			return tl
		case b := <-tl.out:
			tl.take(b)
		case <-time.After(patience):
			t.Fatal("no first look")
		}
	}
}

func (tl *tail) take(b relaylens.Batch) {
	tl.t.Helper()
	for _, l := range b.Lines {
		if strings.IndexByte(l.Text, poison) >= 0 {
			tl.t.Errorf("line %q is read from released memory", l.Text)
		}
		l.Text = strings.Clone(l.Text)
		if b.Warm {
			tl.warm = append(tl.warm, l)
		} else {
			tl.lines = append(tl.lines, l)
		}
	}
	tl.saved.commit(&b)
	if len(b.Lines) > 0 && !b.Warm {
		tl.last = b.Position
	}
	if b.Release != nil {
		b.Release()
	}
}

// positions are what a store would hold.
type positions []relaylens.Position

func (ps *positions) commit(b *relaylens.Batch) {
	forget := func(of *relaylens.Position) {
		*ps = slices.DeleteFunc(*ps, func(p relaylens.Position) bool { return sameFile(&p, of) })
	}
	for i := range b.Drained {
		forget(&b.Drained[i])
	}
	if !b.Warm && b.Position.Source != "" {
		forget(&b.Position)
		*ps = append(*ps, b.Position)
	}
}

// want waits until as many lines as texts were handed out since the last
// call, and compares them.
func (tl *tail) want(texts ...string) []relaylens.Line {
	tl.t.Helper()
	tl.until(fmt.Sprintf("%d lines", len(texts)), func() bool { return len(tl.lines) >= len(texts) })
	got := tl.lines
	tl.lines = nil
	if diff := cmp.Diff(texts, testTexts(got)); diff != "" {
		tl.t.Fatalf("-want +got\n%s", diff)
	}
	return got
}

func testTexts(lines []relaylens.Line) []string {
	all := []string{}
	for _, l := range lines {
		all = append(all, l.Text)
	}
	return all
}

// until receives batches until ok.
func (tl *tail) until(what string, ok func() bool) {
	tl.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case b := <-tl.out:
			tl.take(b)
		case <-tick.C:
		case <-deadline:
			tl.t.Fatalf("waited for %s in vain; lines so far: %q; log: %v", what, testTexts(tl.lines), tl.logs.All())
		}
	}
}

func (tl *tail) gauge(name, source string) float64 {
	tl.t.Helper()
	families, err := tl.reg.Gather()
	if err != nil {
		tl.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "source" && l.GetValue() == source {
					return m.GetGauge().GetValue() + m.GetCounter().GetValue()
				}
			}
		}
	}
	return -1
}

func (tl *tail) untilUp(source string, up float64) {
	tl.t.Helper()
	tl.until(fmt.Sprintf("source_up %v", up), func() bool { return tl.gauge("relaylens_source_up", source) == up })
}

func (tl *tail) logged(message string) int { return tl.logs.FilterMessage(message).Len() }

// openFDs counts the descriptors of this process under dir, deleted files included.
func openFDs(t *testing.T, dir string) (n int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, dir+"/") {
			n++
		}
	}
	return n
}

func appendTo(t testing.TB, path, text string) {
	t.Helper()
	f := openLog(t, path)
	defer f.Close()
	writeTo(t, f, text)
}

func openLog(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func writeTo(t testing.TB, f *os.File, text string) {
	t.Helper()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func rename(t testing.TB, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// ended waits until a run is over, which what it waited for must not prevent.
func ended(t testing.TB, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(patience):
		t.Error("Run goes on after its context ended")
	}
}
