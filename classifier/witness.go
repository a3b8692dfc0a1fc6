package classifier

import (
	"slices"
	"unsafe"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// maxWitnesses are kept of a problem.
const maxWitnesses = 3

// witness is an event that shows a problem: one that somebody else keeps, or a copy
// in few bytes. The zero witness is none.
type witness struct {
	event *relaylens.Event
	copy  bounded.Text
}

func (w *witness) none() bool { return *w == witness{} }

// see keeps the first event, one of another client, and the latest.
func (f *Findings) see(g *group, e *relaylens.Event, newClient, kept bool) {
	switch {
	case f.brief && !g.witnesses[0].none() && g.cause != relaylens.CausePolicy && f.history.fleet.peers.Len() < manyHosts:
		// only of helpers, and of clients that roam, others are looked at
	case g.witnesses[0].none():
		f.keep(&g.witnesses[0], e, kept)
	case g.witnesses[1].none():
		f.keep(&g.witnesses[1], e, kept)
		g.other = newClient
	case newClient && !g.other:
		f.keep(&g.witnesses[1], e, kept)
		f.texts.Forget(&g.witnesses[2].copy)
		g.witnesses[2], g.other = witness{}, true
	default:
		f.keep(&g.witnesses[2], e, kept)
	}
}

// keep makes w a witness of e, which stays where it is if it is kept.
func (f *Findings) keep(w *witness, e *relaylens.Event, kept bool) {
	if kept {
		w.event = e
		return
	}
	f.buf = f.packing.Append(f.buf[:0], e)
	f.texts.Set(&w.copy, unsafe.String(unsafe.SliceData(f.buf), len(f.buf)))
}

// forget takes the texts of a group that leaves.
func (f *Findings) forget(g *group) {
	f.texts.Forget(&g.host)
	f.texts.Forget(&g.entity)
	for i := range g.witnesses {
		f.texts.Forget(&g.witnesses[i].copy)
	}
}

// seen are the witnesses that there are, where they stand: there is none behind one
// that is missing. Who adds others to them copies them.
func (g *group) seen() []witness {
	n := 0
	for n < maxWitnesses && !g.witnesses[n].none() {
		n++
	}
	return g.witnesses[:n:n]
}

// evidence are the events of witnesses, to be kept.
func (f *Findings) evidence(witnesses []witness) []relaylens.Event {
	list := slices.Clone(f.view(witnesses))
	for i := range list {
		if witnesses[i].event == nil { // else its texts are kept
			list[i] = list[i].Clone()
		}
	}
	return list
}

// view is evidence that is valid until the next is asked for.
func (f *Findings) view(witnesses []witness) []relaylens.Event {
	for i, w := range witnesses {
		if w.event != nil {
			f.viewed[i] = *w.event
			continue
		}
		text := f.texts.View(w.copy)
		if err := f.packing.Read(unsafe.Slice(unsafe.StringData(text), len(text)), &f.viewed[i]); err != nil {
			panic(err) // it was packed by keep
		}
	}
	return f.viewed[:len(witnesses)]
}
