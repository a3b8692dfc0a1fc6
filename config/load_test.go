package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// parseFlags is a command line of serve.
func parseFlags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	Flags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fs
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "relaylens.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLaterSourceWins(t *testing.T) {
	const set = "log: {level: warn}"
	env := []string{"RELAYLENS_LOG_LEVEL=error"}
	for _, tc := range []struct {
		name, file string
		env, args  []string
		want, from string
	}{
		{name: "nothing set", file: "", env: []string{}, want: "info", from: "default"},
		{name: "file", file: set, env: []string{}, want: "warn", from: "FILE:1"},
		{name: "environment over file", file: set, env: env, want: "error", from: "RELAYLENS_LOG_LEVEL"},
		{name: "flag over environment", file: set, env: env, args: []string{"--log-level=debug"}, want: "debug", from: "--log-level"},
		{name: "flag that was not given", file: set, env: []string{}, args: []string{"--log-format=json"}, want: "warn", from: "FILE:1"},
		{name: "empty variable is not set", file: set, env: []string{"RELAYLENS_LOG_LEVEL="}, want: "warn", from: "FILE:1"},
		{name: "flag with the default's value", file: set, env: []string{}, args: []string{"--log-level=info"}, want: "info", from: "--log-level"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := writeFile(t, tc.file)
			c, origins, err := LoadOrigins(LoadOptions{File: path, Environ: tc.env, Flags: parseFlags(t, tc.args...)})
			if err != nil {
				t.Fatal(err)
			}
			if c.Log.Level != tc.want {
				t.Errorf("log.level is %q, want %q", c.Log.Level, tc.want)
			}
			if from := strings.Replace(origins.Of("log.level"), path, "FILE", 1); from != tc.from {
				t.Errorf("log.level comes from %q, want %q", from, tc.from)
			}
		})
	}
}

// TestEveryVariable sets every key by its variable alone.
func TestEveryVariable(t *testing.T) {
	values := map[string]string{
		"RELAYLENS_LISTEN":                         "[::1]:80",
		"RELAYLENS_DATA_DIR":                       "/a b/$HOME",
		"RELAYLENS_SOURCES":                        `[{"path": "/l", "mta": "exim"}, {path: /m}]`,
		"RELAYLENS_STORE_KEEP":                     "36h",
		"RELAYLENS_STORE_MAX_SIZE":                 "1GB",
		"RELAYLENS_TIMEZONE":                       "UTC",
		"RELAYLENS_MAX_HOSTS":                      "3",
		"RELAYLENS_TOP_K":                          "7",
		"RELAYLENS_PARSERS_POSTFIX_RELAY_DENIED":   "[p]",
		"RELAYLENS_PARSERS_POSTFIX_SENDER_VERIFY":  "- p v\n- q",
		"RELAYLENS_PARSERS_EXIM_RELAY_DENIED":      "[/e/]",
		"RELAYLENS_PARSERS_EXIM_SENDER_VERIFY":     "[ev]",
		"RELAYLENS_PARSERS_SENDMAIL_RELAY_DENIED":  "['s: d']",
		"RELAYLENS_PARSERS_SENDMAIL_SENDER_VERIFY": `["s\u0020v"]`,
		"RELAYLENS_CORRELATOR_MAX_ENTRIES":         "1000",
		"RELAYLENS_CORRELATOR_MAX_BYTES":           "1MiB",
		"RELAYLENS_ALERTING_FALSE_PAGES_PER_MONTH": "2",
		"RELAYLENS_ALERTING_MIN_EVENTS":            "30",
		"RELAYLENS_ALERTING_ALERTMANAGERS":         `[{"url": "http://am:9093"}]`,
		"RELAYLENS_ALERTING_EXTERNAL_URL":          "https://mx1:9725",
		"RELAYLENS_ALERTING_DASHBOARD_URL":         "https://g/d/x",
		"RELAYLENS_ALERTING_RUNBOOK_URL":           "https://w/causes",
		"RELAYLENS_ALERTING_LABELS":                "[a=b, c=d]",
		"RELAYLENS_NATS_URLS":                      "[tls://n:4222]",
		"RELAYLENS_NATS_FLEET":                     "f",
		"RELAYLENS_NATS_HOST":                      "h",
		"RELAYLENS_NATS_DELAY":                     "1s",
		"RELAYLENS_NATS_CREDENTIALS_FILE":          "/c",
		"RELAYLENS_NATS_NKEY_FILE":                 "/n",
		"RELAYLENS_NATS_USER":                      "u",
		"RELAYLENS_NATS_PASSWORD_FILE":             "/p",
		"RELAYLENS_NATS_CA_FILE":                   "/ca",
		"RELAYLENS_NATS_CERT_FILE":                 "/ce",
		"RELAYLENS_NATS_KEY_FILE":                  "/k",
		"RELAYLENS_NATS_STREAM_REPLICAS":           "3",
		"RELAYLENS_NATS_STREAM_MAX_AGE":            "1d",
		"RELAYLENS_NATS_STREAM_MAX_SIZE":           "1GB",
		"RELAYLENS_NATS_STREAM_DUPLICATES":         "1m",
		"RELAYLENS_WEB_CONFIG_FILE":                "/w",
		"RELAYLENS_WEB_MAX_SPAN":                   "2d",
		"RELAYLENS_WEB_MAX_EVENTS":                 "500",
		"RELAYLENS_LOCAL_DOMAINS":                  "[d.example]",
		"RELAYLENS_LOCAL_NETWORKS":                 "[203.0.113.0/28]",
		"RELAYLENS_TRUSTED_MONITORS":               "[192.0.2.10]",
		"RELAYLENS_LOG_LEVEL":                      "error",
		"RELAYLENS_LOG_FORMAT":                     "console",
	}
	var environ []string
	for _, f := range leaves() {
		v, ok := values[f.env()]
		if !ok {
			t.Errorf("no value for %s", f.env())
		}
		environ = append(environ, f.env()+"="+v)
	}
	got, err := Load(LoadOptions{File: writeFile(t, "sources: [{path: /of/the/file}]"), Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Listen: "[::1]:80", DataDir: "/a b/$HOME", Timezone: "UTC", MaxHosts: 3, TopK: 7,
		Sources: []Source{
			{Type: "file", Path: "/l", MTA: "exim", Start: "end"},
			{Type: "file", Path: "/m", MTA: "auto", Start: "end"},
		},
		Store: Store{Span(36 * time.Hour), 1e9},
		Parsers: Parsers{
			Postfix:  Texts{[]string{"p"}, []string{"p v", "q"}},
			Exim:     Texts{[]string{"/e/"}, []string{"ev"}},
			Sendmail: Texts{[]string{"s: d"}, []string{"s v"}},
		},
		Correlator: Correlator{1000, 1 << 20},
		Alerting:   Alerting{2, 30, []Alertmanager{{URL: "http://am:9093"}}, "https://mx1:9725", "https://g/d/x", "https://w/causes", []string{"a=b", "c=d"}},
		NATS: NATS{[]string{"tls://n:4222"}, "f", "h", Span(time.Second), "/c", "/n", "u", "/p", "/ca", "/ce", "/k",
			NATSStream{3, Span(24 * time.Hour), 1e9, Span(time.Minute)}},
		Web: Web{"/w", Span(48 * time.Hour), 500},
		Log: Log{"error", "console"},

		LocalDomains: []string{"d.example"}, LocalNetworks: []string{"203.0.113.0/28"}, TrustedMonitors: []string{"192.0.2.10"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWrongVariables(t *testing.T) {
	for environ, want := range map[string]string{
		"RELAYLENS_LISTN=:1":                        "RELAYLENS_LISTN: unknown variable; did you mean RELAYLENS_LISTEN?",
		"RELAYLENS_LOGLEVEL=debug":                  "RELAYLENS_LOGLEVEL: unknown variable; did you mean RELAYLENS_LOG_LEVEL?",
		"RELAYLENS_COLOUR=blue":                     "RELAYLENS_COLOUR: unknown variable; unset it",
		"RELAYLENS_LISTEN=mx1":                      `RELAYLENS_LISTEN: listen: "mx1" is not an address with a port; write`,
		"RELAYLENS_MAX_HOSTS=1e3":                   `RELAYLENS_MAX_HOSTS: max_hosts: "1e3" is not a whole number; write max_hosts: 500`,
		"RELAYLENS_SOURCES=/var/log/x":              `RELAYLENS_SOURCES: sources: is "/var/log/x", but must be a list of sections; write`,
		"RELAYLENS_SOURCES=[":                       `RELAYLENS_SOURCES: sources: "[" is not a list in YAML; write`,
		"RELAYLENS_SOURCES=[{pth: /x}]":             "RELAYLENS_SOURCES: sources[0].pth: unknown key; did you mean sources[0].path?",
		"RELAYLENS_SOURCES=[{path: x}]":             `RELAYLENS_SOURCES: sources[0].path: "x" is not an absolute path; begin`,
		"RELAYLENS_DATA_DIR=/\xff":                  `RELAYLENS_DATA_DIR: data_dir: "/\xff" is not UTF-8; write`,
		"RELAYLENS_CORRELATOR_MAX_ENTRIES=16000001": `RELAYLENS_CORRELATOR_MAX_ENTRIES: correlator.max_entries: 16000001 is out of bounds; use 100 to 16000000`,
		"RELAYLENS_CORRELATOR_MAX_BYTES=x":          `RELAYLENS_CORRELATOR_MAX_BYTES: correlator.max_bytes: "x" is not a size; write`,
		"RELAYLENS_WEB_CONFIG_FILE=w.yml":           `RELAYLENS_WEB_CONFIG_FILE: web.config_file: "w.yml" is not an absolute path; begin`,
	} {
		_, err := Load(LoadOptions{File: writeFile(t, ""), Environ: []string{environ}})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s…", environ, err, want)
		}
	}
}

// TestForeignVariables: a service called relaylens beside the container, and
// names that only begin like ours, are nobody's mistake.
func TestForeignVariables(t *testing.T) {
	_, err := Load(LoadOptions{File: writeFile(t, ""), Environ: []string{
		"RELAYLENS_SERVICE_HOST=10.0.0.1", "RELAYLENS_SERVICE_PORT=9725", "RELAYLENS_SERVICE_PORT_HTTP=9725",
		"RELAYLENS_PORT=tcp://10.0.0.1:9725", "RELAYLENS_PORT_9725_TCP=tcp://10.0.0.1:9725",
		"RELAYLENS_PORT_9725_TCP_ADDR=10.0.0.1", "RELAYLENS_WEB_SERVICE_HOST=10.0.0.2",
		"RELAYLENS_LISTN=", "RELAYLENSX=1", "relaylens_listen=x", "PATH=/bin", "=C:=x", "RELAYLENS_",
	}})
	if err != nil {
		t.Error(err)
	}
}

func TestRelativePathsOfTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	o := LoadOptions{
		File:    writeFile(t, "sources: [{path: a}, {path: b}]\n"),
		Environ: []string{},
		Flags:   parseFlags(t, "--data-dir=data", "--web.config.file=../web.yml"),
		Files:   []string{"mail.log", "-"},
	}
	c, origins, err := LoadOrigins(o)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.DataDir = filepath.Join(dir, "data")
	want.Web.ConfigFile = filepath.Join(filepath.Dir(dir), "web.yml")
	want.Sources = []Source{
		{Type: "file", Path: filepath.Join(dir, "mail.log"), MTA: "auto", Start: "end"},
		{Type: "file", Path: "-", MTA: "auto", Start: "end"},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if from := origins.Of("sources[1].path"); from != "command line" {
		t.Errorf("sources[1].path comes from %q", from)
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, tc := range []struct {
		args, files []string
		want        string
	}{
		{args: []string{"--log-level=loud"}, want: `--log-level: log.level: "loud" is not one of the values; use one of debug, info, warn, error`},
		{args: []string{"--listen="}, want: `--listen: listen: "" is not an address with a port; write`},
		{args: []string{"--data-dir="}, want: `--data-dir: data_dir: is missing; write`},
		{args: []string{"--config="}, want: `--config: names no file; name one`},
		{args: []string{"--config=/nowhere/x.yaml"}, want: `/nowhere/x.yaml: no such file; name`},
		{files: []string{"-", "-"}, want: `command line: sources[1].path: "-" is already sources[0]; keep one`},
		{files: []string{""}, want: `command line: sources[0].path: is missing; write`},
		{files: []string{"/l", "/./l"}, want: `command line: sources[1].path: "/l" is already sources[0]; keep one`},
	} {
		_, err := Load(LoadOptions{Environ: []string{}, Flags: parseFlags(t, tc.args...), Files: tc.files})
		if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%q %q:\n got %v\nwant %s…", tc.args, tc.files, err, tc.want)
		}
	}
}

func TestWhichFile(t *testing.T) {
	a, b, c := writeFile(t, "max_hosts: 1"), writeFile(t, "max_hosts: 2"), writeFile(t, "max_hosts: 3")
	for _, tc := range []struct {
		name string
		o    LoadOptions
		want int
	}{
		{"named by the caller", LoadOptions{File: a, Flags: parseFlags(t, "--config", b), Environ: []string{"RELAYLENS_CONFIG=" + c}}, 1},
		{"named by the flag", LoadOptions{Flags: parseFlags(t, "--config", b), Environ: []string{"RELAYLENS_CONFIG=" + c}}, 2},
		{"named by the variable", LoadOptions{Flags: parseFlags(t), Environ: []string{"RELAYLENS_CONFIG=" + c}}, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Load(tc.o)
			if err != nil {
				t.Fatal(err)
			}
			if got.MaxHosts != tc.want {
				t.Errorf("read file %d, want %d", got.MaxHosts, tc.want)
			}
		})
	}
}

// TestEveryMistakeAtOnce: one run of check-config should be enough.
func TestEveryMistakeAtOnce(t *testing.T) {
	_, err := Load(LoadOptions{
		File:    writeFile(t, "listn: x\nmax_hosts: many\n"),
		Environ: []string{"RELAYLENS_LOG_LEVL=x", "RELAYLENS_MAX_HOSTS=few"},
	})
	if n := len(Errors(err)); n != 4 {
		t.Errorf("%d errors, want 4:\n%v", n, err)
	}
	_, err = Load(LoadOptions{File: writeFile(t, "listen: x\ntimezone: y\ndata_dir: z\n"), Environ: []string{}})
	if n := len(Errors(err)); n != 3 {
		t.Errorf("%d errors, want 3:\n%v", n, err)
	}
}

// What is wrong with a value is told beside what cannot be read, but not what
// is only missing because it could not be read.
func TestWrongBesideUnread(t *testing.T) {
	_, err := Load(LoadOptions{Environ: []string{}, File: writeFile(t, `timezone: Mars
sources:
  - {type: pipe, pth: /run/p}
top_k: many
max_hosts: 0
nats: {url: ["tls://nats1.example.com"]}
`)})
	var got []string
	for _, e := range Errors(err) {
		got = append(got, e.Key)
	}
	if diff := cmp.Diff([]string{"timezone", "sources[0].pth", "top_k", "max_hosts", "nats.url"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%v", diff, err)
	}
}
