package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/relaylens/relaylens/internal/ask"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

const summaryLong = `summary counts refusals: what this server said and how that changed, when, why
and by whose fault, who was concerned, what is new, what other servers refused.

It asks the store of the daemon, of the last 24 hours unless --since or --until
say otherwise, and compares with the span of the same length before. With FILEs
it reads those instead, compressed or not, whatever MTA wrote them; - is
standard input. Then all of them is counted, and compared with what the FILEs
tell of the span before when --since is given.

FIELD=VALUE selects as in relaylens events.

--by counts by any fields instead: those of an event, sender_domain,
recipient_domain, client_net, and fault, date and hour.

EXAMPLES
  relaylens summary                              the last 24 hours
  relaylens summary -S yesterday -U today        yesterday and the day before
  relaylens summary kind=relay_denied --top 20   who wanted to relay
  relaylens summary --by user,client_net kind=auth_failed
  relaylens summary --by date,kind -o csv /var/log/mail.log*
  relaylens summary -o html -S -7d > week.html   a page to send by mail

EXIT STATUS
  0  fine
  1  an error; a FILE could not be read
  2  the command line is wrong
  3  with --exit-code: refusals were counted`

var summaryOutputs = []string{"text", "json", "csv", "html"}

// summaryFlags are the flags of summary.
type summaryFlags struct {
	inputFlags
	by            []string
	top           int
	output        string
	problemsFirst bool
	noPager       bool
	exitCode      bool
}

func (o *summaryFlags) addFlags(fs *pflag.FlagSet) {
	o.inputFlags.addFlags(fs)
	fs.StringSliceVar(&o.by, "by", nil, "count by `FIELD[,FIELD]` and nothing else")
	fs.IntVar(&o.top, "top", 5, "the `N` largest values of each list (with --by 20); -1 is all")
	fs.StringVarP(&o.output, "output", "o", "text", "the `FORMAT`: text, json, csv (with --by only), html")
	fs.BoolVar(&o.problemsFirst, "problems-first", false, "causes, what is new and what other servers refused before the totals")
	fs.BoolVar(&o.noPager, "no-pager", false, "write to the terminal itself")
	fs.BoolVar(&o.exitCode, "exit-code", false, "end with status 3 when there are refusals")
}

func newSummaryCommand() *cobra.Command {
	var o summaryFlags
	c := &cobra.Command{
		Use:   "summary [flags] [FIELD=VALUE...] [FILE...]",
		Short: "Count refusals: what, why, who, when",
		Long:  summaryLong,
		Args:  cobra.ArbitraryArgs,
		RunE:  func(c *cobra.Command, args []string) error { return runSummary(c, &o, args) },
	}
	o.addFlags(c.Flags())
	c.ValidArgsFunction = o.completeMatches
	registerCompletions(c, summaryOutputs...)
	return c
}

func runSummary(c *cobra.Command, o *summaryFlags, args []string) error {
	r, err := o.ask(args, time.Now())
	if err != nil {
		return err
	}
	var readErr error
	if remote, err := o.remote(&r.arguments); err != nil {
		return err
	} else if remote {
		events, err := r.fromServers(c)
		if err == nil && o.exitCode && events > 0 {
			err = errFound
		}
		return err
	}
	if len(r.files) > 0 {
		readErr = o.readFiles(c, r.files, func(f *ask.Files) error { return r.CountFiles(c.Context(), f) })
		if errors.As(readErr, &unread{}) {
			return readErr
		}
	} else if err := o.readStore(c, func(s *store.Store) error { return r.CountStore(c.Context(), s) }); err != nil {
		return err
	}
	if c.Context().Err() != nil {
		return errors.Join(readErr, c.Context().Err())
	}
	events, err := r.write(c)
	if err := errors.Join(err, readErr); err != nil {
		return err
	}
	if o.exitCode && events > 0 {
		return errFound
	}
	return nil
}

// summaryRun is one summary.
type summaryRun struct {
	*ask.Summary
	*summaryFlags
	arguments
	asked  store.Span
	layout summary.TextOptions
}

// ask reads flags and arguments.
func (o *summaryFlags) ask(args []string, now time.Time) (*summaryRun, error) {
	a, err := readArguments(args)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(summaryOutputs, o.output) {
		return nil, usagef("--output %q: choose text, json, csv or html", o.output)
	}
	if o.output == "csv" && len(o.by) == 0 {
		return nil, usagef("--output csv writes one table: say with --by which, as in --by kind,reason")
	}
	if o.top < -1 || o.top == 0 {
		return nil, usagef("--top %d: write a number, or -1 for all", o.top)
	}
	if len(o.by) > 0 && !o.flags.Changed("top") {
		o.top = ask.DefaultGroups
	}
	span, err := o.span(now)
	if err != nil {
		return nil, err
	}
	s, err := ask.NewSummary(ask.SummaryOptions{Span: span, Match: a.match, By: o.by, Top: o.top, Now: now, Location: o.location(), Files: len(a.files) > 0})
	if err != nil {
		return nil, usagef("--by: %w", err)
	}
	return &summaryRun{Summary: s, summaryFlags: o, arguments: a, asked: span}, nil
}

// show prints a report, and tells how many refusals it has.
func (r *summaryRun) show(c *cobra.Command, report *summary.Report) (events int64, err error) {
	return report.Refusals + report.Remote.Refusals, r.print(c, func() ([]byte, error) { return r.report(report) })
}

// showTable is show for what was counted by fields.
func (r *summaryRun) showTable(c *cobra.Command, t *summary.GroupTable) (events int64, err error) {
	return t.Refusals, r.print(c, func() ([]byte, error) { return r.table(t) })
}

// write prints what was counted, and tells how much that is.
func (r *summaryRun) write(c *cobra.Command) (events int64, err error) {
	if len(r.by) > 0 {
		return r.showTable(c, r.Table())
	}
	err = r.print(c, func() ([]byte, error) {
		steps := summary.PageSteps
		if r.output == "text" {
			steps = summary.TextSteps(r.layout.Width)
		}
		report := r.Report(steps)
		events = report.Refusals + report.Remote.Refusals
		return r.report(report)
	})
	return events, err
}

// print writes a text, once it is known how wide the screen is.
func (r *summaryRun) print(c *cobra.Command, form func() ([]byte, error)) error {
	screen := openScreen(c, r.output == "text" && !r.noPager)
	r.layout = summary.TextOptions{Width: terminalWidth(c.OutOrStdout()), Color: screen.Color, ProblemsFirst: r.problemsFirst}
	text, err := form()
	if err == nil {
		_, err = screen.Write(text)
	}
	if err = errors.Join(err, screen.Close()); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	return nil
}

func (r *summaryRun) report(report *summary.Report) ([]byte, error) {
	switch r.output {
	case "json":
		return report.AppendJSON(nil)
	case "html":
		return report.AppendHTML(nil, r.layout)
	}
	return report.AppendText(nil, r.layout), nil
}

func (r *summaryRun) table(t *summary.GroupTable) ([]byte, error) {
	switch r.output {
	case "json":
		return t.AppendJSON(nil)
	case "csv":
		return t.AppendCSV(nil), nil
	case "html":
		return t.AppendHTML(nil)
	}
	return t.AppendText(nil, r.layout), nil
}

// terminalWidth is $COLUMNS, or the width of the terminal that standard output
// is, or 80.
func terminalWidth(w io.Writer) int {
	if n, err := strconv.Atoi(strings.TrimSpace(os.Getenv("COLUMNS"))); err == nil && n > 0 {
		return n
	}
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}
