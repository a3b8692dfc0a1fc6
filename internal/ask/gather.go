package ask

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/internal/resident"
	"github.com/relaylens/relaylens/internal/spool"
	"github.com/relaylens/relaylens/store"
)

// gathered is what files told that a question may be about.
type gathered struct {
	classify *classifier.Classifier
	events   *spool.Spool
	match    relaylens.Match
	settled  bool // the cause of the event that was read last: none that is read later changes it
	// readErr tells which files could not be read; the others were.
	readErr error
}

func newGathered(site classifier.Site, memory int64, match relaylens.Match, reverse bool) *gathered {
	return &gathered{classify: classifier.New(classifier.WithSite(site)), events: spool.New(memory, reverse), match: match}
}

// gather is what files tell, of which match selects and want says what is kept.
func (l *Files) gather(ctx context.Context, match relaylens.Match, reverse bool, want func(*relaylens.Event) bool) (*gathered, error) {
	g := newGathered(l.Site, spool.DefaultMemory, match, reverse)
	return g, g.read(ctx, l, want)
}

// read reads the files to their end, for a later line may tell the cause of an
// earlier one: want sees no causes but those that are settled. With an error g is
// closed.
func (g *gathered) read(ctx context.Context, files *Files, want func(*relaylens.Event) bool) error {
	early := g.match.Without("cause") // which is not known before the end
	var spoolErr error
	g.readErr = files.Read(ctx, func(e *relaylens.Event) {
		g.settled = g.classify.Learn(e)
		if spoolErr == nil && early.Event(e) && want(e) {
			spoolErr = g.events.Add(e)
		}
	})
	if err := errors.Join(spoolErr, ctx.Err()); err != nil {
		return errors.Join(err, g.close())
	}
	return nil
}

func (g *gathered) close() error { return g.events.Close() }

// final hands on the events with their final causes, each until the next is asked
// for. Where a cursor is given, it begins there.
func (g *gathered) final(from fromCursor) iter.Seq2[*relaylens.Event, error] {
	return func(yield func(*relaylens.Event, error) bool) {
		resident.Release() // what was needed to read
		for e, err := range from.cut(g.events.Events()) {
			if err != nil {
				yield(nil, err)
				return
			}
			g.classify.Final(e)
			if g.match.Event(e) && !yield(e, nil) {
				return
			}
		}
	}
}

// inSpan reports whether t is in a span.
func inSpan(t time.Time, span store.Span) bool {
	return (span.Since.IsZero() || !t.Before(span.Since)) && (span.Until.IsZero() || t.Before(span.Until))
}
