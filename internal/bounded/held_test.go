package bounded

import (
	"math/rand/v2"
	"testing"
)

// An entry that is held is the one that the table has, whatever became of it meanwhile.
func TestHeldIsWhatTheTableHas(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	tb := NewTable[int](4, 1000, nil)
	held := make([]Held[int], 6)
	now, there, missing := int64(0), 0, 0
	for step := range 20_000 {
		key := uint64(random.IntN(len(held)))
		switch random.IntN(20) {
		case 0:
			tb.Delete(key)
		case 1:
			v, _ := tb.Put(key, now)
			*v = step
		case 2:
			now += random.Int64N(1500)
		}
		got := held[key].Get(tb, key, now)
		if _, _, c := tb.find(key); c == nil && got != nil || c != nil && got != &c.value {
			t.Fatalf("step %d: key %d is held at %p, and in the table at %v", step, key, got, c)
		}
		if got == nil {
			missing++
		} else {
			there++
		}
	}
	if there < 1000 || missing < 1000 {
		t.Errorf("%d were there and %d were not, want both often", there, missing)
	}
}
