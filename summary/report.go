package summary

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
)

// Report is a summary: what -o json prints, and what the other forms show.
// docs/summary.md describes it. Text that came from a log is verbatim.
type Report struct {
	Since time.Time `json:"since,omitzero"` // of the span; of the first event where it is open
	Until time.Time `json:"until,omitzero"` // excluded; the last event's second where the span is open
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`

	Hosts []string `json:"hosts"`
	// Shared are hosts whose events several of the servers that were asked have,
	// and which count at one of them.
	Shared []string `json:"shared_hosts,omitempty"`
	MTAs   []string `json:"mtas"`

	Refusals int64   `json:"refusals"`         // what this server refused
	Before   *Before `json:"before,omitempty"` // absent when the span is compared with nothing

	Kinds    []Count  `json:"kinds"`   // each of the four, what this server refused
	Classes  []Count  `json:"classes"` // 4xx and 5xx
	Reasons  []Count  `json:"reasons"`
	Causes   []Count  `json:"causes"` // of both directions, the worst first
	Timeline Timeline `json:"timeline"`
	// Findings are the first problems, the server's own faults first, and
	// FindingsTotal is how many there are.
	Findings      []Problem `json:"findings,omitempty"`
	FindingsTotal int       `json:"findings_total,omitempty"`
	Lists         []List    `json:"lists"` // what this server refused, by who was concerned
	New           []New     `json:"new"`   // what the span before did not have
	Remote        Remote    `json:"remote"`

	// Context is what the log tells beside refusals: messages accepted and
	// delivered, logins, and complaints that refused nothing. Only files tell it.
	Context []Count `json:"context,omitempty"`

	loc *time.Location
}

// Before is the span that a report is compared with.
type Before struct {
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	Refusals int64     `json:"refusals"`
}

// Count is how many events are alike in the words that are set.
type Count struct {
	Kind   relaylens.Kind   `json:"kind,omitzero"`
	Reason relaylens.Reason `json:"reason,omitzero"`
	Cause  relaylens.Cause  `json:"cause,omitzero"`
	Fault  relaylens.Fault  `json:"fault,omitzero"`
	Class  relaylens.Class  `json:"class,omitzero"`
	Action relaylens.Action `json:"action,omitzero"`
	Events int64            `json:"events"`
	Before *int64           `json:"before,omitempty"` // in the span before
}

// List is the largest values of one field.
type List struct {
	Field    string `json:"field"`
	Distinct int    `json:"distinct"` // how many values there are; at least, where AtLeast
	AtLeast  bool   `json:"distinct_at_least,omitempty"`
	About    bool   `json:"distinct_about,omitempty"` // Distinct is an estimate, to some 0.8 %
	Values   []Item `json:"values"`
	Others   int64  `json:"others"` // events of the values that are not listed
	Bound    int64  `json:"bound"`  // no value with more events than this is missing; 0: none is

	// Sketch is of all values, where it was asked for: to be merged with others'.
	Sketch *aggregate.Distinct `json:"sketch,omitempty"`
	// Former is how many events each value had in the span before, and FormerBound
	// how many one can have had beside those; with Sketch.
	Former      map[string]int64 `json:"former,omitempty"`
	FormerBound int64            `json:"former_bound,omitempty"`
}

// Item is one value of a list.
type Item struct {
	Value   string    `json:"value"`
	Name    string    `json:"client_name,omitempty"` // of a client, the latest
	Network string    `json:"client_net,omitempty"`
	Answer  string    `json:"answer,omitempty"` // of a remote server, the latest
	Events  int64     `json:"events"`           // at least
	Error   int64     `json:"error,omitempty"`  // how many more it can be
	Before  *int64    `json:"before,omitempty"`
	Mostly  string    `json:"mostly"` // the kind that most of the events are of
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

// New is a value of the span that the span before did not have.
type New struct {
	Field  string    `json:"field"`
	Value  string    `json:"value"`
	Name   string    `json:"client_name,omitempty"`
	Events int64     `json:"events"`
	First  time.Time `json:"first,omitzero"`
	// Before is how many events the span before can have had of it all the same,
	// never more than a tenth of Events.
	Before int64 `json:"before_at_most,omitempty"`
}

// Problem is a finding in short, with what to try first. What diagnose prints
// has the evidence and all fixes.
type Problem struct {
	relaylens.Finding
	Title string `json:"title"`
	Fix   string `json:"fix,omitempty"`
	// Partial says that the latest refusals of this cause were looked at only:
	// there may be more events and clients, and earlier ones.
	Partial bool `json:"partial,omitempty"`
}

// Remote is what other servers refused to take from this one.
type Remote struct {
	Refusals int64   `json:"refusals"`
	Before   *int64  `json:"before,omitempty"`
	Reasons  []Count `json:"reasons"`
	Servers  List    `json:"servers"`
}

// ReportOptions say how much a report tells.
type ReportOptions struct {
	Top      int            // values of each list; negative is all that were counted
	Steps    int            // of the time line, at most; more than 100 are 100
	Location *time.Location // of its hours and days
}

// Report is what was counted so far.
func (b *Builder) Report(o ReportOptions) *Report {
	b.now.settle()
	b.then.settle()
	span := b.covered()
	r := &Report{
		Since: span.Since.In(o.Location), Until: span.Until.In(o.Location), loc: o.Location,
		First: within(b.now.first, o.Location), Last: within(b.now.last, o.Location),
		Hosts: b.hosts(), MTAs: b.mtas(),
	}
	r.Timeline = Timeline{Buckets: []Bucket{}}
	if !span.Since.IsZero() {
		r.Timeline = b.now.hist.timeline(span, o.Location, min(max(o.Steps, 1), maxLine))
	}
	isInbound := func(w What) bool { return w.Direction != relaylens.Outbound }
	isRemote := func(w What) bool { return w.Direction == relaylens.Outbound }
	r.Refusals, r.Remote.Refusals = b.now.sum(isInbound), b.now.sum(isRemote)
	if b.compares() {
		remote := b.then.sum(isRemote)
		r.Remote.Before = &remote
		r.Before = &Before{b.before.Since.Truncate(time.Microsecond).In(o.Location), b.before.Until.In(o.Location), b.then.sum(isInbound)}
	}
	r.Kinds = b.kinds(isInbound)
	r.Classes = b.counts(isInbound, func(w What) Count { return Count{Class: w.Class} })
	r.Reasons = b.counts(isInbound, func(w What) Count { return Count{Kind: w.Kind, Reason: w.Reason} })
	r.Remote.Reasons = b.counts(isRemote, func(w What) Count { return Count{Kind: w.Kind, Reason: w.Reason} })
	r.Causes = b.causes()
	for field := range fieldRemote {
		r.Lists = append(r.Lists, b.list(field, o))
	}
	r.Remote.Servers = b.list(fieldRemote, o)
	r.New = b.news(r, o)
	r.Context = b.contexts()
	return r
}

// SetFindings adds the problems behind the refusals, at most top of them; a
// negative top is all. Total is how many there are.
func (r *Report) SetFindings(findings []*Diagnosis, total, top int) {
	r.FindingsTotal = total
	if top >= 0 && top < len(findings) {
		findings = findings[:top]
	}
	r.Findings = nil
	for _, d := range findings {
		p := Problem{Finding: d.Finding, Title: d.Title, Partial: d.Partial}
		if len(d.Fixes) > 0 {
			p.Fix = d.Fixes[0].Title
		}
		r.Findings = append(r.Findings, p)
	}
}

func within(t time.Time, loc *time.Location) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(loc)
}

// covered is the span with its open ends closed by the events in it.
func (b *Builder) covered() Span {
	span := b.span
	if span.Since.IsZero() {
		span.Since = b.now.first
	}
	if span.Until.IsZero() {
		span.Until = b.now.last.Truncate(time.Second).Add(time.Second)
		if b.now.last.IsZero() {
			span.Until = span.Since
		}
	}
	if span.Since.IsZero() {
		span.Since = span.Until
	}
	// An end that is itself in the span is a nanosecond later, which is no step of
	// a time line.
	span.Until = span.Until.Truncate(time.Microsecond)
	return span
}

// merged reports whether the report is for one that is put together of several.
func (b *Builder) merged() bool { return b.compares() && b.now.distinct[0] != nil }

func (b *Builder) compares() bool { return b.before != (Span{}) }

func (t *tally) sum(of func(What) bool) (n int64) {
	for w, events := range t.what.events {
		if of(w) {
			n += *events
		}
	}
	return n
}

// counts adds up what is alike in the words that key takes, the most first.
func (b *Builder) counts(of func(What) bool, key func(What) Count) []Count {
	now, then := b.now.by(of, key), b.then.by(of, key)
	counts := make([]Count, 0, len(now))
	for c, n := range now {
		c.Events = n
		if b.compares() {
			before := then[Count{Kind: c.Kind, Reason: c.Reason, Cause: c.Cause, Fault: c.Fault, Class: c.Class}]
			c.Before = &before
		}
		counts = append(counts, c)
	}
	if b.merged() { // another one may have what this one had before
		for c, n := range then {
			if _, ok := now[c]; !ok {
				c.Before = &n
				counts = append(counts, c)
			}
		}
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reason, b.Reason),
			cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Class, b.Class))
	})
	return counts
}

func (t *tally) by(of func(What) bool, key func(What) Count) map[Count]int64 {
	sums := make(map[Count]int64)
	for w, n := range t.what.events {
		if of(w) {
			sums[key(w)] += *n
		}
	}
	return sums
}

// kinds are all four in their own order, those without events too.
func (b *Builder) kinds(of func(What) bool) []Count {
	found := b.counts(of, func(w What) Count { return Count{Kind: w.Kind} })
	var kinds []Count
	for _, k := range relaylens.RefusalKinds() {
		c := Count{Kind: k}
		if i := slices.IndexFunc(found, func(c Count) bool { return c.Kind == k }); i >= 0 {
			c = found[i]
		} else if b.compares() {
			before := b.then.sum(func(w What) bool { return of(w) && w.Kind == k })
			c.Before = &before
		}
		kinds = append(kinds, c)
	}
	return kinds
}

// faultRank puts first what the reader has to mend: the server is theirs, and
// its clients are theirs to help. Nobody can mend an attacker.
var faultRank = map[relaylens.Fault]int{relaylens.FaultServer: 0, relaylens.FaultClient: 1, relaylens.FaultRemote: 2,
	relaylens.FaultAttacker: 3, relaylens.FaultNone: 4}

func (b *Builder) causes() []Count {
	all := func(What) bool { return true }
	causes := b.counts(all, func(w What) Count { return Count{Cause: w.Cause, Fault: w.Cause.Fault()} })
	slices.SortStableFunc(causes, func(a, b Count) int { return cmp.Compare(faultRank[a.Fault], faultRank[b.Fault]) })
	return causes
}

func (b *Builder) hosts() []string {
	hosts := []string{}
	for _, e := range b.now.hosts.List(-1) {
		hosts = append(hosts, e.Key)
	}
	return hosts
}

func (b *Builder) mtas() []string {
	names := []string{}
	for _, mta := range relaylens.MTAs() {
		if b.now.mtas[mta] > 0 {
			names = append(names, mta.String())
		}
	}
	return names
}

func (b *Builder) contexts() []Count {
	var counts []Count
	for _, k := range relaylens.Kinds() {
		// Connections depend on what is logged more than on what happened.
		if n := b.context[k]; n > 0 && k != relaylens.KindConnection {
			counts = append(counts, Count{Kind: k, Events: n})
		}
	}
	for _, a := range relaylens.Actions() {
		if n := b.actions[a]; n > 0 {
			counts = append(counts, Count{Action: a, Events: n})
		}
	}
	return counts
}

// clientNet is the network of a client by its text.
func clientNet(client string) string {
	a, err := netip.ParseAddr(client)
	if err != nil {
		return ""
	}
	return relaylens.NetworkOf(a).String()
}
