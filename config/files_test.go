package config

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the errors of bad-*.yml anew; read them before they are committed")

const testdata = "../testdata/config"

// loadBytes is Load without the machine: no environment, no flags.
func loadBytes(name string, data []byte) (*Config, *Origins, error) {
	origins := &Origins{File: name, keys: map[string]string{}}
	c, err := load(origins, data, LoadOptions{})
	return c, origins, err
}

func files(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(testdata, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return paths
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGoodFiles(t *testing.T) {
	for _, path := range files(t, "good-*.yml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if _, _, err := loadBytes(filepath.Base(path), read(t, path)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBadFiles(t *testing.T) {
	for _, path := range files(t, "bad-*.yml") {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			c, _, err := loadBytes(name, read(t, path))
			if err == nil {
				t.Fatalf("loads: %+v", c)
			}
			for _, e := range Errors(err) {
				if e.Where == "" || e.Problem == "" || e.Remedy == "" {
					t.Errorf("error without place, problem or remedy: %+v", e)
				}
			}
			errFile := strings.TrimSuffix(path, ".yml") + ".err"
			if *update {
				if err := os.WriteFile(errFile, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(read(t, errFile)), err.Error()+"\n"); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMeaning holds the files that show something to what they mean.
func TestMeaning(t *testing.T) {
	minimal := Default()
	minimal.Sources = []Source{{Type: "file", Path: "/var/log/mail.log", MTA: "auto", Start: "end"}}

	commented := Default()
	commented.Listen = ":9725"

	dos := Default()
	dos.Listen, dos.MaxHosts = "127.0.0.1:9", 7

	for name, want := range map[string]*Config{
		"good-empty.yml":         Default(),
		"good-example.yml":       Default(),
		"good-minimal.yml":       minimal,
		"good-commented-out.yml": commented,
		"good-dos.yml":           dos,
		"good-json.yml": {
			Listen: "localhost:0", DataDir: "/var/lib/relaylens", Timezone: "local", MaxHosts: 100, TopK: 20,
			Sources:    []Source{{Type: "file", Path: "/var/log/maillog", MTA: "auto", Start: "end"}},
			Store:      Store{Keep: Span(90 * 24 * time.Hour), MaxSize: 2e9},
			Correlator: Correlator{MaxEntries: 40000, MaxBytes: 16 << 20},
			Alerting:   Default().Alerting,
			NATS:       Default().NATS,
			Web:        Default().Web,
			Log:        Log{Level: "info", Format: "auto"},
		},
		"good-full.yml": {
			Listen: "[::1]:9725", DataDir: "/srv/relaylens", Timezone: "America/St_Johns", MaxHosts: 500, TopK: 50,
			LocalDomains: []string{"example.com", ".example.org"}, LocalNetworks: []string{"203.0.113.0/28", "2001:db8:7::/48"}, TrustedMonitors: []string{"192.0.2.10"},
			Sources: []Source{
				{Type: "file", Path: "/var/log/mail.log", MTA: "auto", Start: "end"},
				{Type: "file", Path: "/var/log/mail/*/[a-z]*.log", MTA: "postfix", Start: "begin"},
				{Type: "file", Path: "/var/log/exim4/mainlog", MTA: "exim", Start: "end"},
				{Type: "journal", MTA: "auto", Start: "-36h", Units: []string{"postfix@-.service", "sendmail.service"}, Identifiers: []string{"postfix/smtpd"}},
				{Type: "journal", MTA: "auto", Start: "begin", Directory: "/var/log/journal/remote"},
				{Type: "syslog", MTA: "postfix", Start: "end", Listen: "unixgram:///run/relaylens/log"},
				{Type: "syslog", MTA: "auto", Start: "end", Listen: "tcp://[::]:5140", Peers: "any"},
				{Type: "pipe", MTA: "auto", Start: "end", Path: "/run/relaylens/pipe"},
				{Type: "stdin", MTA: "auto", Start: "end"},
				{Type: "nats", MTA: "auto", Start: "end", Consumer: "reader-a", Group: "pagers", Hosts: []string{"mx1", "mx2.example.com"}},
			},
			Store: Store{Keep: Span(9 * 24 * time.Hour), MaxSize: 64 << 30},
			Parsers: Parsers{
				Postfix: Texts{RelayDenied: []string{"we do not carry mail for"}},
				Exim: Texts{
					RelayDenied:  []string{"not a customer: go away", `/^5\d\d .* (unknown|foreign) domain$/`},
					SenderVerify: []string{"/(?i)return address/"},
				},
			},
			Correlator: Correlator{MaxEntries: 200000, MaxBytes: 64e6},
			Alerting: Alerting{FalsePagesPerMonth: 4, MinEvents: 100,
				Alertmanagers: []Alertmanager{{URL: "http://127.0.0.1:9093"}, {URL: "https://am.example.com/alerts/", Username: "mx1",
					PasswordFile: "/etc/relaylens/am.password", CAFile: "/etc/ssl/site.pem"}},
				DashboardURL: "https://grafana.example.com/d/relaylens", RunbookURL: Default().Alerting.RunbookURL,
				Labels: []string{"team=mail"}},
			NATS: NATS{URLs: []string{"tls://nats1.example.com:4222", "nats://[2001:db8::1]"}, Fleet: "eu-west", Host: "reader1", Delay: Span(10 * time.Second),
				CredentialsFile: "/etc/relaylens/reader.creds", CAFile: "/etc/ssl/site.pem",
				Stream: NATSStream{Replicas: 3, MaxAge: Span(14 * 24 * time.Hour), MaxSize: 50e9, Duplicates: Span(30 * time.Minute)}},
			Web: Web{ConfigFile: "/etc/relaylens/web.yml", MaxSpan: Span(92 * 24 * time.Hour), MaxEvents: 100_000},
			Log: Log{Level: "warn", Format: "json"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := loadBytes(name, read(t, filepath.Join(testdata, name)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnreadableFiles(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, bytes.Repeat([]byte("# log\n"), maxFile/6+1), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(dir, "secret.yaml")
	if err := os.WriteFile(secret, nil, 0); err != nil {
		t.Fatal(err)
	}
	cases := map[string]string{
		filepath.Join(dir, "none.yaml"): "no such file",
		dir:                             "is a directory",
		large:                           "is larger than 1 MiB",
	}
	if os.Geteuid() != 0 {
		cases[secret] = "no permission to read it"
	}
	for path, want := range cases {
		_, err := Load(LoadOptions{File: path, Environ: []string{}})
		if err == nil || !strings.Contains(err.Error(), path+": "+want+"; ") {
			t.Errorf("Load(%s): %v, want %q with a remedy", path, err, want)
		}
	}
}

// FuzzLoad: what is loaded is valid, and is written and read again without a
// change; what is refused is refused with a reason that fits on a terminal.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"good-*.yml", "bad-*.yml"} {
		for _, path := range files(f, pattern) {
			f.Add(read(f, path))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, _, err := loadBytes("fuzz.yaml", data)
		if err != nil {
			checkErrors(t, err)
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("loaded, but not valid: %v", err)
		}
		var b bytes.Buffer
		if err := c.WriteYAML(&b, nil); err != nil {
			t.Fatal(err)
		}
		again, _, err := loadBytes("again.yaml", b.Bytes())
		if err != nil {
			t.Fatalf("what was written does not load: %v\n%s", err, b.Bytes())
		}
		if diff := cmp.Diff(c, again); diff != "" {
			t.Fatalf("changed by writing and reading (-loaded +again):\n%s\n%s", diff, b.Bytes())
		}
	})
}

func checkErrors(t *testing.T, err error) {
	t.Helper()
	mistakes := Errors(err)
	if len(mistakes) == 0 {
		t.Fatalf("refused without an Error: %v", err)
	}
	for _, e := range mistakes {
		if !strings.HasPrefix(e.Where, "fuzz.yaml") || e.Problem == "" {
			t.Errorf("error without a place or a problem: %+v", e)
		}
		if strings.ContainsFunc(e.Error(), func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }) {
			t.Errorf("error has control characters: %q", e.Error())
		}
	}
}
