package aggregate

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	gocmp "github.com/google/go-cmp/cmp"
)

type entries = []Entry[int]

func counted(capacity int, keys string) *Top[int] {
	t := NewTop[int](capacity, nil)
	for _, k := range strings.Fields(keys) {
		*t.Add(k, 1)++
	}
	return t
}

func TestTop(t *testing.T) {
	for _, c := range []struct {
		keys     string
		capacity int
		want     entries
		bound    int64
	}{
		{"", 3, entries{}, 0},
		{"a b b c", 3, entries{{"b", 2, 0, 2}, {"a", 1, 0, 1}, {"c", 1, 0, 1}}, 0},
		{"a b b d d d c", 3, entries{{"d", 3, 0, 3}, {"b", 2, 0, 2}, {"c", 2, 1, 1}}, 2},
		{"a a b b b c c d", 3, entries{{"b", 3, 0, 3}, {"c", 2, 0, 2}, {"d", 3, 2, 1}}, 2},
		{"a a b c", 1, entries{{"c", 4, 3, 1}}, 4},
		{"a b c", 0, entries{{"c", 3, 2, 1}}, 3},
	} {
		t.Run(fmt.Sprintf("%s in %d", c.keys, c.capacity), func(t *testing.T) {
			top := counted(c.capacity, c.keys)
			if diff := gocmp.Diff(c.want, top.List(-1)); diff != "" {
				t.Error(diff)
			}
			if got := top.Bound(); got != c.bound || top.Exact() != (c.bound == 0) {
				t.Errorf("bound %d, exact %v; want %d", got, top.Exact(), c.bound)
			}
			if got := top.Total(); got != int64(len(strings.Fields(c.keys))) {
				t.Errorf("total %d", got)
			}
		})
	}
}

func TestTopListsTheFirst(t *testing.T) {
	top := counted(10, "a b b c c c d")
	if diff := gocmp.Diff(entries{{"c", 3, 0, 3}, {"b", 2, 0, 2}}, top.List(2)); diff != "" {
		t.Error(diff)
	}
	if e, ok := top.Get("b"); !ok || e.Count != 2 {
		t.Errorf("b: %v, %v", e, ok)
	}
	if v := top.Find(top.Hash("b")); v == nil || *v != 2 {
		t.Errorf("b: %v", v)
	}
	if _, ok := top.Get("x"); ok || top.Find(top.Hash("x")) != nil {
		t.Error("x was never counted")
	}
}

// TestTopListsTheSame holds the first of a list against the list of all.
func TestTopListsTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	top := NewTop[int64](700, nil)
	for range 20_000 {
		top.Add(strconv.FormatUint(r.Uint64N(1000), 10), 1)
	}
	all := top.List(-1)
	for _, n := range []int{0, 1, 5, 50, 699, 700, 5000} {
		if diff := gocmp.Diff(all[:min(n, 700)], top.List(n)); diff != "" {
			t.Errorf("the first %d: %s", n, diff)
		}
	}
}

func TestTopClonesWhatItKeeps(t *testing.T) {
	top := NewTop[struct{}](1, nil)
	batch := []byte("key")
	top.Add(unsafe.String(&batch[0], len(batch)), 1)
	copy(batch, "???")
	if got := top.List(-1)[0].Key; got != "key" {
		t.Errorf("kept %q", got)
	}
}

// TestTopKeepsItsPromises holds the counts of random streams, flat and skewed,
// against exact ones.
func TestTopKeepsItsPromises(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		zipf := rand.NewZipf(r, 1.1, 1, 500)
		capacity := 1 + r.IntN(100)
		top, exact := NewTop[int64](capacity, nil), map[string]int64{}
		for range 5000 {
			number, n := zipf.Uint64(), 1+r.Int64N(3)
			if seed%2 == 0 {
				number = r.Uint64N(300)
			}
			key := strconv.FormatUint(number, 10)
			exact[key] += n
			*top.Add(key, n) += n
		}
		check(t, seed, capacity, top, exact)
	}
}

func check(t *testing.T, seed uint64, capacity int, top *Top[int64], exact map[string]int64) {
	t.Helper()
	var sum int64
	for _, e := range top.List(-1) {
		sum += e.Count
		if truth := exact[e.Key]; e.Count < truth || e.Count-e.Error > truth || e.Value > truth {
			t.Fatalf("seed %d: %s counted %d, error %d, certain %d; it had %d", seed, e.Key, e.Count, e.Error, e.Value, truth)
		}
		if e.Count-e.Error != e.Value {
			t.Fatalf("seed %d: %s counted %d less %d, remembered %d", seed, e.Key, e.Count, e.Error, e.Value)
		}
	}
	if sum != top.Total() || top.Bound() > top.Total()/int64(capacity) {
		t.Fatalf("seed %d: sum %d of %d, bound %d", seed, sum, top.Total(), top.Bound())
	}
	for key, truth := range exact {
		if _, ok := top.Get(key); !ok && truth > top.Bound() {
			t.Fatalf("seed %d: %s had %d events and is missing; the bound is %d", seed, key, truth, top.Bound())
		}
	}
}

func BenchmarkTopAdd(b *testing.B) {
	for _, distinct := range []uint64{1000, 1_000_000} {
		b.Run(fmt.Sprint(distinct), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			top := NewTop[int64](1<<14, nil)
			var buf [20]byte
			b.ReportAllocs()
			for b.Loop() {
				key := strconv.AppendUint(buf[:0], r.Uint64N(distinct), 10)
				top.Add(unsafe.String(&key[0], len(key)), 1)
			}
		})
	}
}

// What is remembered of a value is handed over before it is forgotten, once.
func TestTopTellsWhatItDrops(t *testing.T) {
	var dropped []int
	top := NewTop[int](2, func(v *int) { dropped = append(dropped, *v) })
	for _, k := range strings.Fields("a b a c b") {
		*top.Add(k, 1) += int(k[0])
	}
	if diff := gocmp.Diff([]int{'b', 'c'}, dropped); diff != "" {
		t.Error(diff)
	}
}
