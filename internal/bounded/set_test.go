package bounded

import (
	"slices"
	"testing"
)

func TestSet(t *testing.T)   { testSet(t, new(Set[uint64])) }
func TestMarks(t *testing.T) { testSet(t, new(Marks)) }

func testSet[M uint32 | uint64](t *testing.T, s *Set[M]) {
	t.Helper()
	if s.Has(0) || s.Len() != 0 {
		t.Error("the zero value is not empty")
	}
	var want []M
	for m := range uint64(SetSize) {
		for range 2 {
			if !s.Add(m) {
				t.Fatalf("member %d was not added", m)
			}
		}
		want = append(want, M(m))
		if got := slices.Collect(s.Members()); !slices.Equal(got, want) || s.Len() != len(want) {
			t.Fatalf("members %v, want %v", got, want)
		}
	}
	if s.Add(99) || s.Has(99) || s.Len() != SetSize {
		t.Error("a full set took one more")
	}
	if s.Add(5); s.Len() != SetSize {
		t.Error("a member was added twice")
	}
	for m := range s.Members() {
		if m == 3 {
			break
		}
	}
}
