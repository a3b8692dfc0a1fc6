//go:build e2e

package fleet

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens/internal/stack"
	"github.com/relaylens/relaylens/internal/testutil"
)

const (
	botHosts    = 200
	botAttempts = 3 // at each
	bots        = 60
	// atOnce is how many machines run at the same time, of one computer.
	atOnce = 20
)

// attempts are what a botnet tries at one host: each time another client, with
// another user.
func attempts(host int, base time.Time) string {
	var b strings.Builder
	for i := range botAttempts {
		n := host*botAttempts + i
		fmt.Fprintf(&b, "%s mx%d postfix/submission/smtpd[%d]: warning: unknown[198.51.100.%d]: SASL LOGIN authentication failed: authentication failure, sasl_username=user%d@example.com\n",
			base.Add(time.Duration(n)*time.Second).Format("2006-01-02T15:04:05.000000-07:00"), host+1, 1000+n, 1+n%bots, n*7%150)
	}
	return b.String()
}

// TestBotnet has sixty clients try three passwords at each of two hundred
// servers. No server alone can tell, nor pages; over the fleet it is one finding,
// and at most one page.
func TestBotnet(t *testing.T) {
	outside := alertmanager(t)
	var hosts []string
	for i := range botHosts {
		hosts = append(hosts, fmt.Sprint("mx", i+1))
	}
	f := &fleet{t: t, hosts: hosts}
	f.cluster = newCluster(t, hosts, []string{"reader1"})
	f.makeStream()
	reader := newReader(t, f.cluster, "reader1", "{type: nats, group: pagers}", outside.Alertmanager.URL)
	f.readers = []*machine{reader}
	reader.start()

	// One server has a day behind it, so that what is usual is known.
	first := newMachine(t, f.cluster, "mx1", "mx1", "", "{path: LOG, start: begin}")
	base := time.Now().Add(-25 * time.Minute).Truncate(time.Second)
	s := &story{m: first, now: base.Add(-30 * time.Hour)}
	s.calm(30 * time.Hour)
	first.start()
	f.shippers = []*machine{first}
	f.settle()
	f.pages()
	calm := first.lines

	_, err := first.log.WriteString(attempts(0, base))
	must(t, err)
	first.lines += botAttempts
	for from := 1; from < botHosts; from += atOnce {
		var some []*machine
		for h := from; h < min(from+atOnce, botHosts); h++ {
			m := newMachine(t, f.cluster, hosts[h], hosts[h], "", "{path: LOG, start: begin}")
			_, err := m.log.WriteString(attempts(h, base))
			must(t, err)
			m.lines = botAttempts
			m.start()
			some = append(some, m)
		}
		for _, m := range some {
			m.shipsAll()
			m.stop()
		}
		f.shippers = append(f.shippers, some...)
	}
	s.now = base.Add(botHosts * botAttempts * time.Second)
	s.calm(14 * time.Minute)
	first.shipsAll()
	want := first.lines + (botHosts-1)*botAttempts
	testutil.WaitFor(t, "the reader to have all", func() error {
		if n := reader.count(); n != want {
			return fmt.Errorf("it has %d events of %d", n, want)
		}
		return nil
	})

	found := diagnose(t, "--server", fmt.Sprint("http://127.0.0.1:", reader.port))
	if len(found) != 1 || found[0].Cause != "credential_guessing" || found[0].Host != "" || found[0].Events != botHosts*botAttempts || found[0].Clients != bots {
		t.Errorf("the fleet's findings: %+v", found)
	}
	for h := 0; h < botHosts; h += 10 {
		if found := diagnose(t, own(t, h, base)); len(found) > 0 {
			t.Errorf("mx%d alone finds %+v", h+1, found)
		}
		if out, err := exec.Command(program(t), "backtest", "-o", "json", own(t, h, base)).Output(); err != nil || len(out) > 0 {
			t.Errorf("mx%d alone would page: %s, %v", h+1, out, err)
		}
	}
	told := 0
	for len(outside.Pager.Pages) > 0 {
		if p := <-outside.Pager.Pages; p.Status == "firing" {
			told++
			t.Logf("page: %s, %s", p.Alerts[0].Labels, p.Alerts[0].Annotations["summary"])
		}
	}
	alerts, err := knownAlerts(t, outside)
	must(t, err)
	if told > 1 || len(alerts) > 1 {
		t.Errorf("%d pages, alerts %v", told, alerts)
	}
	t.Logf("%d refusals beside %d others: %d finding, %d page", botHosts*botAttempts, calm, len(found), told)
}

// alertmanager is a real one, with a pager.
func alertmanager(t *testing.T) *stack.Stack {
	t.Helper()
	if lacks := stack.Missing(); len(lacks) > 0 {
		t.Fatalf("not installed: %s; .ci/prometheus gets them", lacks)
	}
	s, err := stack.New(stack.Options{Program: program(t), Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { must(t, s.Stop()) })
	must(t, s.Alertmanager.Start(t.Context()))
	return s
}

// own is the log of one of the servers.
func own(t *testing.T, host int, base time.Time) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "mail.log")
	must(t, os.WriteFile(path, []byte(attempts(host, base)), 0o600))
	return path
}

type finding struct {
	Cause, Host     string
	Events, Clients int
}

func diagnose(t *testing.T, args ...string) (found []finding) {
	t.Helper()
	out, err := exec.Command(program(t), append([]string{"diagnose", "-o", "json"}, args...)...).Output()
	must(t, err)
	for line := range strings.Lines(string(out)) {
		var f finding
		must(t, json.Unmarshal([]byte(line), &f))
		found = append(found, f)
	}
	return found
}

// shipsAll waits until a machine's log is in its store, and gone from its outbox.
func (m *machine) shipsAll() {
	m.t.Helper()
	testutil.WaitFor(m.t, m.name+" to ship all", func() error {
		shipped, err := m.metric(`relaylens_shipped_total{content="events"}`)
		if err != nil || int(shipped) < m.lines {
			return fmt.Errorf("%v of %d events are shipped: %w\n%s", shipped, m.lines, err, m.said())
		}
		return nil
	})
}
