package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// touch makes files below root.
func touch(t *testing.T, root string, paths ...string) {
	t.Helper()
	for _, p := range paths {
		p = filepath.Join(root, p)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFindLogs(t *testing.T) {
	root := t.TempDir()
	if got := FindLogs(root); got != nil {
		t.Errorf("found on an empty system: %q", got)
	}
	touch(t, root, "/var/log/exim4/mainlog", "/var/log/exim4/rejectlog", "/var/log/mail.log", "/var/log/mail.err", "/var/log/mail/mail.log")
	// One file with two names is one log; where a link leads nowhere is none.
	for link, target := range map[string]string{"maillog": "mail.log", "exim_mainlog": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(root, "var/log", link)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{filepath.Join(root, "/var/log/mail.log"), filepath.Join(root, "/var/log/exim4/mainlog")}
	if diff := cmp.Diff(want, FindLogs(root)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	found := Default().FindSources(root)
	if diff := cmp.Diff(Source{Type: "file", Path: want[0], MTA: "auto", Start: "end"}, found[0]); diff != "" || len(found) != 2 {
		t.Errorf("%d sources found, the first (-want +got):\n%s", len(found), diff)
	}
	set := &Config{Sources: []Source{{Path: "/x"}}}
	if diff := cmp.Diff(set.Sources, set.FindSources(root)); diff != "" {
		t.Errorf("sources that are set (-want +got):\n%s", diff)
	}
}

// TestFoundSourcesHaveTheDefaults: what is found is what a file with paths alone would give.
func TestFoundSourcesHaveTheDefaults(t *testing.T) {
	root := t.TempDir()
	touch(t, root, "/var/log/mail.log")
	path := filepath.Join(root, "/var/log/mail.log")
	c, _, err := loadBytes("x.yaml", []byte("sources: [{path: "+path+"}]"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Sources, Default().FindSources(root)); diff != "" {
		t.Errorf("(-file +found):\n%s", diff)
	}
}

// TestFoundJournal: it is read where no mail server has a log of its own.
func TestFoundJournal(t *testing.T) {
	for _, dir := range []string{"/var/log/journal", "/run/log/journal"} {
		root := t.TempDir()
		touch(t, root, dir+"/README", dir+"/0123/user-1000.txt")
		if got := Default().FindSources(root); got != nil {
			t.Errorf("%s without a journal: found %v", dir, got)
		}
		touch(t, root, dir+"/0123/system.journal")
		c, _, err := loadBytes("x.yaml", []byte("sources: [{type: journal}]"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.Sources, Default().FindSources(root)); diff != "" {
			t.Errorf("%s (-file +found):\n%s", dir, diff)
		}
		touch(t, root, "/var/log/mail.log")
		if got := Default().FindSources(root); len(got) != 1 || got[0].Type != TypeFile {
			t.Errorf("%s beside a log: found %v", dir, got)
		}
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "mail.log", "web.yml")
	in := func(name string) string { return filepath.Join(dir, name) }
	good := func() *Config {
		c := Default()
		c.DataDir = in("data")
		c.Sources = []Source{{Path: in("mail.log")}}
		return c
	}
	for _, tc := range []struct {
		name    string
		change  func(*Config)
		warning string
		err     string
	}{
		{"all is well", func(*Config) {}, "", ""},
		{"standard input", func(c *Config) { c.Sources[0].Path = "-" }, "", ""},
		{"nothing to follow", func(c *Config) { c.Sources = nil }, "", "sources: none is set, and neither one of the usual logs exists nor a journal: /var/log/mail.log,"},
		{"log missing", func(c *Config) { c.Sources[0].Path = in("none.log") }, `sources[0].path: "` + in("none.log") + `" does not exist yet`, ""},
		{"log is a directory", func(c *Config) { c.Sources[0].Path = dir }, `cannot be read: it is a directory`, ""},
		{"pattern matches", func(c *Config) { c.Sources[0].Path = in("m*.log") }, "", ""},
		{"pattern matches nothing", func(c *Config) { c.Sources[0].Path = in("x*.log") }, `no file matches "` + in("x*.log") + `" yet`, ""},
		{"journal", func(c *Config) { c.Sources[0] = Source{Type: "journal"} }, "", ""},
		{"journal elsewhere", func(c *Config) { c.Sources[0] = Source{Type: "journal", Directory: dir} }, "", ""},
		{"journal missing", func(c *Config) { c.Sources[0] = Source{Type: "journal", Directory: in("none")} }, `sources[0].directory: "` + in("none") + `" cannot be read: no such file`, ""},
		{"pipe missing", func(c *Config) { c.Sources[0] = Source{Type: "pipe", Path: in("none")} }, `sources[0].path: "` + in("none") + `" cannot be read: no such file`, ""},
		{"pipe is a file", func(c *Config) { c.Sources[0] = Source{Type: "pipe", Path: in("mail.log")} }, `is no named pipe: make it with mkfifo`, ""},
		{"socket", func(c *Config) { c.Sources[0] = Source{Type: "syslog", Listen: "udp://127.0.0.1:5140"} }, "", ""},
		{"socket for all", func(c *Config) { c.Sources[0] = Source{Type: "syslog", Listen: "udp://0.0.0.0:514", Peers: "any"} }, `sources[0].listen: "udp://0.0.0.0:514" can be reached from other machines`, ""},
		{"open to everybody", func(c *Config) { c.Listen = ":9725" }, `listen: ":9725" can be reached from other machines`, ""},
		{"open on one address", func(c *Config) { c.Listen = "192.0.2.1:9725" }, "can be reached from other machines", ""},
		{"open with passwords", func(c *Config) { c.Listen, c.Web.ConfigFile = ":9725", in("web.yml") }, "", ""},
		{"loopback of IPv6", func(c *Config) { c.Listen = "[::1]:9725" }, "", ""},
		{"loopback by name", func(c *Config) { c.Listen = "localhost:9725" }, "", ""},
		{"data_dir is a file", func(c *Config) { c.DataDir = in("mail.log") }, "", `data_dir: "` + in("mail.log") + `" is not a directory; name`},
		{"web.config_file missing", func(c *Config) { c.Web.ConfigFile = in("none.yml") }, "", `cannot be read: no such file or directory; name`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := good()
			tc.change(c)
			warnings, err := c.check(t.TempDir())
			if got := strings.Join(warnings, "\n"); !strings.Contains(got, tc.warning) || tc.warning == "" && got != "" {
				t.Errorf("warnings %q, want %q", got, tc.warning)
			}
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
		})
	}
}

func TestWriteYAMLNamesOrigins(t *testing.T) {
	c, origins, err := LoadOrigins(LoadOptions{
		File:    writeFile(t, "max_hosts: 7\nsources:\n  - path: /a\n"),
		Environ: []string{"RELAYLENS_PARSERS_EXIM_RELAY_DENIED=['a: b']"},
		Flags:   parseFlags(t, "--listen=:1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := c.WriteYAML(&b, origins); err != nil {
		t.Fatal(err)
	}
	want := `listen: :1 # --listen
data_dir: /var/lib/relaylens # default
sources: # FILE:3
  - type: file
    path: /a
    mta: auto
    start: end
store:
  keep: 90d # default
  max_size: 2GB # default
timezone: local # default
max_hosts: 7 # FILE:1
top_k: 20 # default
parsers:
  postfix:
    relay_denied: [] # default
    sender_verify: [] # default
  exim:
    relay_denied: # RELAYLENS_PARSERS_EXIM_RELAY_DENIED
      - 'a: b'
    sender_verify: [] # default
  sendmail:
    relay_denied: [] # default
    sender_verify: [] # default
correlator:
  max_entries: 40000 # default
  max_bytes: 16MiB # default
alerting:
  false_pages_per_month: 1 # default
  min_events: 20 # default
  alertmanagers: [] # default
  runbook_url: https://github.com/relaylens/relaylens/blob/main/docs/causes.md # default
  labels: [] # default
nats:
  urls: [] # default
  fleet: main # default
  delay: 5s # default
  stream:
    replicas: 0 # default
    max_age: 0s # default
    max_size: 0 # default
    duplicates: 0s # default
web:
  max_span: 31d # default
  max_events: 20000 # default
log:
  level: info # default
  format: auto # default
local_domains: [] # default
local_networks: [] # default
trusted_monitors: [] # default
`
	if diff := cmp.Diff(want, strings.ReplaceAll(b.String(), origins.File, "FILE")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, _, err := loadBytes("again.yaml", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, again); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
}
