package tailer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/sleep"
)

// JournalOptions configure NewJournal. The zero value reads all of this
// machine's journal, from its end.
type JournalOptions struct {
	// Name is what lines and metrics call the source; empty means "journal".
	Name string
	// Units and Identifiers select entries by their systemd unit
	// ("postfix@-.service") and by their syslog identifier ("exim4"). One of
	// the units and one of the identifiers has to match, where there are any.
	// Nothing selected means everything; a selection only saves work.
	Units, Identifiers []string
	// Directory holds the journal's files; empty means this machine's own
	// entries in the places where journald keeps them.
	Directory string
	// Start says where to begin without a position; Since, if set, begins with
	// the entries that are not older instead.
	Start Start
	Since time.Time
	// Positions are saved ones, of this source or of others; that of Name wins
	// over Start. One without a cursor is of a journal that had no such entry.
	Positions []relaylens.Position
	// Command is the journalctl to run; empty means the one in PATH.
	Command string
	Logger  *zap.Logger // nil: no log
	Metrics *Metrics    // nil: none
}

type journal struct {
	JournalOptions
	log      *zap.Logger
	m        *gauges
	restarts prometheus.Counter

	begun  bool // where to begin was decided
	cursor string
	since  time.Time // where to begin without a cursor; zero is the beginning
	last   time.Time // time of the entry at cursor
	pause  pause

	mu   sync.Mutex
	told map[string]bool // what journalctl said, so that it is logged once

	buf []byte // what journalctl wrote, until a whole entry is there
}

// NewJournal follows the systemd journal through journalctl, which is run as
// a child process and started again, with growing pauses, when it ends. Run
// fails only when it cannot be started at all.
//
// Line.Text is the entry as one JSON object, with the members that tell of a
// syslog line alone and in an order of ours; beyond MaxLine only in what a
// message takes that is an array of numbers. Line.Cursor is the journal's
// cursor; lines have no number, offset or origin.
//
// A position whose entry was vacuumed goes on with the next one that is left,
// and one that journalctl does not take with the entries since its time; either
// is logged. What is written to a journal while journalctl reads it comes
// in the order of that journal. Of several, as from several hosts, an entry
// that is older than what was read and came later is not seen.
func NewJournal(o JournalOptions) relaylens.Source {
	if o.Name == "" {
		o.Name = "journal"
	}
	if o.Command == "" {
		o.Command = "journalctl"
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	j := &journal{
		JournalOptions: o, log: o.Logger.Named("journal").With(zap.String("source", o.Name)), m: o.Metrics.source(o.Name), restarts: o.Metrics.restartsOf(o.Name),
		told: map[string]bool{},
	}
	for _, p := range o.Positions {
		if p.Source == o.Name {
			j.begun, j.cursor, j.last = true, p.Cursor, p.Time
			break
		}
	}
	return j
}

func (j *journal) Name() string { return j.JournalOptions.Name }

// Run goes on where the Run before it ended, if there was one.
func (j *journal) Run(ctx context.Context, out chan<- relaylens.Batch) error {
	defer j.m.up.Set(0)
	j.buf = make([]byte, maxRecord)
	defer func() { j.buf = nil }()
	for {
		err := j.follow(ctx, out)
		if ctx.Err() != nil {
			return nil
		}
		j.m.up.Set(0)
		j.m.errors.Inc()
		if e := (*Error)(nil); errors.As(err, &e) {
			return err
		}
		delay := j.pause.next()
		j.complain("journalctl ended, starting it again", err.Error(), zap.Duration("after", delay))
		if !sleep.For(ctx, delay) {
			return nil
		}
		j.restarts.Inc()
	}
}

// follow runs journalctl until it ends, and says why it did.
func (j *journal) follow(ctx context.Context, out chan<- relaylens.Batch) error {
	if !j.begun {
		if err := j.begin(ctx, out); err != nil {
			return err
		}
	}
	c, err := j.start(ctx, j.args()...)
	if err != nil {
		return err
	}
	defer j.worked(time.Now())
	if err := j.read(ctx, c.stdout, out); err != nil {
		return errors.Join(err, c.wait())
	}
	err = c.wait()
	if err == nil {
		return errEnded
	}
	if j.cursor != "" && strings.Contains(err.Error(), refusedCursor) {
		j.forgetCursor()
	}
	return err
}

// refusedCursor is what journalctl says of a cursor that is none.
const refusedCursor = "Failed to seek to cursor"

// forgetCursor begins again with the entries since the time of the cursor.
func (j *journal) forgetCursor() {
	j.since = cursorTime(j.cursor)
	if j.since.IsZero() {
		j.since = j.last
	}
	j.log.Warn("journalctl does not take the saved position: going on with the entries since its time, some of which may have been read before",
		zap.String("cursor", relaylens.Escaped(j.cursor, maxTold)), zap.Time("since", j.since))
	j.cursor = ""
	j.pause = pause{}
}

// cursorTime is the time that a cursor tells, in hexadecimal microseconds:
// systemd src/libsystemd/sd-journal/sd-journal.c, sd_journal_get_cursor.
func cursorTime(cursor string) time.Time {
	for part := range strings.SplitSeq(cursor, ";") {
		if hex, ok := strings.CutPrefix(part, "t="); ok {
			if n, err := strconv.ParseInt(hex, 16, 64); err == nil && n > 0 {
				return time.UnixMicro(n)
			}
		}
	}
	return time.Time{}
}

// begin decides where a source without a position begins, and sends that as a
// position: what is written while nobody runs is then not passed over.
func (j *journal) begin(ctx context.Context, out chan<- relaylens.Batch) error {
	now := time.Now()
	switch {
	case !j.Since.IsZero():
		j.since = j.Since
	case j.Start == StartBegin:
	default:
		last, err := j.look(ctx, "--lines=1")
		if err != nil {
			return err
		}
		// Where there is nothing yet, all that will be is new.
		if j.cursor = string(last.cursor()); j.cursor == "" {
			j.log.Info("the journal has no entry of this kind yet")
		}
		if !j.send(ctx, out, relaylens.Batch{Reference: now, Position: j.position()}) {
			return ctx.Err()
		}
	}
	j.begun = true
	return nil
}

func (j *journal) position() relaylens.Position {
	return relaylens.Position{Source: j.Name(), Cursor: j.cursor, Time: j.last}
}

// look reads one entry, which has no cursor when there is none.
func (j *journal) look(ctx context.Context, args ...string) (record, error) {
	var r record
	c, err := j.start(ctx, j.selection(args...)...)
	if err != nil {
		return r, err
	}
	text, readErr := io.ReadAll(io.LimitReader(c.stdout, maxRecord))
	if err := errors.Join(readErr, c.wait()); err != nil {
		return r, err
	}
	for line := range bytes.Lines(text) {
		if r.parse(line) {
			return r, nil
		}
	}
	return record{}, nil
}

// args are the arguments that follow the journal from where it was read to.
//
// Not --after-cursor: when that entry is gone it passes over the next one.
// Not without --merge: --follow alone shows the last boot only.
func (j *journal) args() []string {
	args := j.selection("--follow", "--no-tail")
	switch {
	case j.cursor != "":
		args = append(args, "--cursor="+j.cursor)
	case !j.since.IsZero():
		micro := j.since.UnixMicro()
		args = append(args, fmt.Sprintf("--since=@%d.%06d", micro/1e6, micro%1e6))
	}
	return args
}

// selection adds the arguments that say which entries are read, and how.
func (j *journal) selection(args ...string) []string {
	args = append(args, "--output=json", "--all", "--no-pager", "--merge",
		"--output-fields="+strings.Join(journalFields[journalRealtime+1:], ","))
	for _, u := range j.Units {
		args = append(args, "--unit="+u)
	}
	for _, id := range j.Identifiers {
		args = append(args, "--identifier="+id)
	}
	if j.Directory != "" {
		return append(args, "--directory="+j.Directory)
	}
	if id := machineID(); id != "" {
		args = append(args, "_MACHINE_ID="+id)
	}
	return args
}

// complain logs a text once, until journalctl has worked for a while.
func (j *journal) complain(message, text string, fields ...zap.Field) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.told[text] || len(j.told) >= maxTexts {
		return
	}
	j.told[text] = true
	j.log.Warn(message, append(fields, zap.String("text", text))...)
}

// settled is how long journalctl has to run until an earlier failure is history.
const settled = 10 * time.Second

func (j *journal) worked(since time.Time) {
	if time.Since(since) < settled {
		return
	}
	j.pause = pause{}
	j.mu.Lock()
	clear(j.told)
	j.mu.Unlock()
}
