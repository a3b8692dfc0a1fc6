package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// The latest of each cause are found however many others lie between.
func TestLatest(t *testing.T) {
	s := open(t, t.TempDir())
	b := &Batch{}
	began := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	const most, events = 500, 1100
	for i := range events {
		e := generated(i, began)
		e.Time = began.Add(time.Duration(i/3) * time.Second) // some at the same time
		switch {
		case i < 10: // long before all others
			e.Cause = relaylens.CauseRestrictionOrder
		case i%30 == 0:
			e.Cause = relaylens.CauseStalePassword
		case i%400 == 7:
			e.Cause = relaylens.CauseAddressChanged
		default:
			e.Cause = relaylens.CauseOpenRelayProbe
		}
		b.Events = append(b.Events, e)
	}
	commit(t, s, b)
	causes := []relaylens.Cause{relaylens.CauseRestrictionOrder, relaylens.CauseStalePassword, relaylens.CauseAddressChanged, relaylens.CauseOpenRelayProbe, relaylens.CauseAuthNotOffered}
	for name, span := range map[string]Span{"all": {}, "until": {Until: began.Add(5 * time.Minute)}, "since": {Since: began.Add(time.Second)}} {
		got, err := s.latest(t.Context(), Query{Span: span, Limit: 20}, causes, most)
		if err != nil {
			t.Fatal(err)
		}
		var want, have []string
		for _, cause := range causes {
			n := 0
			for i := len(b.Events) - 1; i >= 0 && n < 20; i-- {
				if e := &b.Events[i]; e.Cause == cause && (span.Since.IsZero() || !e.Time.Before(span.Since)) && (span.Until.IsZero() || e.Time.Before(span.Until)) {
					want, n = append(want, fmt.Sprint(cause, e.Line)), n+1
				}
			}
		}
		for i := range got {
			have = append(have, fmt.Sprint(got[i].Cause, got[i].Line))
		}
		slices.Sort(want)
		slices.Sort(have)
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
