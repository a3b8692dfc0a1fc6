package tailer

import (
	"context"

	"github.com/relaylens/relaylens"
)

// PipeOptions configure NewPipe. Path alone is required.
type PipeOptions struct {
	Path    string
	Metrics *Metrics // nil: none
}

type pipe struct {
	path string
	m    *gauges
}

// NewPipe reads a named pipe, whose writers may come and go, until ctx ends.
// What stands in a pipe that nobody reads is lost when its writers go, and its
// writers wait when it is full; there is no position.
func NewPipe(o PipeOptions) relaylens.Source {
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	return &pipe{o.Path, o.Metrics.source(o.Path)}
}

func (p *pipe) Name() string { return p.path }

func (p *pipe) Run(ctx context.Context, out chan<- relaylens.Batch) error {
	f, err := OpenPipe(p.path)
	if err != nil {
		p.m.errors.Inc()
		return err
	}
	defer f.Close()
	p.m.up.Set(1)
	defer p.m.up.Set(0)
	return NewStdin(p.path, f).Run(ctx, out)
}
