package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// What is scanned ahead is taken in its order, with whatever else happens between:
// as if each batch were read when it comes.
func TestScannedAheadIsTakenInOrder(t *testing.T) {
	batches := func() (list []relaylens.Batch) {
		for n := range 300 {
			source := []string{"/mail.log", "/other.log"}[n/7%2]
			var lines []string
			for i := range n % 5 {
				lines = append(lines, strings.Replace(refusalLine, "b@example.net", fmt.Sprintf("b%d-%d@example.net", n, i), 1))
			}
			if n%11 == 0 {
				lines = append(lines, heldLine)
			}
			list = append(list, at(int64(n+1), source, lines...))
		}
		return list
	}
	// each waits until a batch is taken.
	read := func(each bool) (recipients []string, offsets map[string]int64) {
		p := startedPipeline(t)
		given, released := batches(), 0
		for n := range given {
			given[n].Release = func() { released++ }
			p.in <- given[n]
			if !each && n%40 != 39 {
				continue
			}
			if err := p.do(t.Context(), func() {
				p.drain()
				if released != n+1 {
					t.Errorf("%d batches of %d are taken when something else is done", released, n+1)
				}
				if n%40 == 39 {
					p.parser.Flush(p.event)
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.stop(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		return p.commits.store.(*recorder).committed()
	}
	want, wantOffsets := read(true)
	got, offsets := read(false)
	if diff := cmp.Diff(want, got); diff != "" || len(got) < 500 {
		t.Errorf("%d refusals; (-each +ahead): %s", len(got), diff)
	}
	if diff := cmp.Diff(wantOffsets, offsets); diff != "" {
		t.Error(diff)
	}
}
