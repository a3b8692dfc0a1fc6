package config

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Alerting says when somebody is paged, and through what.
type Alerting struct {
	FalsePagesPerMonth int            `key:"false_pages_per_month" restart:"yes" default:"1" example:"4" doc:"How many pages a month may be about nothing but chance. It is the one setting of how sensitive the search for spikes is: fewer false pages mean that a spike has to be larger, or to last longer, until it pages."`
	MinEvents          int            `key:"min_events" restart:"yes" default:"20" example:"100" doc:"The least number of refusals that a spike pages for, however rare refusals are otherwise."`
	Alertmanagers      []Alertmanager `key:"alertmanagers" example:"[{url: 'http://127.0.0.1:9093'}]" doc:"The Alertmanagers that alerts are sent to: each alert to all of them, as to the members of a cluster. Without any, nobody is paged; relaylens_alerts_active shows what is found all the same."`
	ExternalURL        string         `key:"external_url" example:"https://mx1.example.com:9725/" doc:"Where a person reaches this daemon's HTTP server, for the links in alerts. Not set means no link."`
	DashboardURL       string         `key:"dashboard_url" example:"https://grafana.example.com/d/relaylens" doc:"The Grafana dashboard, for the links in alerts, which add host and time. Not set means no link."`
	RunbookURL         string         `key:"runbook_url" default:"https://github.com/relaylens/relaylens/blob/main/docs/causes.md" example:"https://wiki.example.com/mail/causes" doc:"The page that says what to do about each cause, for the links in alerts, which add # and the cause."`
	Labels             []string       `key:"labels" example:"[team=mail, environment=production]" doc:"Labels that every alert bears beside its own, each as name=value, for routing."`
}

// Alertmanager is one that alerts are sent to.
type Alertmanager struct {
	URL             string `key:"url" example:"http://127.0.0.1:9093" doc:"Where it is, with the path that it is served under, if any. /api/v2/alerts is added. A password has no place in it."`
	Username        string `key:"username" example:"relaylens" doc:"For basic authentication, together with password_file."`
	PasswordFile    string `key:"password_file" example:"/etc/relaylens/alertmanager.password" doc:"Absolute path of the file with the password, which is read anew for every request."`
	CredentialsFile string `key:"credentials_file" example:"/etc/relaylens/alertmanager.token" doc:"Absolute path of the file with a bearer token, in place of username and password_file. It is read anew for every request."`
	CAFile          string `key:"ca_file" example:"/etc/relaylens/ca.pem" doc:"Absolute path of the certificates, in PEM, that sign the server's. Not set means those of the system."`
	CertFile        string `key:"cert_file" example:"/etc/relaylens/client.pem" doc:"Absolute path of the certificate that the server asks of its clients, in PEM, together with key_file."`
	KeyFile         string `key:"key_file" example:"/etc/relaylens/client.key" doc:"Absolute path of the key of cert_file, in PEM."`
	ServerName      string `key:"server_name" example:"alertmanager.example.com" doc:"The name in the server's certificate, where it is another than that in url."`
}

const (
	maxFalsePages    = 1000
	maxMinEvents     = 1_000_000
	maxAlertmanagers = 20
	maxLabels        = 20
)

// AlertLabels are the labels that alerts have by themselves.
var AlertLabels = []string{"alertname", "severity", "kind", "cause", "fault", "host", "entity"}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// LabelSet is Labels by their names.
func (a *Alerting) LabelSet() map[string]string {
	set := map[string]string{}
	for _, l := range a.Labels {
		name, value, _ := strings.Cut(l, "=")
		set[name] = value
	}
	return set
}

func (k *checker) alerting(a *Alerting) {
	k.number("alerting.false_pages_per_month", a.FalsePagesPerMonth, 1, maxFalsePages)
	k.number("alerting.min_events", a.MinEvents, 1, maxMinEvents)
	for _, u := range []struct{ key, url string }{
		{"external_url", a.ExternalURL}, {"dashboard_url", a.DashboardURL}, {"runbook_url", a.RunbookURL},
	} {
		if u.url != "" {
			k.url("alerting."+u.key, u.url)
		}
	}
	k.labels(a.Labels)
	if len(a.Alertmanagers) > maxAlertmanagers {
		k.refuse("alerting.alertmanagers", fmt.Sprintf("there are %d", len(a.Alertmanagers)), fmt.Sprintf("name %d at most; the members of a cluster tell each other", maxAlertmanagers))
	}
	seen := map[string]int{}
	for i := range a.Alertmanagers {
		m, key := &a.Alertmanagers[i], fmt.Sprintf("alerting.alertmanagers[%d]", i)
		k.alertmanager(m, key)
		name := strings.TrimSuffix(m.URL, "/")
		if first, again := seen[name]; again {
			k.refuse(key+".url", fmt.Sprintf("%s is already alertmanagers[%d]", quote(m.URL), first), "keep one of them")
		}
		seen[name] = i
	}
}

func (k *checker) labels(labels []string) {
	if len(labels) > maxLabels {
		k.refuse("alerting.labels", fmt.Sprintf("there are %d", len(labels)), fmt.Sprintf("use %d at most", maxLabels))
	}
	seen := map[string]bool{}
	for i, l := range labels {
		key := fmt.Sprintf("alerting.labels[%d]", i)
		name, value, ok := strings.Cut(l, "=")
		switch {
		case !ok || !labelName.MatchString(name) || value == "":
			k.refuse(key, quote(l)+" is no label", "write name=value; a name has letters, digits and _")
		case slices.Contains(AlertLabels, name):
			k.refuse(key, quote(name)+" is a label that alerts have by themselves", "choose another name")
		case seen[name]:
			k.refuse(key, quote(name)+" is set a second time", "keep one of them")
		}
		seen[name] = true
	}
}

// url checks an address that a browser or a client is to open, and returns it.
func (k *checker) url(key, text string) *url.URL {
	const remedy = "write one such as https://host.example.com:9093/"
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Fragment != "":
		k.refuse(key, quote(text)+" is no http or https address", remedy)
	case u.User != nil:
		k.refuse(key, "has a user or a password in it, which logs and metrics would show", "use username and password_file")
	default:
		return u
	}
	return nil
}

func (k *checker) alertmanager(m *Alertmanager, key string) {
	if m.URL == "" {
		k.refuse(key+".url", "is missing", "write one such as http://127.0.0.1:9093")
	} else if u := k.url(key+".url", m.URL); u != nil {
		if u.RawQuery != "" {
			k.refuse(key+".url", quote(m.URL)+" has a query", "remove what follows the question mark")
		}
		if u.Scheme == "http" && m.CAFile+m.CertFile+m.KeyFile+m.ServerName != "" {
			k.refuse(key+".url", quote(m.URL)+" is not https, for which the certificates are", "write https://, or remove ca_file, cert_file, key_file and server_name")
		}
	}
	k.pair(key, "username", m.Username, "password_file", m.PasswordFile)
	k.pair(key, "cert_file", m.CertFile, "key_file", m.KeyFile)
	if m.CredentialsFile != "" && m.Username != "" {
		k.refuse(key+".credentials_file", "is set beside username", "keep one of the two ways to log in")
	}
	for _, f := range []struct{ key, path string }{
		{"password_file", m.PasswordFile}, {"credentials_file", m.CredentialsFile},
		{"ca_file", m.CAFile}, {"cert_file", m.CertFile}, {"key_file", m.KeyFile},
	} {
		if f.path != "" && !filepath.IsAbs(f.path) {
			k.path(key+"."+f.key, f.path)
		}
	}
}

// pair refuses one of two keys that only mean something together.
func (k *checker) pair(key, name1, value1, name2, value2 string) {
	if (value1 == "") != (value2 == "") {
		k.refuse(key, name1+" and "+name2+" belong together", "set both, or neither")
	}
}
