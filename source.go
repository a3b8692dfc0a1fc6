package relaylens

import "context"

// Source reads one log and hands its lines on in batches.
type Source interface {
	// Name is what Line.Source and the source label of metrics say.
	Name() string
	// Run sends batches to out until ctx ends, then returns nil, or until it
	// fails. It blocks while out is full, does not close out and does not retry:
	// its caller starts it again.
	Run(ctx context.Context, out chan<- Batch) error
}
