package ask

import "github.com/relaylens/relaylens"

const (
	// portionSize is of how many events a portion is, and portions how many there
	// are: one that is filled, one that is used, and one in between.
	portionSize = 128
	portions    = 3
)

// aside has something done with each of many events on a goroutine of its own.
type aside struct {
	filling     *portion
	full, empty chan *portion
	done        chan struct{}
}

// portion are copies of events with the memory of their texts.
type portion struct {
	events [portionSize]relaylens.Event
	memory [portionSize][]byte
	n      int
}

// newAside calls do for each event that is added, in their order. It is to be closed.
func newAside(do func(*relaylens.Event)) *aside {
	a := &aside{filling: new(portion), full: make(chan *portion, portions), empty: make(chan *portion, portions), done: make(chan struct{})}
	for range portions - 1 {
		a.empty <- new(portion)
	}
	go func() {
		defer close(a.done)
		for p := range a.full {
			for i := range p.n {
				do(&p.events[i])
			}
			p.n = 0
			a.empty <- p // there is room for all
		}
	}()
	return a
}

// add copies e.
func (a *aside) add(e *relaylens.Event) {
	p := a.filling
	p.events[p.n], p.memory[p.n] = e.CloneInto(p.memory[p.n])
	if p.n++; p.n == portionSize {
		a.full <- p
		a.filling = <-a.empty
	}
}

// close waits until everything is done.
func (a *aside) close() {
	a.full <- a.filling
	close(a.full)
	<-a.done
}
