package summary

import (
	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
)

// What is all that the closed lists say of a refusal.
type What struct {
	Kind      relaylens.Kind
	Direction relaylens.Direction
	Reason    relaylens.Reason
	Cause     relaylens.Cause
	Class     relaylens.Class
}

// whats counts refusals by What. There are few, most of which are found by their place
// among those that were counted lately.
type whats struct {
	events map[What]*int64
	recent [64]struct {
		what   What
		events *int64
	}
}

func (w *whats) init() { w.events = make(map[What]*int64) }

func (w *whats) add(what What, n int64) {
	r := &w.recent[(uint(what.Kind)+uint(what.Reason)+5*uint(what.Cause)+uint(what.Class))%uint(len(w.recent))]
	if r.events == nil || r.what != what {
		r.what, r.events = what, w.events[what]
	}
	if r.events == nil {
		r.events = new(int64)
		w.events[what] = r.events
	}
	*r.events += n
}

// maxHosts are named in the head of a summary.
const maxHosts = 64

// hosts counts refusals by host.
type hosts struct {
	*aggregate.Top[struct{}]
	recent [16]struct {
		host []byte
		hash uint64
	}
}

func (h *hosts) init() { h.Top = aggregate.NewTop[struct{}](maxHosts, nil) }

func (h *hosts) add(host string, n int64) {
	r := &h.recent[(uint(len(host))+uint(host[len(host)-1]))%uint(len(h.recent))]
	if string(r.host) != host {
		r.host, r.hash = append(r.host[:0], host...), h.Hash(cut(relaylens.ValidText(host)))
	}
	if h.Known(r.hash, n) == nil {
		h.Take(cut(relaylens.ValidText(host)), r.hash, n)
	}
}
