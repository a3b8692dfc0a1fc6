package app

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// stack holds what has to be undone, the last first.
type stack struct{ steps []step }

type step struct {
	name string
	undo func(context.Context) error
}

// push adds a step as soon as there is something to undo. Undo must return
// soon after its context ends.
func (s *stack) push(name string, undo func(context.Context) error) {
	s.steps = append(s.steps, step{name, undo})
}

// run undoes everything, each step within timeout, whatever happened to the
// others, and empties the stack.
func (s *stack) run(ctx context.Context, timeout time.Duration) error {
	var errs []error
	for len(s.steps) > 0 {
		last := s.steps[len(s.steps)-1]
		s.steps = s.steps[:len(s.steps)-1]
		if err := runStep(ctx, last, timeout); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", last.name, err))
		}
	}
	return errors.Join(errs...)
}

func runStep(ctx context.Context, s step, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return s.undo(ctx)
}

// wait waits for done, at most until ctx ends.
func wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
