package ask

import (
	"context"
	"errors"
	"slices"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

// Findings is a question for the problems that refusals point to.
type Findings struct {
	Span  store.Span
	Match relaylens.Match
	// Most is how many refusals of a store are looked at, at most; 0 is all. Of
	// more, the latest of each cause are looked at, and the findings are partial.
	Most int
}

// Store gathers what is in a store, whose causes are told already.
func (q *Findings) Store(ctx context.Context, s *store.Store) ([]*summary.Diagnosis, error) {
	if q.Most > 0 {
		n, err := s.Count(ctx, q.Span, q.Match, q.Most+1)
		if err != nil {
			return nil, err
		}
		if n > q.Most {
			var p problems
			err := p.find(ctx, s, q.Span, q.Match, max(q.Most/len(relaylens.Causes()), 1), NoLimit)
			return p.list, err
		}
	}
	g := newGathering()
	for e, err := range s.Select(ctx, store.Query{Span: q.Span, Match: q.Match}) {
		if err != nil {
			return nil, err
		}
		g.add(&e)
	}
	if err := errors.Join(g.clock(ctx, s), ctx.Err()); err != nil {
		return nil, err
	}
	return diagnoses(g.findings.List()), nil
}

// Files gathers what files tell, once all of it is known. With an error for
// those that could not be read, it gives the findings of the others.
func (q *Findings) Files(ctx context.Context, files *Files) ([]*summary.Diagnosis, error) {
	files.Options.Brief = true
	gathered, err := files.gather(ctx, q.Match, false, func(e *relaylens.Event) bool { return relaylens.OfFinding(e) && inSpan(e.Time, q.Span) })
	if err != nil {
		return nil, err
	}
	defer gathered.close()
	findings := gathered.classify.NewFindings()
	for e, err := range gathered.final(fromCursor{}) {
		if err != nil {
			return nil, err
		}
		findings.Add(e)
	}
	return diagnoses(findings.List()), gathered.readErr
}

// gathering makes findings of refusals whose causes are known.
type gathering struct {
	classify *classifier.Classifier
	findings *classifier.Findings
}

func newGathering() gathering {
	c := classifier.New()
	return gathering{c, c.NewFindings()}
}

func (g gathering) add(e *relaylens.Event) {
	cause := e.Cause
	g.classify.Classify(e) // who guesses from where tells findings apart
	e.Cause = cause
	g.findings.Add(e)
}

// clock tells the gathering what time it is in the log: that of the latest event,
// whatever was asked for.
func (g gathering) clock(ctx context.Context, s *store.Store) error {
	latest, err := s.Tail(ctx, store.Query{}, 1)
	if err == nil && len(latest) > 0 {
		g.classify.Classify(&latest[0])
	}
	return err
}

// mostOfCause is how many of a cause's refusals a summary of a store looks at
// for its findings, the latest: a summary is to be quick.
const mostOfCause = 100

// problems are the findings of a summary.
type problems struct {
	list  []*summary.Diagnosis // no more than the summary lists
	total int
}

// find looks for problems in the latest refusals of each cause, most of them, and
// keeps the first; a negative keep is all.
func (p *problems) find(ctx context.Context, s *store.Store, span store.Span, match relaylens.Match, most, keep int) error {
	causes, err := causesOf(ctx, s, span)
	if err != nil {
		return err
	}
	events, err := s.Latest(ctx, span, match, causes, most)
	if err != nil {
		return err
	}
	found := map[relaylens.Cause]int{}
	for i := range events {
		found[events[i].Cause]++
	}
	slices.SortStableFunc(events, func(a, b relaylens.Event) int { return a.Time.Compare(b.Time) })
	g := newGathering()
	for i := range events {
		g.add(&events[i])
	}
	if err := g.clock(ctx, s); err != nil {
		return err
	}
	list, total := g.findings.First(keep)
	p.list, p.total = diagnoses(list), total
	for _, d := range p.list {
		d.Partial = found[d.Cause] == most
	}
	return nil
}

// causesOf are the causes of a span that findings are made of.
func causesOf(ctx context.Context, s *store.Store, span store.Span) ([]relaylens.Cause, error) {
	causes, err := s.Causes(ctx, span.Around())
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(relaylens.Causes(), func(c relaylens.Cause) bool {
		return !slices.Contains(causes, c) || c == relaylens.CauseNone || c == relaylens.CauseUnknown
	}), nil
}
