package knowledge

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/relaylens/relaylens"
)

//go:embed knowledge.yaml
var file []byte

// Entry is what is known of one cause. It is shared: callers must not change it.
type Entry struct {
	Cause      relaylens.Cause `yaml:"-" json:"cause"`
	Title      string          `yaml:"title" json:"title,omitempty"`
	Fault      relaylens.Fault `yaml:"-" json:"fault"`
	FaultName  string          `yaml:"fault" json:"-"` // Fault as the file says it
	Text       string          `yaml:"text" json:"text,omitempty"`
	Proof      []string        `yaml:"proof" json:"proof,omitempty"`
	Against    []string        `yaml:"against" json:"against,omitempty"`
	Fixes      []Fix           `yaml:"fixes" json:"fixes,omitempty"`         // the most successful first, those without a rate last
	DeadEnds   []DeadEnd       `yaml:"dead_ends" json:"dead_ends,omitempty"` // the surest failure first, those without a rate last
	Checks     []Check         `yaml:"checks" json:"checks,omitempty"`
	References []string        `yaml:"references" json:"references,omitempty"`
	Versions   string          `yaml:"versions" json:"versions,omitempty"` // what a fix needs beyond [Versions]
}

// Versions are the releases that the knowledge was read from.
const Versions = "Postfix 3.4 to 3.11, Exim 4.92 to 4.99, Sendmail 8.14 to 8.18"

// Fix is one way to make a cause go away.
type Fix struct {
	Title string `yaml:"title" json:"title,omitempty"`
	Rate  int    `yaml:"rate" json:"rate,omitempty"` // per cent of those who tried it; 0 is not known
	Any   []Step `yaml:"any" json:"any,omitempty"`   // whatever the server

	Postfix  []Step `yaml:"postfix" json:"postfix,omitempty"`
	Exim     []Step `yaml:"exim" json:"exim,omitempty"`
	Sendmail []Step `yaml:"sendmail" json:"sendmail,omitempty"`

	CPanel  []Step `yaml:"cpanel" json:"cpanel,omitempty"`
	Plesk   []Step `yaml:"plesk" json:"plesk,omitempty"`
	Dovecot []Step `yaml:"dovecot" json:"dovecot,omitempty"`
}

// Step is one of three: something to know or do, a command, or what belongs
// into a file.
type Step struct {
	Say  string `yaml:"say" json:"say,omitempty"`
	Run  string `yaml:"run" json:"run,omitempty"`   // a line for the shell
	File string `yaml:"file" json:"file,omitempty"` // where Text belongs
	Text string `yaml:"text" json:"text,omitempty"`
}

// Steps are those of one server's fix: the general ones and its own.
func (f *Fix) Steps(mta relaylens.MTA) []Step {
	steps := f.Any[:len(f.Any):len(f.Any)]
	switch mta {
	case relaylens.Postfix:
		return append(steps, f.Postfix...)
	case relaylens.Exim:
		return append(steps, f.Exim...)
	case relaylens.Sendmail:
		return append(steps, f.Sendmail...)
	}
	return steps
}

// Product is what stands around a mail server, and the steps for it.
type Product struct {
	Name  string
	Steps []Step
}

// Products are the steps for what stands around a mail server.
func (f *Fix) Products() []Product {
	var ps []Product
	for _, p := range []Product{{"cPanel", f.CPanel}, {"Plesk", f.Plesk}, {"Dovecot", f.Dovecot}} {
		if len(p.Steps) > 0 {
			ps = append(ps, p)
		}
	}
	return ps
}

// DeadEnd is what people try and what does not help.
type DeadEnd struct {
	Title string `yaml:"title" json:"title,omitempty"`
	Rate  int    `yaml:"rate" json:"rate,omitempty"` // per cent of those whom it failed; 0 is not known
	Why   string `yaml:"why" json:"why,omitempty"`
}

// Check is a command that tells more; it changes nothing.
type Check struct {
	What string `yaml:"what" json:"what,omitempty"`
	MTA  string `yaml:"mta" json:"mta,omitempty"` // empty: whatever the server
	Run  string `yaml:"run" json:"run,omitempty"`
}

// For reports whether the check is one for a server; MTANone takes them all.
func (c *Check) For(mta relaylens.MTA) bool {
	return c.MTA == "" || mta == relaylens.MTANone || c.MTA == mta.String()
}

// base is the file.
type base struct {
	Causes     map[string]*Entry   `yaml:"causes"`
	Helpers    map[string]*Entry   `yaml:"helpers"` // by what does not answer
	Own        map[string]*Entry   `yaml:"own"`     // by cause: of findings that are the server's own fault though the cause is another's
	Kinds      map[string]kindWord `yaml:"kinds"`
	Reasons    map[string]word     `yaml:"reasons"`
	Directions map[string]string   `yaml:"directions"`
	Stages     map[string]string   `yaml:"stages"`
	Actions    map[string]string   `yaml:"actions"`
	Fields     map[string]string   `yaml:"fields"`
	Codes      map[uint16]Code     `yaml:"codes"`
	Subjects   map[string]string   `yaml:"subjects"`
	Enhanced   map[string]Code     `yaml:"enhanced"`
	Texts      []Wording           `yaml:"texts"`
	Lines      []Line              `yaml:"lines"`
	Usual      []usual             `yaml:"usual"`
	Blocklists blocklists          `yaml:"blocklists"`
}

type word struct {
	Means  string   `yaml:"means"`
	Causes []string `yaml:"causes"`
}

type kindWord struct {
	Means    string   `yaml:"means"`
	Inbound  []string `yaml:"inbound"`
	Outbound []string `yaml:"outbound"`
}

// load reads the file, once. That it can be read is what the tests are for.
var load = sync.OnceValue(func() *base {
	b, err := decode(file)
	if err != nil {
		panic(err)
	}
	return b
})

func decode(text []byte) (*base, error) {
	var b base
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&b); err != nil {
		return nil, fmt.Errorf("read knowledge: %w", err)
	}
	for name, e := range b.Causes {
		if err := e.name(name); err != nil {
			return nil, err
		}
	}
	for name, e := range b.Own {
		if err := e.name(name); err != nil {
			return nil, err
		}
	}
	for name, e := range b.Helpers {
		e.Cause = relaylens.CausePolicy
		if err := e.fault(name); err != nil {
			return nil, err
		}
	}
	return &b, nil
}

// name says what e is of.
func (e *Entry) name(name string) (err error) {
	if e.Cause, err = relaylens.ParseCause(name); err != nil {
		return fmt.Errorf("read knowledge: %w", err)
	}
	return e.fault(name)
}

func (e *Entry) fault(name string) (err error) {
	if e.FaultName == "" {
		return nil
	}
	if e.Fault, err = relaylens.ParseFault(e.FaultName); err != nil {
		return fmt.Errorf("read knowledge of %s: %w", name, err)
	}
	return nil
}

// Of is what is known of a cause; nil for CauseNone.
func Of(cause relaylens.Cause) *Entry {
	known, ok := entries.Load(cause)
	if !ok {
		e, err := decodeEntry(file, cause.String())
		if err != nil { // it refers to another one
			e = load().Causes[cause.String()]
		}
		known, _ = entries.LoadOrStore(cause, e)
	}
	return known.(*Entry)
}

// OfEvent is what is known of the cause of an event, which may be nil, as Of; where the server refused for
// the want of a helper of its own, what is known of that.
func OfEvent(e *relaylens.Event, cause relaylens.Cause) *Entry {
	if cause == relaylens.CausePolicy && e != nil {
		if h := relaylens.HelperOf(e); h != relaylens.HelperNone {
			return OfHelper(h)
		}
	}
	return Of(cause)
}

// OfFinding is what is known of the cause of a finding, which has evidence, and of whose fault it is there.
func OfFinding(f *relaylens.Finding) *Entry {
	if f.Fault == relaylens.FaultServer && f.Cause.Fault() != relaylens.FaultServer {
		if e := load().Own[f.Cause.String()]; e != nil {
			return e
		}
	}
	return OfEvent(&f.Evidence[0], f.Cause)
}

// OfHelper is what is known of a helper that fails.
func OfHelper(h relaylens.Helper) *Entry { return load().Helpers[h.String()] }

// entries are those that were asked for, which are few of the file: to read all of
// it takes longer than to count the refusals of a day.
var entries sync.Map

// decodeEntry reads one entry of the file; nil when there is none. That it refers to
// another is an error.
func decodeEntry(text []byte, name string) (*Entry, error) {
	begin := bytes.Index(text, []byte("\n  "+name+":\n"))
	if begin < 0 {
		return nil, nil
	}
	text = text[begin+1:]
	if end := endOfEntry.FindIndex(text[1:]); end != nil {
		text = text[:1+end[0]]
	}
	var one map[string]*Entry
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&one); err != nil {
		return nil, fmt.Errorf("read knowledge of %s: %w", name, err)
	}
	return one[name], one[name].name(name)
}

// endOfEntry is where a line has less than three blanks in front.
var endOfEntry = regexp.MustCompile(`\n {0,2}[a-z]`)

// Candidates are the causes that an event like e can have, the most likely
// first: its own, if it has one, then those of its reason, then those of its kind.
func Candidates(e *relaylens.Event) []relaylens.Cause {
	b := load()
	kind := b.Kinds[e.Kind.String()]
	list := kind.Inbound
	if e.Direction == relaylens.Outbound {
		list = kind.Outbound
	} else if r, ok := b.Reasons[e.Reason.String()]; ok {
		list = r.Causes
	}
	var causes []relaylens.Cause
	if e.Cause != relaylens.CauseNone && e.Cause != relaylens.CauseUnknown {
		causes = append(causes, e.Cause)
	}
	for _, c := range parseCauses(list) {
		if c != e.Cause {
			causes = append(causes, c)
		}
	}
	if len(causes) == 0 && e.Kind.Refusal() {
		return []relaylens.Cause{relaylens.CauseUnknown}
	}
	return causes
}

// parseCauses reads names, which the schema test has seen.
func parseCauses(names []string) []relaylens.Cause {
	var causes []relaylens.Cause
	for _, name := range names {
		if c, err := relaylens.ParseCause(name); err == nil {
			causes = append(causes, c)
		}
	}
	return causes
}
