package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/store"
)

// manager is an Alertmanager that notes what it is sent.
func manager(t *testing.T) (url string, sent <-chan map[string]string) {
	t.Helper()
	alerts := make(chan map[string]string, 100)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var batch []struct {
			Labels map[string]string `json:"labels"`
			EndsAt time.Time         `json:"endsAt"`
		}
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
			t.Error(err)
		}
		for _, a := range batch {
			if a.EndsAt.Before(time.Now()) {
				a.Labels["resolved"] = "yes"
			}
			alerts <- a.Labels
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, alerts
}

func receive(t *testing.T, sent <-chan map[string]string) map[string]string {
	t.Helper()
	select {
	case labels := <-sent:
		return labels
	case <-time.After(patience):
		t.Fatal("no alert was sent")
		return nil
	}
}

// A reader of a group says nothing before it is its turn, keeps what it says over
// a reload, and pages again for itself when it leaves the group.
func TestReaderOfGroupPagesInTurn(t *testing.T) {
	url, sent := manager(t)
	grouped := func() *config.Config {
		c := testConfig("/mail.log")
		c.Sources[0].Group = "pagers" // what it reads does not matter
		c.Alerting.Alertmanagers = []config.Alertmanager{{URL: url}}
		return c
	}
	next := grouped()
	r := started(t, func(o *Options) {
		o.Config = grouped()
		o.Load = func() (*config.Config, error) { return next, nil }
	})
	page := func() {
		r.send("/mail.log", strings.Split(strings.TrimSpace(lostDomain(time.Now().Add(-5*time.Minute), 3*time.Minute)), "\n")...)
		r.settle()
	}
	page()
	waitFor(t, func() bool { r.alerts.mu.Lock(); defer r.alerts.mu.Unlock(); return len(r.alerts.alerts) == 1 })
	next = grouped()
	next.Alerting.DashboardURL = "http://dashboard.example.com/"
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if len(sent) > 0 {
		t.Errorf("it told of %v before its turn", <-sent)
	}
	turn := r.alerts.speaker()
	turn(true)
	if labels := receive(t, sent); labels["cause"] != "recipient_domain_not_configured" {
		t.Errorf("told of %v", labels)
	}
	turn(false)
	next = testConfig("/mail.log")
	next.Alerting.Alertmanagers = grouped().Alerting.Alertmanagers
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if labels := receive(t, sent); labels["cause"] != "recipient_domain_not_configured" || labels["resolved"] != "" {
		t.Errorf("told of %v", labels)
	}
	turn(false) // by a source that ends late
	r.alerts.mu.Lock()
	defer r.alerts.mu.Unlock()
	if r.alerts.silent {
		t.Error("a reader of no group is silent")
	}
}

// lostDomain is a log of an hour ago and later: mail that is delivered, a domain
// that twenty servers bring mail for in vain, and then as much more of the first
// as after asks for.
func lostDomain(began time.Time, after time.Duration) string {
	var b strings.Builder
	write := func(at time.Time, program, text string) {
		fmt.Fprintf(&b, "%s mx1 postfix/%s: %s\n", at.Format(time.RFC3339), program, text)
	}
	delivered := func(at time.Time) {
		write(at, "local[9]", "4F1A2B3C5D: to=<bob@example.com>, relay=local, delay=0.01, delays=0.01/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)")
	}
	delivered(began)
	for i := range 20 {
		write(began.Add(time.Duration(i+1)*time.Second), fmt.Sprintf("smtpd[%d]", 100+i), fmt.Sprintf("NOQUEUE: reject: RCPT from mail.p%[1]d.example[203.0.113.%[1]d]: "+
			"554 5.7.1 <u@lost.example.com>: Relay access denied; from=<office@p%[1]d.example> to=<u@lost.example.com> proto=ESMTP helo=<mail.p%[1]d.example>", i+1))
	}
	for d := time.Minute; d <= after; d += time.Minute {
		delivered(began.Add(d))
	}
	return b.String()
}

func TestDaemonPages(t *testing.T) {
	url, sent := manager(t)
	dir, log := t.TempDir(), filepath.Join(t.TempDir(), "mail.log")
	began := time.Now().Add(-25 * time.Minute).Truncate(time.Second)
	start := func() *rig {
		return started(t, func(o *Options) {
			o.newSource, o.dataDir = nil, dir
			o.Config = testConfig(log)
			o.Config.Sources[0].Start = "begin"
			o.Config.Alerting.Alertmanagers = []config.Alertmanager{{URL: url}}
			o.Config.Alerting.Labels = []string{"team=mail"}
		})
	}
	appendTo(t, log, lostDomain(began, 2*time.Minute))
	r := start()
	labels := receive(t, sent)
	if labels["entity"] != "recipient_domain=lost.example.com" || labels["team"] != "mail" || labels["resolved"] != "" {
		t.Errorf("sent %v", labels)
	}
	if _, body := r.get("/metrics"); !strings.Contains(body, `relaylens_alerts_active{severity="critical"} 1`) {
		t.Error("the metrics do not show it")
	}
	r.stop()

	// Another start goes on with it, and ends it when its end was read.
	r = start()
	waitFor(t, func() bool { return r.ready.Load() })
	appendTo(t, log, lostDomain(began, 24*time.Minute)[len(lostDomain(began, 2*time.Minute)):])
	for labels = receive(t, sent); labels["resolved"] == ""; labels = receive(t, sent) {
		if labels["entity"] != "recipient_domain=lost.example.com" {
			t.Errorf("sent %v", labels)
		}
	}
	r.stop()
}

// A crash comes after the page and before its refusals are in the store, which
// are read again. The state of another version is no reason not to start.
func TestStateWithoutEvents(t *testing.T) {
	began := time.Now().Add(-25 * time.Minute).UTC()
	for name, state := range map[string]string{
		"crash": strings.ReplaceAll(`[{"alert":"RelaylensServerFault","severity":"critical","kind":"relay_denied","cause":"recipient_domain_not_configured","fault":"server","host":"mx1",
			"entity":"recipient_domain","entity_value":"lost.example.com","starts_at":"TIME","state":1,"last":"TIME"}]`, "TIME", began.Format(time.RFC3339)),
		"other version": `{"version": 2}`,
	} {
		t.Run(name, func(t *testing.T) {
			url, sent := manager(t)
			dir, log := t.TempDir(), filepath.Join(t.TempDir(), "mail.log")
			s, err := store.Open(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.SaveAlerts(t.Context(), []byte(state)), s.Close()); err != nil {
				t.Fatal(err)
			}
			appendTo(t, log, lostDomain(began, 24*time.Minute))
			r := started(t, func(o *Options) {
				o.newSource, o.dataDir = nil, dir
				o.Config = testConfig(log)
				o.Config.Sources[0].Start = "begin"
				o.Config.Alerting.Alertmanagers = []config.Alertmanager{{URL: url}}
			})
			if name == "crash" {
				for resolved := false; !resolved; {
					resolved = receive(t, sent)["resolved"] != ""
				}
				return
			}
			if n := r.logs.FilterMessageSnippet("alerts of before are not known").Len(); n != 1 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// What was over long ago is told to nobody, however much of it there is.
func TestOldLogsPageNobody(t *testing.T) {
	url, sent := manager(t)
	log := filepath.Join(t.TempDir(), "mail.log")
	appendTo(t, log, lostDomain(time.Now().Add(-48*time.Hour), 24*time.Hour))
	r := started(t, func(o *Options) {
		o.newSource = nil
		o.Config = testConfig(log)
		o.Config.Sources[0].Start = "begin"
		o.Config.Alerting.Alertmanagers = []config.Alertmanager{{URL: url}}
	})
	waitFor(t, func() bool { _, body := r.get("/metrics"); return strings.Contains(body, denials+"20\n") })
	r.stop()
	select {
	case labels := <-sent:
		t.Errorf("sent %v", labels)
	default:
	}
}

func TestReloadChangesAlertmanagers(t *testing.T) {
	first, _ := manager(t)
	second, sent := manager(t)
	next := testConfig("/mail.log")
	next.Alerting.Alertmanagers = []config.Alertmanager{{URL: second}}
	next.Alerting.MinEvents = 999
	r := started(t, reloadable(&next, nil), func(o *Options) {
		o.Config.Alerting.Alertmanagers = []config.Alertmanager{{URL: first}}
	})
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	if n := r.logs.FilterMessage("changed key needs a restart").Len(); n != 1 {
		t.Errorf("%d warnings", n)
	}
	r.send("/mail.log", strings.Split(strings.TrimSpace(lostDomain(time.Now().Add(-5*time.Minute), 4*time.Minute)), "\n")...)
	if labels := receive(t, sent); labels["entity"] != "recipient_domain=lost.example.com" {
		t.Errorf("sent %v", labels)
	}
	if _, body := r.get("/metrics"); strings.Contains(body, first) {
		t.Error("the metrics still have the Alertmanager that is gone")
	}
}

func TestWrongAlertmanager(t *testing.T) {
	r := &rig{t: t, feeds: map[string]*feed{}}
	o := r.newOptions()
	o.Config.Alerting.Alertmanagers = []config.Alertmanager{{URL: "https://am.example", CAFile: filepath.Join(t.TempDir(), "ca.pem")}}
	if _, err := New(t.Context(), o); err == nil || !os.IsNotExist(err) && !strings.Contains(err.Error(), "ca.pem") {
		t.Errorf("error %v", err)
	}
}

func TestTempo(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var p tempo
	if _, ok := p.idle(now); ok {
		t.Error("there is a time before the first line")
	}
	hear := func(lag, later time.Duration) bool {
		now = now.Add(later)
		p.hear(now.Add(-lag), now)
		return p.gone(p.event.Add(-time.Hour), now) // of an hour before
	}
	if hear(time.Minute, 0) {
		t.Error("a minute is far")
	}
	if p.hear(time.Time{}, now.Add(time.Second)); !p.event.Equal(now.Add(-time.Minute)) {
		t.Errorf("no time is %s", p.event)
	}
	p = tempo{}
	for i, lag := range []time.Duration{48 * time.Hour, 24 * time.Hour, time.Hour} {
		if !hear(lag, time.Minute) {
			t.Errorf("%d: it catches up and is not far", i)
		}
	}
	if hear(10*time.Minute, time.Minute) {
		t.Error("it has caught up and is far")
	}
	p = tempo{} // the zone of the log is wrong
	hear(2*time.Hour, 0)
	if hear(2*time.Hour+time.Second, time.Minute) {
		t.Error("it stays behind and is far")
	}
	if at, ok := p.idle(now.Add(time.Minute)); !ok || !at.Equal(now.Add(-2*time.Hour-time.Second).Add(time.Minute)) {
		t.Errorf("idle at %s", at)
	}
}

// While the fleet cannot be reached event time stands still. The alerts of an
// earlier run are told all the same, once, or Alertmanager takes them for over.
func TestStillTellsOfAlerts(t *testing.T) {
	p := newTestPipeline(t)
	p.alerts = newAlerter(nil, zap.NewNop())
	now := time.Now()
	for line := range strings.Lines(lostDomain(now.Add(-5*time.Minute), 3*time.Minute)) {
		b := batch("/mail.log", strings.TrimSpace(line))
		p.batch(&b)
	}
	state, err := p.watch.State()
	if err != nil || len(p.watch.Alerts()) != 1 {
		t.Fatalf("%d alerts, error %v", len(p.watch.Alerts()), err)
	}
	again := newTestPipeline(t)
	again.alerts = newAlerter(nil, zap.NewNop())
	if err := again.watch.Restore(state); err != nil {
		t.Fatal(err)
	}
	again.watch.Observe(now) // the last that was stored
	again.still.Store(true)
	for range 3 {
		again.idle(now)
		if again.alerts.saidAt.IsZero() {
			t.Fatal("nothing is told")
		}
	}
	if news := <-again.alerts.news; len(news.alerts) != 1 {
		t.Errorf("told of %+v", news.alerts)
	}
	if len(again.alerts.news) > 0 {
		t.Error("told twice")
	}
}
