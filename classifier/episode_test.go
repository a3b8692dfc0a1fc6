package classifier

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// TestFindingsOpenAndResolve lists how one problem stands after events at some
// minutes, when the log has come to a later one.
func TestFindingsOpenAndResolve(t *testing.T) {
	hours := func(h ...int) (minutes []int) {
		for _, x := range h {
			minutes = append(minutes, x*60)
		}
		return minutes
	}
	for name, tc := range map[string]struct {
		at   []int // minutes
		now  int
		want string // status, since, resolved, returns
	}{
		"it opens":                               {[]int{0}, 0, "open 0 - 0"},
		"it grows":                               {[]int{0, 10, 30}, 60, "open 0 - 0"},
		"it is quiet for an hour":                {[]int{0, 10}, 71, "resolved 0 70 0"},
		"not yet":                                {[]int{0, 10}, 70, "open 0 - 0"},
		"it comes back":                          {[]int{0, 10, 100}, 101, "open 100 - 1"},
		"it comes back and is resolved":          {[]int{0, 10, 100}, 200, "resolved 100 160 1"},
		"it comes back twice":                    {[]int{0, 100, 300, 310}, 311, "open 300 - 2"},
		"steady intervals are no rest":           {hours(0, 6, 12, 18), 18*60 + 23*60, "open 720 - 2"},
		"four intervals are":                     {[]int{0, 40, 80, 120}, 120 + 161, "resolved 0 280 0"},
		"uneven intervals, too":                  {[]int{0, 50, 110, 160, 211}, 211 + 5000, "resolved 0 415 0"},
		"three days at most":                     {hours(0, 30, 60, 90), (90 + 73) * 60, "resolved 3600 9720 2"},
		"a burst after a week is one return":     {append(hours(0, 168), 168*60+1, 168*60+2), 168*60 + 63, "resolved 10080 10142 1"},
		"lines out of order are of one stretch":  {[]int{10, 5, 12}, 12, "open 5 - 0"},
		"a late line of before changes no later": {[]int{0, 100, 99}, 100, "open 100 - 1"},
	} {
		t.Run(name, func(t *testing.T) {
			c := New()
			var all []relaylens.Event
			for i, m := range tc.at {
				all = append(all, relaylens.Event{Time: start.Add(time.Duration(m) * time.Minute), Host: "mx1", Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound,
					User: "joe", ClientIP: ip("203.0.113.9"), Recipient: fmt.Sprintf("a%d@example.net", i)})
			}
			for i := range all {
				c.Classify(&all[i])
			}
			c.Classify(&relaylens.Event{Time: start.Add(time.Duration(tc.now) * time.Minute), Host: "mx1", Kind: relaylens.KindConnection})
			f := c.NewFindings()
			for i := range all {
				f.Add(&all[i])
			}
			list := f.List()
			if len(list) != 1 {
				t.Fatalf("%d findings", len(list))
			}
			p := &list[0]
			resolved := "-"
			if !p.Resolved.IsZero() {
				resolved = fmt.Sprint(p.Resolved.Sub(start).Minutes())
			}
			if got := fmt.Sprint(p.Status, " ", p.Since.Sub(start).Minutes(), " ", resolved, " ", p.Returns); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

func TestMergedFindingIsOpenWhileAPartIs(t *testing.T) {
	at := func(m int) time.Time { return start.Add(time.Duration(m) * time.Minute) }
	open := relaylens.Finding{Since: at(50)}
	over := relaylens.Finding{Status: relaylens.StatusResolved, Since: at(0), Resolved: at(70), Returns: 2}
	for name, tc := range map[string]struct{ a, b, want relaylens.Finding }{
		"the first":  {open, over, relaylens.Finding{Since: at(50), Returns: 2}},
		"the second": {over, open, relaylens.Finding{Since: at(50), Returns: 2}},
		"both over":  {over, relaylens.Finding{Status: relaylens.StatusResolved, Resolved: at(90)}, relaylens.Finding{Status: relaylens.StatusResolved, Since: at(0), Resolved: at(90), Returns: 2}},
		"both open":  {open, relaylens.Finding{Since: at(20)}, relaylens.Finding{Since: at(20)}},
	} {
		t.Run(name, func(t *testing.T) {
			mergeStatus(&tc.a, &tc.b)
			if diff := cmp.Diff(tc.want, tc.a); diff != "" {
				t.Error(diff)
			}
		})
	}
}
