package alertmanager

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/api/v2/models"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is an Alertmanager that takes what it is sent.
type receiver struct {
	*httptest.Server
	t        *testing.T
	requests chan []*models.PostableAlert
	probes   chan struct{} // requests without alerts

	mu       sync.Mutex
	statuses []int // of the next answers; the last one stays
	probed   []int // of the next answers to requests without alerts
	check    func(*http.Request) bool
}

func newReceiver(t *testing.T, start func(http.Handler) *httptest.Server) *receiver {
	r := &receiver{t: t, requests: make(chan []*models.PostableAlert, 100), probes: make(chan struct{}, 1000), statuses: []int{200}, probed: []int{200}}
	r.Server = start(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	check := r.check
	r.mu.Unlock()
	if check != nil && !check(request) {
		http.Error(w, "who are you", http.StatusUnauthorized)
		return
	}
	if request.URL.Path != "/am/api/v2/alerts" || request.Method != http.MethodPost {
		r.t.Errorf("%s %s", request.Method, request.URL.Path)
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Error(err)
	}
	var alerts []*models.PostableAlert
	if err := json.Unmarshal(body, &alerts); err != nil {
		r.t.Errorf("%v: %s", err, body)
	}
	for _, a := range alerts {
		if err := a.Validate(nil); err != nil {
			r.t.Errorf("%v: %s", err, body)
		}
	}
	if len(alerts) == 0 {
		if string(body) != "[]" {
			r.t.Errorf("no alerts are sent as %q", body)
		}
		w.WriteHeader(r.status(&r.probed))
		r.probes <- struct{}{}
		return
	}
	w.WriteHeader(r.status(&r.statuses))
	r.requests <- alerts
}

// status is the first one of statuses, which it leaves unless it is the last one.
func (r *receiver) status(statuses *[]int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	status := (*statuses)[0]
	if len(*statuses) > 1 {
		*statuses = (*statuses)[1:]
	}
	return status
}

func (r *receiver) answer(statuses ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statuses = statuses
}

// next is the next request.
func (r *receiver) next() []*models.PostableAlert {
	r.t.Helper()
	select {
	case alerts := <-r.requests:
		return alerts
	case <-time.After(time.Minute):
		r.t.Fatal("nothing was sent")
		return nil
	}
}

// rig is a sender that runs until the test ends.
type rig struct {
	*Sender
	metrics *Metrics
}

func newRig(t *testing.T, resend time.Duration, targets ...Target) *rig {
	t.Helper()
	m := NewMetrics()
	m.Register(prometheus.NewRegistry())
	s, err := New(Options{Targets: targets, Metrics: m, Logger: zap.NewNop(), Describe: &Describer{Labels: map[string]string{"team": "mail"}}, resend: resend})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(t.Context())
	}()
	t.Cleanup(func() { <-done }) // the context ends before
	return &rig{s, m}
}

func (r *receiver) target() Target { return Target{URL: r.URL + "/am/"} }

func alert(domain string) relaylens.Alert {
	return relaylens.Alert{Name: "RelaylensServerFault", Severity: relaylens.SeverityCritical, Kind: relaylens.KindRelayDenied,
		Cause: relaylens.CauseRecipientDomainNotConfigured, Fault: relaylens.FaultServer, Host: "mx1",
		Entity: relaylens.Entity{Kind: relaylens.EntityRecipientDomain, Value: domain}, StartsAt: time.Now().Add(-time.Minute)}
}

// One that stands by says nothing. When its turn comes it tells of what is on at
// once, and of the end of what another may have told of; when its turn is over,
// nothing ends.
func TestStandsBy(t *testing.T) {
	r := newReceiver(t, httptest.NewServer)
	s := newRig(t, time.Hour, r.target())
	s.StandBy(true)
	on, over := alert("on.example"), alert("over.example")
	s.Set([]relaylens.Alert{on, over})
	over.EndsAt = time.Now()
	s.Set([]relaylens.Alert{on, over})
	if n := testutil.ToFloat64(s.metrics.active.WithLabelValues("critical")); n != 1 {
		t.Errorf("%v alerts are on", n)
	}
	s.StandBy(false)
	sent := r.next()
	if len(sent) != 2 || sent[0].Labels["entity"] != "recipient_domain=on.example" || time.Time(sent[1].EndsAt).After(time.Now()) {
		t.Errorf("sent %+v", sent)
	}
	noted := func() bool {
		v, _ := s.targets[0].version(keyOf(sent[0].Labels))
		return v > 0
	}
	for deadline := time.Now().Add(time.Minute); !noted(); {
		if time.Now().After(deadline) {
			t.Fatal("what was sent is not noted")
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // between two looks at a condition
	}
	s.StandBy(true)
	s.Set(nil) // both are gone here, another tells what became of them
	s.Set([]relaylens.Alert{on})
	s.StandBy(false)
	if sent := r.next(); len(sent) != 1 || time.Time(sent[0].EndsAt).Before(time.Now()) {
		t.Errorf("sent %+v", sent)
	}
	if n := len(r.requests); n > 0 {
		t.Errorf("%d further requests", n)
	}
	if n := testutil.ToFloat64(s.metrics.dropped.WithLabelValues(r.target().URL)); n != 0 {
		t.Errorf("%v alerts count as lost", n)
	}
}

func TestActiveIsSentAgainAndEnds(t *testing.T) {
	r := newReceiver(t, httptest.NewServer)
	s := newRig(t, 20*time.Millisecond, r.target())
	a := alert("lost.example")
	s.Set([]relaylens.Alert{a})
	var first, last time.Time
	for i := range 3 {
		sent := r.next()[0]
		if sent.Labels["entity"] != "recipient_domain=lost.example" || sent.Labels["team"] != "mail" {
			t.Errorf("labels %v", sent.Labels)
		}
		ends := time.Time(sent.EndsAt)
		if ends.Before(last) || time.Until(ends) > lifetimes*20*time.Millisecond {
			t.Errorf("ends at %v, after %v", ends, last)
		}
		if last = ends; i == 0 {
			first = ends
		}
	}
	if !last.After(first) { // the first two may be sent in one instant
		t.Errorf("ends at %v, always", last)
	}
	a.EndsAt = time.Now()
	s.Set([]relaylens.Alert{a})
	for ended := false; !ended; {
		ended = !time.Time(r.next()[0].EndsAt).After(time.Now())
	}
	if n := testutil.ToFloat64(s.metrics.sent.WithLabelValues(r.URL + "/am/")); n < 3 {
		t.Errorf("%g were sent", n)
	}
}

// What began and ended unheard of is no news.
func TestEndWithoutBegin(t *testing.T) {
	r := newReceiver(t, httptest.NewServer)
	s := newRig(t, time.Hour, r.target())
	over := alert("over.example")
	over.EndsAt = time.Now()
	s.Set([]relaylens.Alert{over, alert("lost.example")})
	if sent := r.next(); len(sent) != 1 || sent[0].Labels["entity"] != "recipient_domain=lost.example" {
		t.Errorf("sent %v", sent)
	}
}

// Of what an earlier sender told the end is news.
func TestEndOfWhatWasTold(t *testing.T) {
	r := newReceiver(t, httptest.NewServer)
	m := NewMetrics()
	s, err := New(Options{Targets: []Target{r.target()}, Metrics: m, Logger: zap.NewNop(), Describe: &Describer{}})
	if err != nil {
		t.Fatal(err)
	}
	a := alert("lost.example")
	s.Expect([]relaylens.Alert{a})
	a.EndsAt = time.Now()
	s.Set([]relaylens.Alert{a})
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(t.Context())
	}()
	t.Cleanup(func() { <-done })
	if sent := r.next()[0]; time.Time(sent.EndsAt).After(time.Now()) {
		t.Errorf("ends at %v", sent.EndsAt)
	}
}

func TestOneThatHangsDelaysNoOther(t *testing.T) {
	release := make(chan struct{})
	stuck := newReceiver(t, func(h http.Handler) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-release; h.ServeHTTP(w, r) }))
	})
	defer close(release)
	fine := newReceiver(t, httptest.NewServer)
	s := newRig(t, 20*time.Millisecond, stuck.target(), fine.target())
	s.Set([]relaylens.Alert{alert("lost.example")})
	for range 5 {
		fine.next()
	}
}

// That no page would arrive shows before there is one.
func TestAsksWhetherAlertsWouldArrive(t *testing.T) {
	r := newReceiver(t, httptest.NewServer)
	r.probed = []int{503, 200}
	s := newRig(t, time.Hour, r.target())
	up := s.metrics.up.WithLabelValues(r.URL + "/am/")
	<-r.probes
	<-r.probes // a second later, when the first answer was read
	s.Set([]relaylens.Alert{alert("lost.example")})
	r.next() // when the second one was
	if n := testutil.ToFloat64(s.metrics.errors.WithLabelValues(r.URL + "/am/")); n != 1 {
		t.Errorf("%g errors", n)
	}
	if testutil.ToFloat64(up) != 1 {
		t.Error("it is not up")
	}
}

// One that stands by asks, as it is to page when the other one dies, and says nothing.
func TestAsksWhileItStandsBy(t *testing.T) {
	r := newReceiver(t, httptest.NewServer)
	s := newRig(t, 20*time.Millisecond, r.target())
	s.StandBy(true)
	s.Set([]relaylens.Alert{alert("lost.example")})
	for range 5 {
		<-r.probes
	}
	if n := len(r.requests); n > 0 {
		t.Errorf("told of alerts %d times", n)
	}
}

func TestFailureIsTriedAgain(t *testing.T) {
	r := newReceiver(t, httptest.NewServer)
	r.answer(503, 200)
	s := newRig(t, time.Hour, r.target())
	s.Set([]relaylens.Alert{alert("lost.example")})
	r.next()
	r.next() // a second later
	name := r.URL + "/am/"
	if n := testutil.ToFloat64(s.metrics.errors.WithLabelValues(name)); n != 1 {
		t.Errorf("%g errors", n)
	}
	if n := testutil.ToFloat64(s.metrics.dropped.WithLabelValues(name)); n != 0 {
		t.Errorf("%g dropped", n)
	}
}

func TestRefusedIsDropped(t *testing.T) {
	r := newReceiver(t, httptest.NewServer)
	r.answer(400, 200)
	s := newRig(t, time.Hour, r.target())
	s.Set([]relaylens.Alert{alert("a.example")})
	r.next()
	s.Set([]relaylens.Alert{alert("a.example"), alert("b.example")})
	if sent := r.next(); len(sent) != 1 || sent[0].Labels["entity"] != "recipient_domain=b.example" {
		t.Errorf("sent %v", sent)
	}
	if n := testutil.ToFloat64(s.metrics.dropped.WithLabelValues(r.URL + "/am/")); n != 1 {
		t.Errorf("%g dropped", n)
	}
}

func TestManyInBatches(t *testing.T) {
	r := newReceiver(t, httptest.NewServer)
	s := newRig(t, time.Hour, r.target())
	var alerts []relaylens.Alert
	for i := range MaxAlerts + 10 {
		alerts = append(alerts, alert(strings.Repeat("x", i+1)))
	}
	s.Set(alerts)
	seen := map[string]bool{}
	for len(seen) < MaxAlerts {
		batch := r.next()
		if len(batch) > maxBatch {
			t.Errorf("a batch of %d", len(batch))
		}
		for _, a := range batch {
			seen[a.Labels["entity"]] = true
		}
	}
}

func TestLogsIn(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	basic := newReceiver(t, httptest.NewServer)
	basic.check = func(r *http.Request) bool {
		user, password, ok := r.BasicAuth()
		return ok && user == "relaylens" && password == "secret"
	}
	bearer := newReceiver(t, httptest.NewTLSServer)
	bearer.check = func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer token" }
	ca := file("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: bearer.Certificate().Raw})))

	one, two := basic.target(), bearer.target()
	one.Username, one.PasswordFile = "relaylens", file("password", "secret\n")
	two.CredentialsFile, two.CAFile, two.ServerName = file("token", "token\n"), ca, "example.com"
	s := newRig(t, time.Hour, one, two)
	s.Set([]relaylens.Alert{alert("lost.example")})
	basic.next()
	bearer.next()
}

func TestWrongFiles(t *testing.T) {
	_, err := New(Options{Metrics: NewMetrics(), Logger: zap.NewNop(), Describe: &Describer{},
		Targets: []Target{{URL: "https://am.example", CAFile: "/nowhere/ca.pem"}}})
	if err == nil || !strings.Contains(err.Error(), "https://am.example") || !strings.Contains(err.Error(), "/nowhere/ca.pem") {
		t.Errorf("error %v", err)
	}
}

// An alert is told again each minute, would end four minutes after the last time, and
// its end is told for a quarter of an hour.
func TestLifetimes(t *testing.T) {
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	s, err := New(Options{Targets: []Target{{URL: "http://am.example"}}, Metrics: NewMetrics(), Logger: zap.NewNop(), Describe: &Describer{}, now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if s.options.resend != time.Minute {
		t.Errorf("told again after %v", s.options.resend)
	}
	a := alert("lost.example.com")
	s.Set([]relaylens.Alert{a})
	later := now.Add(10 * time.Hour)
	if _, sent := s.state(later); len(sent) != 1 || !time.Time(sent[0].alert.EndsAt).Equal(later.Add(4*time.Minute)) {
		t.Errorf("sent %+v", sent)
	}
	a.EndsAt = now
	s.Set([]relaylens.Alert{a})
	for after, want := range map[time.Duration]int{15 * time.Minute: 1, 15*time.Minute + time.Second: 0} {
		if _, sent := s.state(now.Add(after)); len(sent) != want {
			t.Errorf("after %v its end is told %d times", after, len(sent))
		}
	}
}
