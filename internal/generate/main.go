// Command generate writes the log of a busy mail server, of any size, and what
// it holds: the truth that a reader of the log can be held to. The same
// arguments give the same bytes.
//
//	go run ./internal/generate -mta postfix -size 1GB -out mail.log -truth mail.truth
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "generate:", err)
		}
		os.Exit(1)
	}
}

func run(args []string) error {
	var o options
	var size, out, truth string
	f := flag.NewFlagSet("generate", flag.ContinueOnError)
	f.StringVar(&o.mta, "mta", "postfix", "whose log: postfix, exim or sendmail")
	f.StringVar(&size, "size", "100MB", "about how much to write, in B, kB, MB or GB")
	f.Uint64Var(&o.seed, "seed", 1, "what decides everything that is by chance")
	f.StringVar(&o.stamps, "stamps", "", "rfc3164, rfc3339, or native: Exim's own log, and its default")
	f.IntVar(&o.clients, "clients", 20000, "how many clients there are, at most")
	f.IntVar(&o.hosts, "hosts", 2, "how many servers write into the log")
	f.Float64Var(&o.rate, "rate", 5, "sessions a second, mean of a day")
	f.BoolVar(&o.uniform, "uniform", false, "each session has another client, user and domain until all had their turn; most are refused")
	f.StringVar(&out, "out", "-", "the log; - is standard output")
	f.StringVar(&truth, "truth", "", "what the log holds, as JSON")
	if err := f.Parse(args); err != nil {
		return err
	}
	var err error
	if o.size, err = parseSize(size); err != nil {
		return err
	}
	g, err := newGenerator(o)
	if err != nil {
		return err
	}
	if err := write(g, out); err != nil {
		return err
	}
	if truth == "" {
		return nil
	}
	return g.truth.save(truth, g.options)
}

// write writes the log. The file's time is that of its last line: whoever has
// to tell the year of a stamp without one goes by it.
func write(g *generator, path string) error {
	var w io.Writer = os.Stdout
	if path != "-" {
		f, err := os.Create(path)
		if err != nil {
			return fmt.Errorf("create log: %w", err)
		}
		defer f.Close()
		w = f
	}
	b := bufio.NewWriterSize(w, 1<<20)
	end, err := g.writeTo(b)
	if err == nil {
		err = b.Flush()
	}
	if err != nil {
		return fmt.Errorf("write log: %w", err)
	}
	if path == "-" {
		return nil
	}
	if err := os.Chtimes(path, end, end); err != nil {
		return fmt.Errorf("set time of log: %w", err)
	}
	return nil
}

// parseSize reads a decimal size: 100MB is 100,000,000.
func parseSize(s string) (int64, error) {
	number, factor := s, int64(1)
	for suffix, f := range map[string]int64{"kB": 1e3, "MB": 1e6, "GB": 1e9} {
		if n, ok := strings.CutSuffix(s, suffix); ok {
			number, factor = n, f
		}
	}
	n, err := strconv.ParseFloat(strings.TrimSuffix(number, "B"), 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("size %q: give a number of B, kB, MB or GB", s)
	}
	return int64(n * float64(factor)), nil
}

// options say what is written.
type options struct {
	mta     string
	size    int64
	seed    uint64
	stamps  string
	clients int
	hosts   int
	rate    float64
	uniform bool
}

func (o *options) check() error {
	if o.stamps == "" {
		o.stamps = "rfc3164"
		if o.mta == "exim" {
			o.stamps = "native"
		}
	}
	switch {
	case o.mta != "postfix" && o.mta != "exim" && o.mta != "sendmail":
		return fmt.Errorf("mta %q: choose postfix, exim or sendmail", o.mta)
	case o.stamps != "rfc3164" && o.stamps != "rfc3339" && (o.stamps != "native" || o.mta != "exim"):
		return fmt.Errorf("stamps %q: choose rfc3164, rfc3339 or, for Exim, native", o.stamps)
	case o.clients < 100 || o.clients > maxClients:
		return fmt.Errorf("%d clients: choose 100 to %d", o.clients, maxClients)
	case o.hosts < 1 || o.hosts > 99:
		return fmt.Errorf("%d hosts: choose 1 to 99", o.hosts)
	case o.rate <= 0:
		return fmt.Errorf("rate %g: must be more than 0", o.rate)
	}
	return nil
}

// epoch is when every log begins. No clock changes to or from summer time for
// months, and it is a Monday.
var epoch = time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)
