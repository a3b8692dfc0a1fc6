package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a zone is known or not on every machine alike
	"unicode"
	"unicode/utf8"

	"github.com/relaylens/relaylens"
)

// Bounds of the numbers.
const (
	maxMaxHosts   = 10_000 // each host has some hundred series
	maxTopK       = 100    // each has 80 series
	minEntries    = 100
	maxMaxEntries = 16_000_000 // a table of internal/bounded takes 777,214 more
	minBytes      = 64 << 10
	maxMaxBytes   = 64 << 30
	maxPort       = 65535
	minKeep       = Span(time.Hour)
	maxKeep       = Span(100 * 365 * 24 * time.Hour)
	minMaxSize    = 50e6
	maxMaxSize    = 1 << 50
	minWebSpan    = Span(time.Hour)
	maxWebEvents  = 1_000_000
)

// checker collects what is wrong.
type checker struct{ errs []error }

func (k *checker) refuse(key, problem, remedy string) {
	k.errs = append(k.errs, &Error{Key: key, Problem: problem, Remedy: remedy})
}

// Validate checks every value. It reads no files: whether logs exist is for
// [Config.Check]. The error joins one [Error] for each mistake.
func (c *Config) Validate() error {
	var k checker
	k.texts(schema(), "", reflect.ValueOf(c).Elem())
	k.listen(c.Listen)
	k.directory(c.DataDir)
	k.sources(c.Sources)
	k.nats(&c.NATS)
	k.readers(c)
	if _, err := c.Location(); err != nil {
		k.refuse("timezone", quote(c.Timezone)+" is not a known zone", "use local, UTC or a name such as Europe/Berlin")
	}
	k.number("max_hosts", c.MaxHosts, 1, maxMaxHosts)
	k.number("top_k", c.TopK, 1, maxTopK)
	k.number("correlator.max_entries", c.Correlator.MaxEntries, minEntries, maxMaxEntries)
	if s := c.Correlator.MaxBytes; s < minBytes || s > maxMaxBytes {
		k.refuse("correlator.max_bytes", fmt.Sprintf("%s is out of bounds", s),
			fmt.Sprintf("use %s to %s", Size(minBytes), Size(maxMaxBytes)))
	}
	if s := c.Store.Keep; s < minKeep || s > maxKeep {
		k.refuse("store.keep", s.String()+" is out of bounds", fmt.Sprintf("use %s to %s", minKeep, maxKeep))
	}
	if s := c.Store.MaxSize; s < minMaxSize || s > maxMaxSize {
		k.refuse("store.max_size", s.String()+" is out of bounds", fmt.Sprintf("use %s to %s", Size(minMaxSize), Size(maxMaxSize)))
	}
	if s := c.Web.MaxSpan; s < minWebSpan || s > maxKeep {
		k.refuse("web.max_span", s.String()+" is out of bounds", fmt.Sprintf("use %s to %s", minWebSpan, maxKeep))
	}
	k.number("web.max_events", c.Web.MaxEvents, 1, maxWebEvents)
	k.site(c)
	for _, p := range c.Parsers.all() {
		k.phrases(p.key+".relay_denied", p.texts.RelayDenied)
		k.phrases(p.key+".sender_verify", p.texts.SenderVerify)
	}
	k.alerting(&c.Alerting)
	if p := c.Web.ConfigFile; p != "" {
		k.path("web.config_file", p)
	}
	return errors.Join(k.errs...)
}

// texts checks what holds for every text: a value out of the closed list, and
// nothing that would garble a terminal or a file name.
func (k *checker) texts(section *field, path string, v reflect.Value) {
	for _, f := range section.children {
		key, value := join(path, f.name), v.Field(f.index)
		switch f.form {
		case formSection:
			k.texts(f, key, value)
		case formText:
			k.text(f, key, value.String())
		case formTexts:
			for i := range value.Len() {
				k.text(f, fmt.Sprintf("%s[%d]", key, i), value.Index(i).String())
			}
		case formRecords:
			for i := range value.Len() {
				k.texts(f, fmt.Sprintf("%s[%d]", key, i), value.Index(i))
			}
		case formNumber, formSize, formSpan: // have bounds, which Validate knows
		}
	}
}

func (k *checker) text(f *field, key, text string) {
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		k.refuse(key, quote(text)+" has characters that are not text", "remove them")
	case f.enum != nil && !slices.Contains(f.enum, text):
		remedy := f.remedy()
		if s := relaylens.Suggest(text, f.enum); s != "" {
			remedy = "did you mean " + s + "?"
		}
		k.refuse(key, quote(text)+" is not one of the values", remedy)
	}
}

func (k *checker) number(key string, n, least, most int) {
	if n < least || n > most {
		k.refuse(key, fmt.Sprintf("%d is out of bounds", n), fmt.Sprintf("use %d to %d", least, most))
	}
}

// hostname is a name that may be looked up; the resolver judges the rest.
var hostname = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$`)

func (k *checker) listen(listen string) {
	remedy := "write an address and a port, such as 127.0.0.1:9725, [::1]:9725 or :9725"
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		k.refuse("listen", quote(listen)+" is not an address with a port", remedy)
		return
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !hostname.MatchString(host) {
		k.refuse("listen", quote(host)+" is neither an IP address nor a host name", remedy)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > maxPort || strconv.Itoa(n) != port {
		k.refuse("listen", "the port "+quote(port)+" is not a number up to 65535", remedy)
	}
}

// path checks the name of a file or directory and reports whether it is fine.
func (k *checker) path(key, path string) bool {
	switch {
	case path == "":
		k.refuse(key, "is missing", "write an absolute path, such as "+pathExample(key))
	case !filepath.IsAbs(path):
		k.refuse(key, quote(path)+" is not an absolute path", "begin it with a slash: the daemon runs in no particular directory")
	default:
		return true
	}
	return false
}

func pathExample(key string) string {
	if strings.HasPrefix(key, "sources[") {
		return "/var/log/mail.log"
	}
	return "/var/lib/relaylens"
}

func (k *checker) directory(dir string) {
	if k.path("data_dir", dir) && filepath.Clean(dir) == "/" {
		k.refuse("data_dir", `"/" is the root of the file system`, "use a directory of its own, such as /var/lib/relaylens")
	}
}

func (k *checker) phrases(key string, texts []string) {
	for i, text := range texts {
		if _, err := relaylens.NewPhrases([]string{text}); err == nil {
			continue
		} else if syntax := errors.Unwrap(err); syntax != nil {
			k.refuse(fmt.Sprintf("%s[%d]", key, i), quote(text)+" is not a regular expression: "+syntax.Error(), "write RE2 between the slashes, or a plain text without them")
		} else {
			k.refuse(fmt.Sprintf("%s[%d]", key, i), quote(text)+" would match every text", "write a part of the server's answer")
		}
	}
}

// Location is the zone of stamps that do not tell their own.
func (c *Config) Location() (*time.Location, error) {
	if c.Timezone == "local" {
		return time.Local, nil
	}
	if c.Timezone == "" {
		return nil, errors.New("load zone: no name")
	}
	zone, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return nil, fmt.Errorf("load zone: %w", err)
	}
	return zone, nil
}

type namedTexts struct {
	mta   relaylens.MTA
	key   string
	texts *Texts
}

func (p *Parsers) all() []namedTexts {
	return []namedTexts{
		{relaylens.Postfix, "parsers.postfix", &p.Postfix},
		{relaylens.Exim, "parsers.exim", &p.Exim},
		{relaylens.Sendmail, "parsers.sendmail", &p.Sendmail},
	}
}

// Of compiles the texts of one MTA; of none other it returns the zero value.
func (p *Parsers) Of(mta relaylens.MTA) (relaylens.Texts, error) {
	for _, n := range p.all() {
		if n.mta == mta {
			return n.texts.compile()
		}
	}
	return relaylens.Texts{}, nil
}

func (t *Texts) compile() (relaylens.Texts, error) {
	denied, err := relaylens.NewPhrases(t.RelayDenied)
	if err != nil {
		return relaylens.Texts{}, err
	}
	verify, err := relaylens.NewPhrases(t.SenderVerify)
	return relaylens.Texts{RelayDenied: denied, SenderVerify: verify}, err
}

// Grammar is the MTA of the source, MTANone when each line tells it.
func (s *Source) Grammar() relaylens.MTA {
	mta, err := relaylens.ParseMTA(s.MTA)
	if err != nil {
		return relaylens.MTANone
	}
	return mta
}
