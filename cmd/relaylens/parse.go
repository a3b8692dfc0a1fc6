package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/internal/resident"
	"github.com/relaylens/relaylens/parsers"
	"github.com/relaylens/relaylens/summary"
	"github.com/relaylens/relaylens/tailer"
)

const parseLong = `parse reads log files and prints every refusal as it streams by, one a line, in
constant memory; nothing is stored. FILE may be compressed (.gz .xz .zst .bz2,
told by content); - is standard input. A tally is printed on standard error.

Sessions and queue ids are followed across FILEs in the order given, so the
parts of a rotated log go oldest first. Times are shown in the log's own zone,
where the other commands show those of this machine.

EXAMPLES
  relaylens parse /var/log/mail.log.1 /var/log/mail.log
  tail -n 0 -F /var/log/mail.log | relaylens parse -
  relaylens parse -o json mainlog | jq -r 'select(.class == "5xx") | .client_ip'

EXIT STATUS
  0  every FILE was read
  1  a FILE could not be read; the others were
  2  the command line is wrong`

// parseOptions are the flags of parse.
type parseOptions struct {
	config    string
	mta       string
	output    string
	all       bool
	raw       bool
	malformed string
	site      siteFlags
}

func (o *parseOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.config, "config", "", "take site-defined texts and the time zone from this `FILE`")
	f.StringVar(&o.mta, "mta", "auto", "whose logs these are: auto, postfix, exim or sendmail")
	f.StringVarP(&o.output, "output", "o", "short", "short or json (one object a line)")
	f.BoolVar(&o.all, "all", false, "print context events and what was only warned about, too")
	f.BoolVar(&o.raw, "raw", false, "add the log line to each event")
	o.site.addFlags(f)
	f.StringVar(&o.malformed, "malformed", "", "append lines that were not understood to this `FILE`")
}

func newParseCommand() *cobra.Command {
	var o parseOptions
	c := &cobra.Command{
		Use:   "parse [flags] FILE...",
		Short: "Print the refusals in log files as they stream by",
		Long:  parseLong,
		Args:  someFiles,
		RunE:  func(c *cobra.Command, files []string) error { return runParse(c, o, files) },
	}
	o.addFlags(c.Flags())
	registerCompletions(c, "short", "json")
	return c
}

func runParse(c *cobra.Command, o parseOptions, files []string) error {
	options, err := parserOptions(o.config, o.mta)
	if err != nil {
		return err
	}
	if o.output != "short" && o.output != "json" {
		return usagef("--output %q: choose short or json", o.output)
	}
	site, err := o.site.site(o.config)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(c.OutOrStdout(), 64<<10)
	r := &parseRun{options: o, out: out, stdin: c.InOrStdin(), classifier: classifier.New(classifier.WithSite(site)), progress: newProgress(c.ErrOrStderr())}
	if o.malformed != "" {
		f, err := os.OpenFile(o.malformed, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return fmt.Errorf("open file for malformed lines: %w", err)
		}
		defer f.Close()
		r.malformed = bufio.NewWriter(f)
		options.OnMalformed = r.keepMalformed
	}
	options.Raw, options.ContextIDs, options.Brief = o.raw, o.all, !o.all
	if r.parser, err = parsers.New(options); err != nil {
		return err
	}
	err = r.files(c.Context(), files)
	r.progress.done()
	if errors.Is(err, errOutput) {
		return err
	}
	r.tally(c.ErrOrStderr())
	return errors.Join(err, r.close())
}

// errOutput marks an error of standard output: there is no point in going on.
var errOutput = errors.New("write output")

// parseRun is one run of parse.
type parseRun struct {
	options    parseOptions
	parser     *parsers.Parser
	classifier *classifier.Classifier
	stdin      io.Reader
	out        *bufio.Writer
	malformed  *bufio.Writer
	progress   *progress
	refusals   uint64
	buf        []byte
	outErr     error
}

// files reads every file; one that cannot be read does not stop the others.
func (r *parseRun) files(ctx context.Context, names []string) error {
	var errs []error
	live := slices.Contains(names, "-") // what is read may be written while it is read
	resident.Collect()
	resident.Trim()
	r.parser.Ahead(func(hand func(*relaylens.Batch) bool) {
		for _, name := range names {
			if err := r.file(ctx, name, hand); err != nil {
				errs = append(errs, err)
			}
		}
	}, r.event, func() bool {
		if live {
			r.flush()
		}
		return r.outErr == nil
	})
	if r.outErr != nil {
		return r.outErr
	}
	r.parser.Flush(r.event)
	r.flush()
	return errors.Join(append(errs, r.outErr, ctx.Err())...)
}

// file hands over the lines of one file.
func (r *parseRun) file(ctx context.Context, name string, hand func(*relaylens.Batch) bool) error {
	if ctx.Err() != nil {
		return nil
	}
	reader, err := r.open(name)
	if err != nil {
		return err
	}
	defer reader.Close()
	reader.Own()
	for ctx.Err() == nil {
		batch, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !hand(batch) {
			return nil
		}
		r.progress.show(name, reader.BytesRead(), reader.Size())
	}
	return nil
}

func (r *parseRun) open(name string) (*tailer.Reader, error) {
	if name == "-" {
		return tailer.NewReader(name, r.stdin, time.Now()), nil
	}
	return tailer.OpenReader(name)
}

// event prints one event.
func (r *parseRun) event(e *relaylens.Event) {
	r.classifier.Classify(e) // context teaches it, too
	if e.Refusal() {
		r.refusals++
	} else if !r.options.all {
		return
	}
	if r.options.output == "json" {
		r.buf = e.AppendJSON(r.buf[:0])
	} else {
		r.buf = summary.AppendShort(r.buf[:0], e)
		if r.options.raw {
			r.buf = relaylens.AppendEscaped(append(r.buf, "\n    "...), e.Raw, 0)
		}
	}
	r.buf = append(r.buf, '\n')
	if _, err := r.out.Write(r.buf); err != nil && r.outErr == nil {
		r.outErr = fmt.Errorf("%w: %w", errOutput, err)
	}
}

func (r *parseRun) flush() {
	if err := r.out.Flush(); err != nil && r.outErr == nil {
		r.outErr = fmt.Errorf("%w: %w", errOutput, err)
	}
}

func (r *parseRun) keepMalformed(line *relaylens.Line) {
	// A bufio.Writer keeps its first error; close reports it.
	_, _ = r.malformed.WriteString(line.Text)
	_ = r.malformed.WriteByte('\n')
}

func (r *parseRun) close() error {
	if r.malformed == nil {
		return nil
	}
	if err := r.malformed.Flush(); err != nil {
		return fmt.Errorf("write malformed lines to %s: %w", r.options.malformed, err)
	}
	return nil
}

// tally says what became of the lines. Context and warnings are lines without
// a refusal, so that the numbers of lines add up.
func (r *parseRun) tally(w io.Writer) {
	c := r.parser.Total()
	fmt.Fprintf(w, "lines %d, refusals %d, ignored %d, foreign %d, malformed %d\n", c.Lines(), r.refusals,
		c[parsers.ResultIgnored]+c[parsers.ResultContext]+c[parsers.ResultWarned], c[parsers.ResultForeign], c[parsers.ResultMalformed])
	noteForeign(w, c)
}
