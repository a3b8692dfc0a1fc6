package main

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/classifier/knowledge"
	"github.com/relaylens/relaylens/internal/spool"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

const diagnoseLong = `diagnose gathers refusals into findings, one for each problem of the real world:
a lost domain, a restriction in the wrong place, a dead auth backend, an old
password; and one for all of a server's scanners. Each tells what it is about,
whose fault it is, how sure it is and why, up to three refusals as evidence, and
what to do. The server's own faults come first.

It reads the store, or FILEs; matches and times select as with events.

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
	return c
}

func (d *diagnosis) run(c *cobra.Command) (err error) {
	if d.output != "text" && d.output != "json" {
		return usagef("--output %q: choose text or json", d.output)
	}
	if d.span, err = d.inputFlags.span(time.Now()); err != nil {
		return err
	}
	var findings []relaylens.Finding
	if d.files == nil {
		findings, err = d.ofStore(c)
	} else {
		findings, err = d.ofFiles(c)
	}
	if findings == nil && err != nil {
		return err
	}
	s := openScreen(c, d.output == "text")
	if writeErr := errors.Join(d.write(s, findings), s.Close()); writeErr != nil {
		return writeErr
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

// ofStore gathers what is in the store, whose causes are told already.
func (d *diagnosis) ofStore(c *cobra.Command) ([]relaylens.Finding, error) {
	s, err := d.openStore(c)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	classify := classifier.New()
	findings := classify.NewFindings()
	for e, err := range s.Select(c.Context(), store.Query{Span: d.span, Match: d.match}) {
		if err != nil {
			return nil, err
		}
		cause := e.Cause
		classify.Classify(&e) // who guesses from where tells findings apart
		e.Cause = cause
		findings.Add(&e)
	}
	return findings.List(), nil
}

// ofFiles gathers what FILEs tell, once all of it is known.
func (d *diagnosis) ofFiles(c *cobra.Command) ([]relaylens.Finding, error) {
	options, err := d.parserOptions()
	if err != nil {
		return nil, err
	}
	classify := classifier.New()
	events := spool.New(spool.DefaultMemory, false)
	defer events.Close()
	early := d.match.Without("cause") // which is not known before the end
	var spoolErr error
	in := logs{options: options, stdin: c.InOrStdin(), progress: newProgress(c.ErrOrStderr())}
	readErr := in.read(c.Context(), d.files, func(e *relaylens.Event) {
		classify.Classify(e)
		if spoolErr == nil && e.Refusal() && d.within(e.Time) && early.Event(e) {
			spoolErr = events.Add(e)
		}
	})
	in.progress.done()
	if err := errors.Join(spoolErr, c.Context().Err()); err != nil {
		return nil, err
	}
	findings := classify.NewFindings()
	for e, err := range events.Events() {
		if err != nil {
			return nil, err
		}
		if classify.Final(&e); d.match.Event(&e) {
			findings.Add(&e)
		}
	}
	list := findings.List()
	if list == nil {
		list = []relaylens.Finding{}
	}
	return list, readErr
}

func (d *diagnosis) within(t time.Time) bool {
	return !t.Before(d.span.Since) && (d.span.Until.IsZero() || t.Before(d.span.Until))
}

func (d *diagnosis) write(w io.Writer, findings []relaylens.Finding) error {
	if len(findings) == 0 && d.output == "text" {
		_, err := io.WriteString(w, "No findings.\n")
		return err
	}
	for i := range findings {
		whole := diagnose(&findings[i])
		var text []byte
		if d.output == "json" {
			var err error
			if text, err = json.Marshal(whole); err != nil {
				return err
			}
			text = append(text, '\n')
		} else {
			if i > 0 {
				text = append(text, '\n')
			}
			text = summary.AppendDiagnosis(text, whole, d.location())
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// diagnose adds what is known of the cause, filled in from the evidence.
func diagnose(f *relaylens.Finding) *summary.Diagnosis {
	d := &summary.Diagnosis{Finding: *f, Fixes: []summary.DiagnosisFix{}}
	entry := knowledge.Of(f.Cause).Fill(&f.Evidence[0])
	d.Title, d.Text = entry.Title, entry.Text
	for i := range entry.Fixes {
		fix := &entry.Fixes[i]
		told := summary.DiagnosisFix{Title: fix.Title, Rate: fix.Rate, Steps: []string{}}
		for _, step := range fix.Steps(f.MTA) {
			told.Steps = append(told.Steps, stepText(&step))
		}
		d.Fixes = append(d.Fixes, told)
	}
	return d
}

// stepText is a step as it is shown: a sentence, a command, or what belongs into
// a file.
func stepText(s *knowledge.Step) string {
	switch {
	case s.Run != "":
		return "# " + s.Run
	case s.File != "":
		return s.File + ":\n" + s.Text
	}
	return s.Say
}
