package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// sample is what one run of a process took.
type sample struct {
	wall, user, sys time.Duration
	rss             int64 // largest, in bytes
}

func (s sample) cpu() time.Duration { return s.user + s.sys }

// once runs t. What it prints goes to a file: GNU grep stops at the first match
// when it notices that nobody reads it. If discard is set, it goes there.
func (b *bench) once(ctx context.Context, t tool, discard string) (sample, error) {
	path := discard
	if path == "" {
		path = filepath.Join(b.dir, "output")
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return sample{}, fmt.Errorf("open output: %w", err)
	}
	defer out.Close()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, t.args[0], t.args[1:]...)
	cmd.Env = append(os.Environ(), t.env...)
	cmd.Stdout, cmd.Stderr = out, &stderr
	began := time.Now()
	err = cmd.Run()
	s := sample{wall: time.Since(began)}
	if err != nil {
		return s, fmt.Errorf("run %s: %w\n%s", t.name, err, stderr.Bytes())
	}
	if t.check != nil {
		if err := t.check(stderr.Bytes()); err != nil {
			return s, err
		}
	}
	s.user, s.sys = cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.rss = kibibytes(usage.Maxrss)
	}
	return s, nil
}

// kibibytes is n of them in bytes; Linux counts memory so, and not on all machines
// in numbers of one size.
func kibibytes[T int32 | int64](n T) int64 { return int64(n) * 1024 }

// series are the samples of one tool, one of each round.
type series struct {
	name    string
	discard string
	tool    tool
	samples []sample
}

// rounds gives each tool its turns. The first of all is for the page cache.
func (b *bench) run(ctx context.Context, title string, all []*series) error {
	for round := range b.rounds + 1 {
		if round == 0 {
			fmt.Fprintf(os.Stderr, "%s: ", title)
		}
		for i := range all {
			s := all[(i+round)%len(all)] // nobody always comes after the same
			sample, err := b.once(ctx, s.tool, s.discard)
			if err != nil {
				return err
			}
			if round > 0 {
				s.samples = append(s.samples, sample)
			}
		}
		fmt.Fprint(os.Stderr, ".")
	}
	fmt.Fprintln(os.Stderr)
	return nil
}

func (s *series) duration(of func(sample) time.Duration) time.Duration {
	values := make([]time.Duration, len(s.samples))
	for i, x := range s.samples {
		values[i] = of(x)
	}
	return median(values)
}

func (s *series) rss() int64 {
	largest := int64(0)
	for _, x := range s.samples {
		largest = max(largest, x.rss)
	}
	return largest
}

// spread is a median and the values furthest from it.
type spread struct{ median, low, high float64 }

// against compares two series round by round.
func (s *series) against(o *series, of func(sample) time.Duration) spread {
	var ratios []float64
	for i := range min(len(s.samples), len(o.samples)) {
		// A tool too fast to be timed is taken for a millisecond.
		ratios = append(ratios, float64(of(s.samples[i]))/float64(max(of(o.samples[i]), time.Millisecond)))
	}
	return spread{median(ratios), slices.Min(ratios), slices.Max(ratios)}
}

// median of values, which it sorts; of an even number the mean of the two.
func median[T float64 | time.Duration](values []T) T {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
