package bounded

// heldTime is for how many seconds of event time an entry need not be marked used again.
const heldTime = 60

// Held is an entry of a [Table] that is asked for again and again: it stays at hand, and
// is looked for, and marked used, once a minute only. The zero Held has none.
type Held[V any] struct {
	entry *V
	left  uint64 // entries that had left the table by then
	used  int64
}

// Get is the Get of t, of one key always.
func (h *Held[V]) Get(t *Table[V], key uint64, now int64) *V {
	if h.entry == nil || h.left != t.left || now-h.used > heldTime || now < h.used {
		h.entry, h.used = t.Get(key, now), now
		h.left = t.left
	}
	return h.entry
}
