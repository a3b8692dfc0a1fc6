package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/ask"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

const diagnoseLong = `diagnose gathers refusals into findings, one for each problem of the real world:
a lost domain, a restriction in the wrong place, a dead auth backend, an old
password; and one for all of a server's scanners. Each tells what it is about,
whose fault it is, how sure it is and why, up to three refusals as evidence, and
what to do. The server's own faults come first.

It reads the store, all of it unless --since or --until say otherwise, or FILEs;
matches and times select as with events.

EXAMPLES
  relaylens diagnose -S today
  relaylens diagnose -S -7d recipient_domain=.example.com
  relaylens diagnose /var/log/mail.log*

EXIT STATUS
  0  fine
  1  an error; a FILE could not be read
  2  the command line is wrong
  3  with --exit-code: there are findings whose fault is the server's`

// diagnosis is one run of diagnose.
type diagnosis struct {
	inputFlags
	arguments
	output   string
	exitCode bool
	span     store.Span
}

func newDiagnoseCommand() *cobra.Command {
	var d diagnosis
	c := &cobra.Command{
		Use:   "diagnose [flags] [FIELD=VALUE...] [FILE...]",
		Short: "Tell what is wrong, and what to do",
		Long:  diagnoseLong,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if d.arguments, err = readArguments(args); err != nil {
				return err
			}
			return d.run(c)
		},
	}
	d.addFlags(c.Flags())
	c.Flags().StringVarP(&d.output, "output", "o", "text", "text, or json (one finding a line)")
	c.Flags().BoolVar(&d.exitCode, "exit-code", false, "exit with 3 if a finding's fault is the server's")
	c.ValidArgsFunction = d.completeMatches
	registerCompletions(c, "text", "json")
	return c
}

func (d *diagnosis) run(c *cobra.Command) (err error) {
	if d.output != "text" && d.output != "json" {
		return usagef("--output %q: choose text or json", d.output)
	}
	if d.span, err = d.inputFlags.span(time.Now()); err != nil {
		return err
	}
	q := ask.Findings{Span: d.span, Match: d.match}
	var findings []*summary.Diagnosis
	remote, err := d.remote(&d.arguments)
	if err != nil {
		return err
	}
	if remote {
		servers, question, err := d.askServers(&d.arguments, d.span)
		if err != nil {
			return err
		}
		if findings, err = servers.Findings(c.Context(), question); err != nil {
			return err
		}
	} else if len(d.files) == 0 {
		err = d.readStore(c, func(s *store.Store) (err error) { findings, err = q.Store(c.Context(), s); return err })
	} else {
		err = d.readFiles(c, d.files, func(f *ask.Files) (err error) { findings, err = q.Files(c.Context(), f); return err })
	}
	if findings == nil && err != nil {
		return err
	}
	s := openScreen(c, d.output == "text")
	if writeErr := errors.Join(d.write(s, findings), s.Close()); writeErr != nil {
		return fmt.Errorf("write findings: %w", writeErr)
	}
	if err == nil && d.exitCode {
		for i := range findings {
			if findings[i].Fault == relaylens.FaultServer {
				return errFound
			}
		}
	}
	return err
}

func (d *diagnosis) write(w io.Writer, findings []*summary.Diagnosis) error {
	if len(findings) == 0 && d.output == "text" {
		_, err := io.WriteString(w, "No findings.\n")
		return err
	}
	told := toldFixes{}
	for i, f := range findings {
		var text []byte
		var err error
		switch {
		case d.output == "json":
			text, err = f.AppendJSON(nil)
		case i > 0:
			text = summary.AppendDiagnosis([]byte{'\n'}, told.once(f), d.location())
		default:
			text = summary.AppendDiagnosis(nil, told.once(f), d.location())
		}
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// toldFixes are the fixes that were shown, and of what: the same ones of ten
// lost domains would be pages to go through at night.
type toldFixes map[string]string

// once is f, with a reference in place of fixes that were shown before.
func (t toldFixes) once(f *summary.Diagnosis) *summary.Diagnosis {
	if len(f.Fixes) == 0 {
		return f
	}
	key := f.MTA.String() + " " + f.Title
	for _, fix := range f.Fixes {
		key += " " + fix.Title
	}
	of, ok := t[key]
	if !ok {
		t[key] = relaylens.Escaped(summary.About(f.Entity), maxNamed)
		return f
	}
	brief := *f
	brief.Fixes = []summary.DiagnosisFix{{Title: "as for " + of + " above"}}
	return &brief
}

// maxNamed is how many bytes of a name a reference has.
const maxNamed = 100
