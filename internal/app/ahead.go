package app

import (
	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
)

// maxAhead batches may be scanned before they are taken.
const maxAhead = 2

// ahead scans batches on a goroutine of its own, while the pipeline takes those before
// them. Everything but that goroutine is the pipeline's. Whoever does something else
// with the parser than to take first waits until none is on the way: see settled.
type ahead struct {
	parts   chan *part
	scanned chan *part // in the order of parts
	free    []*part
	open    int // parts on the way
}

// part is a batch and what was scanned of it.
type part struct {
	batch   relaylens.Batch
	parser  *parsers.Parser
	scanned parsers.Scanned
}

func (a *ahead) start() {
	a.parts, a.scanned = make(chan *part, maxAhead), make(chan *part, maxAhead)
	for range maxAhead {
		a.free = append(a.free, new(part))
	}
	go func() {
		defer close(a.scanned)
		for p := range a.parts {
			p.parser.Scan(&p.batch, &p.scanned)
			a.scanned <- p
		}
	}()
}

// stop ends the goroutine; what is on the way is left.
func (a *ahead) stop() {
	close(a.parts)
	for range a.scanned {
	}
}

func (a *ahead) full() bool { return a.open == maxAhead }

// scan has b scanned; there is room for it.
func (a *ahead) scan(b *relaylens.Batch, p *parsers.Parser) {
	last := len(a.free) - 1
	next := a.free[last]
	a.free = a.free[:last]
	next.batch, next.parser = *b, p
	a.open++
	a.parts <- next
}

// done takes back a part that was taken.
func (a *ahead) done(p *part) {
	p.batch, p.parser = relaylens.Batch{}, nil
	a.free = append(a.free, p)
	a.open--
}

// take goes on with b: at once, or after it was scanned beside those before it where
// more batches wait.
func (p *pipeline) take(b *relaylens.Batch) {
	if b.Shipment != nil || len(b.Lines) == 0 || p.sources[b.Lines[0].Source] == nil || p.ahead.open == 0 && len(p.in) == 0 {
		p.settled()
		p.batch(b)
		return
	}
	p.ahead.scan(b, p.parser)
}

// settled takes all that is on the way.
func (p *pipeline) settled() {
	for p.ahead.open > 0 {
		p.takeScanned(<-p.ahead.scanned)
	}
}

func (p *pipeline) takeScanned(next *part) {
	p.parser.Take(&next.scanned, p.event)
	p.taken(&next.batch, p.sources[next.batch.Lines[0].Source])
	p.ahead.done(next)
}
