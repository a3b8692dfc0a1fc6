package config

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

func TestDefaultIsValid(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
	got, _, err := loadBytes("empty.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), got); diff != "" {
		t.Errorf("an empty file is not the default (-default +loaded):\n%s", diff)
	}
}

// TestTags: every key is described, and its default and example are values.
func TestTags(t *testing.T) {
	var walk func(*field)
	walk = func(section *field) {
		for _, f := range section.children {
			switch {
			case !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(f.name):
				t.Errorf("%s: key %q is not lower case with underscores", f.path, f.name)
			case !strings.HasSuffix(f.doc, ".") || strings.ToUpper(f.doc[:1]) != f.doc[:1] && f.enum == nil:
				t.Errorf("%s: doc is no sentence: %q", f.path, f.doc)
			case f.form != formSection && f.def == "" && f.example == "":
				t.Errorf("%s: neither default nor example", f.path)
			case f.enum != nil && !slices.Contains(f.enum, f.def):
				t.Errorf("%s: default %q is not in the list", f.path, f.def)
			}
			walk(f)
		}
	}
	walk(schema())
}

func TestMTAsAreTheProgramsOwn(t *testing.T) {
	want := []string{"auto"}
	for _, m := range relaylens.MTAs() {
		want = append(want, m.String())
		if s := (Source{MTA: m.String()}); s.Grammar() != m {
			t.Errorf("mta: %s is %v", m, s.Grammar())
		}
	}
	if diff := cmp.Diff(want, schema().child("sources").child("mta").enum); diff != "" {
		t.Errorf("sources[].mta (-MTAs +enum):\n%s", diff)
	}
	if s := (Source{MTA: "auto"}); s.Grammar() != relaylens.MTANone {
		t.Errorf("mta: auto is %v", s.Grammar())
	}
	var sections []relaylens.MTA
	for _, p := range new(Parsers).all() {
		if p.key != "parsers."+p.mta.String() {
			t.Errorf("section %s is for %v", p.key, p.mta)
		}
		sections = append(sections, p.mta)
	}
	if diff := cmp.Diff(relaylens.MTAs(), sections); diff != "" {
		t.Errorf("parsers (-MTAs +sections):\n%s", diff)
	}
}

func TestTextsReachTheirMTA(t *testing.T) {
	p := Parsers{
		Exim:     Texts{RelayDenied: []string{"Not Ours"}, SenderVerify: []string{`/^no \w+$/`}},
		Sendmail: Texts{RelayDenied: []string{"/(/"}},
	}
	exim, err := p.Of(relaylens.Exim)
	if err != nil {
		t.Fatal(err)
	}
	if !exim.RelayDenied.Match("550 not ours") || exim.RelayDenied.Match("no callback") || !exim.SenderVerify.Match("no callback") {
		t.Errorf("texts of exim match wrongly: %+v", exim)
	}
	postfix, err := p.Of(relaylens.Postfix)
	if err != nil || postfix.RelayDenied.Match("not ours") {
		t.Errorf("texts of postfix: %+v, %v", postfix, err)
	}
	if _, err := p.Of(relaylens.Sendmail); err == nil {
		t.Error("a wrong expression compiles")
	}
}

func TestLocation(t *testing.T) {
	for zone, want := range map[string]*time.Location{"local": time.Local, "UTC": time.UTC} {
		if got, err := (&Config{Timezone: zone}).Location(); err != nil || got != want {
			t.Errorf("%s: %v, %v", zone, got, err)
		}
	}
	got, err := (&Config{Timezone: "Asia/Kathmandu"}).Location()
	if err != nil {
		t.Fatal(err)
	}
	if _, offset := time.Date(2026, 1, 1, 0, 0, 0, 0, got).Zone(); offset != 5*3600+45*60 {
		t.Errorf("Asia/Kathmandu is %d seconds east", offset)
	}
	for _, zone := range []string{"", "CESTT", "../etc/passwd", "/etc/localtime"} {
		if got, err := (&Config{Timezone: zone}).Location(); err == nil {
			t.Errorf("%q is the zone %v", zone, got)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{
		"0": 0, "1": 1, "17B": 17, "1kB": 1000, "1 kb": 1000, "1KiB": 1024, "16MiB": 16 << 20, "16mib": 16 << 20,
		"2GB": 2e9, "3 TiB": 3 << 40, "9223372036854775807": 1<<63 - 1, "8388607TiB": 8388607 << 40,
	} {
		got, err := ParseSize(text)
		if err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
		if again, err := ParseSize(got.String()); err != nil || again != got {
			t.Errorf("%s is written %s, which is %d, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "B", "-1", "+1", "1.5GiB", "1k", "1M", "1 i", "0x10", "1e6", "1MiBB", "8388608TiB", "9223372036854775808", "1 000", "１MiB"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q is %d bytes", text, got)
		}
	}
}

func TestSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0s": 0, "1s": time.Second, "90d": 90 * 24 * time.Hour, "36h": 36 * time.Hour, "1w2d": 9 * 24 * time.Hour, "1h1m1s": time.Hour + time.Minute + time.Second,
	} {
		got, err := ParseSpan(text)
		if err != nil || got.Duration() != want {
			t.Errorf("%s: %v, %v, want %v", text, got.Duration(), err, want)
		}
		if again, err := ParseSpan(got.String()); err != nil || again != got {
			t.Errorf("%s is written %s, which is %d, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "d", "90", "-1d", "+1d", "1.5h", "1 d", "1d 2h", "2h1d", "1d1d", "1D", "1y", "1ms", "9223372036854775807d", "106752d", "１d"} {
		if got, err := ParseSpan(text); err == nil {
			t.Errorf("%q is %v", text, got.Duration())
		}
	}
}

func TestSourceNames(t *testing.T) {
	for _, tt := range []struct {
		source Source
		name   string
	}{
		{Source{Type: "file", Path: "/var/log/mail.log"}, "/var/log/mail.log"},
		{Source{Path: "/var/log/mail.log"}, "/var/log/mail.log"},
		{Source{Type: "pipe", Path: "/run/pipe"}, "/run/pipe"},
		{Source{Type: "stdin"}, "-"},
		{Source{Type: "file", Path: "-"}, "-"},
		{Source{Type: "journal"}, "journal"},
		{Source{Type: "journal", Directory: "/j"}, "journal:/j"},
		{Source{Type: "syslog", Listen: "udp://127.0.0.1:514"}, "udp://127.0.0.1:514"},
	} {
		if got := tt.source.Name(); got != tt.name || tt.source.Stdin() != (tt.name == "-") {
			t.Errorf("%+v is called %q, want %q", tt.source, got, tt.name)
		}
	}
}

func TestSourceBegin(t *testing.T) {
	for start, want := range map[string]struct {
		begin bool
		since time.Duration
	}{"": {}, "end": {}, "begin": {begin: true}, "-24h": {since: 24 * time.Hour}, "-1w1d": {since: 8 * 24 * time.Hour}, "-x": {}} {
		if begin, since := (&Source{Start: start}).Begin(); begin != want.begin || since != want.since {
			t.Errorf("%q: %v, %v", start, begin, since)
		}
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"listen", "data_dir", "sources", "timezone", "max_hosts", "log"}
	for given, want := range map[string]string{
		"listn": "listen", "lsiten": "listen", "data-dir": "data_dir", "dataDir": "data_dir", "DATA_DIR": "data_dir",
		"source": "sources", "time_zone": "timezone", "maxhost": "max_hosts", "lgo": "log",
		"colour": "", "": "", "x": "", strings.Repeat("listen", 100): "",
	} {
		if got := relaylens.Suggest(given, names); got != want {
			t.Errorf("%q: did you mean %q, want %q", given, got, want)
		}
	}
}

func TestReferenceIsUpToDate(t *testing.T) {
	var b bytes.Buffer
	if err := WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(committed), b.String()); diff != "" {
		t.Errorf("docs/configuration.md is out of date, run go generate ./config (-committed +made):\n%s", diff)
	}
	for _, f := range leaves() {
		if !strings.Contains(b.String(), "`"+f.env()+"`") {
			t.Errorf("%s is not in the reference", f.env())
		}
	}
}

func TestExample(t *testing.T) {
	var b bytes.Buffer
	if err := WriteExample(&b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(read(t, testdata+"/good-example.yml")), b.String()); diff != "" {
		t.Errorf("good-example.yml is out of date, run go generate ./config (-committed +made):\n%s", diff)
	}
	for line := range strings.Lines(b.String()) {
		if len(line) > 100 {
			t.Errorf("line of %d bytes: %s", len(line), line)
		}
	}
	// With every key set, the file means the default and the examples of what has none.
	all := regexp.MustCompile(`(?m)^#(\S|  )`).ReplaceAllString(b.String(), "$1")
	got, _, err := loadBytes("all.yaml", []byte(all))
	if err != nil {
		t.Fatalf("%v\n%s", err, all)
	}
	want := Default()
	want.Sources = []Source{{Type: "file", Path: "/var/log/mail.log", MTA: "auto", Start: "end"}}
	texts := Texts{RelayDenied: []string{"we do not carry mail for", "/not (a|our) customer/"}, SenderVerify: []string{"your return address does not work"}}
	want.Parsers = Parsers{texts, texts, texts}
	want.LocalDomains, want.LocalNetworks, want.TrustedMonitors = []string{"example.com", ".example.org"}, []string{"203.0.113.0/28", "2001:db8:7::/48"}, []string{"192.0.2.10"}
	want.Alerting.Alertmanagers = []Alertmanager{{URL: "http://127.0.0.1:9093"}}
	want.Alerting.ExternalURL, want.Alerting.DashboardURL = "https://mx1.example.com:9725/", "https://grafana.example.com/d/relaylens"
	want.Alerting.Labels = []string{"team=mail", "environment=production"}
	want.NATS = NATS{URLs: []string{"tls://nats1.example.com:4222", "tls://nats2.example.com:4222"}, Fleet: "main", Host: "mx1.example.com", Delay: want.NATS.Delay,
		CredentialsFile: "/etc/relaylens/mx1.creds", NKeyFile: "/etc/relaylens/mx1.nk", User: "mx1", PasswordFile: "/etc/relaylens/nats.password",
		CAFile: "/etc/relaylens/ca.pem", CertFile: "/etc/relaylens/mx1.pem", KeyFile: "/etc/relaylens/mx1.key",
		Stream: NATSStream{Replicas: 3, MaxAge: Span(14 * 24 * time.Hour), MaxSize: 50e9, Duplicates: Span(30 * time.Minute)}}
	want.Web.ConfigFile = "/etc/relaylens/web.yml"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
