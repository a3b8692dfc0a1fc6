package bounded

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestTableForgetsTheLeastRecentlyUsed(t *testing.T) {
	var evicted []int
	tb := NewTable[int](3, 100, func(v *int) { evicted = append(evicted, *v) })
	for k := uint64(1); k <= 3; k++ {
		v, isNew := tb.Put(k, 0)
		if !isNew {
			t.Fatalf("key %d is there already", k)
		}
		*v = int(k)
	}
	tb.Get(1, 0)
	tb.Put(4, 0)
	if len(evicted) != 1 || evicted[0] != 2 {
		t.Errorf("evicted %v, want the one not used: 2", evicted)
	}
	if tb.Get(2, 0) != nil || *tb.Get(1, 0) != 1 {
		t.Error("the wrong entry left")
	}
}

func TestTableForgetsByEventTime(t *testing.T) {
	tb := NewTable[int](10, 100, nil)
	tb.Put(1, 1000)
	if tb.Get(1, 1100) == nil {
		t.Error("gone at its time to live")
	}
	if tb.Get(1, 1201) != nil {
		t.Error("there after its time to live")
	}
	tb.Put(2, 5000)
	tb.Get(2, 10) // another source, earlier in its time
	if tb.Get(2, 5100) == nil {
		t.Error("a use at an earlier time made the entry older")
	}
}

func TestTableSparesWhatShouldStay(t *testing.T) {
	tb := NewTable[int](4, 1000, nil)
	tb.Spare = func(v *int) bool { return *v >= 100 }
	for k := range uint64(50) {
		v, _ := tb.Put(k, int64(k))
		if *v = 1; k == 3 || k == 5 {
			*v = 100
		}
	}
	for _, k := range []uint64{3, 5, 49} {
		if tb.Get(k, 50) == nil {
			t.Errorf("key %d is gone", k)
		}
	}
	tb.Spare = func(*int) bool { return true }
	for k := range uint64(50) {
		if tb.Put(100+k, 50); tb.Len() > 4 {
			t.Fatalf("%d entries, where 4 are allowed", tb.Len())
		}
	}
}

// TestTableAgainstMap holds the table against a plain map through random use: with
// keys that are spread well, that stand side by side, and that all want one place.
func TestTableAgainstMap(t *testing.T) {
	for name, hash := range map[string]func(uint64) uint64{
		"hashes": func(n uint64) uint64 { return Mix(3, n) },
		"dense":  func(n uint64) uint64 { return n },
		"alike":  func(n uint64) uint64 { return n << 32 },
	} {
		for _, entries := range []int{50, 700, 1 << 17} {
			t.Run(fmt.Sprint(name, " ", entries), func(t *testing.T) { againstMap(t, entries, hash) })
		}
	}
}

func againstMap(t *testing.T, entries int, hash func(uint64) uint64) {
	rng := rand.New(rand.NewPCG(1, 2))
	model := map[uint64]uint64{}
	tb := NewTable(entries, 1<<40, func(v *uint64) { delete(model, hash(*v/3)) })
	for step := range 20_000 {
		n := rng.Uint64N(uint64(min(4*entries, 1000)))
		key := hash(n)
		switch rng.IntN(3) {
		case 0:
			v, isNew := tb.Put(key, int64(step))
			if _, known := model[key]; isNew == known {
				t.Fatalf("step %d: key %d is new: %v, known: %v", step, key, isNew, known)
			}
			*v = n * 3
			model[key] = n * 3
		case 1:
			if v := tb.Get(key, int64(step)); v != nil && *v != model[key] {
				t.Fatalf("step %d: key %d holds %d, want %d", step, key, *v, model[key])
			}
		case 2:
			tb.Delete(key)
			if tb.Get(key, int64(step)) != nil {
				t.Fatalf("step %d: key %d is there after its deletion", step, key)
			}
		}
		if tb.Len() != len(model) || tb.Len() > entries || int(tb.made) > entries {
			t.Fatalf("step %d: %d entries, %d slots, bound %d", step, tb.Len(), tb.made, entries)
		}
	}
}

// Entries whose time is up give their cells to others, so that the table does not
// grow to its bound for what nobody will ask for.
// TestTableLooksWhereItHasTo is about when the hand need not look: no entry may be
// older than is thought, and none stays for long when its time is up.
func TestTableLooksWhereItHasTo(t *testing.T) {
	const ttl = 100
	for _, entries := range []int{10, 300, 5000} {
		t.Run(fmt.Sprint(entries), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, uint64(entries)))
			tb := NewTable[int](entries, ttl, nil)
			now := int64(1000)
			for step := range 60_000 {
				if step%3000 == 0 {
					now += rng.Int64N(3 * ttl)
				}
				now += rng.Int64N(2)
				key, at := Mix(5, rng.Uint64N(1000)), now-rng.Int64N(5)
				switch rng.IntN(10) {
				case 0:
					tb.Delete(key)
				case 1, 2, 3:
					tb.Get(key, at)
				default:
					tb.Put(key, at)
				}
				if step%100 == 0 {
					for i := range tb.made {
						if c := tb.cell(i); c.taken() && c.seen() < tb.oldest {
							t.Fatalf("an entry was used at %d last, %d was thought the oldest", c.seen(), tb.oldest)
						}
					}
				}
			}
			now += 2 * ttl
			for key := range uint64(entries) {
				tb.Put(Mix(9, key), now)
			}
			for i := range tb.made {
				if c := tb.cell(i); c.taken() && now-c.seen() > ttl {
					t.Errorf("an entry of %d is there at %d", c.seen(), now)
				}
			}
		})
	}
}

func TestTableUsesCellsAgain(t *testing.T) {
	evicted := 0
	tb := NewTable[int](1000, 10, func(*int) { evicted++ })
	for now := range int64(5000) {
		tb.Put(Mix(7, uint64(now)), now)
	}
	if tb.made > 40 || tb.Len() > 40 || evicted != 5000-tb.Len() {
		t.Errorf("%d cells, %d entries, %d evicted, where 11 are alive", tb.made, tb.Len(), evicted)
	}
}

// Who makes room was used less lately than most.
func TestTableForgetsTheOld(t *testing.T) {
	const entries, kept = 4096, 1024
	tb := NewTable[int](entries, 1<<40, nil)
	for n := range uint64(40_000) {
		tb.Put(Mix(1, n), 0)
		if n < kept {
			continue
		}
		for i := range uint64(4) { // the first ones are in use all the time
			tb.Get(Mix(1, (n*4+i)%kept), 0)
		}
	}
	left := 0
	for n := range uint64(kept) {
		if tb.Get(Mix(1, n), 0) != nil {
			left++
		}
	}
	if left < kept*95/100 {
		t.Errorf("%d of %d entries that were in use are left", left, kept)
	}
}
