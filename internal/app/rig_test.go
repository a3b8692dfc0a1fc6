package app

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/config"
)

// A line of each result that the tests need.
const (
	refusalLine = `2026-03-01T10:00:00+00:00 mx1 postfix/smtpd[4711]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<client.example>`
	foreignLine = `2026-03-01T10:00:01+00:00 mx1 sshd[99]: Connection closed by 192.0.2.9 port 40000`
)

// patience is how long a test waits for what should take no time.
const patience = 3 * time.Minute

// feed is a source whose lines the test writes.
type feed struct {
	name   string
	lines  chan written
	after  []string // sent when ctx has ended
	starts chan struct{}
	hold   chan struct{} // if not nil, Run does not end before it is closed
}

// written is what a test writes at once; handed is closed when the source has
// handed it on.
type written struct {
	texts  []string
	handed chan struct{}
}

func newFeed(name string) *feed {
	return &feed{name: name, lines: make(chan written), starts: make(chan struct{}, 100)}
}

func (f *feed) Name() string { return f.name }

func (f *feed) Run(ctx context.Context, out chan<- relaylens.Batch) error {
	f.starts <- struct{}{}
	for {
		select {
		case w := <-f.lines:
			select {
			case out <- batch(f.name, w.texts...):
			case <-ctx.Done():
				f.after = append(w.texts, f.after...)
			}
			close(w.handed)
		case <-ctx.Done():
			if f.hold != nil {
				<-f.hold
			}
			if f.after != nil {
				out <- batch(f.name, f.after...)
			}
			return nil
		}
	}
}

func batch(source string, texts ...string) relaylens.Batch {
	b := relaylens.Batch{Reference: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for i, text := range texts {
		b.Lines = append(b.Lines, relaylens.Line{Text: text, Source: source, Number: int64(i + 1)})
	}
	return b
}

// rig is an App under test with what it is connected to.
type rig struct {
	*App
	t      testing.TB
	logs   *observer.ObservedLogs
	client *http.Client

	mu    sync.Mutex
	feeds map[string]*feed
	told  []string // to the service manager
}

// newOptions has one source, called mail.log, and a free port.
func (r *rig) newOptions() Options {
	core, logs := observer.New(zap.DebugLevel)
	r.logs = logs
	return Options{
		Config:   testConfig("/mail.log"),
		Logger:   zap.New(core),
		Version:  "1.2.3",
		hostname: "mx1",
		root:     r.t.TempDir(),
		dataDir:  r.t.TempDir(),
		newSource: func(s config.Source) relaylens.Source {
			return r.feed(s.Path)
		},
		notify: func(state string) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.told = append(r.told, state)
			return nil
		},
	}
}

func testConfig(paths ...string) *config.Config {
	c := config.Default()
	c.Listen = "127.0.0.1:0"
	c.Sources = nil
	for _, p := range paths {
		c.Sources = append(c.Sources, config.Source{Type: "file", Path: p, MTA: "auto", Start: "end"})
	}
	return c
}

func (r *rig) feed(name string) *feed {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.feeds[name] == nil {
		r.feeds[name] = newFeed(name)
	}
	return r.feeds[name]
}

func (r *rig) notified() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.told, "|")
}

// newRig builds an App that is stopped when the test ends.
func newRig(t testing.TB, change ...func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, feeds: map[string]*feed{}, client: &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}}
	o := r.newOptions()
	for _, f := range change {
		f(&o)
	}
	a, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	r.App = a
	t.Cleanup(func() { _ = a.Stop(context.Background()) })
	return r
}

func started(t testing.TB, change ...func(*Options)) *rig {
	t.Helper()
	r := newRig(t, change...)
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) stop() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		r.t.Errorf("Stop: %v", err)
	}
}

// send writes lines and waits until the source has handed them on.
func (r *rig) send(source string, texts ...string) {
	r.t.Helper()
	timeout := time.After(patience)
	w := written{texts, make(chan struct{})}
	select {
	case r.feed(source).lines <- w:
	case <-timeout:
		r.t.Fatalf("source %s takes no lines", source)
	}
	select {
	case <-w.handed:
	case <-timeout:
		r.t.Fatalf("source %s does not hand its lines on", source)
	}
}

// settle waits until the pipeline has counted what was sent.
func (r *rig) settle() {
	r.t.Helper()
	if err := r.pipeline.do(r.t.Context(), r.pipeline.drain); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) request(method, path string) (int, string, http.Header) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.Addr().String()+path, http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, string(body), res.Header
}

func (r *rig) get(path string) (int, string) {
	r.t.Helper()
	code, body, _ := r.request("GET", path)
	return code, body
}

// wantMetric checks that the metrics have this sample.
func (r *rig) wantMetric(sample string) {
	r.t.Helper()
	_, body := r.get("/metrics")
	for line := range strings.Lines(body) {
		if strings.TrimSpace(line) == sample {
			return
		}
	}
	name, _, _ := strings.Cut(sample, "{")
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, name) && !strings.HasSuffix(line, " 0\n") {
			r.t.Log(strings.TrimSpace(line))
		}
	}
	r.t.Errorf("no sample %s", sample)
}

func (r *rig) wantNoMetric(part string) {
	r.t.Helper()
	if _, body := r.get("/metrics"); strings.Contains(body, part) {
		r.t.Errorf("metrics have %s", part)
	}
}

const (
	denials     = `relaylens_refusals_total{class="5xx",direction="inbound",host="mx1",kind="relay_denied",mta="postfix",reason="none"} `
	mailRefused = `relaylens_lines_total{result="refusal",source="/mail.log"} `
)

// waitFor waits until cond holds.
func waitFor(t testing.TB, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // between two looks at a condition
	}
}
