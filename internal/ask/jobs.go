package ask

import (
	"cmp"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/relaylens/relaylens/store"
)

// maxPieces are what a span is split into.
const maxPieces = 8

// splitSpan splits a span of whole hours, so that several may be read at once: between
// days (UTC) where it has whole days, which the store tells of together. What is
// open stays whole.
func splitSpan(span store.Span) []store.Span {
	const day = 24 * time.Hour
	until := span.Until
	if until.IsZero() {
		until = time.Now()
	}
	if span.Since.IsZero() || !span.Since.Before(until) {
		return []store.Span{span}
	}
	unit := time.Hour
	if !span.Since.Add(day - 1).Truncate(day).Add(day).After(until) {
		unit = day
	}
	step := (until.Sub(span.Since)/maxPieces + unit - 1).Truncate(unit)
	var list []store.Span
	since := span.Since
	for at := since.Truncate(unit).Add(step); at.Before(until); at = at.Add(step) {
		list = append(list, store.Span{Since: since, Until: at})
		since = at
	}
	return append(list, store.Span{Since: since, Until: span.Until})
}

// runJobs runs jobs, a few at once, and gives the first error. Of a store that
// cannot be read, one says what there is to say.
func runJobs(jobs []func() error) error {
	// Each opens a connection, which is worth it where it has a processor of its own.
	workers := min(runtime.GOMAXPROCS(0), 4)
	errs := make([]error, len(jobs))
	var failed atomic.Bool
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(workers, len(jobs)) {
		wg.Go(func() {
			for i := range next {
				if failed.Load() {
					continue
				}
				if errs[i] = jobs[i](); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	for i := range jobs {
		next <- i
	}
	close(next)
	wg.Wait()
	return cmp.Or(errs...)
}

// addInPortions hands what seq gives to add, which others use as well: in portions, for
// taking the lock costs more than adding.
func addInPortions[T any](mu *sync.Mutex, seq iter.Seq2[T, error], add func(*T)) error {
	portion := make([]T, 0, 256)
	flush := func() {
		mu.Lock()
		defer mu.Unlock()
		for i := range portion {
			add(&portion[i])
		}
		portion = portion[:0]
	}
	for v, err := range seq {
		if err != nil {
			return err
		}
		if portion = append(portion, v); len(portion) == cap(portion) {
			flush()
		}
	}
	flush()
	return nil
}
