//go:build e2e

package alerting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens/internal/stack"
	"github.com/relaylens/relaylens/internal/testutil"
)

// tool runs one of the tools that judge what is shipped.
func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("not installed: ", name)
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func TestRules(t *testing.T) {
	tool(t, "promtool", "check", "rules", "--lint=all", "--lint-fatal", "../../alerts/relaylens.rules.yml")
	tool(t, "promtool", "test", "rules", "../../alerts/relaylens.test.yml")
	tool(t, "amtool", "check-config", "../../alerts/alertmanager.yml")
}

// TestRunbooks: every link of a rule leads to a section that there is.
func TestRunbooks(t *testing.T) {
	rules, err := os.ReadFile("../../alerts/relaylens.rules.yml")
	must(t, err)
	page, err := os.ReadFile("../../docs/alerting.md")
	must(t, err)
	links := regexp.MustCompile(`docs/alerting\.md#(\S+)`).FindAllSubmatch(rules, -1)
	if len(links) < 8 {
		t.Errorf("%d links", len(links))
	}
	headings := strings.ToLower(string(page))
	for _, link := range links {
		if !strings.Contains(headings, "### "+string(link[1])+"\n") {
			t.Errorf("docs/alerting.md has no section %s", link[1])
		}
	}
}

// query asks Prometheus at this moment; it gives how many series answer.
func query(t *testing.T, p *stack.Process, expr string) (series int, err error) {
	t.Helper()
	body, err := p.Get(t.Context(), "/api/v1/query?query="+url.QueryEscape(expr))
	if err != nil {
		return 0, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, err
	}
	for _, r := range answer.Data.Result {
		if r.Value[1] != "NaN" {
			series++
		}
	}
	return series, nil
}

// dashboard is what the test reads of relaylens.json.
type dashboard struct {
	Panels []struct {
		Title   string `json:"title"`
		Type    string `json:"type"`
		Targets []struct {
			Expr string `json:"expr"`
		} `json:"targets"`
	} `json:"panels"`
	Annotations struct {
		List []struct {
			Name string `json:"name"`
			Expr string `json:"expr"`
		} `json:"list"`
	} `json:"annotations"`
	Templating struct {
		List []struct {
			Name       string `json:"name"`
			Definition string `json:"definition"`
			Options    []struct {
				Value string `json:"value"`
			} `json:"options"`
		} `json:"list"`
	} `json:"templating"`
}

// variables are what a person who opens the dashboard has chosen.
var variables = strings.NewReplacer("$host", ".*", "$mta", ".*", "$window", "24h", "$by", "recipient_domain", "$key", "lost.example.com",
	"$__rate_interval", "20s", "$__range", "1h")

// goOn has a little happen of everything within a second: rates need what goes
// on between two scrapes.
func (s *server) goOn() {
	end := s.now.Add(time.Second)
	s.lost(500 * time.Millisecond)
	s.line("smtpd", "warning: unknown[192.0.2.9]: SASL LOGIN authentication failed: authentication failure")
	s.calm(500 * time.Millisecond)
	s.now = end
}

// lint has promtool read the metrics that the daemon serves.
func lint(t *testing.T, p *stack.Process) {
	t.Helper()
	metrics, err := p.Get(t.Context(), "/metrics")
	must(t, err)
	path, err := exec.LookPath("promtool")
	must(t, err)
	check := exec.Command(path, "check", "metrics")
	check.Stdin = bytes.NewReader(metrics)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// lately is a copy of a log that ended a quarter of an hour ago: what is older than a day
// is in no panel.
func lately(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	must(t, err)
	layout := time.Stamp
	if data[0] == '2' {
		layout = time.DateTime
	}
	stamp := func(l []byte) (at time.Time, ok bool) {
		if len(l) < len(layout) {
			return at, false
		}
		at, err := time.ParseInLocation(layout, string(l[:len(layout)]), time.Local)
		if at.Year() == 0 {
			at = at.AddDate(time.Now().Year(), 0, 0)
		}
		return at, err == nil
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	var last time.Time
	for _, l := range lines {
		if at, ok := stamp(l); ok {
			last = at
		}
	}
	by := time.Since(last) - 15*time.Minute
	var b bytes.Buffer
	for _, l := range lines {
		if at, ok := stamp(l); ok {
			b.WriteString(at.Add(by).Format(layout))
			l = l[len(layout):]
		}
		b.Write(l)
	}
	name = filepath.Join(t.TempDir(), filepath.Base(name))
	must(t, os.WriteFile(name, b.Bytes(), 0o644))
	return name
}

// TestDashboard runs every query of the dashboard, of its annotations and of its
// variables against a Prometheus that scrapes a daemon which reads logs of every
// server and has an alert: each has a result.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("../../dashboards/relaylens.json")
	must(t, err)
	var d dashboard
	must(t, json.Unmarshal(text, &d))

	rules, err := filepath.Abs("../../alerts/relaylens.rules.yml")
	must(t, err)
	logs, err := filepath.Glob("../../testdata/corpus/*/*.log")
	must(t, err)
	own := filepath.Join(t.TempDir(), "mail.log")
	must(t, os.WriteFile(own, nil, 0o644))
	all := []string{own}
	for _, log := range logs {
		all = append(all, lately(t, log))
	}
	s := newStack(t, stack.Options{Scrape: time.Second, Rules: rules, Logs: all})
	must(t, s.Start(t.Context()))
	log := &server{t: t, log: s.Log, now: time.Now().Add(-30 * time.Minute).Truncate(time.Second)}
	log.calm(3 * time.Minute)
	log.lost(30 * time.Second)
	ask := func(what, expr string) {
		testutil.WaitFor(t, what+": "+expr, func() error {
			n, err := query(t, s.Prometheus, variables.Replace(expr))
			if err == nil && n == 0 {
				err = errNotYet
				log.goOn()
			}
			return err
		})
	}
	for _, p := range d.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%s asks nothing", p.Title)
		}
		for _, target := range p.Targets {
			ask(p.Title, target.Expr)
		}
	}
	for _, a := range d.Annotations.List {
		ask("annotation "+a.Name, a.Expr)
	}
	key := ""
	values := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)
	for _, v := range d.Templating.List {
		if m := values.FindStringSubmatch(v.Definition); m != nil {
			ask("variable "+v.Name, fmt.Sprintf(`count by (%s) (%s)`, m[2], m[1]))
			key = v.Definition // the last one depends on the lists
		}
	}
	// What is chosen in its lists, one after the other.
	for _, v := range d.Templating.List {
		for _, o := range v.Options {
			if m := values.FindStringSubmatch(key); m != nil {
				expr := strings.ReplaceAll(m[1], "$"+v.Name, o.Value)
				ask("variable "+v.Name+" "+o.Value, fmt.Sprintf(`count by (%s) (%s)`, m[2], expr))
			}
		}
	}
	lint(t, s.Relaylens)
	recorded := regexp.MustCompile(`record: (\S+)`)
	text, err = os.ReadFile(rules)
	must(t, err)
	for _, m := range recorded.FindAllStringSubmatch(string(text), -1) {
		ask("recording rule", m[1])
	}
}
