package app

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens/config"
)

// Every key changes what is made of its section, those that are added later too.
func TestEveryKeyCounts(t *testing.T) {
	must := func(made any, err error) any {
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	a := newRig(t)
	for name, s := range map[string]struct {
		section func(*config.Config) any
		made    func(*config.Config) any
		besides string // keys that are read elsewhere
	}{
		"nats": {func(c *config.Config) any { return &c.NATS }, func(c *config.Config) any { o := a.fleetOptions(&c.NATS); o.Logger = nil; return o }, "Delay"},
		"sources": {sourceSection, func(c *config.Config) any { o := a.fileOptions(c.Sources[0]); o.TimeOf = nil; return o },
			"Type MTA Units Identifiers Directory Listen Peers Consumer Group Hosts"},
		"sources of a journal": {sourceSection, func(c *config.Config) any { o := a.journalOptions(c.Sources[0]); o.Name = ""; return o },
			"Type Path MTA Listen Peers Consumer Group Hosts"},
		"sources of a socket": {sourceSection, func(c *config.Config) any { return a.socketOptions(c.Sources[0]) },
			"Type Path MTA Start Units Identifiers Directory Consumer Group Hosts"},
		"sources of a fleet": {sourceSection, func(c *config.Config) any {
			o := a.readerOptions(c.Sources[0])
			o.Logger, o.Turn, o.Late = nil, nil, nil
			return o
		},
			"Type Path MTA Start Units Identifiers Directory Listen Peers"},
		"store":      {func(c *config.Config) any { return &c.Store }, func(c *config.Config) any { return retentionOf(c) }, ""},
		"web":        {func(c *config.Config) any { return &c.Web }, func(c *config.Config) any { return limitsOf(c) }, "ConfigFile"},
		"parsers":    {func(c *config.Config) any { return &c.Parsers }, func(c *config.Config) any { return must(ParserOptions(c)) }, ""},
		"correlator": {func(c *config.Config) any { return &c.Correlator }, func(c *config.Config) any { return must(ParserOptions(c)) }, ""},
		"alerting": {func(c *config.Config) any { return &c.Alerting },
			func(c *config.Config) any { return []any{Describer(&c.Alerting), must(SpikeSettings(c))} }, "Alertmanagers"},
		"alertmanager": {func(c *config.Config) any {
			c.Alerting.Alertmanagers = []config.Alertmanager{{}}
			return &c.Alerting.Alertmanagers[0]
		}, func(c *config.Config) any { return targetsOf(&c.Alerting) }, ""},
		"site": {func(c *config.Config) any { return c }, func(c *config.Config) any { return must(SiteOf(c)) },
			"Listen DataDir Sources Store Timezone MaxHosts TopK Parsers Correlator Alerting NATS Web Log"},
		"timezone": {func(c *config.Config) any { return c }, func(c *config.Config) any { return []any{must(ParserOptions(c)), must(SpikeSettings(c))} },
			"Listen DataDir Sources Store MaxHosts TopK Parsers Correlator Alerting NATS Web Log LocalDomains LocalNetworks TrustedMonitors"},
	} {
		plain := testConfig("/mail.log")
		n := len(leavesOf(s.section(plain), s.besides))
		before := s.made(plain)
		for i := range n {
			changed := testConfig("/mail.log")
			l := leavesOf(s.section(changed), s.besides)[i]
			t.Run(name+"."+l.name, func(t *testing.T) {
				l.change(t)
				if reflect.DeepEqual(before, s.made(changed)) {
					t.Error("nothing changes")
				}
			})
		}
	}
}

func sourceSection(c *config.Config) any { return &c.Sources[0] }

// leaf is a key of a section.
type leaf struct {
	name  string
	value reflect.Value
}

func leavesOf(section any, besides string) (all []leaf) {
	v := reflect.ValueOf(section).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		switch f := v.Field(i); {
		case strings.Contains(" "+besides+" ", " "+name+" "):
		case f.Kind() == reflect.Struct:
			for _, l := range leavesOf(f.Addr().Interface(), besides) {
				all = append(all, leaf{name + "." + l.name, l.value})
			}
		default:
			all = append(all, leaf{name, f})
		}
	}
	return all
}

func (l leaf) change(t *testing.T) {
	t.Helper()
	text := "192.0.2.7" // which is a network, a phrase, a name
	switch l.name {
	case "Timezone":
		text = "Asia/Tokyo"
	case "Labels":
		text = "team=mail"
	case "Start":
		text = "begin"
	case "Peers":
		text = "any"
	}
	switch l.value.Kind() {
	case reflect.String:
		l.value.SetString(text)
	case reflect.Slice:
		l.value.Set(reflect.ValueOf([]string{text}))
	case reflect.Int, reflect.Int64:
		l.value.SetInt(l.value.Int() + 7)
	default:
		t.Fatalf("a key of kind %s", l.value.Kind())
	}
}

// What the configuration says is in force from the start, and from a reload on.
func TestConfigurationIsInForce(t *testing.T) {
	configure := func(c *config.Config) {
		c.LocalDomains, c.TopK = []string{"example.net"}, 1
		c.Web.MaxSpan, c.Web.MaxEvents = config.Span(time.Hour), 10
		c.Store.Keep = config.Span(7 * 24 * time.Hour)
	}
	check := func(t *testing.T, r *rig) {
		t.Helper()
		r.send("/mail.log", refusalLine, strings.ReplaceAll(refusalLine, "192.0.2.7", "192.0.2.8"))
		r.settle()
		r.wantMetric(`relaylens_causes_total{cause="recipient_domain_not_configured",fault="server",host="mx1",mta="postfix"} 2`)
		_, body := r.get("/metrics")
		named := strings.Count(body, `relaylens_top_refusals{by="client",`) - strings.Count(body, `{by="client",key="other",`)
		if windows := 4; named != windows {
			t.Errorf("%d clients are named, want one in each of %d windows", named, windows)
		}
		for _, path := range []string{"/api/v1/summary?since=-2h", "/api/v1/events?n=11"} {
			if code, body := r.get(path); code != http.StatusBadRequest {
				t.Errorf("%s: %d %s", path, code, body)
			}
		}
		if keep := r.retention.Load().Keep; keep != 7*24*time.Hour {
			t.Errorf("events are kept for %v", keep)
		}
	}
	t.Run("start", func(t *testing.T) { check(t, started(t, func(o *Options) { configure(o.Config) })) })
	t.Run("reload", func(t *testing.T) {
		next := testConfig("/mail.log")
		r := started(t, reloadable(&next, nil))
		configure(next)
		if err := r.Reload(); err != nil {
			t.Fatal(err)
		}
		check(t, r)
	})
}

// An Alertmanager is reached as its section says: by its certificate, with the
// password of the file.
func TestAlertmanagerSection(t *testing.T) {
	authorized := make(chan bool, 1)
	am := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		user, password, _ := req.BasicAuth()
		select {
		case authorized <- user == "relaylens" && password == "secret":
		default:
		}
	}))
	defer am.Close()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "password"), "secret\n")
	writeFile(t, filepath.Join(dir, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: am.Certificate().Raw})))
	at, err := url.Parse(am.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := started(t, func(o *Options) {
		o.Config.Alerting.Alertmanagers = []config.Alertmanager{{URL: "https://localhost:" + at.Port(), ServerName: "example.com",
			Username: "relaylens", PasswordFile: filepath.Join(dir, "password"), CAFile: filepath.Join(dir, "ca.pem")}}
	})
	select {
	case ok := <-authorized:
		if !ok {
			t.Error("it is asked without the password, or with another")
		}
	case <-time.After(patience):
		t.Fatal(fmt.Sprint("it is not asked: ", r.logs.All()))
	}
}

// A span says from when on a log is read that never was.
func TestSourceSince(t *testing.T) {
	a := newRig(t)
	s := config.Source{Type: "file", Path: "/mail.log", Start: "-24h"}
	for name, since := range map[string]time.Time{"file": a.fileOptions(s).Since, "journal": a.journalOptions(s).Since} {
		if ago := time.Since(since); ago < 24*time.Hour || ago > 25*time.Hour {
			t.Errorf("%s: from %v ago", name, ago)
		}
	}
}
