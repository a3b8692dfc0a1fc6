package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/internal/app"
	"github.com/relaylens/relaylens/internal/ask"
	"github.com/relaylens/relaylens/internal/resident"
	"github.com/relaylens/relaylens/internal/timespec"
	"github.com/relaylens/relaylens/parsers"
	"github.com/relaylens/relaylens/store"
)

// inputFlags say what is asked and of which time; events and summary share them.
type inputFlags struct {
	config  string
	dataDir string
	mta     string
	since   string
	until   string
	utc     bool
	servers []string
	quiet   bool // nothing is noted about FILEs
	site    siteFlags
	flags   *pflag.FlagSet
}

func (o *inputFlags) addFlags(fs *pflag.FlagSet) {
	o.flags = fs
	fs.StringVar(&o.config, config.FileFlag, "", "ask the store of this configuration `FILE` (default "+config.DefaultFile+", if it exists); read FILEs as it says")
	fs.StringVar(&o.dataDir, "data-dir", "", "ask the store in this `DIRECTORY`")
	fs.StringSliceVar(&o.servers, "server", nil, "ask the daemons at `URL[,URL]` in place of this machine's store, and put their answers together")
	fs.StringVar(&o.mta, "mta", "auto", "whose logs FILEs are: auto, postfix, exim or sendmail")
	fs.StringVarP(&o.since, "since", "S", "", "what happened at this `TIME` or later: \"2006-01-02 15:04\", 15:04, today, yesterday, -2h, \"2h ago\"")
	fs.StringVarP(&o.until, "until", "U", "", "what happened at this `TIME` or before")
	fs.BoolVar(&o.utc, "utc", false, "show times in UTC")
	o.site.addFlags(fs)
}

// location is the zone that times are shown and read in.
func (o *inputFlags) location() *time.Location {
	if o.utc {
		return time.UTC
	}
	return time.Local
}

// span reads --since and --until. Times on the command line are local unless
// they say otherwise, with --utc as well, as in journalctl. An event at the time
// of --until itself belongs to the span.
func (o *inputFlags) span(now time.Time) (store.Span, error) {
	var span store.Span
	var err error
	now = now.In(time.Local)
	if o.since != "" {
		if span.Since, err = timespec.Parse(o.since, now); err != nil {
			return span, usagef("--since: %w", err)
		}
	}
	if o.until != "" {
		if span.Until, err = timespec.Parse(o.until, now); err != nil {
			return span, usagef("--until: %w", err)
		}
		if span.Since.After(span.Until) {
			return span, usagef("--since %q is after --until %q", o.since, o.until)
		}
		span.Until = span.Until.Add(1)
	}
	return span, nil
}

// openStore opens the store that the flags, the environment or the
// configuration name, for questions only.
func (o *inputFlags) openStore(c *cobra.Command) (*store.Store, error) {
	dir := o.dataDir
	if dir == "" {
		cfg, err := config.Load(config.LoadOptions{Flags: c.Flags()})
		if err != nil {
			return nil, err
		}
		dir = cfg.DataDir
	}
	s, err := store.OpenReadOnly(c.Context(), dir)
	return s, remedied(c, dir, err)
}

// remedied says what to do where the store cannot be asked.
func remedied(c *cobra.Command, dir string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open event store in %s: %w; ask as root or as the daemon's user, sudo -u relaylens relaylens …", dir, fs.ErrPermission)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w To ask a log itself, name it: %s /var/log/mail.log", err, c.CommandPath())
	case store.Damaged(err):
		return fmt.Errorf("%w; the store is damaged: the daemon puts it aside when it starts, and begins another", err)
	}
	return err
}

// parserOptions say how FILEs are to be read.
func (o *inputFlags) parserOptions() (parsers.Options, error) { return parserOptions(o.config, o.mta) }

// parserOptions are what a configuration file, unless it is "", and the flag
// --mta say of how lines are to be read.
func parserOptions(file, mta string) (parsers.Options, error) {
	var options parsers.Options
	if file != "" {
		cfg, err := config.Load(config.LoadOptions{File: file})
		if err != nil {
			return options, err
		}
		if options, err = app.ParserOptions(cfg); err != nil {
			return options, err
		}
	}
	if mta != "auto" {
		var err error
		if options.MTA, err = relaylens.ParseMTA(mta); err != nil {
			return options, usagef("--mta %q: choose auto, postfix, exim or sendmail", mta)
		}
	}
	return options, nil
}

// readStore opens the store for the time of one question.
func (o *inputFlags) readStore(c *cobra.Command, question func(*store.Store) error) error {
	s, err := o.openStore(c)
	if err != nil {
		return err
	}
	// Who asks right after the first start would take silence for good news.
	if at, err := s.Newest(c.Context(), 1); err == nil && at.IsZero() && !o.quiet {
		fmt.Fprintln(c.ErrOrStderr(), "relaylens: the store has no event yet: the daemon reads what is logged from its first start on. "+
			"To ask what a log has already, name it:", c.CommandPath(), "/var/log/mail.log")
	}
	return errors.Join(question(s), s.Close())
}

// readFiles asks FILEs a question, and shows how far they were read.
func (o *inputFlags) readFiles(c *cobra.Command, names []string, question func(*ask.Files) error) error {
	options, err := o.parserOptions()
	if err != nil {
		return unread{err}
	}
	site, err := o.site.site(o.config)
	if err != nil {
		return unread{err}
	}
	resident.Collect()
	p := newProgress(c.ErrOrStderr())
	files := &ask.Files{Names: names, Stdin: c.InOrStdin(), Options: options, Site: site, Progress: p.show}
	err = question(files)
	p.done()
	if lines := files.Counts.Lines(); lines == 0 && err != nil {
		return unread{err}
	}
	if !o.quiet {
		noteForeign(c.ErrOrStderr(), files.Counts)
	}
	return err
}

// unread is the error of FILEs of which no line was read, so that there is nothing
// to show.
type unread struct{ error }

func (e unread) Unwrap() error { return e.error }

// noteForeign says so where what was read is no mail log, which would pass for one
// without refusals. Of garbage some lines may look like those of a mail server.
func noteForeign(w io.Writer, c parsers.Counts) {
	lines, malformed := c.Lines(), c[parsers.ResultMalformed]
	of := lines - malformed - c[parsers.ResultForeign]
	switch {
	case lines == 0:
	case lines == 1 && of == 0:
		fmt.Fprintln(w, "relaylens: the only line is not of a mail server: is this the log that Postfix, Exim or Sendmail writes?")
	case malformed == lines && lines > 1:
		fmt.Fprintf(w, "relaylens: none of the %d lines can be read: they need a time and the name of a program. "+
			"Of journalctl that is -o short, json, export or verbose, not cat or short-monotonic; "+
			"of a large JSON document an object a line, as jq -c '.[]' writes it.\n", lines)
	case of == 0:
		fmt.Fprintf(w, "relaylens: none of the %d lines is of a mail server: is this the log that Postfix, Exim or Sendmail writes?\n", lines)
	case malformed*2 >= lines && c[parsers.ResultRefusal] == 0:
		fmt.Fprintf(w, "relaylens: %d of the %d lines cannot be read: is this a log, and a plain or compressed one?\n", malformed, lines)
	case of == c[parsers.ResultIgnored] && of > 1: // dates as Exim writes them stand in many a log
		fmt.Fprintf(w, "relaylens: none of the %d lines tells of a client or a message: is this the log that Postfix, Exim or Sendmail writes?\n", lines)
	}
}

// arguments are what stands behind the flags.
type arguments struct {
	match relaylens.Match
	raw   []string // of match
	files []string // none: the store is asked
}

// fieldName is what the name of a field looks like; a file is seldom called so.
var fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readArguments tells matches from files. What looks like a match on a field
// that there is not is taken for a mistake unless such a file exists.
func readArguments(args []string) (arguments, error) {
	var a arguments
	matches := a.raw
	for _, arg := range args {
		name, _, isMatch := strings.Cut(arg, "=")
		switch {
		case arg == "+", isMatch && relaylens.IsMatchField(name):
			matches = append(matches, arg)
		case isMatch && fieldName.MatchString(name) && !exists(arg):
			matches = append(matches, arg) // whose error says what was meant
		case arg == "":
			return a, usagef("an argument is empty; name a FILE or write FIELD=VALUE")
		default:
			a.files = append(a.files, arg)
		}
	}
	a.raw = matches
	if err := plainValues(matches); err != nil {
		return a, err
	}
	var err error
	if a.match, err = relaylens.ParseMatch(matches); err != nil {
		return a, usageError{err}
	}
	return a, nil
}

// Fields in whose values people write wildcards.
var (
	nameFields    = []string{"sender_domain", "recipient_domain", "client_name", "remote_host", "helo", "host"}
	addressFields = []string{"sender", "recipient", "user"}
)

// plainValues refuses what looks like a list or a pattern. Values are compared
// whole, so that it would find nothing.
func plainValues(matches []string) error {
	for _, m := range matches {
		name, value, _ := strings.Cut(m, "=")
		if strings.Contains(value, ",") && relaylens.FieldValues(name) != nil {
			return usagef("%s: write each value by itself, as in %s=%s", m, name, strings.ReplaceAll(value, ",", " "+name+"="))
		}
		isName := slices.Contains(nameFields, name)
		if !isName && !slices.Contains(addressFields, name) || !strings.HasPrefix(value, "*") && !strings.HasSuffix(value, "*") {
			continue
		}
		write := "relaylens events -g takes a pattern"
		domain, ofAddress := strings.CutPrefix(value, "*@")
		below, ofDomain := strings.CutPrefix(value, "*.")
		switch {
		case ofAddress && name != "user":
			write = "write " + name + "_domain=" + domain
		case ofDomain && isName:
			write = "write " + name + "=." + below
		}
		return usagef("%s: * stands for no other text; %s", m, write)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
