// Command bench measures relaylens on generated logs of all three servers, next
// to what else goes through such a file, and writes the tables of
// docs/performance.md. `make bench` starts it.
//
// Wall time says little on a machine that does something else as well: what
// counts are the seconds of CPU, user and system, of whole processes, and the
// ratios between processes of the same round. Tools take turns, so that what
// slows the machine for a while slows all of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	relaylens string
	dir       string // of the logs
	peers     string // where packages of other tools are unpacked
	doc       string
	size      string // of the logs
	slow      string // of those for slow tools
	unique    int    // clients in the log where none comes twice soon
	rounds    int
	seed      uint64

	page page
}

func run(ctx context.Context, args []string) error {
	var b bench
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&b.relaylens, "relaylens", "bin/relaylens", "the program to measure")
	f.StringVar(&b.dir, "dir", os.Getenv("BENCH_DIR"), "where the logs are kept; by default in the user's cache, and in $BENCH_DIR if set")
	f.StringVar(&b.peers, "peers", "bin/debian", "where the packages of other tools are unpacked; those in $PATH are found as well")
	f.StringVar(&b.doc, "doc", "", "the page to write the tables into; none: standard output only")
	f.StringVar(&b.size, "size", "1GB", "size of the logs")
	f.StringVar(&b.slow, "slow", "100MB", "size of the logs for tools that would take minutes")
	f.IntVar(&b.unique, "unique", 1000000, "clients in the log of many clients; 0: no such log")
	f.IntVar(&b.rounds, "rounds", 5, "how often each tool has its turn")
	f.Uint64Var(&b.seed, "seed", 1, "of the logs")
	if err := f.Parse(args); err != nil {
		return err
	}
	if b.rounds < 1 {
		return fmt.Errorf("rounds %d: must be 1 or more", b.rounds)
	}
	if b.dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("find a place for the logs: %w", err)
		}
		b.dir = filepath.Join(cache, "relaylens-bench")
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil { //nolint:gosec // logs that were made up
		return fmt.Errorf("make a place for the logs: %w", err)
	}
	if err := b.measure(ctx); err != nil {
		return err
	}
	text := b.page.text()
	if _, err := os.Stdout.WriteString(text); err != nil {
		return fmt.Errorf("write tables: %w", err)
	}
	if b.doc == "" {
		return nil
	}
	return update(b.doc, text)
}

// measure makes the logs and has every tool run over them.
func (b *bench) measure(ctx context.Context) error {
	b.page.machine = machine(ctx, b)
	maker, err := newMaker(ctx, b)
	if err != nil {
		return err
	}
	defer maker.close()
	for _, mta := range []string{"postfix", "exim", "sendmail"} {
		log, err := maker.log(ctx, mta, b.size, 0)
		if err != nil {
			return err
		}
		if err := b.race(ctx, log); err != nil {
			return err
		}
	}
	if err := b.archive(ctx, maker); err != nil {
		return err
	}
	if err := b.many(ctx, maker); err != nil {
		return err
	}
	return b.slowTools(ctx, maker)
}
