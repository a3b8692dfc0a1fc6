package parsertest

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relaylens/relaylens"
)

// Syslog is the envelope of a line without its time and host:
// "postfix/smtpd[123]: connect from …". It panics when line has no tag.
func Syslog(line string) relaylens.Envelope {
	tag, text, ok := strings.Cut(line, ": ")
	if !ok {
		panic(fmt.Sprintf("parsertest: no tag in %q", line))
	}
	env := relaylens.Envelope{Program: tag, Text: text}
	if program, pid, ok := strings.Cut(strings.TrimSuffix(tag, "]"), "["); ok {
		n, err := strconv.ParseInt(pid, 10, 32)
		if err != nil {
			panic(fmt.Sprintf("parsertest: no process id in %q", line))
		}
		env.Program, env.PID = program, int32(n)
	}
	return env
}

// Native is the envelope of a line of Exim's own files, without date and time.
func Native(text string) relaylens.Envelope {
	return relaylens.Envelope{Native: true, Text: text}
}

// Envelopes turns lines into envelopes by form, which is [Syslog] or [Native].
func Envelopes(form func(string) relaylens.Envelope, lines ...string) []relaylens.Envelope {
	envs := []relaylens.Envelope{}
	for _, line := range lines {
		envs = append(envs, form(line))
	}
	return envs
}

// Run checks that g keeps its contract. Every hit must parse; no miss may.
// A grammar's own tests say what is read, Run says how.
func Run(t *testing.T, g relaylens.Grammar, hits, misses []relaylens.Envelope) {
	t.Helper()
	for _, env := range hits {
		t.Run("hit/"+env.Text, func(t *testing.T) {
			if v := g.Parse(&env, new(relaylens.Record)); v != relaylens.Parsed {
				t.Fatalf("verdict %s, want parsed", v)
			}
			if err := Check(g, env); err != nil {
				t.Error(err)
			}
			if err := Truncate(g, env); err != nil {
				t.Error(err)
			}
		})
	}
	for _, env := range misses {
		t.Run("miss/"+env.Text, func(t *testing.T) {
			var rec relaylens.Record
			if v := g.Parse(&env, &rec); v == relaylens.Parsed {
				t.Fatalf("parsed as %+v", rec)
			}
			if err := Check(g, env); err != nil {
				t.Error(err)
			}
			if n := testing.AllocsPerRun(10, func() { g.Parse(&env, &rec) }); n != 0 {
				t.Errorf("%v allocations, want none", n)
			}
		})
	}
	t.Run("concurrent", func(t *testing.T) { concurrent(t, g, append(append([]relaylens.Envelope{}, hits...), misses...)) })
}

var equateAddr = cmpopts.EquateComparable(relaylens.Record{}.Event.ClientIP)

// Check parses env and says what in the outcome breaks the contract: a record
// written to although nothing was parsed, two parses that differ, fields that
// are not the grammar's to set, reasons of another kind, values that do not
// stand in the line. It suits fuzz targets: any line may be given.
func Check(g relaylens.Grammar, env relaylens.Envelope) error {
	given := env
	var rec, again relaylens.Record
	verdict := g.Parse(&env, &rec)
	if env != given {
		return fmt.Errorf("the envelope was written to: %+v", env)
	}
	if v := g.Parse(&env, &again); v != verdict {
		return fmt.Errorf("verdict %s, and %s when asked again", verdict, v)
	}
	if diff := cmp.Diff(rec, again, equateAddr); diff != "" {
		return fmt.Errorf("a second parse differs (-first +second):\n%s", diff)
	}
	if verdict != relaylens.Parsed {
		if diff := cmp.Diff(relaylens.Record{}, rec, equateAddr); diff != "" {
			return fmt.Errorf("%s, but the record was written to (-want +got):\n%s", verdict, diff)
		}
		return nil
	}
	if rec.Event.Kind == relaylens.KindNone && rec.Fact == relaylens.FactNone && !rec.Presumed {
		return fmt.Errorf("parsed, but neither an event nor a fact")
	}
	if err := owned(&rec.Event); err != nil {
		return err
	}
	if err := consistent(&rec); err != nil {
		return err
	}
	return derived(&env, &rec)
}

// owned reports a field set that belongs to the caller or to a later stage.
func owned(e *relaylens.Event) error {
	if !e.ID.IsZero() || !e.Time.IsZero() || e.TimeDigits != 0 || e.Host != "" || e.MTA != 0 || e.PID != 0 || e.Cause != 0 ||
		e.Source != "" || e.Line != 0 || e.Offset != 0 || e.Raw != "" {
		return fmt.Errorf("the grammar set a field of the caller's: %+v", *e)
	}
	return nil
}

func consistent(rec *relaylens.Record) error {
	e := &rec.Event
	switch {
	case e.Reason != relaylens.ReasonNone && e.Reason.Kind() != e.Kind && (e.Kind != relaylens.KindNone || rec.Fact != relaylens.FactDetail):
		return fmt.Errorf("reason %s does not belong to kind %s", e.Reason, e.Kind)
	case e.Kind.Refusal() && e.Kind != relaylens.KindRelayDenied && e.Reason == relaylens.ReasonNone:
		return fmt.Errorf("%s without a reason", e.Kind)
	case e.Kind.Refusal() && e.Direction == relaylens.DirectionNone:
		return fmt.Errorf("%s without a direction", e.Kind)
	case e.Code != 0 && (e.Code < 200 || e.Code > 599):
		return fmt.Errorf("code %d is no SMTP reply", e.Code)
	case e.Kind.Refusal() && e.Code != 0 && e.Code < 400:
		return fmt.Errorf("%s with code %d", e.Kind, e.Code)
	case e.NullSender && e.Sender != "":
		return fmt.Errorf("null sender %q", e.Sender)
	case e.ClientIP.Zone() != "" || e.ClientIP.Is4In6():
		return fmt.Errorf("client %s is not in its one form", e.ClientIP)
	case rec.Child != "" && rec.Fact != relaylens.FactChild:
		return fmt.Errorf("child %q without its fact", rec.Child)
	}
	return nil
}

// Truncate parses env cut off after every byte and reports a client address
// that only the broken line shows.
func Truncate(g relaylens.Grammar, env relaylens.Envelope) error {
	var whole relaylens.Record
	g.Parse(&env, &whole)
	text := env.Text
	for n := range text {
		env.Text = text[:n]
		var rec relaylens.Record
		if g.Parse(&env, &rec) == relaylens.Parsed && rec.Event.ClientIP.IsValid() && rec.Event.ClientIP != whole.Event.ClientIP {
			return fmt.Errorf("client %s instead of %s when cut to %q", rec.Event.ClientIP, whole.Event.ClientIP, env.Text)
		}
		if err := Check(g, env); err != nil {
			return fmt.Errorf("cut to %q: %w", env.Text, err)
		}
	}
	return nil
}

func concurrent(t *testing.T, g relaylens.Grammar, envs []relaylens.Envelope) {
	want := make([]relaylens.Record, len(envs))
	for i := range envs {
		g.Parse(&envs[i], &want[i])
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range envs {
				var got relaylens.Record
				g.Parse(&envs[i], &got)
				if diff := cmp.Diff(want[i], got, equateAddr); diff != "" {
					t.Errorf("%q (-alone +concurrent):\n%s", envs[i].Text, diff)
				}
			}
		})
	}
	wg.Wait()
}
