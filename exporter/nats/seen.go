package nats

import "github.com/relaylens/relaylens"

const (
	// recentMessages are remembered by their place in the stream: more than may
	// be on their way at once.
	recentMessages = 4096
	// recentEvents are remembered by their id. Beyond them the store knows.
	recentEvents = 1 << 17
)

// recent remembers the last of many keys.
type recent[K comparable] struct {
	ring []K
	at   int
	set  map[K]struct{}
}

func newRecent[K comparable](n int) *recent[K] {
	return &recent[K]{ring: make([]K, 0, n), set: make(map[K]struct{}, n)}
}

// add reports whether key is new.
func (r *recent[K]) add(key K) bool {
	if _, ok := r.set[key]; ok {
		return false
	}
	if len(r.ring) < cap(r.ring) {
		r.ring = append(r.ring, key)
	} else {
		delete(r.set, r.ring[r.at])
		r.ring[r.at] = key
		r.at = (r.at + 1) % len(r.ring)
	}
	r.set[key] = struct{}{}
	return true
}

// unseen leaves the events of s that did not come before, and counts the others:
// a message that a shipper made anew after a crash may hold some of both.
func unseen(r *recent[relaylens.ID], s *relaylens.Shipment) (again int) {
	kept := s.Events[:0]
	for i := range s.Events {
		if r.add(s.Events[i].ID) {
			kept = append(kept, s.Events[i])
		}
	}
	again = len(s.Events) - len(kept)
	s.Events = kept
	return again
}
