package parsers

import (
	"math/rand/v2"
	"testing"
)

func TestTableForgetsTheLeastRecentlyUsed(t *testing.T) {
	var evicted []int
	tb := newTable[int](3, 100, func(v *int) { evicted = append(evicted, *v) })
	for k := uint64(1); k <= 3; k++ {
		v, isNew := tb.put(k, 0)
		if !isNew {
			t.Fatalf("key %d is there already", k)
		}
		*v = int(k)
	}
	tb.get(1, 0)
	tb.put(4, 0)
	if len(evicted) != 1 || evicted[0] != 2 {
		t.Errorf("evicted %v, want the one not used: 2", evicted)
	}
	if tb.get(2, 0) != nil || *tb.get(1, 0) != 1 {
		t.Error("the wrong entry left")
	}
}

func TestTableForgetsByEventTime(t *testing.T) {
	tb := newTable[int](10, 100, nil)
	tb.put(1, 1000)
	if tb.get(1, 1100) == nil {
		t.Error("gone at its time to live")
	}
	if tb.get(1, 1201) != nil {
		t.Error("there after its time to live")
	}
	tb.put(2, 5000)
	tb.get(2, 10) // another source, earlier in its time
	if tb.get(2, 5100) == nil {
		t.Error("a use at an earlier time made the entry older")
	}
}

// TestTableAgainstMap holds the table against a plain map through random use.
func TestTableAgainstMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const entries = 50
	model := map[uint64]uint64{}
	tb := newTable(entries, 1<<40, func(v *uint64) { delete(model, *v/3) })
	for step := range 20_000 {
		key := rng.Uint64N(200)
		switch rng.IntN(3) {
		case 0:
			v, isNew := tb.put(key, int64(step))
			if _, known := model[key]; isNew == known {
				t.Fatalf("step %d: key %d is new: %v, known: %v", step, key, isNew, known)
			}
			*v = key * 3
			model[key] = key * 3
		case 1:
			if v := tb.get(key, int64(step)); v != nil && *v != model[key] {
				t.Fatalf("step %d: key %d holds %d, want %d", step, key, *v, model[key])
			}
		case 2:
			tb.delete(key)
			if tb.get(key, int64(step)) != nil {
				t.Fatalf("step %d: key %d is there after its deletion", step, key)
			}
		}
		if tb.len() != len(model) || tb.len() > entries || len(tb.slab) > entries {
			t.Fatalf("step %d: %d entries, %d slots, bound %d", step, tb.len(), len(tb.slab), entries)
		}
	}
}
