package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/summary"
)

const explainLong = `explain says what a log line, a reply, a code or one of relaylens's own names
means: each part of it, which setting writes it, the likely causes and what
tells them apart, what to check next with the commands filled in, and what not
to do.

WHAT is one of
  a log line, in any framing, or its text alone
  a reply: 554 5.7.1 Relay access denied
  a reply code: 554, or an enhanced one: 5.7.1
  a cause, kind, reason, stage, action, direction or field: restriction_order

Without WHAT, or with -, standard input is read: a reply of several lines, or
log lines, whose refusals are explained by all that the lines tell together.

Values from the log are quoted for the shell in commands. What might be taken
for an option or do something to a terminal is not filled in. Names in braces
are for you to fill in.

EXAMPLES
  relaylens explain 554 5.7.1 Relay access denied
  relaylens explain --mta exim restriction_order
  tail -n 1000 /var/log/mail.log | relaylens explain

EXIT STATUS
  0  it was explained
  1  nothing is known of it
  2  the command line is wrong`

// explainOptions are the flags of explain.
type explainOptions struct {
	config  string
	mta     string
	output  string
	noPager bool
}

func (o *explainOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.config, "config", "", "take site-defined texts and the time zone from this `FILE`")
	f.StringVar(&o.mta, "mta", "auto", "whose lines and settings: auto, postfix, exim or sendmail")
	f.StringVarP(&o.output, "output", "o", "text", "text or json (one object a line)")
	f.BoolVar(&o.noPager, "no-pager", false, "do not start a pager")
}

func newExplainCommand() *cobra.Command {
	var o explainOptions
	c := &cobra.Command{
		Use:               "explain [flags] [WHAT]",
		Short:             "Say what a line, reply, code or cause means, and what to do",
		Long:              explainLong,
		ValidArgsFunction: completeNames,
		RunE:              func(c *cobra.Command, args []string) error { return runExplain(c, o, args) },
	}
	o.addFlags(c.Flags())
	registerCompletions(c, "text", "json")
	return c
}

// completeNames offers the names that explain knows.
func completeNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, field := range []string{"cause", "kind", "reason", "stage"} {
		names = append(names, relaylens.FieldValues(field)...)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func runExplain(c *cobra.Command, o explainOptions, args []string) error {
	if o.output != "text" && o.output != "json" {
		return usagef("--output %q: choose text or json", o.output)
	}
	options, err := parserOptions(o.config, o.mta)
	if err != nil {
		return err
	}
	e := &explainer{options: options}
	input := strings.Join(args, " ")
	var xs []*summary.Explanation
	if input == "" || input == "-" {
		if len(args) > 0 && input == "" {
			return usagef("an argument is empty; write a line, a reply, a code or a name")
		}
		if f, ok := c.InOrStdin().(*os.File); ok && len(args) == 0 && term.IsTerminal(int(f.Fd())) {
			return usagef("explain what? Write a line, a reply, a code or a name, or - for standard input")
		}
		xs, err = e.stream(c.Context(), c.InOrStdin())
	} else {
		xs, err = e.explain(input)
	}
	if err != nil {
		return err
	}
	if err = o.write(c, xs, e); errors.Is(err, errUnexplained) && input != "" && input != "-" && exists(input) {
		return fmt.Errorf("%w; for the lines of that file: relaylens explain < %s", err, relaylens.Escaped(input, 200))
	}
	return err
}

// errUnexplained is the error of an input of which nothing is known; the answer
// itself was printed.
var errUnexplained = errors.New("nothing is known of it")

func (o *explainOptions) write(c *cobra.Command, xs []*summary.Explanation, e *explainer) error {
	s := openScreen(c, !o.noPager && o.output == "text")
	w := bufio.NewWriter(s.Writer)
	err := o.writeAll(w, xs, summary.TextOptions{Width: min(terminalWidth(c.OutOrStdout()), 80), Color: s.Color})
	if err == nil && e.left > 0 && o.output == "text" {
		_, err = fmt.Fprintf(w, "\n%d more refusals were not explained; relaylens events and summary list them.\n", e.left)
	}
	if err == nil {
		err = w.Flush()
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return fmt.Errorf("write explanation: %w", err)
	}
	for _, x := range xs {
		if x.Known {
			return nil
		}
	}
	return errUnexplained
}

func (o *explainOptions) writeAll(w io.Writer, xs []*summary.Explanation, layout summary.TextOptions) error {
	var buf []byte
	var err error
	for i, x := range xs {
		buf = buf[:0]
		if o.output == "json" {
			if buf, err = x.AppendJSON(buf); err != nil {
				return err
			}
		} else {
			if i > 0 {
				buf = append(buf, "\n"+strings.Repeat("─", 40)+"\n\n"...)
			}
			buf = x.AppendText(buf, layout)
		}
		if _, err = w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}
