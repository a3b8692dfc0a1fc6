package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/ask"
	"github.com/relaylens/relaylens/store"
	"github.com/relaylens/relaylens/summary"
)

const eventsLong = `events lists refusals the way journalctl lists entries: those in the store, also
while the daemon writes it, or those in FILEs, which are read in the order of
their times whatever MTA wrote them, compressed or not; - is standard input:

  journalctl -o json -u 'postfix*' | relaylens events -

With FILEs each refusal has its final cause, told by all that the FILEs tell.

FIELD=VALUE selects: matches on one field are alternatives, different fields
must all fit, and + stands between groups of which one must fit. FIELD is one of
the event's fields or sender_domain, recipient_domain, client_net. VALUE is
exact, except for these:

  client_ip=203.0.113.0/24        the addresses of a network; also remote_ip
  client_net=203.0.113.9          the network of a client: /24, or /64
  recipient_domain=.example.com   a domain and all below it; also sender_domain,
                                  client_name, remote_host, helo, host
  code=5xx  code=55x              a class of replies, a range of codes
  sender=                         the null sender
  user=                           no user; so with every other field

EXAMPLES
  relaylens events -n                        the last ten refusals
  relaylens events -f kind=relay_denied      each relay denial as it happens
  relaylens events -S today recipient_domain=.example.com code=5xx
  relaylens events kind=auth_failed + cause=credential_guessing
  relaylens events -F client_ip -S -1h       who was refused
  relaylens events /var/log/mail.log*        of files, oldest first

EXIT STATUS
  0  fine
  1  an error; a FILE could not be read
  2  the command line is wrong
  3  with --exit-code: events were listed`

// eventsFlags are the flags of events, named as in journalctl(1).
type eventsFlags struct {
	inputFlags
	lines         string
	reverse       bool
	follow        bool
	output        string
	grep          string
	caseSensitive bool
	noPager       bool
	field         string
	cursor        string
	afterCursor   string
	showCursor    bool
	all           bool
	exitCode      bool
}

func (o *eventsFlags) addFlags(fs *pflag.FlagSet) {
	o.inputFlags.addFlags(fs)
	fs.StringVarP(&o.lines, "lines", "n", "", "the latest `N` events only, all for no limit (10 when no number is given)")
	fs.Lookup("lines").NoOptDefVal = "10"
	fs.BoolVarP(&o.reverse, "reverse", "r", false, "the latest event first")
	fs.BoolVarP(&o.follow, "follow", "f", false, "list the latest events, and new ones as they are stored")
	fs.StringVarP(&o.output, "output", "o", "short", "the `FORMAT` of an event: "+strings.Join(summary.ListFormats(), ", "))
	fs.StringVarP(&o.grep, "grep", "g", "", "events whose text, or what short shows of them, has this `PATTERN` (RE2; one of small letters ignores case)")
	fs.BoolVar(&o.caseSensitive, "case-sensitive", false, "mind case in the pattern, or with =false ignore it")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "say nothing but events")
	fs.BoolVar(&o.noPager, "no-pager", false, "write to the terminal itself")
	fs.StringVarP(&o.field, "field", "F", "", "the values that the events have in this `FIELD`, each once")
	fs.StringVarP(&o.cursor, "cursor", "c", "", "begin at the event of this `CURSOR`")
	fs.StringVar(&o.afterCursor, "after-cursor", "", "begin after the event of this `CURSOR`")
	fs.BoolVar(&o.showCursor, "show-cursor", false, "end with the cursor of the last event")
	fs.BoolVar(&o.all, "all", false, "of FILEs, also context events and what was only warned about")
	fs.BoolVar(&o.exitCode, "exit-code", false, "end with status 3 when there are events")
}

func newEventsCommand() *cobra.Command {
	var o eventsFlags
	c := &cobra.Command{
		Use:   "events [flags] [FIELD=VALUE...] [FILE...]",
		Short: "List refusals, as journalctl lists entries",
		Long:  eventsLong,
		Args:  cobra.ArbitraryArgs,
		RunE:  func(c *cobra.Command, args []string) error { return runEvents(c, &o, args) },
	}
	o.addFlags(c.Flags())
	c.ValidArgsFunction = o.completeMatches
	registerCompletions(c, summary.ListFormats()...)
	return c
}

func runEvents(c *cobra.Command, o *eventsFlags, args []string) error {
	q, err := o.question(args, time.Now())
	if err != nil {
		return err
	}
	remote, err := o.remote(&q.arguments, "follow", "field", "cursor", "after-cursor", "all")
	if err != nil {
		return err
	}
	out := openListing(c, q)
	if remote {
		err = q.fromServers(c, out)
	} else if len(q.files) > 0 {
		err = o.readFiles(c, q.files, func(f *ask.Files) error { return q.askFiles(c.Context(), f, out) })
	} else {
		err = o.readStore(c, func(s *store.Store) error { return q.askStore(c.Context(), s, out) })
	}
	if err := out.close(err); err != nil {
		return err
	}
	if o.exitCode && out.shown > 0 {
		return errFound
	}
	return nil
}

// question is what the command line asks.
type question struct {
	arguments
	*eventsFlags
	ask.Events
	format summary.ListFormat
}

// askStore answers from the store.
func (q *question) askStore(ctx context.Context, s *store.Store, out *listing) error {
	switch {
	case q.field != "":
		values, err := q.StoreValues(ctx, s, q.field)
		return errors.Join(err, out.values(values))
	case q.follow:
		return q.Follow(ctx, s, out.event, out.flush)
	}
	return q.Store(ctx, s, out.event)
}

// askFiles answers from FILEs. What those tell that can be read is listed
// before the error of the others.
func (q *question) askFiles(ctx context.Context, f *ask.Files, out *listing) error {
	if q.field == "" {
		return q.Files(ctx, f, out.event)
	}
	values, err := q.FileValues(ctx, f, q.field)
	return errors.Join(out.values(values), err)
}

// question reads flags and arguments.
func (o *eventsFlags) question(args []string, now time.Time) (*question, error) {
	q := &question{eventsFlags: o}
	var err error
	if q.arguments, err = readArguments(args); err != nil {
		return nil, err
	}
	if q.format, err = summary.ParseListFormat(o.output); err != nil {
		return nil, usageError{err}
	}
	if q.Span, err = o.span(now); err != nil {
		return nil, err
	}
	if q.Keep, err = o.pattern(); err != nil {
		return nil, err
	}
	if q.Number, err = o.limit(); err != nil {
		return nil, err
	}
	if err := o.check(len(q.files) > 0); err != nil {
		return nil, err
	}
	if o.grep != "" && q.Number >= 0 && !o.follow {
		o.reverse = true // journalctl goes backwards until it has found that many
	}
	q.Match, q.Reverse, q.After, q.All = q.match, o.reverse, o.afterCursor != "", o.all
	if text := o.cursor + o.afterCursor; text != "" {
		cursor, err := relaylens.ParseCursor(text)
		if err != nil {
			return nil, usageError{err}
		}
		q.From = &cursor
	}
	return q, nil
}

// check finds flags that do not go together.
func (o *eventsFlags) check(files bool) error {
	given := 0
	for _, text := range []string{o.since, o.cursor, o.afterCursor} {
		if text != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return usagef("choose one of --since, --cursor and --after-cursor")
	case o.follow && o.reverse:
		return usagef("choose one of --follow and --reverse")
	case o.follow && o.field != "":
		return usagef("choose one of --follow and --field")
	case o.follow && files:
		return usagef("--follow follows the store, not FILEs; for a stream use relaylens parse -")
	case o.field != "" && !relaylens.IsMatchField(o.field):
		names := relaylens.MatchFields()
		if s := relaylens.Suggest(o.field, names); s != "" {
			return usagef("--field: unknown field %q; did you mean %s?", o.field, s)
		}
		return usagef("--field: unknown field %q; choose one of %s", o.field, strings.Join(names, ", "))
	}
	return nil
}

// limit reads --lines. Following begins with the last ten unless it says since
// when.
func (o *eventsFlags) limit() (int, error) {
	switch {
	case o.lines == "" && o.follow && o.since == "" && o.cursor == "" && o.afterCursor == "":
		return 10, nil
	case o.lines == "" && !o.flags.Changed("lines"), o.lines == "all":
		return ask.NoLimit, nil
	}
	n, err := strconv.Atoi(o.lines)
	if err != nil || n < 0 {
		return 0, usagef("--lines %q: write a number, or all", o.lines)
	}
	return n, nil
}

// pattern compiles --grep; nil when there is none.
func (o *eventsFlags) pattern() (func(*relaylens.Event) bool, error) {
	if o.grep == "" {
		return nil, nil
	}
	ignoreCase := ask.SmallLetters(o.grep)
	if o.flags.Changed("case-sensitive") {
		ignoreCase = !o.caseSensitive
	}
	keep, err := ask.Pattern(o.grep, ignoreCase)
	if err != nil {
		return nil, usagef("--grep %q: %w", o.grep, err)
	}
	return keep, nil
}

// errFound is the end of a command that was asked to tell by its exit status
// that there was something.
var errFound = errors.New("something was found")
