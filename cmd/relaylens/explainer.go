package main

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/parsers"
	"github.com/relaylens/relaylens/parsers/exim"
	"github.com/relaylens/relaylens/parsers/postfix"
	"github.com/relaylens/relaylens/parsers/sendmail"
	"github.com/relaylens/relaylens/parsers/smtp"
	"github.com/relaylens/relaylens/parsers/syslog"
	"github.com/relaylens/relaylens/summary"
	"github.com/relaylens/relaylens/tailer"
)

const (
	// maxExplained is how many refusals of standard input are explained.
	maxExplained = 10
	// maxKept is how many lines are kept for the case that they are no log.
	maxKept = 100
)

// explainer finds out what an input is.
type explainer struct {
	options parsers.Options
	left    int // refusals that were not explained
}

// explain explains one input: a name, a code, a reply, a line, or a text.
func (e *explainer) explain(input string) ([]*summary.Explanation, error) {
	input = strings.TrimSpace(input)
	xs := e.name(input)
	if len(xs) == 0 {
		xs = e.reply(input)
	}
	var err error
	if len(xs) == 0 {
		xs, err = e.line(input)
	}
	if len(xs) == 0 && err == nil {
		xs = e.text(input)
	}
	for _, x := range xs {
		x.Input = input
	}
	return xs, err
}

// name explains a name of relaylens's own, or a code.
func (e *explainer) name(input string) []*summary.Explanation {
	if code, enhanced, text := smtp.CutReply(input); code != 0 && enhanced == "" && text == "" {
		return []*summary.Explanation{summary.ExplainCode(input)}
	}
	if enhanced, text := smtp.CutEnhanced(input); enhanced != "" && text == "" {
		return []*summary.Explanation{summary.ExplainCode(input)}
	}
	plain := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(input))
	return summary.ExplainWord(plain, e.options.MTA)
}

// reply explains what begins with a code, in one line or several.
func (e *explainer) reply(input string) []*summary.Explanation {
	code, _, _ := smtp.CutReply(input)
	enhanced, _ := smtp.CutEnhanced(input)
	if code == 0 && enhanced == "" {
		return nil
	}
	return []*summary.Explanation{summary.ExplainReply(readReply(joinReply(input)), e.options.MTA)}
}

// text explains a text that has no code.
func (e *explainer) text(input string) []*summary.Explanation {
	if x := summary.ExplainReply(readReply(input), e.options.MTA); x.Known {
		return []*summary.Explanation{x}
	}
	return []*summary.Explanation{summary.Unexplained(input)}
}

func readReply(s string) summary.Reply {
	var r summary.Reply
	r.Code, r.Enhanced, r.Text = smtp.CutReply(s)
	if r.Code == 0 {
		r.Enhanced, r.Text = smtp.CutEnhanced(s)
	}
	r.Text, _ = smtp.CutSubject(r.Text, "")
	r.Kind, r.Reason, _ = smtp.Wording(r.Text)
	return r
}

// joinReply makes one line of a reply of several, each of which repeats the codes.
func joinReply(s string) string {
	var joined string
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if joined == "" {
			joined = line
			continue
		}
		if code, _, text := smtp.CutReply(line); code != 0 {
			line = text
		}
		joined += " " + line
	}
	return joined
}

// multiline reports whether every line begins with the same reply code.
func multiline(lines []string) bool {
	first, _, _ := smtp.CutReply(lines[0])
	for _, l := range lines {
		if code, _, _ := smtp.CutReply(l); code == 0 || code != first {
			return false
		}
	}
	return true
}

// piece is how Exim over syslog and Sendmail mark the pieces of a long record:
// "[1/2] ", "[1\2] ", "id[2]: ".
var piece = regexp.MustCompile(`: (\[\d+[/\\]\d+\] |[0-9A-Za-z]{14,}\[\d+\]: )`)

// line explains a log line. There is no explanation for what is none.
func (e *explainer) line(input string) ([]*summary.Explanation, error) {
	env, framed := e.envelope(input)
	for _, form := range forms(input, framed) {
		events, err := e.events(form)
		if err != nil {
			return nil, err
		}
		if len(events) == 0 {
			continue
		}
		var xs []*summary.Explanation
		for i := range events[:min(len(events), maxExplained)] {
			ev := &events[i]
			if form != input { // time, host and process are of our making
				ev.Time, ev.Host, ev.Service, ev.PID = time.Time{}, "", "", 0
			}
			x := summary.ExplainEvent(ev)
			if framed && !ev.Kind.Refusal() {
				x.About(ev.MTA, env.Text)
			}
			xs = append(xs, x)
		}
		e.left += len(events) - len(xs)
		return xs, nil
	}
	if !framed {
		return nil, nil
	}
	x := summary.ExplainLine(e.context(env))
	if !x.Known && piece.MatchString(input) {
		x = summary.ExplainPiece(input)
	}
	return []*summary.Explanation{x}, nil
}

// forms are the ways to read input: as it is, and, if it has no time of its own,
// as the text that each program would have written.
func forms(input string, framed bool) []string {
	if framed {
		return []string{input}
	}
	const stamp = "2006-01-02T15:04:05Z host "
	return []string{input, stamp + "postfix/smtpd[1]: " + input, stamp + "postfix/smtp[1]: " + input, stamp + "postfix/cleanup[1]: " + input,
		stamp + "postfix/postscreen[1]: " + input, "2006-01-02 15:04:05 " + input, stamp + "sm-mta[1]: " + input}
}

// envelope reads what stands around a line; framed is false when it has no
// time, or nobody who wrote it.
func (e *explainer) envelope(input string) (env *relaylens.Envelope, framed bool) {
	env = new(relaylens.Envelope)
	reference := time.Now() // to the nanosecond, as no line has it
	d := syslog.NewDecoder(syslog.Options{Location: e.options.Location})
	line := &relaylens.Line{Text: input}
	switch d.Decode(line, reference, env) {
	case syslog.Ready:
	case syslog.Pending:
		if d.Flush(); !d.Pop(env, line) {
			return env, false
		}
	default:
		return env, false
	}
	return env, !env.Time.Equal(reference) && (env.Program != "" || env.Native)
}

// events are what the lines of text tell.
func (e *explainer) events(text string) ([]relaylens.Event, error) {
	run, err := newExplainRun(e.options)
	if err != nil {
		return nil, err
	}
	batch := &relaylens.Batch{Reference: time.Now()}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		batch.Lines = append(batch.Lines, relaylens.Line{Text: line, Source: "-", Number: int64(len(batch.Lines) + 1)})
	}
	run.feed(batch)
	return run.end(false), nil
}

// context is a line that is no event: the fields that it tells, for others.
func (e *explainer) context(env *relaylens.Envelope) *summary.LogLine {
	l := &summary.LogLine{MTA: e.options.MTA, Text: env.Text}
	grammars := []relaylens.Grammar{postfix.New(e.options.Texts[relaylens.Postfix]), exim.New(e.options.Texts[relaylens.Exim]), sendmail.New(e.options.Texts[relaylens.Sendmail])}
	if l.MTA == relaylens.MTANone {
		l.MTA = writerOf(env)
	}
	for _, g := range grammars {
		var rec relaylens.Record
		if l.MTA != relaylens.MTANone && g.MTA() != l.MTA {
			continue
		}
		switch g.Parse(env, &rec) {
		case relaylens.Parsed:
			l.MTA, l.Event = g.MTA(), rec.Event
		case relaylens.Malformed:
			l.Wrong = true
		}
	}
	l.Event.Time, l.Event.TimeDigits, l.Event.Host, l.Event.MTA, l.Event.PID = env.Time, env.TimeDigits, env.Host, l.MTA, env.PID
	if l.Event.Service == "" {
		l.Event.Service = env.Program
	}
	return l
}

// writerOf is the mail server that usually has such a program.
func writerOf(env *relaylens.Envelope) relaylens.MTA {
	name := strings.ToLower(env.Program)
	switch {
	case env.Native, strings.HasPrefix(name, "exim"):
		return relaylens.Exim
	case strings.HasPrefix(name, "postfix"):
		return relaylens.Postfix
	case strings.HasPrefix(name, "sm-"), strings.HasPrefix(name, "sendmail"):
		return relaylens.Sendmail
	}
	return relaylens.MTANone
}

// stream explains standard input: the refusals in it, or, if there are none, its
// lines.
func (e *explainer) stream(ctx context.Context, in io.Reader) ([]*summary.Explanation, error) {
	run, err := newExplainRun(e.options)
	if err != nil {
		return nil, err
	}
	lines, err := run.read(ctx, in)
	if err != nil {
		return nil, err
	}
	switch {
	case len(lines) == 0:
		return nil, usagef("standard input is empty")
	case len(lines) == 1:
		return e.explain(lines[0])
	case len(lines) <= maxKept && multiline(lines):
		return e.explain(strings.Join(lines, "\n"))
	}
	events := run.end(true)
	e.left = run.refusals - min(run.refusals, maxExplained)
	var xs []*summary.Explanation
	for i := range events[:min(len(events), maxExplained)] {
		xs = append(xs, summary.ExplainEvent(&events[i]))
	}
	if run.refusals > 0 {
		return xs, nil
	}
	return e.each(lines)
}

// read feeds the run with all that comes in, and returns its first lines, one more
// than maxKept at the most.
func (r *explainRun) read(ctx context.Context, in io.Reader) (lines []string, err error) {
	reader := tailer.NewReader("-", in, time.Now())
	defer reader.Close()
	for ctx.Err() == nil {
		batch, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range batch.Lines {
			if text := strings.TrimSpace(batch.Lines[i].Text); text != "" && len(lines) <= maxKept {
				lines = append(lines, strings.Clone(batch.Lines[i].Text))
			}
		}
		r.feed(batch)
		if batch.Release != nil {
			batch.Release()
		}
	}
	return nil, ctx.Err()
}

// each explains lines of which none is a refusal, one by one.
func (e *explainer) each(lines []string) ([]*summary.Explanation, error) {
	var xs []*summary.Explanation
	for _, l := range lines[:min(len(lines), maxExplained)] {
		more, err := e.explain(l)
		if err != nil {
			return nil, err
		}
		xs = append(xs, more...)
	}
	return xs, nil
}

// explainRun reads lines and keeps what is to be explained of them.
type explainRun struct {
	parser     *parsers.Parser
	classifier *classifier.Classifier
	kept       []relaylens.Event // refusals
	others     []relaylens.Event
	refusals   int
}

func newExplainRun(o parsers.Options) (*explainRun, error) {
	p, err := parsers.New(o)
	return &explainRun{parser: p, classifier: classifier.New()}, err
}

func (r *explainRun) feed(b *relaylens.Batch) { r.parser.Feed(b, r.event) }

func (r *explainRun) event(e *relaylens.Event) {
	r.classifier.Classify(e)
	switch {
	case e.Refusal():
		r.refusals++
		if len(r.kept) < maxExplained {
			r.kept = append(r.kept, e.Clone())
		}
	case len(r.others) < maxExplained:
		r.others = append(r.others, e.Clone())
	}
}

// end are the refusals, or, if there are none, the other events. Whole says that
// they are all of a log, so that their causes are those that its lines tell
// together: what one line leaves open must not pass for likely.
func (r *explainRun) end(whole bool) []relaylens.Event {
	r.parser.Flush(r.event)
	if len(r.kept) == 0 {
		return r.others
	}
	for i := range r.kept {
		if whole {
			r.classifier.Final(&r.kept[i])
		}
	}
	return r.kept
}
