package ask

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/internal/spool"
	"github.com/relaylens/relaylens/store"
)

// gathered is what files told that a question may be about.
type gathered struct {
	classify *classifier.Classifier
	events   *spool.Spool
	match    relaylens.Match
	// readErr tells which files could not be read; the others were.
	readErr error
}

// gather reads the files to their end, for a later line may tell the cause of an
// earlier one. Of what match selects, want says what is kept; it sees causes
// that are not final yet.
func (l *Files) gather(ctx context.Context, match relaylens.Match, reverse bool, want func(*relaylens.Event) bool) (*gathered, error) {
	g := &gathered{classify: classifier.New(classifier.WithSite(l.Site)), events: spool.New(spool.DefaultMemory, reverse), match: match}
	early := match.Without("cause") // which is not known before the end
	var spoolErr error
	g.readErr = l.Read(ctx, func(e *relaylens.Event) {
		g.classify.Classify(e)
		if spoolErr == nil && early.Event(e) && want(e) {
			spoolErr = g.events.Add(e)
		}
	})
	if err := errors.Join(spoolErr, ctx.Err()); err != nil {
		return nil, errors.Join(err, g.events.Close())
	}
	return g, nil
}

func (g *gathered) close() error { return g.events.Close() }

// final hands on the events with their final causes. Where a cursor is given,
// it begins there.
func (g *gathered) final(from fromCursor) iter.Seq2[*relaylens.Event, error] {
	return func(yield func(*relaylens.Event, error) bool) {
		for e, err := range from.cut(g.events.Events()) {
			if err != nil {
				yield(nil, err)
				return
			}
			g.classify.Final(&e)
			if g.match.Event(&e) && !yield(&e, nil) {
				return
			}
		}
	}
}

// within reports whether t is in a span.
func within(t time.Time, span store.Span) bool {
	return !t.Before(span.Since) && (span.Until.IsZero() || t.Before(span.Until))
}
