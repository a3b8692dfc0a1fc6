package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/relaylens/relaylens/internal/demo"
)

// Options of a [Stack].
type Options struct {
	Program string // relaylens
	Dir     string // for everything that is written
	Rules   string // file of Prometheus's rules
	// Scrape is how often Prometheus scrapes and evaluates.
	Scrape time.Duration
	// Logs are the files that the daemon follows, from their beginning. None means
	// mail.log in Dir.
	Logs []string
	// Config is added to the daemon's.
	Config string
}

// Stack is what runs. Its parts can be stopped and started again one by one;
// each keeps its address and its directory.
type Stack struct {
	Relaylens, Prometheus, Alertmanager *Process
	Pager                               *Pager
	Log                                 string // the first of Options.Logs
}

// Names under which the programs are looked for.
var (
	prometheusNames   = []string{"prometheus"}
	alertmanagerNames = []string{"prometheus-alertmanager", "alertmanager"}
)

// Missing says which programs the machine lacks.
func Missing() (missing []string) {
	for _, names := range [][]string{prometheusNames, alertmanagerNames} {
		if _, err := find(names); err != nil {
			missing = append(missing, names[len(names)-1])
		}
	}
	return missing
}

func find(names []string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("find %s: it is not installed; Debian's packages are prometheus and prometheus-alertmanager", names[len(names)-1])
}

// New prepares a stack: files are written and addresses chosen. Nothing runs but
// the pager.
func New(o Options) (*Stack, error) {
	prometheus, err := find(prometheusNames)
	if err != nil {
		return nil, err
	}
	alertmanager, err := find(alertmanagerNames)
	if err != nil {
		return nil, err
	}
	addresses, err := demo.FreeAddresses(context.Background(), 3)
	if err != nil {
		return nil, err
	}
	if len(o.Logs) == 0 {
		o.Logs = []string{filepath.Join(o.Dir, "mail.log")}
		if err := os.WriteFile(o.Logs[0], nil, 0o600); err != nil {
			return nil, fmt.Errorf("create log: %w", err)
		}
	}
	pager, err := newPager()
	if err != nil {
		return nil, err
	}
	s := &Stack{Pager: pager, Log: o.Logs[0]}
	if err := s.prepare(&o, prometheus, alertmanager, addresses); err != nil {
		return nil, errors.Join(err, pager.close())
	}
	return s, nil
}

// prepare writes the configurations and says how each program is started.
func (s *Stack) prepare(o *Options, prometheus, alertmanager string, addresses []string) error {
	in := func(name string) string { return filepath.Join(o.Dir, name) }
	relay, prom, alert := addresses[0], addresses[1], addresses[2]
	for name, text := range map[string]string{
		"relaylens.yaml":   relaylensConfig(o, relay, alert, prom, in("data")),
		"prometheus.yml":   prometheusConfig(o, relay, alert),
		"alertmanager.yml": alertmanagerConfig(s.Pager.URL),
	} {
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write configuration: %w", err)
		}
	}
	s.Relaylens = newProcess(in("relaylens.log"), relay, "/-/ready", o.Program, "serve", "--config", in("relaylens.yaml"))
	s.Prometheus = newProcess(in("prometheus.log"), prom, "/-/ready", prometheus, "--config.file", in("prometheus.yml"),
		"--web.listen-address", prom, "--storage.tsdb.path", in("prometheus"), "--log.level", "warn")
	s.Alertmanager = newProcess(in("alertmanager.log"), alert, "/-/ready", alertmanager, "--config.file", in("alertmanager.yml"),
		"--web.listen-address", alert, "--cluster.listen-address", "", "--storage.path", in("alertmanager"), "--log.level", "debug")
	return nil
}

func relaylensConfig(o *Options, address, alertmanager, prometheus, data string) string {
	text := fmt.Sprintf("listen: %s\ndata_dir: %s\nalerting:\n  alertmanagers: [{url: 'http://%s'}]\n  external_url: http://%s/\n  dashboard_url: http://%s/graph\nsources:\n",
		address, data, alertmanager, address, prometheus)
	for _, log := range o.Logs {
		text += fmt.Sprintf("  - {path: %s, start: begin}\n", log)
	}
	return text + o.Config
}

func prometheusConfig(o *Options, relaylens, alertmanager string) string {
	rules := ""
	if o.Rules != "" {
		rules = "rule_files: ['" + o.Rules + "']\n"
	}
	return fmt.Sprintf(`global: {scrape_interval: %[1]s, evaluation_interval: %[1]s}
%[2]salerting:
  alertmanagers:
    - static_configs: [{targets: ['%[4]s']}]
scrape_configs:
  - job_name: relaylens
    static_configs: [{targets: ['%[3]s']}]
`, o.Scrape, rules, relaylens, alertmanager)
}

// alertmanagerConfig pages as soon as it can, and once.
func alertmanagerConfig(pager string) string {
	return fmt.Sprintf(`route:
  receiver: pager
  group_by: [alertname, host, cause, entity]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 4h
receivers:
  - name: pager
    webhook_configs:
      - {url: '%s', send_resolved: true}
`, pager)
}

// Start starts everything.
func (s *Stack) Start(ctx context.Context) error {
	for _, p := range []*Process{s.Alertmanager, s.Relaylens, s.Prometheus} {
		if err := p.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Stop stops what runs.
func (s *Stack) Stop() error {
	var errs []error
	for _, p := range slices.Backward([]*Process{s.Alertmanager, s.Relaylens, s.Prometheus}) {
		errs = append(errs, p.Stop())
	}
	return errors.Join(append(errs, s.Pager.close())...)
}
