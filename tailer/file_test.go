package tailer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
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
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run goes on after its context ended")
		}
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

func TestStartEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, "first\nold\nunfin")
	tl := start(t, FileOptions{Path: path})
	appendTo(t, path, "ished\nnew\n")
	got := tl.want("unfinished", "new")
	want := []relaylens.Line{
		{Text: "unfinished", Source: path, Origin: relaylens.NewOrigin("first"), Number: 1, Offset: 10, End: 21},
		{Text: "new", Source: path, Origin: relaylens.NewOrigin("first"), Number: 2, Offset: 21, End: 25},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if p := tl.last; p.Offset != 25 || p.Number != 2 || p.Inode == 0 || p.Origin != relaylens.NewOrigin("first") || p.Source != path {
		t.Errorf("position %+v", p)
	}
}

func TestStartBegin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	content := strings.Repeat("Nov 21 10:00:00 mx1 postfix/smtpd[1]: connect\n", 20000) + strings.Repeat("x", 200<<10) + "\nend\n"
	writeFile(t, path, content+"unfinished")
	tl := start(t, FileOptions{Path: path, Start: StartBegin})
	want := wantLines(path, content)
	tl.until("all lines", func() bool { return len(tl.lines) >= len(want) })
	if diff := diffLines(want, tl.lines); diff != "" {
		t.Errorf("-want +got\n%.2000s", diff)
	}
}

func TestPartialWrites(t *testing.T) {
	for name, start1 := range map[string]func(*testing.T, string) *tail{
		"announced": func(t *testing.T, path string) *tail { return start(t, FileOptions{Path: path}) },
		"no inotify": func(t *testing.T, path string) *tail {
			return start(t, FileOptions{Path: path}, func(f *file) { f.waker = noWaker{} })
		},
		"polled": func(t *testing.T, path string) *tail {
			return start(t, FileOptions{Path: path}, func(f *file) { f.waker = deafWaker{} })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "mail.log")
			writeFile(t, path, "")
			tl := start1(t, path)
			f := openLog(t, path)
			defer f.Close()
			for n := range 20 {
				writeTo(t, f, "one ")
				tl.until("the half line to be seen", func() bool { return tl.gauge("relaylens_source_lag_bytes", path) > 0 })
				writeTo(t, f, fmt.Sprintf("line %d\n", n))
				tl.want(fmt.Sprintf("one line %d", n))
				tl.until("no lag", func() bool {
					return tl.gauge("relaylens_source_lag_bytes", path) == 0 && tl.gauge("relaylens_source_lag_seconds", path) == 0
				})
			}
		})
	}
}

func TestOverlongLineThatGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, "a\n")
	tl := start(t, FileOptions{Path: path, Start: StartBegin})
	tl.want("a")
	chunk := strings.Repeat("g\x00", 50<<10)
	f := openLog(t, path)
	defer f.Close()
	for n := range 10 {
		writeTo(t, f, chunk)
		tl.until("the chunk to be seen", func() bool {
			return tl.gauge("relaylens_source_lag_bytes", path) == float64((n+1)*len(chunk))
		})
	}
	writeTo(t, f, "\nb\n")
	got := tl.want(chunk[:relaylens.MaxLine], "b")
	if !got[0].Cut || got[0].Offset != 2 || got[0].End != int64(2+10*len(chunk)+1) || got[1].Cut || got[1].Number != 3 {
		t.Errorf("got %+v", got[1])
	}
	if n := tl.gauge("relaylens_source_cut_lines_total", path); n != 1 {
		t.Errorf("%v cut lines counted", n)
	}
}

func TestMissingFileAppears(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "mail.log")
	tl := start(t, FileOptions{Path: path})
	tl.untilUp(path, 0)
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, "all of\nit is new\n")
	tl.want("all of", "it is new")
	tl.untilUp(path, 1)
	if n := tl.logged("waiting for file to appear"); n != 1 {
		t.Errorf("said %d times that the file is missing", n)
	}
}

func TestUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mail.log")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	tl := start(t, FileOptions{Path: path})
	tl.until("several attempts", func() bool { return tl.gauge("relaylens_source_errors_total", path) >= 3 })
	tl.untilUp(path, 0)
	if n := tl.logged("source cannot be read, trying again"); n != 1 {
		t.Errorf("said %d times that it is a directory", n)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	tl.until("the directory to be seen gone", func() bool { return tl.logged("waiting for file to appear") == 1 })
	writeFile(t, path, "a\n")
	tl.want("a")
	tl.untilUp(path, 1)
}

func TestArchiveIsNotFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log.1")
	writeFile(t, path, string(compressors[".gz"](t, "a\n")))
	tl := start(t, FileOptions{Path: path, Start: StartBegin})
	tl.untilUp(path, 0)
	if len(tl.lines) > 0 {
		t.Errorf("got %q", testTexts(tl.lines))
	}
}

func TestStopWhileBlocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, "a\n")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- NewFile(FileOptions{Path: path, Start: StartBegin}).Run(ctx, make(chan relaylens.Batch))
	}()
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("Run waits for a consumer that is gone")
	}
}

func TestMetricsLint(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	NewMetrics(reg).source("x")
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	m := NewMetrics(prometheus.NewPedanticRegistry())
	m.source("x")
	m.Delete("x")
	if n := testutil.CollectAndCount(m.up) + testutil.CollectAndCount(lagCollector{m}); n != 0 {
		t.Errorf("%d series are left", n)
	}
}
