package parsers

import "github.com/relaylens/relaylens"

// ahead is how many batches may be scanned before they are taken.
const ahead = 3

// part is a batch that was scanned.
type part struct {
	Scanned
	release func() // nil when there is no memory to give back
}

func (p *part) giveBack() {
	if p.release != nil {
		p.release()
	}
}

// Ahead reads what source hands over, in two steps at once: source and Scan are
// called on a goroutine of their own, emit and taken on the caller's. Taken is
// called after each batch. When it returns false no more is taken and Ahead
// returns; source is then told false for the batch that it hands over next, which
// may be after that.
//
// Batches keep their memory until their Release is called: after they were taken,
// or when no more is, then on another goroutine.
func (p *Parser) Ahead(source func(hand func(*relaylens.Batch) bool), emit func(*relaylens.Event), taken func() bool) {
	scanned, free, stop := make(chan *part, ahead), make(chan *part, ahead), make(chan struct{})
	for range ahead {
		free <- new(part)
	}
	stopped := func() {
		close(stop)
		go func() {
			for left := range scanned {
				left.giveBack()
			}
		}()
	}
	go func() {
		defer close(scanned)
		source(func(b *relaylens.Batch) bool {
			select {
			case next := <-free:
				next.release = b.Release
				p.Scan(b, &next.Scanned)
				scanned <- next // there is room for all
				return true
			case <-stop:
				return false
			}
		})
	}()
	for next := range scanned {
		p.Take(&next.Scanned, emit)
		next.giveBack()
		free <- next
		if !taken() {
			stopped()
			return
		}
	}
}
