package parsers

import (
	"hash/maphash"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// writing is one line as it is read: where, by which process, what.
type writing struct {
	source string
	pid    int32
	text   string
	again  int // "message repeated n times"
}

// at is a line that is written some seconds after the first.
type at struct {
	writing
	second int64
}

func TestCopies(t *testing.T) {
	const a, b = "rejected RCPT <a@example.com>", "rejected RCPT <b@example.com>"
	main, reject := "mainlog", "rejectlog"
	for name, tc := range map[string]struct {
		native bool
		lines  []writing
		want   int
	}{
		"mainlog alone, tried twice in a second":        {true, []writing{{main, 0, a, 0}, {main, 0, a, 0}}, 2},
		"mainlog and rejectlog":                         {true, []writing{{main, 0, a, 0}, {reject, 0, a, 0}}, 1},
		"mainlog whole, then rejectlog whole":           {true, []writing{{main, 0, a, 0}, {main, 0, a, 0}, {main, 0, b, 0}, {reject, 0, a, 0}, {reject, 0, a, 0}, {reject, 0, b, 0}}, 3},
		"rejectlog first":                               {true, []writing{{reject, 0, a, 0}, {main, 0, a, 0}, {main, 0, a, 0}}, 2},
		"syslog_duplication":                            {false, []writing{{main, 7, a, 0}, {main, 7, a, 0}, {main, 7, b, 0}, {main, 7, b, 0}}, 2},
		"syslog_duplication, two processes interleaved": {false, []writing{{main, 7, a, 0}, {main, 8, a, 0}, {main, 7, a, 0}, {main, 8, a, 0}}, 2},
		"syslog_duplication, tried twice":               {false, []writing{{main, 7, a, 0}, {main, 7, a, 0}, {main, 7, a, 0}, {main, 7, a, 0}}, 2},
		"syslog_duplication, repeated":                  {false, []writing{{main, 7, a, 0}, {main, 7, a, 3}, {main, 7, b, 0}, {main, 7, b, 1}}, 3},
		"no syslog_duplication, repeated":               {false, []writing{{main, 7, a, 0}, {main, 7, b, 0}, {main, 7, a, 0}, {main, 7, a, 4}, {main, 8, b, 2}}, 9},
		"both logs, mainlog repeated":                   {false, []writing{{main, 0, a, 0}, {main, 0, a, 2}, {reject, 0, a, 4}}, 4},
		"no syslog_duplication":                         {false, []writing{{main, 7, a, 0}, {main, 7, b, 0}, {main, 8, b, 0}, {main, 8, a, 0}, {main, 9, a, 0}, {main, 9, a, 0}}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			c, writers := newCopies(), newWriters(maphash.MakeSeed())
			told := 0
			for _, w := range tc.lines {
				env := relaylens.Envelope{Native: tc.native, PID: w.pid, Program: "exim", Text: w.text, Time: time.Unix(1_700_000_000, 0)}
				env.Repeat = w.again
				told += c.news(&env, writers.find(&env), w.source, env.Time.Unix())
			}
			if told != tc.want {
				t.Errorf("told %d times, want %d", told, tc.want)
			}
		})
	}
}

// TestCopiesInOneStream is about streams of which nothing but their lines tells
// whether each refusal is in them twice.
func TestCopiesInOneStream(t *testing.T) {
	const a, b, c = "rejected RCPT <a@example.com>", "rejected RCPT <b@example.com>", "rejected RCPT <c@example.com>"
	const stdin, mainlog, domain = "-", "/var/log/exim4/mainlog", "/srv/mainframe/domain.log"
	line := func(source string, pid int32, second int64, text string) at {
		return at{writing{source, pid, text, 0}, second}
	}
	var sessions []at // three failed logins each, of which one copy is written
	for i := range int32(8) {
		for range 3 {
			sessions = append(sessions, line("mail.notice", 100+i, int64(10*i), a))
		}
	}
	for name, tc := range map[string]struct {
		native bool
		lines  []at
		want   int
	}{
		"both logs on one pipe":                {true, []at{line(stdin, 0, 0, a), line(stdin, 0, 0, a), line(stdin, 0, 5, b), line(stdin, 0, 5, b)}, 2},
		"both logs on one pipe, mixed":         {true, []at{line(stdin, 0, 0, a), line(stdin, 0, 0, b), line(stdin, 0, 0, a), line(stdin, 0, 0, b)}, 2},
		"both logs on one pipe, with pid":      {true, []at{line(stdin, 7, 0, a), line(stdin, 8, 0, a), line(stdin, 7, 0, a), line(stdin, 8, 0, a)}, 2},
		"both logs on one pipe, tried twice":   {true, []at{line(stdin, 0, 0, a), line(stdin, 0, 0, a), line(stdin, 0, 0, a), line(stdin, 0, 0, a)}, 2},
		"mainlog on a pipe":                    {true, []at{line(stdin, 0, 0, a), line(stdin, 0, 1, b), line(stdin, 0, 5, b), line(stdin, 0, 9, c), line(stdin, 0, 9, c)}, 5},
		"mainlog on a pipe, tried twice first": {true, []at{line(stdin, 0, 0, a), line(stdin, 0, 0, b), line(stdin, 0, 0, b)}, 3},
		"mainlog, then rejectlog on a pipe":    {true, []at{line(stdin, 0, 0, a), line(stdin, 0, 5, b), line(stdin, 0, 9, b), line(stdin, 0, 0, a), line(stdin, 0, 5, b), line(stdin, 0, 9, b)}, 3},
		"mainlog by its name":                  {true, []at{line(mainlog, 0, 0, a), line(mainlog, 0, 0, a), line(mainlog, 0, 0, a)}, 3},
		"both logs, in a domain's own file":    {true, []at{line(domain, 0, 0, a), line(domain, 0, 0, a), line(domain, 0, 5, b), line(domain, 0, 5, b)}, 2},
		"syslog without pids":                  {false, []at{line("mail.log", 0, 0, a), line("mail.log", 0, 0, a), line("mail.log", 0, 5, b), line("mail.log", 0, 5, b)}, 2},
		"syslog of one priority, tried thrice": {false, sessions, 8*3 - 3}, // the first three sessions show it
		"syslog of one priority, tried once": {false, []at{
			line("mail.notice", 7, 0, a), line("mail.notice", 8, 5, a), line("mail.notice", 9, 9, a), line("mail.notice", 9, 9, a)}, 4},
		"syslog of processes that overtake each other": {false, []at{
			line("mail.log", 7, 0, b), line("mail.log", 8, 0, a), line("mail.log", 8, 0, a), line("mail.log", 7, 0, b), line("mail.log", 9, 0, c), line("mail.log", 9, 0, c)}, 3},
		"syslog cut between two copies": {false, []at{
			line("mail.log", 7, 0, a), line("mail.log", 8, 5, a), line("mail.log", 8, 5, a), line("mail.log", 9, 9, a), line("mail.log", 9, 9, a)}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			c, writers := newCopies(), newWriters(maphash.MakeSeed())
			told := 0
			for _, w := range tc.lines {
				env := relaylens.Envelope{Native: tc.native, PID: w.pid, Text: w.text, Time: time.Unix(1_700_000_000+w.second, 0)}
				told += c.news(&env, writers.find(&env), w.source, env.Time.Unix())
			}
			if told != tc.want {
				t.Errorf("told %d times, want %d", told, tc.want)
			}
		})
	}
}
