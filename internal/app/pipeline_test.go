package app

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/exporter/prom"
	"github.com/relaylens/relaylens/internal/spike"
	"github.com/relaylens/relaylens/parsers"
)

// heldLine is a refusal whose sender a later line would tell. Its time is that
// at which the clock of a bubble begins.
const heldLine = `2000-01-01T00:00:00+00:00 mx1 sm-mta[4711]: 601A00aa004711: ruleset=check_rcpt, arg1=<b@example.net>, relay=client.example [192.0.2.7], reject=550 5.7.1 <b@example.net>... Relaying denied`

func startedPipeline(t *testing.T) *pipeline {
	t.Helper()
	p := newTestPipeline(t)
	p.start()
	return p
}

func newTestPipeline(t *testing.T) *pipeline {
	t.Helper()
	parser, err := parsers.New(parsers.Options{Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	x := prom.New(prom.Options{Host: "mx1", MaxHosts: 2, Results: resultNames()})
	p := newPipeline(parser, spike.Settings{}, x, &recorder{}, x.Commits(failureNames()), zap.NewNop())
	p.setSources([]config.Source{{Path: "/mail.log", MTA: "auto"}})
	return p
}

// sum adds up the samples of a counter.
func sum(t *testing.T, x *prom.Exporter, name string) (total float64) {
	t.Helper()
	families, err := x.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				total += m.GetCounter().GetValue()
			}
		}
	}
	return total
}

const refusals = "relaylens_refusals_total"

// What the parser holds back comes out when the log falls silent.
func TestQuietTimeLetsHeldEventsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		p.in <- batch("/mail.log", heldLine)
		synctest.Wait()
		if n := sum(t, p.exporter, refusals); n != 0 {
			t.Fatalf("%v refusals at once, so that the line does not test what it should", n)
		}
		time.Sleep(time.Minute) //nolint:forbidigo // the bubble's time
		synctest.Wait()
		if n := sum(t, p.exporter, refusals); n != 1 {
			t.Errorf("%v refusals after a minute of silence, want 1", n)
		}
		if err := p.stop(t.Context(), true); err != nil {
			t.Error(err)
		}
	})
}

func TestStopLetsHeldEventsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		p.in <- batch("/mail.log", heldLine)
		if err := p.stop(t.Context(), true); err != nil {
			t.Error(err)
		}
		if n := sum(t, p.exporter, refusals); n != 1 {
			t.Errorf("%v refusals, want 1", n)
		}
	})
}

func TestNewParserTakesOverFromOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		p.in <- batch("/mail.log", heldLine)
		next, err := parsers.New(parsers.Options{Location: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.do(t.Context(), func() { p.change(p.configured, next) }); err != nil {
			t.Fatal(err)
		}
		if n := sum(t, p.exporter, refusals); n != 1 {
			t.Errorf("%v refusals, want 1", n)
		}
		if err := p.stop(t.Context(), true); err != nil {
			t.Error(err)
		}
	})
}

// Whatever the pipeline happens to take first, batches that wait are of the
// configuration before.
func TestChangeComesAfterWhatWaits(t *testing.T) {
	for range 20 {
		p := newTestPipeline(t)
		p.in <- batch("/mail.log", refusalLine)
		p.in <- batch("/mail.log", refusalLine)
		p.start()
		var forgotten []string
		err := p.do(t.Context(), func() { forgotten = p.change([]config.Source{{Path: "/new.log"}}, nil) })
		if err != nil {
			t.Fatal(err)
		}
		if len(forgotten) != 1 || forgotten[0] != "/mail.log" {
			t.Fatalf("forgot %q", forgotten)
		}
		if n := sum(t, p.exporter, refusals); n != 2 {
			t.Fatalf("%v refusals, want 2", n)
		}
		if err := p.stop(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
}

// The second signal: batches that wait are left, and said to be.
func TestStopCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		release, entered := make(chan struct{}), make(chan struct{})
		slow := batch("/mail.log", refusalLine)
		slow.Release = func() { close(entered); <-release }
		p.in <- slow
		<-entered
		p.in <- batch("/mail.log", refusalLine)
		p.in <- batch("/mail.log", refusalLine)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		time.AfterFunc(quiet/2, func() { close(release) })
		err := p.stop(ctx, true)
		if err == nil || !strings.Contains(err.Error(), "cut short; 2 batches left unread") {
			t.Errorf("error %v", err)
		}
		if n := sum(t, p.exporter, refusals); n != 1 {
			t.Errorf("%v refusals, want the 1 of the batch at hand", n)
		}
	})
}

func TestStopDoesNotWaitForHangingPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		release := make(chan struct{})
		b := relaylens.Batch{Release: func() { <-release }}
		p.in <- b
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), stepTimeout)
		defer cancel()
		began := time.Now()
		err := p.stop(ctx, true)
		if err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(began); took > stepTimeout+quiet {
			t.Errorf("took %s", took)
		}
		close(release)
	})
}

// A pattern's files get the MTA that the pattern states; a path that is stated
// by itself comes first if it stands first.
func TestConfiguredMTA(t *testing.T) {
	p := &pipeline{configured: []config.Source{
		{Path: "/var/log/exim4/main*", MTA: "exim"},
		{Path: "/var/log/mail.log", MTA: "postfix"},
		{Path: "/var/log/*.log", MTA: "sendmail"},
		{Path: "/srv/*", MTA: "auto"},
	}}
	for name, want := range map[string]relaylens.MTA{
		"/var/log/exim4/mainlog":   relaylens.Exim,
		"/var/log/mail.log":        relaylens.Postfix,
		"/var/log/maillog.log":     relaylens.Sendmail,
		"/srv/mail":                relaylens.MTANone,
		"/var/log/exim4/rejectlog": relaylens.MTANone,
	} {
		if got := p.mta(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// The sum over results is the number of lines, also where the parser finds out
// later what a line was.
func TestLinesAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startedPipeline(t)
		lines := 0
		for range 10 {
			p.in <- batch("/mail.log", refusalLine, foreignLine, "garbage \x00\xff", "", heldLine)
			lines += 5
		}
		if err := p.stop(t.Context(), true); err != nil {
			t.Error(err)
		}
		if n := sum(t, p.exporter, "relaylens_lines_total"); n != float64(lines) {
			t.Errorf("%v lines counted, want %d", n, lines)
		}
	})
}
