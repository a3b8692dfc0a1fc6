package classifier

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// Brief findings, of events that were classified last, are the others, but for
// evidence that they do not have.
func TestBriefFindings(t *testing.T) {
	told := 0
	for seed := range uint64(50) {
		w := newWorld(seed)
		w.fill()
		c := New()
		for i := range w.events {
			c.Classify(&w.events[i].Event)
		}
		whole, brief := c.NewFindings(), c.NewFindings()
		brief.Brief()
		for i := range w.events {
			e := &w.events[i].Event
			c.Final(e)
			brief.AddLast(e)
			whole.Add(e)
		}
		want := whole.List()
		for i := range want {
			if told++; want[i].Cause != relaylens.CausePolicy {
				want[i].Evidence = want[i].Evidence[:1]
			}
		}
		if diff := cmp.Diff(want, brief.List(), cmp.Comparer(func(a, b relaylens.Event) bool { return a == b })); diff != "" {
			t.Fatalf("world %d: %s", seed, diff)
		}
	}
	if told < 50 {
		t.Errorf("only %d findings", told)
	}
}
