package ask

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/internal/resident"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

// DefaultSpan is what a summary of a store is of when no time is given.
const DefaultSpan = 24 * time.Hour

// DefaultGroups is how many groups a summary by fields lists when no number is
// given.
const DefaultGroups = 20

// SummaryOptions say what a summary is to be of.
type SummaryOptions struct {
	Span  store.Span // the zero Span: of a store the last 24 hours, of files all
	Match relaylens.Match
	By    []string // count by these fields, and nothing else
	Top   int      // values of each list; negative is all
	Now   time.Time
	// Location is the zone of hours and days.
	Location *time.Location
	// Sketches are added to the lists, for those who merge them.
	Sketches bool
	// Files says that files are asked: then an open span ends with the last event.
	Files bool
}

// Summary counts the refusals of a span, and of the span before.
type Summary struct {
	o        SummaryOptions
	before   store.Span
	builder  *summary.Builder
	groups   *summary.Groups // in place of builder, with By
	problems problems
}

// NewSummary prepares a summary. Its error is of By.
func NewSummary(o SummaryOptions) (*Summary, error) {
	if !o.Files && o.Span == (store.Span{}) {
		o.Span.Since = o.Now.Add(-DefaultSpan)
	}
	r := &Summary{o: o}
	r.setBefore()
	if len(o.By) > 0 {
		var err error
		if r.groups, err = summary.NewGroups(o.By, summary.Span(o.Span), o.Location); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// setBefore finds the span to compare with: until now, where the span is open.
func (r *Summary) setBefore() {
	span := r.o.Span
	closed := summary.Span(span)
	if closed.Until.IsZero() && r.o.Now.After(closed.Since) {
		closed.Until = r.o.Now
	}
	r.before = store.Span(closed.Before())
	if !r.o.Files && span.Until.IsZero() && span.Since.IsZero() {
		r.before = store.Span{}
	}
	r.builder = summary.NewBuilder(closed, summary.Span(r.before))
	if closed.Since.IsZero() || r.o.Files && span.Until.IsZero() {
		// Of files the span ends with the last event, whatever the clock shows.
		r.builder = summary.NewBuilder(summary.Span(span), summary.Span(r.before))
	}
	if r.o.Sketches {
		r.builder.Sketch()
	}
}

// Span is what is counted.
func (r *Summary) Span() store.Span { return r.o.Span }

// Report is what was counted, on a time line of so many steps at most.
func (r *Summary) Report(steps int) *summary.Report {
	report := r.builder.Report(summary.ReportOptions{Top: r.o.Top, Steps: steps, Location: r.o.Location})
	report.SetFindings(r.problems.list, r.problems.total, r.o.Top)
	return report
}

// Findings are the problems behind what was counted.
func (r *Summary) Findings() []*summary.Diagnosis { return r.problems.list }

// Table is what was counted by the fields of By.
func (r *Summary) Table() *summary.GroupTable { return r.groups.Table(r.o.Top) }

// add counts one event.
func (r *Summary) add(e *relaylens.Event) {
	if r.groups != nil {
		r.groups.Add(e)
		return
	}
	r.builder.Add(e)
}

// summaryMemory is for refusals whose cause is open; more wait on disk.
const summaryMemory = 256 << 10

// CountFiles counts what files tell. A file that cannot be read does not stop
// the others.
func (r *Summary) CountFiles(ctx context.Context, files *Files) error {
	files.Options.Raw = files.Options.Raw || r.o.Match.Uses("raw") || slices.Contains(r.o.By, "raw")
	files.Options.Brief, files.counted = true, !r.o.Match.Uses("id") && !slices.Contains(r.o.By, "id")
	g := newGathered(files.Site, summaryMemory, r.o.Match, false)
	findings := g.classify.NewFindings()
	findings.Brief()
	counted := r.counted()
	// causeless counts do not ask for the cause, so that refusals whose cause is open
	// are counted before it is told, unless a copy of one may follow.
	causeless := r.groups == nil && !r.o.Match.Uses("cause")
	err := g.read(ctx, files, func(e *relaylens.Event) bool {
		if e.Kind == relaylens.KindBackendError && g.match.Event(e) && inSpan(e.Time, r.o.Span) {
			findings.AddLast(e)
		}
		switch {
		case e.Kind == relaylens.KindConnection, !inSpan(e.Time, counted):
		case e.Refusal() && (files.twins || !g.settled):
			if causeless && !files.twins {
				r.builder.AddOpen(e)
			}
			return true
		case e.Refusal():
			if g.match.Event(e) {
				if r.add(e); inSpan(e.Time, r.o.Span) {
					findings.AddLast(e)
				}
			}
		case r.o.Match.IsZero():
			r.add(e)
		}
		return false
	})
	if err != nil {
		return err
	}
	defer g.close()
	count := r.add
	if causeless && !files.twins {
		count = r.builder.AddCause
	}
	if err := r.countFinal(g, findings, count); err != nil {
		return err
	}
	r.find(g, findings)
	return g.readErr
}

// countFinal counts the events whose causes were open until all was read.
func (r *Summary) countFinal(g *gathered, findings *classifier.Findings, count func(*relaylens.Event)) error {
	for e, err := range g.final(fromCursor{}) {
		if err != nil {
			return err
		}
		if count(e); inSpan(e.Time, r.o.Span) {
			findings.AddLast(e)
		}
	}
	return g.close()
}

// find keeps the first findings, and forgets all that they were found by.
func (r *Summary) find(g *gathered, findings *classifier.Findings) {
	g.classify.Done()
	resident.Release() // what was needed to count
	list, total := findings.First(r.o.Top)
	g.classify = nil
	resident.Release()
	r.problems.list, r.problems.total = diagnoses(list), total
}

// counted is all that is counted: the span, with the one before it.
func (r *Summary) counted() store.Span {
	since := r.o.Span.Since
	if r.before != (store.Span{}) {
		since = r.before.Since
	}
	return store.Span{Since: since, Until: r.o.Span.Until}
}

// CountStore counts what a store tells, from the hourly roll-ups if they can
// answer.
func (r *Summary) CountStore(ctx context.Context, s *store.Store) error {
	switch {
	case r.groups != nil && r.groupsRollUp():
		return r.groupTotals(ctx, s)
	case r.groups != nil:
		return r.countRows(ctx, s, r.o.Span)
	}
	count := r.countHours
	if !r.o.Match.IsZero() || r.short() {
		count = func(ctx context.Context, s *store.Store) error {
			return cmp.Or(r.countRows(ctx, s, r.o.Span), r.countRows(ctx, s, r.before))
		}
	}
	var wg sync.WaitGroup
	var findErr error
	wg.Go(func() { findErr = r.problems.find(ctx, s, r.o.Span, r.o.Match, mostOfCause, r.o.Top) })
	err := count(ctx, s)
	wg.Wait()
	return cmp.Or(err, findErr)
}

// shortSpan is what a time line by hours says too little of.
const shortSpan = 2 * time.Hour

func (r *Summary) short() bool {
	return r.before != (store.Span{}) && r.before.Until.Sub(r.before.Since) <= shortSpan
}

// countRows counts events of the store one by one.
func (r *Summary) countRows(ctx context.Context, s *store.Store, span store.Span) error {
	if span == (store.Span{}) && r.o.Span != span {
		return nil // there is no span before
	}
	events := s.Brief(ctx, span, r.o.Match)
	if slices.ContainsFunc(r.o.By, func(field string) bool { return !summary.BriefField(field) }) {
		events = s.Select(ctx, store.Query{Span: span, Match: r.o.Match})
	}
	for e, err := range events {
		if err != nil {
			return err
		}
		r.add(&e)
	}
	return ctx.Err()
}
