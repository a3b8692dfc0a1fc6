package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/exporter/alertmanager"
	"github.com/relaylens/relaylens/internal/app"
	"github.com/relaylens/relaylens/internal/ask"
	"github.com/relaylens/relaylens/internal/watch"
)

const backtestLong = `backtest runs the daemon's detection over logs of the past and tells what would
have paged, and when, had it run at that time: with the alerting settings of
--config, or with the built-in ones. So settings are tuned on last month and not
on the nights to come. Nothing is stored and nobody is paged.

FILEs may come in any order, and may be compressed. What is usual at an hour is
learned from the FILEs themselves, so the first days tell little of spikes; what
the log proves is told from the first hour on.

With -o json there is one object a line: alert, startsAt, endsAt (null while it
lasts), pagedAt, labels, annotations, value and expected, as an Alertmanager
would have had them. startsAt is when the problem began, pagedAt when somebody
would have been told.

EXAMPLES
  relaylens backtest /var/log/mail.log*
  relaylens backtest --false-pages-per-month 5 /var/log/mail.log*

EXIT STATUS
  0  fine
  1  an error; a FILE could not be read
  2  the command line is wrong
  3  with --exit-code: there would have been a page`

// backtest is one run of backtest.
type backtest struct {
	inputFlags
	output     string
	exitCode   bool
	falsePages int
	minEvents  int

	config *config.Config
	pages  watch.Pages
	first  time.Time
	last   time.Time
}

func newBacktestCommand() *cobra.Command {
	var b backtest
	c := &cobra.Command{
		Use:   "backtest [flags] FILE...",
		Short: "Tell what would have paged, had the daemon run over old logs",
		Long:  backtestLong,
		Args:  someFiles,
		RunE:  func(c *cobra.Command, files []string) error { return b.run(c, files) },
	}
	f := c.Flags()
	f.StringVar(&b.inputFlags.config, config.FileFlag, "", "take the alerting settings from this `FILE`")
	f.StringVar(&b.mta, "mta", "auto", "whose logs FILEs are: auto, postfix, exim or sendmail")
	b.site.addFlags(f)
	f.BoolVar(&b.utc, "utc", false, "show times in UTC")
	f.StringVarP(&b.output, "output", "o", "text", "text (a time line), or json (one alert a line)")
	f.BoolVar(&b.exitCode, "exit-code", false, "exit with 3 if there would have been a page")
	f.IntVar(&b.falsePages, "false-pages-per-month", 0, "try this `NUMBER` in place of alerting.false_pages_per_month")
	f.IntVar(&b.minEvents, "min-events", 0, "try this `NUMBER` in place of alerting.min_events")
	registerCompletions(c, "text", "json")
	return c
}

func (b *backtest) run(c *cobra.Command, files []string) error {
	if b.output != "text" && b.output != "json" {
		return usagef("--output %q: choose text or json", b.output)
	}
	if err := b.configure(); err != nil {
		return err
	}
	readErr := b.replay(c, files)
	if c.Context().Err() != nil || errors.As(readErr, &unread{}) {
		return readErr
	}
	pages := b.pages.List()
	s := openScreen(c, b.output == "text")
	if err := errors.Join(b.write(s, pages), s.Close()); err != nil {
		return fmt.Errorf("write pages: %w", err)
	}
	if readErr == nil && b.exitCode && len(pages) > 0 {
		return errFound
	}
	return readErr
}

// configure reads the settings and puts the flags over them.
func (b *backtest) configure() error {
	b.config = config.Default()
	if b.inputFlags.config != "" {
		c, err := config.Load(config.LoadOptions{File: b.inputFlags.config})
		if err != nil {
			return err
		}
		b.config = c
	}
	a := &b.config.Alerting
	a.FalsePagesPerMonth = cmp.Or(b.falsePages, a.FalsePagesPerMonth)
	a.MinEvents = cmp.Or(b.minEvents, a.MinEvents)
	if err := b.config.Validate(); err != nil {
		return usageError{err}
	}
	return nil
}

// replay has the watch see what the daemon would have seen.
func (b *backtest) replay(c *cobra.Command, files []string) error {
	settings, err := app.SpikeSettings(b.config)
	if err != nil {
		return err
	}
	site, err := b.site.site(b.inputFlags.config)
	if err != nil {
		return unread{err}
	}
	classify := classifier.New()
	classify.SetSite(site)
	var w *watch.Watch
	w = watch.New(classify, watch.Settings{Spikes: settings, Stepped: func(s *watch.Step) {
		if s.Changed {
			b.pages.Stepped(s, w.Alerts())
		}
	}})
	err = b.readFiles(c, files, func(f *ask.Files) error {
		return f.Read(c.Context(), func(e *relaylens.Event) {
			w.Classify(e)
			if relaylens.OfFinding(e) {
				kept := e.Clone()
				w.Keep(&kept)
			}
			if b.first.IsZero() {
				b.first = e.Time
			}
			if e.Time.After(b.last) {
				b.last = e.Time
			}
		})
	})
	w.Advance(b.last) // no line behind the last one confirms its time
	w.Finish()
	return err
}

func (b *backtest) write(w io.Writer, pages []watch.Page) error {
	d := app.Describer(&b.config.Alerting)
	for i := range pages {
		text, err := b.page(&pages[i], d)
		if err != nil {
			return err
		}
		if _, err := w.Write(append(text, '\n')); err != nil {
			return err
		}
	}
	if b.output == "json" {
		return nil
	}
	_, err := fmt.Fprintf(w, "%s%s\n", plural(len(pages), "page"), b.stretch())
	return err
}

// stretch says of how much time the FILEs tell.
func (b *backtest) stretch() string {
	switch d := b.last.Sub(b.first); {
	case b.first.IsZero():
		return ": no line tells of mail"
	case d < 2*time.Hour:
		return " in " + plural(int(d.Round(time.Minute)/time.Minute), "minute")
	case d < 48*time.Hour:
		return fmt.Sprintf(" in %.1f hours", d.Hours())
	default:
		return fmt.Sprintf(" in %.1f days", d.Hours()/24)
	}
}

func (b *backtest) page(p *watch.Page, d *alertmanager.Describer) ([]byte, error) {
	labels, annotations := d.Describe(&p.Alert)
	if b.output == "json" {
		var end *time.Time
		if !p.EndsAt.IsZero() {
			end = &p.EndsAt
		}
		return json.Marshal(struct {
			Alert       string            `json:"alert"`
			StartsAt    time.Time         `json:"startsAt"`
			EndsAt      *time.Time        `json:"endsAt"`
			PagedAt     time.Time         `json:"pagedAt"`
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
			Value       float64           `json:"value"`
			Expected    float64           `json:"expected"`
		}{p.Name, p.StartsAt, end, p.At, labels, annotations, p.Value, p.Expected})
	}
	zone := b.location()
	text := fmt.Appendf(nil, "%s  %-8s  %s\n", p.At.In(zone).Format(time.DateTime), p.Severity, annotations["summary"])
	text = fmt.Appendf(text, "  %s, since %s", p.Name, p.StartsAt.In(zone).Format(time.DateTime))
	if p.EndsAt.IsZero() {
		text = append(text, ", at the end still"...)
	} else {
		text = fmt.Appendf(text, ", for %s until %s", p.EndsAt.Sub(p.StartsAt).Round(time.Second), p.EndsAt.In(zone).Format(time.DateTime))
	}
	if p.Value > 0 {
		text = fmt.Appendf(text, "; %.0f within %.0f min where %.1f were expected", p.Value, p.Window.Minutes(), p.Expected)
	}
	return text, nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
