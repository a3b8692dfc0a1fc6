package ask

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

// A summary by days, hours and the events at the edges tells what one by all
// events does, of its span and of the one before.
func TestSummaryByDays(t *testing.T) {
	const minutes = 4 * 24 * 60
	s := filled(t, minutes)
	if _, err := s.Retain(t.Context(), store.Retention{}, noon); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 12 {
		since := noon.Add(-time.Duration(300+r.IntN(minutes-300)) * time.Minute)
		span := store.Span{Since: since, Until: since.Add(time.Duration(200+r.IntN(minutes)) * time.Minute)}
		report := func(count func(*Summary) error) *summary.Report {
			q, err := NewSummary(SummaryOptions{Span: span, Top: -1, Now: noon, Location: time.UTC})
			if err == nil {
				err = count(q)
			}
			if err != nil {
				t.Fatal(err)
			}
			return q.Report(24)
		}
		days := report(func(q *Summary) error { return q.countHours(t.Context(), s) })
		events := report(func(q *Summary) error {
			for _, span := range []store.Span{q.o.Span, q.before} {
				for e, err := range s.Brief(t.Context(), span, relaylens.Match{}) {
					if err != nil {
						return err
					}
					q.builder.Add(&e)
				}
			}
			return nil
		})
		if diff := cmp.Diff(events, days, cmpopts.IgnoreUnexported(summary.Report{}), cmpopts.IgnoreFields(summary.Report{}, "Timeline"), cmpopts.EquateComparable()); diff != "" {
			t.Errorf("%v (-events +days): %s", span, diff)
		}
		var timed int64
		for _, b := range days.Timeline.Buckets {
			timed += b.Events
		}
		if timed != days.Refusals {
			t.Errorf("%v: %d of %d refusals in the time line", span, timed, days.Refusals)
		}
	}
}

func TestPieces(t *testing.T) {
	midnight := noon.Truncate(24 * time.Hour)
	for _, c := range []struct {
		since, until, want int // hours from midnight, pieces
	}{{0, 1, 1}, {1, 3, 2}, {20, 44, 8}, {20, 90, 4}, {0, 24, 1}, {0, 48, 2}, {-5, 30*24 - 5, 8}} {
		span := store.Span{Since: midnight.Add(time.Duration(c.since) * time.Hour), Until: midnight.Add(time.Duration(c.until) * time.Hour)}
		list := splitSpan(span)
		if len(list) != c.want || list[0].Since != span.Since || list[len(list)-1].Until != span.Until {
			t.Errorf("%d to %d: %v", c.since, c.until, list)
		}
		for i := 1; i < len(list); i++ {
			at := list[i].Since
			if at != list[i-1].Until || !at.After(list[i-1].Since) || c.want < 8 && c.until-c.since > 47 && at != at.Truncate(24*time.Hour) {
				t.Errorf("%d to %d: %v", c.since, c.until, list)
			}
		}
	}
	for _, open := range []store.Span{{}, {Until: noon}} {
		if diff := cmp.Diff([]store.Span{open}, splitSpan(open)); diff != "" {
			t.Error(diff)
		}
	}
}
