package summary

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
)

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *Diagnosis) UnmarshalJSON(text []byte) error {
	type plain Diagnosis
	var v struct {
		*plain
		Evidence []relaylens.Event `json:"evidence"`
	}
	v.plain = (*plain)(d)
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	d.Evidence = v.Evidence
	return nil
}

// MergeDiagnoses puts the findings of several stores together: what is the same
// problem in two of them is one. Clients and users that several saw may be the
// same ones, so that their number is a lower bound.
func MergeDiagnoses(lists [][]*Diagnosis) []*Diagnosis {
	var merged []*Diagnosis
	for _, list := range lists {
		for _, d := range list {
			i := slices.IndexFunc(merged, func(m *Diagnosis) bool { return sameProblem(&m.Finding, &d.Finding) })
			if i < 0 {
				merged = append(merged, d)
				continue
			}
			m := merged[i]
			events, errors := max(m.Events, d.Events), max(m.Errors, d.Errors)
			join(&m.Finding, &d.Finding)
			if shareEvidence(m, d) { // two stores of the same events
				m.Events, m.Errors, m.Partial = events, errors, m.Partial && d.Partial
				continue
			}
			m.Evidence = append(m.Evidence, d.Evidence...)[:min(3, len(m.Evidence)+len(d.Evidence))]
			m.Partial = m.Partial || d.Partial
		}
	}
	slices.SortStableFunc(merged, func(a, b *Diagnosis) int { return byUrgency(&a.Finding, &b.Finding) })
	return merged
}

func shareEvidence(a, b *Diagnosis) bool {
	return slices.ContainsFunc(a.Evidence, func(e relaylens.Event) bool {
		return slices.ContainsFunc(b.Evidence, func(o relaylens.Event) bool { return e.ID == o.ID })
	})
}

func sameProblem(a, b *relaylens.Finding) bool {
	return a.Cause == b.Cause && a.Entity == b.Entity && (a.Host == b.Host || !a.Entity.Kind.OfServer())
}

func join(a, b *relaylens.Finding) {
	a.Events, a.Errors = a.Events+b.Events, a.Errors+b.Errors
	a.Clients, a.Users = max(a.Clients, b.Clients), max(a.Users, b.Users)
	if b.First.Before(a.First) {
		a.First = b.First
	}
	if b.Last.After(a.Last) {
		a.Last = b.Last
	}
	if a.Host != b.Host {
		a.Host = ""
	}
	joinStanding(a, b)
	if b.Confidence > a.Confidence {
		a.Confidence, a.Why = b.Confidence, b.Why
	}
}

// joinStanding has a problem be open that is at one of two servers.
func joinStanding(a, b *relaylens.Finding) {
	a.Returns = max(a.Returns, b.Returns)
	switch {
	case a.Status == b.Status:
		a.Since, a.Resolved = earlier(a.Since, b.Since), later(a.Resolved, b.Resolved)
	case b.Status == relaylens.StatusOpen:
		a.Status, a.Since, a.Resolved = b.Status, b.Since, b.Resolved
	}
}

func byUrgency(a, b *relaylens.Finding) int {
	order := []relaylens.Fault{relaylens.FaultServer, relaylens.FaultClient, relaylens.FaultRemote, relaylens.FaultAttacker, relaylens.FaultNone}
	return cmp.Or(cmp.Compare(slices.Index(order, a.Fault), slices.Index(order, b.Fault)), cmp.Compare(b.Events+b.Errors, a.Events+a.Errors))
}

var errReport = errors.New("read summary: it cannot be")

// Check refuses what no store tells; it may come from anybody. Sums of several
// reports that pass do not overflow.
func (r *Report) Check() error {
	ok := len(r.Hosts) <= maxHosts && len(r.Lists) == fieldRemote && number(r.Refusals) && number(r.Remote.Refusals) && optional(r.Remote.Before) &&
		(r.Before == nil || number(r.Before.Refusals))
	for _, counts := range [][]Count{r.Kinds, r.Classes, r.Reasons, r.Causes, r.Context, r.Remote.Reasons} {
		ok = ok && len(counts) <= maxAlike && !slices.ContainsFunc(counts, func(c Count) bool { return !number(c.Events) || !optional(c.Before) })
	}
	for i, l := range append(slices.Clone(r.Lists), r.Remote.Servers) {
		ok = ok && l.check(listFields[min(i, fieldRemote)])
	}
	ok = ok && len(r.Timeline.Buckets) <= maxSteps && !slices.ContainsFunc(r.Timeline.Buckets, func(b Bucket) bool { return !b.check() })
	ok = ok && number(int64(r.FindingsTotal)) && len(r.Findings) <= maxAlike &&
		!slices.ContainsFunc(r.Findings, func(p Problem) bool { return !possible(&p.Finding) || !showable(p.Title, p.Fix) })
	if !ok {
		return errReport
	}
	return nil
}

func (l *List) check(field string) bool {
	return l.Field == field && number(int64(l.Distinct)) && number(l.Others) && number(l.Bound) && len(l.Values) <= maxValues && len(l.Former) <= maxValues && number(l.FormerBound) &&
		!slices.ContainsFunc(l.Values, func(v Item) bool { return !number(v.Events) || !number(v.Error) || !optional(v.Before) }) &&
		!slices.ContainsFunc(slices.Collect(maps.Values(l.Former)), func(n int64) bool { return !number(n) })
}

func (b *Bucket) check() bool {
	return number(b.Events) && number(b.RelayDenied) && number(b.SenderVerify) && number(b.AuthFailed) && number(b.Rejected) && number(b.Remote)
}

// More buckets and counts than these no report has.
const maxSteps, maxAlike = 10_000, 1000

func number(n int64) bool { return n >= 0 && n <= maxNumber }

// optional is number for one that need not be told.
func optional(n *int64) bool { return n == nil || number(*n) }

// MergeReports puts the summaries of several stores together, which must have no
// event in common. Totals add. A list has the top largest values; where a store
// told not all of its own, the error of each says how many more there can be.
func MergeReports(reports []*Report, top int, location *time.Location) *Report {
	m := *reports[0]
	m.loc = location
	for _, r := range reports[1:] {
		m.add(r)
	}
	m.Since, m.Until, m.First, m.Last = m.Since.In(location), m.Until.In(location), within(m.First, location), within(m.Last, location)
	slices.SortStableFunc(m.Findings, func(a, b Problem) int { return byUrgency(&a.Finding, &b.Finding) })
	m.Findings = m.Findings[:min(len(m.Findings), len(reports[0].Findings)+top)]
	m.Lists = nil
	for i := range reports[0].Lists {
		var same []List
		for _, r := range reports {
			if i < len(r.Lists) && r.Lists[i].Field == reports[0].Lists[i].Field {
				same = append(same, r.Lists[i])
			}
		}
		m.Lists = append(m.Lists, m.mergeLists(same, top))
	}
	var servers []List
	for _, r := range reports {
		servers = append(servers, r.Remote.Servers)
	}
	m.Remote.Servers = m.mergeLists(servers, top)
	if len(reports) > 1 {
		m.setNews(reports, top, location)
	} else if n := slices.IndexFunc(m.New, func(n New) bool { return n.Field != "cause" }); n >= 0 && top >= 0 {
		m.New = m.New[:min(len(m.New), n+top)]
	}
	for _, counts := range []*[]Count{&m.Classes, &m.Reasons, &m.Causes, &m.Remote.Reasons} {
		*counts = slices.DeleteFunc(*counts, func(c Count) bool { return c.Events == 0 })
	}
	return &m
}

// add adds what needs no list of all reports.
func (r *Report) add(o *Report) {
	r.Since, r.Until = earlier(r.Since, o.Since), later(r.Until, o.Until)
	r.First, r.Last = earlier(r.First, o.First), later(r.Last, o.Last)
	r.Hosts, r.MTAs = union(r.Hosts, o.Hosts), union(r.MTAs, o.MTAs)
	r.Refusals += o.Refusals
	if r.Before != nil && o.Before != nil {
		b := *r.Before
		b.Refusals += o.Before.Refusals
		r.Before = &b
	} else {
		r.Before = nil
	}
	r.Kinds, r.Classes, r.Reasons = addCounts(r.Kinds, o.Kinds, false), addCounts(r.Classes, o.Classes, false), addCounts(r.Reasons, o.Reasons, true)
	r.Causes, r.Context = addCounts(r.Causes, o.Causes, true), addCounts(r.Context, o.Context, false)
	r.Timeline = addTimelines(r.Timeline, o.Timeline)
	r.addFindings(o)
	r.Remote.Refusals += o.Remote.Refusals
	r.Remote.Before = addOptional(r.Remote.Before, o.Remote.Before)
	r.Remote.Reasons = addCounts(r.Remote.Reasons, o.Remote.Reasons, true)
}

func (r *Report) addFindings(o *Report) {
	r.Findings = slices.Clone(r.Findings)
	r.FindingsTotal += o.FindingsTotal
	for _, p := range o.Findings {
		i := slices.IndexFunc(r.Findings, func(x Problem) bool { return sameProblem(&x.Finding, &p.Finding) })
		if i < 0 {
			r.Findings = append(r.Findings, p)
			continue
		}
		join(&r.Findings[i].Finding, &p.Finding)
		r.Findings[i].Partial = r.Findings[i].Partial || p.Partial
		r.FindingsTotal--
	}
}

// addCounts adds what is alike in words; sorted lists have the largest first.
func addCounts(a, b []Count, sorted bool) []Count {
	sum := slices.Clone(a)
	for _, c := range b {
		i := slices.IndexFunc(sum, func(x Count) bool {
			return x.Kind == c.Kind && x.Reason == c.Reason && x.Cause == c.Cause && x.Fault == c.Fault && x.Class == c.Class && x.Action == c.Action
		})
		if i < 0 {
			sum = append(sum, c)
			continue
		}
		sum[i].Events += c.Events
		sum[i].Before = addOptional(sum[i].Before, c.Before)
	}
	if sorted {
		slices.SortStableFunc(sum, func(x, y Count) int { return cmp.Compare(y.Events, x.Events) })
	}
	return sum
}

func addOptional(a, b *int64) *int64 {
	if a == nil || b == nil {
		return nil
	}
	sum := *a + *b
	return &sum
}

// addTimelines adds buckets of the same time; of finer steps, those that a
// coarser one covers.
func addTimelines(a, b Timeline) Timeline {
	if b.width() > a.width() {
		a, b = b, a
	}
	sum := Timeline{Step: a.Step, Buckets: slices.Clone(a.Buckets)}
	for _, k := range b.Buckets {
		i, found := slices.BinarySearchFunc(sum.Buckets, k.Time, func(x Bucket, t time.Time) int { return x.Time.Compare(t) })
		switch {
		case found:
		case a.Step != b.Step && i > 0:
			i--
		case a.Step != b.Step && len(sum.Buckets) > 0:
		default:
			sum.Buckets = slices.Insert(sum.Buckets, i, k)
			continue
		}
		x := &sum.Buckets[i]
		x.Events, x.Remote = x.Events+k.Events, x.Remote+k.Remote
		x.RelayDenied, x.SenderVerify = x.RelayDenied+k.RelayDenied, x.SenderVerify+k.SenderVerify
		x.AuthFailed, x.Rejected = x.AuthFailed+k.AuthFailed, x.Rejected+k.Rejected
	}
	return sum
}

// width is the time between the first two buckets.
func (t *Timeline) width() time.Duration {
	if len(t.Buckets) < 2 {
		return 0
	}
	return t.Buckets[1].Time.Sub(t.Buckets[0].Time)
}

// mergeLists adds values by name. A value that a list does not tell may have up
// to its bound of events there, which is added to the error.
func (r *Report) mergeLists(lists []List, top int) List {
	m := List{Field: lists[0].Field}
	values, order, events := sumItems(lists)
	listed := true // by name, all values
	for _, l := range lists {
		events += l.Others
		m.Bound += l.Bound
		m.AtLeast = m.AtLeast || l.AtLeast
		listed = listed && l.Others == 0 && !l.AtLeast
		m.Distinct = max(m.Distinct, l.Distinct)
	}
	sketch := mergeSketches(lists)
	switch m.Distinct = max(m.Distinct, len(order)); {
	case listed:
		m.Distinct = len(order)
	case sketch != nil:
		m.Distinct, m.About = max(m.Distinct, sketch.Estimate()), true
	default:
		m.AtLeast = true
	}
	for _, l := range lists {
		for name, x := range values {
			if l.Bound > 0 && !slices.ContainsFunc(l.Values, func(v Item) bool { return v.Value == name }) {
				x.Error += l.Bound
			}
		}
	}
	m.keep(values, order, events, top)
	if r.Before != nil && len(lists) > 1 {
		m.setBefore(lists)
	}
	return m
}

// sumItems adds the values of all lists by name; order is that in which they came,
// events are those of all of them.
func sumItems(lists []List) (values map[string]*Item, order []string, events int64) {
	values = map[string]*Item{}
	for _, l := range lists {
		for _, v := range l.Values {
			events += v.Events
			if x := values[v.Value]; x != nil {
				joinItems(x, &v)
				continue
			}
			values[v.Value] = &v
			order = append(order, v.Value)
		}
	}
	return values, order, events
}

// keep lists the top largest of the values, all when top is negative; events are
// those of all of them and of what has no name.
func (l *List) keep(values map[string]*Item, order []string, events int64, top int) {
	slices.SortStableFunc(order, func(a, b string) int {
		return cmp.Or(cmp.Compare(values[b].Events, values[a].Events), cmp.Compare(a, b))
	})
	for i, name := range order {
		if top >= 0 && i >= top {
			l.Bound = max(l.Bound, values[name].Events+values[name].Error)
			continue
		}
		l.Values = append(l.Values, *values[name])
		events -= values[name].Events
	}
	l.Others = events
}

// mergeSketches is of the values of all lists; nil where one has no sketch.
func mergeSketches(lists []List) *aggregate.Distinct {
	sum := aggregate.NewDistinct()
	for _, l := range lists {
		if l.Sketch == nil || sum.Merge(l.Sketch) != nil {
			return nil
		}
	}
	return sum
}

func joinItems(x, v *Item) {
	if v.Events > x.Events {
		x.Mostly = v.Mostly
	}
	x.Events, x.Error = x.Events+v.Events, x.Error+v.Error
	x.Before = addOptional(x.Before, v.Before)
	if v.Last.After(x.Last) && v.Name+v.Answer != "" {
		x.Name, x.Answer = v.Name, v.Answer
	}
	x.First, x.Last = earlier(x.First, v.First), later(x.Last, v.Last)
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func union(a, b []string) []string {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}
