package parsers

import (
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
			c := newCopies()
			told := 0
			for _, w := range tc.lines {
				env := relaylens.Envelope{Native: tc.native, PID: w.pid, Program: "exim", Text: w.text, Time: time.Unix(1_700_000_000, 0)}
				env.Repeat = w.again
				told += c.news(&env, w.source, env.Time.Unix())
			}
			if told != tc.want {
				t.Errorf("told %d times, want %d", told, tc.want)
			}
		})
	}
}
